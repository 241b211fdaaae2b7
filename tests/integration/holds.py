#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds, dead letters in bulk and drain by the command, in a live cell.

    tests/integration/holds.py HOSO CONFIG PROCEDURES
"""
import json
import os
import random
import signal
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
import hoso  # noqa: E402

MARRIAGE = "1.004873"
WHY = ("--reason", "audit of the stamps", "--by", "head-1")


class Holds(hoso.Cell):
    def setUp(self):
        super().setUp()
        self.init()
        with open(os.path.join(self.cell, "hoso.cfg"), "a", encoding="utf-8") as settings:
            settings.write('\nsweep_ms = "100 ms";\n')
        self.start()

    # ---- steps --------------------------------------------------------------------------------

    def events(self, code):
        return [e["event"] for e in self.ask("history", code)["events"]]

    def refused(self, *words, given=None):
        said = self.hoso(*words, given=given, expect=1)
        self.assertIn("audit of the stamps", said)
        return said

    def tasks(self, n):
        self.until(lambda: len(self.ask("task", "list")["tasks"]) == n, f"{n} tasks are open")

    def bury(self, n):
        """n dossiers whose reception has failed for good; the numbers of the dead letters."""
        codes = [self.submit() for _ in range(n)]
        for _ in range(n):
            task, token = self.claim()
            self.hoso("task", "fail", task, token, "printer burnt", "--final", "--by", "an")
        letters = self.ask("queue", "list", "--dead")["items"]
        self.assertEqual(len(letters), n)
        return codes, [str(letter["seq"]) for letter in letters]

    def pids(self):
        return [w["pid"] for w in self.workers() if w["pid"]]

    # ---- holds --------------------------------------------------------------------------------

    def test_what_is_on_hold_is_refused_listed_and_goes_on_when_released(self):
        code = self.submit()
        self.tasks(1)
        self.hoso("hold", "dossier", code, *WHY)
        self.hoso("hold", "procedure", MARRIAGE, *WHY)
        self.refused("event", code, "withdraw", "--by", "x", "--role", "postal_worker")
        self.assertIn(MARRIAGE, self.refused("submit", "-", given=json.dumps(hoso.DOSSIER)))
        self.assertEqual(self.ask("task", "claim", "verification.review", "--by", "an",
                                  "--role", "civil_servant")["tasks"], [])
        rows = {row["kind"]: row for row in self.ask("hold", "list")["holds"]}
        self.assertEqual((rows["dossier"]["name"], rows["dossier"]["aside"]), (code, 1))
        self.assertEqual(rows["procedure"]["by"], "head-1")
        self.assertIn("audit of the stamps", self.hoso("hold", "list", "--lang", "vi"))
        self.refused("hold", "dossier", code, *WHY)  # on hold already
        shown = self.ask("show", code)["holds"]
        self.assertEqual([row["kind"] for row in shown], ["dossier", "procedure"])
        self.assertIn("audit of the stamps", self.hoso("show", code))
        self.assertTrue(self.ask("task", "list")["tasks"][0]["on_hold"])
        self.hoso("verify")
        self.hoso("release", "procedure", MARRIAGE, *WHY)
        self.refused("event", code, "withdraw", "--by", "x", "--role", "postal_worker")
        self.assertEqual(self.ask("release", "dossier", code, *WHY)["put_back"], 1)
        self.claim()
        self.assertEqual(self.ask("hold", "list")["holds"], [])
        self.assertEqual(self.events(code).count("operator.hold"), 1)
        self.assertIn("is not on hold", self.hoso("release", "dossier", code, *WHY, expect=3))
        exported = self.hoso("export", "journal", "--format", "csv")
        self.assertIn("operator.release", exported)
        self.hoso("verify")

    def test_a_queue_on_hold_puts_aside_and_a_bad_order_changes_nothing(self):
        self.hoso("hold", "queue", "verification.check", *WHY)
        code = self.submit()
        self.until(lambda: self.ask("queue", "list", "--held")["items"], "the item is put aside")
        item = self.ask("queue", "list", "--held")["items"][0]
        self.assertEqual((item["dossier"], item["activity"]), (code, "verification.check"))
        self.assertIn("on hold", self.hoso("queue", "show", str(item["seq"])))
        self.assertIn("dossier, procedure", self.hoso("hold", "moon", "x", *WHY, expect=2))
        self.assertIn("--reason", self.hoso("hold", "site", "x", expect=2))
        self.assertIn("NAME", self.hoso("hold", "site", *WHY, expect=2))
        self.assertIn("sites.cfg", self.hoso("hold", "site", "x", *WHY, expect=3))
        self.hoso("release", "queue", "verification.check", *WHY)
        self.tasks(1)

    # ---- dead letters -------------------------------------------------------------------------

    def test_dead_letters_are_chosen_shown_edited_skipped_and_put_back(self):
        codes, letters = self.bury(4)
        shown = self.ask("queue", "show", letters[0])
        self.assertEqual([t["reason"] for t in shown["tries"]], ["printer burnt"])
        self.assertIn("printer burnt", self.hoso("queue", "show", letters[0]))
        some = ("--error", "failed", "--procedure", MARRIAGE, "--activity", "verification.review",
                "--site", hoso.DOSSIER["site"])
        self.assertEqual(len(self.ask("queue", "retry", *some, "--dry-run")["items"]), 4)
        for none in (("--error", "internal"), ("--site", "000.00.14.H30"), ("--older", "1 hour"),
                     ("--service", "return")):
            self.assertEqual(self.ask("queue", "retry", *none)["retried"], [])
        self.hoso("queue", "retry", expect=2)
        self.hoso("queue", "retry", letters[0], "--all", expect=2)

        self.assertIn("text", self.hoso("queue", "edit", letters[0], "--set", "to=7", *WHY,
                                        expect=1))
        self.hoso("queue", "edit", letters[0], "--set", 'to="000.00.14.H30"', *WHY)
        self.tasks(1)
        self.assertEqual(self.ask("task", "list")["tasks"][0]["to"], "000.00.14.H30")

        self.assertIn("verdict", self.hoso("queue", "skip", letters[1], "--result",
                                           '{"verdict": "perhaps"}', *WHY, expect=1))
        self.hoso("queue", "skip", letters[1], "--result", '{"verdict": "approve"}', *WHY)
        skipped = next(code for code in codes if "operator.skip" in self.events(code))
        self.assertIn("done.invoke.accept", self.events(skipped))

        bulk = self.ask("queue", "retry", *some, "--max", "1")
        self.assertEqual((len(bulk["retried"]), bulk["more"]), (1, True))
        self.hoso("queue", "skip", "--all", "--failed", *WHY)
        self.assertEqual(self.ask("queue", "list", "--dead")["items"], [])
        self.assertEqual(sum("error.communication" in self.events(c) for c in codes), 1)
        self.hoso("verify")

    # ---- drain --------------------------------------------------------------------------------

    def test_a_cell_is_drained_stopped_and_opened_again(self):
        self.submit()
        task, token = self.claim()
        said = self.run_hoso("drain", "--timeout", "0", *WHY, "--cell", self.cell)
        self.assertEqual(said.returncode, 1)
        self.assertIn("1 leases", said.stderr)
        self.refused("submit", "-", given=json.dumps(hoso.DOSSIER))
        with subprocess.Popen([hoso.HOSO, "drain", "--stop", "--json", "--cell", self.cell],
                              stdout=subprocess.PIPE, text=True) as drain:
            self.hoso("task", "complete", task, token, '{"verdict": "approve"}', "--by", "an")
            answer = json.loads(drain.stdout.read())
        self.assertEqual((answer["drained"], answer["stopped"], drain.returncode), (True, True, 0))
        self.assertEqual(self.supervisor.wait(timeout=hoso.PATIENCE), 0)
        self.supervisor.stdout.close()
        self.log.close()
        self.assertIn("no `hoso run`", self.hoso("drain", "--stop", expect=1))
        self.start()
        self.refused("submit", "-", given=json.dumps(hoso.DOSSIER))
        self.hoso("release", "cell", *WHY)
        self.submit()

    # ---- crashes ------------------------------------------------------------------------------

    def die_at(self, point, *words):
        """The command with a fault point that ends it; None where none is compiled in."""
        env = {**os.environ, "WF_FAULTS": point + "=exit"}
        done = subprocess.run([hoso.HOSO, *words, *WHY, "--cell", self.cell], env=env, timeout=60,
                              capture_output=True, check=False)
        return done.returncode == 99

    def test_a_release_that_crashes_at_any_point_is_carried_through(self):
        if not self.die_at("store.open:1", "hold", "cell"):
            self.hoso("release", "cell", *WHY)
            self.skipTest("built without -Dfault_injection=true")
        codes = [self.submit() for _ in range(3)]
        self.tasks(3)
        for point, is_held in (("store.commit.before:1", True), ("store.put:1", True),
                               ("store.put:3", True), ("store.commit.after:1", False),
                               ("store.del:1", False), ("store.put:5", False),
                               ("store.commit.before:2", False), ("store.commit.after:2", False)):
            self.hoso("hold", "procedure", MARRIAGE, *WHY)
            self.assertEqual(self.ask("task", "claim", "verification.review", "--by", "an",
                                      "--role", "civil_servant")["tasks"], [])
            self.assertEqual(self.ask("hold", "list")["holds"][0]["aside"], 3)
            self.assertTrue(self.die_at(point, "release", "procedure", MARRIAGE), point)
            if is_held:
                self.assertEqual(self.ask("hold", "list")["holds"][0]["released"], 0, point)
                self.hoso("release", "procedure", MARRIAGE, *WHY)
            self.until(lambda: not self.ask("hold", "list")["holds"], "intake has put all back")
            self.hoso("verify")
        taken = {self.ask("task", "claim", "verification.review", "--by", "an", "--role",
                          "civil_servant")["tasks"][0]["dossier"] for _ in codes}
        self.assertEqual(taken, set(codes))

    # ---- all at once --------------------------------------------------------------------------

    def test_holds_and_killed_workers_lose_and_double_nothing(self):
        """Holds, releases that are killed half-way and kills of workers, at random."""
        seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
        print(f"SEED={seed}")
        chance = random.Random(seed)
        codes = [self.submit() for _ in range(6)]
        held = {("procedure", MARRIAGE): False, ("queue", "verification"): False,
                ("queue", "notification.send"): False, ("dossier", codes[0]): False}
        for _ in range(12):
            what = chance.choice(list(held))
            verb = "release" if held[what] else "hold"
            if verb == "release" and chance.random() < 0.5:
                with subprocess.Popen([hoso.HOSO, verb, *what, *WHY, "--cell", self.cell],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as act:
                    try:
                        act.wait(timeout=chance.random() * 0.04)
                    except subprocess.TimeoutExpired:
                        act.kill()
                rows = self.ask("hold", "list")["holds"]
                held[what] = any((r["kind"], r["name"]) == what and not r["released"]
                                 for r in rows)
            else:
                self.hoso(verb, *what, *WHY)
                held[what] = not held[what]
            if chance.random() < 0.5:
                pids = self.pids()
                if pids:
                    os.kill(chance.choice(pids), signal.SIGKILL)
            done = self.run_hoso("submit", "-", "--json", "--cell", self.cell,
                                 given=json.dumps(hoso.DOSSIER))
            if done.returncode == 0:
                codes.append(json.loads(done.stdout)["dossier"])
        for what in [w for w in held if held[w]]:
            self.hoso("release", *what, *WHY)
        self.until(lambda: not self.ask("hold", "list")["holds"], "intake has put all back")
        self.tasks_of = lambda: [t["dossier"] for t in self.ask("task", "list", "--activity",
                                                                "verification.review",
                                                                "--max", "0")["tasks"]]
        self.until(lambda: sorted(self.tasks_of()) == sorted(codes), "each waits for its review")
        for code in codes:
            events = self.events(code)
            for once in ("submit", "done.invoke.register", "done.invoke.check"):
                self.assertEqual(events.count(once), 1, code)
        self.hoso("verify")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
