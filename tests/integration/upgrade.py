#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Stores that older releases made: refused with the cure, upgraded, worked with.

    tests/integration/upgrade.py HOSO CONFIG PROCEDURES FORMAT-1.mdb.xz FORMAT-2.mdb.xz

The upgrade is killed UPGRADE_KILLS times (30) at random moments; UPGRADE_SEED chooses others.
"""
import fcntl
import json
import lzma
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from common import ENV

HOSO, CONFIG, PROCEDURES = sys.argv[1:4]
SEED = int(os.environ.get("UPGRADE_SEED", "20261123"))
KILLS = int(os.environ.get("UPGRADE_KILLS", "30"))


class Old:
    """What a file holds: where its dossiers stand, in order; the journal's head."""

    def __init__(self, path, code, states, journal):
        self.bytes = lzma.decompress(pathlib.Path(path).read_bytes())
        self.dossiers = {f"{code}-{n:04}": state for n, state in enumerate(states, 1)}
        self.journal = journal


OLD = {
    1: Old(sys.argv[4], "000.00.13.H30-261123", ["payment"] + 5 * ["accept"],
           (19, "b9efef7f17c578448318cbe56568a758b8595c2a0afa7ec47a06ac2150ab2be2")),
    # Of its tasks one is leased, one put aside by a hold, one waits for another role; one failed.
    2: Old(sys.argv[5], "000.00.13.H30-261124", ["examine", "payment"] + 5 * ["accept"],
           (26, "451fed43340426b4338c70e53718fbcc031174364ea22944f4e12a168318a435")),
}
NOW = 3


def run(*words, faults=""):
    env = dict(ENV)
    env["WF_FAULTS"] = faults
    return subprocess.run([HOSO, *words], env=env, text=True, errors="replace",
                          capture_output=True, timeout=60, check=False)


