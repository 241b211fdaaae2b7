# SPDX-License-Identifier: Apache-2.0
"""Counts the single cases of a meson test log: summary.py testlog.json MESON-FAILED.

Programs of cmocka and of Python's unittest say how many cases they ran; any other test counts as one
case. The last line is always "N passed, N failed", and the exit code says whether all went well.
"""
import json
import os
import re
import sys

CMOCKA = re.compile(r"\[  (PASSED|FAILED)  \] (\d+) test")
RAN = re.compile(r"^Ran (\d+) tests? in", re.MULTILINE)
WRONG = re.compile(r"^FAILED \((.*)\)$", re.MULTILINE)


def cases(test):
    """Passed and failed cases of one test program."""
    output = test.get("stdout", "") + test.get("stderr", "")
    passed, failed = 0, 0
    for word, number in CMOCKA.findall(output):
        passed += int(number) if word == "PASSED" else 0
        failed += int(number) if word == "FAILED" else 0
    for number in RAN.findall(output):
        wrong = sum(int(n) for text in WRONG.findall(output)
                    for n in re.findall(r"(?:failures|errors)=(\d+)", text))
        passed += int(number) - wrong
        failed += wrong
    is_good = test["result"] in ("OK", "EXPECTEDFAIL")
    if not is_good and failed == 0:  # it crashed, hung, or failed without counting
        failed = 1
    if is_good and passed == 0:
        passed = 1
    return passed, failed


def read(path):
    """The tests of the log; none where there is no log."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as log:
        return [json.loads(line) for line in log]


def main():
    passed, failed, broken = 0, 0, []
    for test in read(sys.argv[1]):
        if test["result"] == "SKIP":
            continue
        good, bad = cases(test)
        passed += good
        failed += bad
        if bad:
            broken.append(test["name"])
    if failed == 0 and (passed == 0 or sys.argv[2] != "0"):
        broken.append("the test run itself")
        failed = 1
    for name in broken:
        print(f"failed: {name}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
