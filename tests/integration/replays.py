#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A session through gate and bridge, sent again after each of them and the workers was killed.

    tests/integration/replays.py HOSO CONFIG PROCEDURES [NAMES]
"""
import json
import os
import re
import signal
import sys
import time
import unittest

from doors import Cell, DOSSIER, review, until


def setUpModule():
    Cell.begin()


def tearDownModule():
    Cell.finish()


class Again(Cell):
    """A session is recorded, and sent again after each kill."""

    def record(self, line):
        """(door, request, answer) of a session through both doors."""
        session = []

        def gate(kind, body, id, to=None):
            answer = line.ask(kind, body, id, to)
            session.append(("gate", (kind, body, id, to), answer))
            return answer["body"]

        def bridge(path, body, key):
            answer = self.http("POST", path, body, key=key)
            session.append(("bridge", (path, body, key), (answer.status, answer.text)))
            return json.loads(answer.text)
        codes = [gate("dossier_submit", DOSSIER, f"g-{n}")["dossier"] for n in range(5)]
        codes += [bridge("/v1/dossiers", DOSSIER, f"b-{n}")["dossier"] for n in range(5)]
        self.assertEqual(len(set(codes)), 10)
        for n in range(2):
            task = review(line)
            body = {"token": task["token"], "result": {"verdict": "approve"}, "by": "an"}
            if n == 0:
                gate("task_complete", {"task": task["task"], **body}, "done-g", "verification")
            else:
                bridge(f"/v1/tasks/{task['task']}/complete", body, "done-b")
        bridge("/v1/journal/ack", {"cursor": "c", "seq": 1}, "ack-b")
        return session

    def replay(self, line, session):
        for door, request, answer in session:
            if door == "gate":
                self.assertEqual(line.ask(*request), answer)
                continue
            path, body, key = request
            told = until(lambda: (lambda a: a.status not in (0, 429, 503) and a)(
                self.http("POST", path, body, key=key)), f"{path} is answered")
            self.assertEqual((told.status, told.text), answer)

    def journal(self):
        """How many events there are, once nothing is under way any more."""
        seen = [None, -1]
        while seen[-1] != seen[-2]:
            time.sleep(0.15)
            text = self.hoso("metrics", "--cell", self.cell)
            seen.append(re.search(r"^hoso_journal_events_total (\d+)", text, re.MULTILINE).group(1))
        return seen[-1]

    def test_a_recorded_session_has_no_second_effect_after_any_kill(self):
        with self.line() as line:
            session = self.record(line)
            stored, events = self.dossiers(), self.journal()
            self.replay(line, session)
            for name in ("gate", "bridge", "intake", "verification"):
                old = self.pid(name)
                os.kill(old, signal.SIGKILL)
                self.replay(line, session)
                until(lambda n=name, p=old: self.pid(n) not in (None, p), f"{name} is back")
            self.assertEqual(sorted(self.dossiers()), sorted(stored))
            self.assertEqual(self.journal(), events)
            before = self.figures()
            for n in range(5):
                other = {**DOSSIER, "by": "teller-08"}
                self.assertEqual(line.ask("dossier_submit", other, f"g-{n}")["body"]["code"],
                                 "conflict")
                told = self.http("POST", "/v1/dossiers", other, key=f"b-{n}")
                self.assertEqual((told.status, json.loads(told.text)["code"]), (409, "conflict"))
            self.rises(before, "hoso_bridge_refused_total", by=5)
            self.assertEqual(self.journal(), events)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