class Upgrade(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hoso-upgrade-")
        self.cell = os.path.join(self.folder, "cell")
        done = run("init", self.cell, "--config-from", CONFIG)
        assert done.returncode == 0, done.stderr
        self.store = pathlib.Path(self.cell, "store")
        self.data = self.store / "data.mdb"
        self.put_old(1)

    def tearDown(self):
        shutil.rmtree(self.folder)

    def put_old(self, form):
        self.old = OLD[form]
        for path in self.store.iterdir():
            path.unlink() if path.is_file() else shutil.rmtree(path)
        self.data.write_bytes(self.old.bytes)
        self.data.chmod(0o600)

    def hoso(self, *words, expect=0, **how):
        done = run(*words, "--cell", self.cell, **how)
        self.assertEqual(done.returncode, expect, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout if expect == 0 else done.stderr

    def ask(self, *words):
        return json.loads(self.hoso(*words, "--json"))

    def expect_all_as_before(self):
        found = self.ask("verify")
        self.assertTrue(found["undamaged"], found)
        self.assertEqual((found["journal_seq"], found["journal_hash"]), self.old.journal)
        rows = self.ask("list", "--max", "0")["dossiers"]
        self.assertEqual({row["dossier"]: row["states"][-1] for row in rows},
                         self.old.dossiers)
        self.assertEqual(len(self.ask("task", "list", "--max", "0")["tasks"]), found["tasks"])

    def is_old(self):
        return self.data.read_bytes() == self.old.bytes

    def test_every_program_names_the_cure(self):
        intake = os.path.join(os.path.dirname(HOSO), "hoso-intake")
        for words in (["list"], ["status"], ["run"], ["verify"], ["compact"],
                      ["backup", os.path.join(self.folder, "b")]):
            said = self.hoso(*words, expect=2)
            self.assertEqual(len(said.splitlines()), 1, said)
            self.assertIn("run `hoso upgrade`", said)
        done = subprocess.run([intake, "--config", os.path.join(self.cell, "hoso.cfg")], text=True,
                              capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("run `hoso upgrade`", done.stderr)
        self.assertTrue(self.is_old())

    def test_a_dry_run_changes_nothing_and_an_upgrade_keeps_the_old_file(self):
        for form in OLD:
            self.put_old(form)
            self.assertTrue(self.ask("upgrade", "--dry-run")["dry_run"])
            self.assertTrue(self.is_old())
            done = self.ask("upgrade")
            self.assertEqual((done["from"], done["to"]), (form, NOW))
            self.assertEqual(pathlib.Path(done["kept"]).read_bytes(), self.old.bytes)
            self.assertEqual(self.data.stat().st_mode & 0o777, 0o600)
            self.expect_all_as_before()
            again = self.ask("upgrade")
            self.assertEqual(again["from"], again["to"])
        self.put_old(form)
        self.assertEqual(self.ask("upgrade", "--no-copy")["kept"], "")
        self.assertEqual(sorted(p.name for p in self.store.iterdir()), ["data.mdb", "lock.mdb"])

    def test_a_kill_at_any_moment_leaves_the_old_store_or_the_new_one(self):
        dice = random.Random(SEED)
        began = time.monotonic()
        self.hoso("upgrade", "--dry-run")
        whole = time.monotonic() - began
        ends = {"old": 0, "new": 0}
        for _ in range(KILLS):
            self.put_old(dice.choice(list(OLD)))
            child = subprocess.Popen([HOSO, "upgrade", "--cell", self.cell],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(dice.uniform(0, whole))
            child.send_signal(signal.SIGKILL)
            child.wait()
            is_old = self.is_old()
            ends["old" if is_old else "new"] += 1
            if is_old and dice.random() < 0.5:
                self.assertIn("run `hoso upgrade`", self.hoso("list", expect=2))
            else:
                self.hoso("upgrade")
                self.expect_all_as_before()
        print(f"killed: {ends}", file=sys.stderr)

    def test_a_crash_at_each_point_leaves_the_old_store_or_the_new_one(self):
        points = ("store.aside.copied", "store.begin", "store.put", "store.upgrade.step",
                  "store.commit.before", "store.commit.after", "store.aside.kept",
                  "store.aside.renamed")
        for point in points:
            done = run("upgrade", "--cell", self.cell, faults=f"{point}:1=kill")
            if done.returncode == 0 and point == points[0]:
                self.skipTest("built without fault points")
            self.assertEqual(done.returncode, -signal.SIGKILL, point)
            self.assertEqual(self.is_old(), point != "store.aside.renamed")
            self.hoso("upgrade")
            self.expect_all_as_before()
            self.put_old(1)

    def test_who_waited_for_an_upgrade_that_was_killed_does_not_read_the_past(self):
        for form in OLD:
            self.put_old(form)
            self.hoso("list", expect=2)  # makes the lock file
            done = run("upgrade", "--cell", self.cell, faults="store.aside.renamed:1=kill")
            if done.returncode == 0:
                self.skipTest("built without fault points")
            with open(self.store / "lock.mdb", "rb") as lock:  # as one who has waited
                fcntl.lockf(lock, fcntl.LOCK_SH | fcntl.LOCK_NB, 1)
                self.assertIn("replaced meanwhile: try again", self.hoso("list", expect=1))
            self.expect_all_as_before()

    def claim(self, role):
        return self.ask("task", "claim", "verification.review", "--by", "an", "--role",
                        role)["tasks"]

    def test_the_workers_go_on_with_it(self):
        for form in OLD:
            self.put_old(form)
            self.hoso("upgrade")
            supervisor = subprocess.Popen([HOSO, "run", "--cell", self.cell],
                                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                          text=True)
            try:
                self.assertIn("is ready", supervisor.stdout.readline())
                self.assertIn("is running", self.hoso("upgrade", expect=1))
                task = self.claim("civil_servant")[0]
                self.hoso("task", "complete", str(task["task"]), str(task["token"]),
                          '{"verdict": "approve"}', "--by", "an")
                self.assertEqual(len(self.claim("specialist")),
                                 list(self.old.dossiers.values()).count("examine"))
                self.assertEqual(self.claim("nobody"), [])
                self.assertTrue(self.ask("verify")["undamaged"])
            finally:
                supervisor.terminate()
                supervisor.wait(timeout=30)
                supervisor.stdout.close()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
