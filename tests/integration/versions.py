#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Versions of procedures by the command, in a live cell.

    tests/integration/versions.py HOSO CONFIG PROCEDURES
"""
import json
import pathlib
import re
import sys
import unittest

sys.dont_write_bytecode = True
import hoso  # noqa: E402

CODE = "1.004873"


class Versions(hoso.Cell):
    def setUp(self):
        super().setUp()
        self.init()
        self.start()

    # ---- steps --------------------------------------------------------------------------------

    def definition(self, version):
        """The pilot's definition as another version."""
        source = next(pathlib.Path(hoso.PROCEDURES).glob(CODE + "*.cfg"))
        text = re.sub(r"version = \d+;", f"version = {version};",
                      source.read_text(encoding="utf-8"), count=1)
        path = pathlib.Path(self.folder, f"version-{version}.cfg")
        path.write_text(text, encoding="utf-8")
        return str(path)

    def renamed(self, version):
        """State accept is called reception; the work in it keeps its id."""
        path = pathlib.Path(self.definition(version))
        text = path.read_text(encoding="utf-8")
        text = text.replace("            accept: {", "            reception: {")
        text = text.replace('target = "accept"', 'target = "reception"')
        text = text.replace("deadline.accept", "deadline.reception")
        path.write_text(text, encoding="utf-8")
        return str(path)

    def row(self, version):
        rows = [r for r in self.ask("procedure", "list")["procedures"]
                if r["procedure"] == CODE and r["version"] == version]
        return rows[0] if rows else None

    def filed(self, n):
        codes = [self.submit() for _ in range(n)]
        self.until(lambda: len(self.ask("list", "--procedure", CODE, "--state", "accept")
                               ["dossiers"]) == n, "all wait to be accepted")
        return codes

    def events(self, code):
        return [e["event"] for e in self.ask("history", code)["events"]]

    def state(self, code):
        return self.ask("show", code)["states"]

    def accept(self, n):
        for _ in range(n):
            task, token = self.claim()
            self.hoso("task", "complete", task, token, '{"verdict": "approve"}', "--by", "an")

    # ---- install ------------------------------------------------------------------------------

    def test_install_shows_who_stays_before_it_installs(self):
        self.filed(3)
        path = self.renamed(2)
        said = self.hoso("procedure", "install", path, "--dry-run")
        self.assertIn("would be installed", said)
        self.assertIn("3 in accept stay on version 1", said)
        self.assertIsNone(self.row(2))
        answer = self.ask("procedure", "install", path)["procedures"][0]
        self.assertEqual(answer["stay"], [{"version": 1, "state": "accept", "dossiers": 3}])
        self.assertEqual((self.row(1)["open"], self.row(1)["in_force"]), (3, False))
        self.assertEqual((self.row(2)["open"], self.row(2)["in_force"]), (0, True))
        self.submit()
        self.until(lambda: self.row(2)["open"] == 1, "a new dossier is on version 2")
        self.assertEqual(self.row(1)["open"], 3)

    def test_a_wrong_definition_is_refused_and_disturbs_nothing(self):
        self.filed(1)
        path = pathlib.Path(self.definition(2))
        path.write_text(path.read_text(encoding="utf-8")
                        .replace('target = "examine"', 'target = "nowhere"'), encoding="utf-8")
        self.assertIn("version-2.cfg:", self.hoso("procedure", "install", str(path), expect=2))
        self.assertIsNone(self.row(2))
        self.submit()
        self.until(lambda: self.row(1)["open"] == 2, "version 1 goes on")
        self.accept(2)

    def test_validity_is_shown_and_decides(self):
        path = pathlib.Path(self.definition(2))
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("version = 2;", 'version = 2; valid_from = "2999-01-01";', 1),
                        encoding="utf-8")
        self.hoso("procedure", "install", str(path))
        self.assertEqual(self.row(2)["valid_from"], "2999-01-01")
        self.assertTrue(self.row(1)["in_force"])
        self.filed(1)
        self.assertEqual((self.row(1)["open"], self.row(2)["open"]), (1, 0))

    # ---- roll-back ----------------------------------------------------------------------------

    def test_a_roll_back_is_recorded_and_turns_new_dossiers(self):
        self.hoso("procedure", "install", self.renamed(2))
        self.submit()
        self.assertIn("--reason", self.hoso("procedure", "retire", CODE, "2", expect=2))
        said = self.hoso("procedure", "retire", CODE, "2", "--reason", "wrong fee",
                         "--by", "head-1")
        self.assertIn("new dossiers take version 1", said)
        self.assertIn("on version 2", said)
        self.filed(1)
        self.assertEqual((self.row(1)["open"], self.row(2)["open"]), (1, 1))
        again = self.ask("procedure", "retire", CODE, "2", "--reason", "again")
        self.assertFalse(again["changed"])
        self.hoso("procedure", "activate", CODE, "2", "--reason", "fee is right", "--by", "head-2")
        self.assertTrue(self.row(2)["in_force"])
        acts = self.ask("procedure", "show", CODE, "2")["acts"]
        self.assertEqual([(a["act"], a["by"], a["reason"]) for a in acts],
                         [("retire", "head-1", "wrong fee"),
                          ("activate", "head-2", "fee is right")])
        self.hoso("procedure", "retire", CODE, "9", "--reason", "x", expect=3)

    def test_without_a_version_in_force_new_dossiers_are_refused(self):
        said = self.hoso("procedure", "retire", CODE, "1", "--reason", "abolished")
        self.assertIn("no version is in force", said)
        refused = self.hoso("submit", "-", given=json.dumps(hoso.DOSSIER), expect=1)
        self.assertIn("not in force", refused)

    # ---- migrate ------------------------------------------------------------------------------

    def test_a_dry_run_changes_nothing_and_says_why(self):
        codes = self.filed(3)
        self.hoso("procedure", "install", self.renamed(2))
        done = self.run_hoso("procedure", "migrate", CODE, "1", "2", "--dry-run", "--json",
                             "--cell", self.cell)
        self.assertEqual(done.returncode, 1)
        answer = json.loads(done.stdout)
        self.assertEqual((answer["moved"], answer["stayed"]), (0, 3))
        self.assertEqual(answer["states"][0]["state"], "accept")
        self.assertIn("has no state accept", answer["states"][0]["why"])
        said = self.hoso("procedure", "migrate", CODE, "1", "2", "--dry-run",
                         "--map", "accept=reception")
        self.assertIn("3 would move", said)
        self.assertEqual(self.row(1)["open"], 3)
        self.assertNotIn("operator.migrate", self.events(codes[0]))

    def test_running_dossiers_move_in_parts_with_their_tasks(self):
        codes = self.filed(5)
        due = self.ask("show", codes[0])["due"]
        task, token = self.claim()
        self.hoso("procedure", "install", self.renamed(2))
        answer = self.ask("procedure", "migrate", CODE, "1", "2", "--map", "accept=reception",
                          "--reason", "Decision 15", "--by", "head-1", "--batch", "2")
        self.assertEqual((answer["moved"], answer["stayed"]), (5, 0))
        self.assertEqual((self.row(1)["open"], self.row(2)["open"]), (0, 5))
        self.assertEqual(self.ask("show", codes[0])["due"], due)
        last = self.ask("history", codes[0], "--unmask")["events"][-1]
        self.assertEqual((last["event"], last["by"]), ("operator.migrate", "head-1"))
        self.assertEqual(last["data"]["reason"], "Decision 15")
        self.hoso("task", "complete", task, token, '{"verdict": "approve"}', "--by", "an")
        self.accept(4)
        self.until(lambda: not self.ask("list", "--procedure", CODE, "--state", "reception")
                   ["dossiers"], "all have gone on")
        again = self.ask("procedure", "migrate", CODE, "1", "2", "--reason", "again")
        self.assertEqual((again["moved"], again["stayed"]), (0, 0))
        self.hoso("verify")

    def test_what_cannot_move_stays_and_is_tried_again_next_time(self):
        codes = self.filed(3)
        self.accept(1)
        self.until(lambda: len(self.ask("list", "--procedure", CODE, "--state", "accept")
                               ["dossiers"]) == 2, "one has gone on")
        self.hoso("procedure", "install", self.renamed(2))
        words = ("procedure", "migrate", CODE, "1", "2", "--reason", "x")
        done = self.run_hoso(*words, "--json", "--cell", self.cell)
        answer = json.loads(done.stdout)
        self.assertEqual((done.returncode, answer["moved"], answer["stayed"]), (1, 1, 2))
        self.assertEqual((self.row(1)["open"], self.row(2)["open"]), (2, 1))
        answer = self.ask(*words, "--map", "accept=reception")
        self.assertEqual((answer["moved"], answer["stayed"]), (2, 0))
        self.assertEqual(sum(self.events(c).count("operator.migrate") for c in codes), 3)

    def test_mistakes_in_the_order_are_told_before_anything_moves(self):
        self.hoso("procedure", "install", self.renamed(2))
        migrate = ("procedure", "migrate", CODE)
        for words, exit_code, says in (
                (("1", "1", "--reason", "x"), 2, "same version"),
                (("1", "2"), 2, "--reason"),
                (("1", "9", "--reason", "x"), 3, "version 9"),
                (("1", "2", "--reason", "x", "--map", "acept=reception"), 2, "acept"),
                (("1", "2", "--reason", "x", "--map", "accept=nowhere"), 2, "nowhere"),
                (("1", "2", "--reason", "x", "--map", "accept"), 2, "OLD=NEW"),
                (("1", "2", "--reason", "x", "--map", "check=check,check=examine"), 2, "twice"),
                (("1", "2", "--reason", "x", "--batch", "0"), 2, "--batch")):
            self.assertIn(says, self.hoso(*migrate, *words, expect=exit_code))
        self.hoso("procedure", "retire", CODE, "2", "--reason", "x")
        self.assertIn("retired", self.hoso(*migrate, "1", "2", "--reason", "x", expect=1))


if __name__ == "__main__":
    unittest.main(argv=["versions.py"], verbosity=2)
