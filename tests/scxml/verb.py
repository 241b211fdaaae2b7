#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs all cases of this folder through the command, as an outside test suite would.

    tests/scxml/verb.py HOSO       exit code 0 = all as expected, 1 = differences (one line each)
"""
import json
import pathlib
import subprocess
import sys


def chart_run(hoso, definition, events, *options):
    command = [hoso, "chart", "run", str(definition), "-", *options]
    return subprocess.run(command, input=json.dumps(events), capture_output=True, text=True,
                          timeout=60, check=False)


def difference(hoso, definition, expected):
    """What is wrong with one case, or None."""
    events = [{**row["event"], "after_ms": row.get("after", 0)}
              for row in expected.get("events", [])]
    settles = "settledConfiguration" in expected or "fails" in expected
    done = chart_run(hoso, definition, events, *(["--settle"] if settles else []))
    for key, code in (("refused", 2), ("fails", 1)):
        if key in expected and (done.returncode != code or expected[key] not in done.stderr):
            return f"exit code {code} and \"{expected[key]}\" expected: {done}"
    if "refused" in expected or "fails" in expected:
        return None
    want = [expected["initialConfiguration"]]
    want += [row["nextConfiguration"] for row in expected["events"]]
    want += [expected["settledConfiguration"]] if settles else []
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return None if done.returncode == 0 and lines == want else f"{want} expected: {done}"


def refusals(hoso, definition):
    """Lists of events that are none are refused before anything runs."""
    wrong = [{}, ["x"], [{"nam": "x"}], [{"name": ""}], [{"name": "x", "after_ms": "1 s"}],
             [{"name": "x", "after": 1}], [{"name": "x", "after_ms": -1}],
             [{"name": "x", "after_ms": 0.5}], [{"name": "x", "after_ms": 1e30}]]
    for events in wrong:
        done = chart_run(hoso, definition, events)
        if done.returncode != 2 or done.stdout != "" or done.stderr == "":
            yield f"{events} should be refused: {done}"
    done = chart_run(hoso, definition.with_name("no-such-file.cfg"), [])
    if done.returncode != 2 or "no-such-file" not in done.stderr:
        yield f"a missing definition should be refused: {done}"


def main():
    hoso = sys.argv[1]
    folder = pathlib.Path(__file__).resolve().parent
    cases = sorted(folder.glob("*.cfg"))
    problems = []
    for definition in cases:
        expected = json.loads(definition.with_suffix(".json").read_text(encoding="utf-8"))
        problem = difference(hoso, definition, expected)
        if problem:
            problems.append(f"{definition.stem}: {problem}")
    problems += refusals(hoso, cases[0])
    print("\n".join(problems) if problems else f"{len(cases)} cases")
    return 1 if problems or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
