# SPDX-License-Identifier: Apache-2.0
"""Counts the single cases of a meson test log: summary.py testlog.json MESON-FAILED.

Programs of cmocka say how many of their cases passed; any other test counts as one case.
"""
import json
import re
import sys

CASES = re.compile(r"\[  (PASSED|FAILED)  \] (\d+) test")


def cases(test):
    """Passed and failed cases of one test program."""
    output = test.get("stdout", "") + test.get("stderr", "")
    found = {"PASSED": 0, "FAILED": 0}
    for word, number in CASES.findall(output):
        found[word] += int(number)
    is_good = test["result"] in ("OK", "EXPECTEDFAIL")
    if not is_good and found["FAILED"] == 0:
        found["FAILED"] = 1
    if is_good and found["PASSED"] == 0:
        found["PASSED"] = 1
    return found["PASSED"], found["FAILED"]


def main():
    passed, failed, broken = 0, 0, []
    with open(sys.argv[1], encoding="utf-8") as log:
        for line in log:
            test = json.loads(line)
            if test["result"] == "SKIP":
                continue
            good, bad = cases(test)
            passed += good
            failed += bad
            if bad:
                broken.append(test["name"])
    for name in broken:
        print(f"failed: {name}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed == 0 or sys.argv[2] != "0" else 0


if __name__ == "__main__":
    sys.exit(main())
