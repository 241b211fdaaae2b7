#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who has no key, had one, or wants what is not its own, through gate and bridge.

    tests/integration/hostile_parties.py HOSO CONFIG PROCEDURES [NAMES]
"""
import re
import sys
import unittest

from doors import Cell, DOSSIER, Line, PRINTED, review, until
import zmq


def setUpModule():
    Cell.begin()


def tearDownModule():
    Cell.finish()


class Who(Cell):
    def told(self, address, why):
        until(lambda: re.search(rf"event=stranger .*{re.escape(address)} was refused: {why}",
                                self.log_path.read_text("utf-8")), f"the log tells of {address}")

    def test_strangers_reach_nothing_and_are_counted_and_told(self):
        own, other = zmq.curve_keypair(), zmq.curve_keypair()
        before, stored = self.figures(), self.dossiers()
        rows = [("127.0.0.21", own, None, "its key is not registered"),
                ("127.0.0.22", PRINTED, None, "its key is not registered"),
                ("127.0.0.23", self.keys["good"], other[0], "it proved no key"),
                ("127.0.0.24", None, None, "it proved no key")]
        for address, keys, server, why in rows:
            with Line(self, keys, server, address) as line:
                self.assertTrue(line.is_refused(), address)
            self.told(address, why)
        self.rises(before, "hoso_gate_unknown_keys_total", by=2)
        self.rises(before, "hoso_gate_unproved_total", by=2)
        for token in (None, "", "hoso_" + "0" * 64):
            self.tokens["stranger"] = token
            self.assertEqual(self.http("GET", "/v1/dossiers",
                                       token="stranger" if token else None).status, 401)
        self.rises(before, "hoso_bridge_refused_total", by=3)
        self.assertEqual(self.dossiers(), stored)
        self.works()

    def test_who_is_revoked_while_connected_is_denied_from_then_on(self):
        with self.line("shut-out") as line:
            self.assertEqual(line.ask("health", {}, to="routing")["type"], "health_report")
            before = self.figures()
            self.hoso("party", "revoke", "shut-out", "--cell", self.cell)
            until(lambda: line.ask("health", {}, to="routing")["body"].get("code") == "denied"
                  and self.figures()["hoso_gate_refused_total"] > before["hoso_gate_refused_total"],
                  "it is denied, in the end by the gate itself")
            until(lambda: self.http("GET", "/v1/dossiers", token="shut-out").status == 401,
                  "so it is over HTTP")
            self.rises(before, "hoso_bridge_refused_total")
        self.works()

    def test_a_foreign_dossier_is_not_there_by_any_verb(self):
        with self.line() as good, self.line("far") as far:
            code = good.ask("dossier_submit", DOSSIER)["body"]["dossier"]
            task = review(good)
            held = {"task": task["task"], "token": task["token"]}
            who = {"by": "an", "role": "civil_servant"}
            rows = [("dossier_get", {"dossier": code}, None),
                    ("dossier_event", {"dossier": code, "event": "withdraw", "by": "an",
                                       "role": "postal_worker"}, None),
                    ("task_extend", {**held, "lease_ms": 60000}, "verification"),
                    ("task_complete", {**held, "result": {"verdict": "approve"}, "by": "an"},
                     "verification"),
                    ("task_fail", {**held, "reason": "x", "by": "an"}, "verification"),
                    ("task_progress", {**held, "data": {}, "by": "an"}, "verification")]
            for kind, body, to in rows:
                self.assertEqual(far.ask(kind, body, to=to)["body"].get("code"), "not_found", kind)
            self.assertEqual(far.ask("dossier_list", {})["body"]["dossiers"], [])
            seen = far.ask("journal_fetch", {"from": 1}, to="intake")["body"]
            self.assertEqual(seen.get("events", []), [])
            where = f"/v1/tasks/{task['task']}"
            for path, body in ((f"/v1/dossiers/{code}", None),
                               (f"/v1/dossiers/{code}/events", {"event": "withdraw", "by": "an",
                                                                "role": "postal_worker"}),
                               (f"{where}/extend", {"token": task["token"], "lease_ms": 60000}),
                               (f"{where}/complete", {"token": task["token"], "by": "an",
                                                      "result": {"verdict": "approve"}})):
                told = self.http("POST" if body else "GET", path, body, token="far")
                self.assertEqual(told.status, 404, (path, told.text))
            done = good.ask("task_complete", {**held, "result": {"verdict": "approve"},
                                              "by": who["by"]}, to="verification")
            self.assertEqual(done["type"], "done", done)  # nobody has touched it

    def test_a_party_has_so_many_connections_and_one_more_when_another_ends(self):
        before, lines = self.figures(), []
        try:
            for _ in range(4):
                lines.append(self.line("crowd"))
                self.assertEqual(lines[-1].ask("health", {}, to="routing")["type"],
                                 "health_report")
            fifth = self.line("crowd", address="127.0.0.31")
            lines.append(fifth)
            self.assertTrue(fifth.is_refused())
            self.rises(before, "hoso_gate_crowded_total")
            self.told("127.0.0.31", "its party has as many connections")
            self.works()
            lines.pop(0).socket.close(0)
            self.assertEqual(fifth.ask("health", {}, to="routing")["type"], "health_report")
        finally:
            for line in lines:
                line.socket.close(0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
