#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hoso party: what would break the registry changes nothing, and two who change a party take turns.

    tests/integration/party.py HOSO CONFIG [TEST]
"""
import fcntl
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from common import ENV

HOSO, CONFIG = sys.argv[1:3]
PATIENCE = 30


class Party(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="hoso-party-"))
        cls.cell = cls.folder / "cell"
        cls.parties = cls.cell / "parties"
        done = cls.run_hoso("init", cls.cell, "--config-from", CONFIG, cell=False)
        assert done.returncode == 0, done.stderr

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def run_hoso(cls, *words, cell=True):
        where = ["--cell", cls.cell] if cell else []
        return subprocess.run([HOSO, *words, *where], env=ENV, capture_output=True, timeout=60,
                              check=False)

    def add(self, name, *words):
        return self.run_hoso("party", "add", name, "--kind", "counter",
                             "--output", self.folder / f"{name}.key", *words)

    def test_words_that_could_not_be_read_back_are_refused_and_change_nothing(self):
        self.assertEqual(self.add("good").returncode, 0)
        before = sorted(self.parties.rglob("*"))
        many = ",".join(f"address-{i}-{'x' * 40}" for i in range(2000))
        for words, said in ((["--organisation", b"A\xffB"], b"--organisation"),
                            (["--organisation", ""], b"--organisation"),
                            (["--addresses", "a\nb"], b"--addresses: word 1"),
                            (["--addresses", "sms,,zalo"], b"--addresses: word 2"),
                            (["--addresses", 'a"b'], b"--addresses: word 1"),
                            (["--activities", "x" * 65], b"--activities: word 1"),
                            (["--submit", "1.004873,l\xf3"], b"--submit: word 2"),
                            (["--addresses", many], b"nothing was changed")):
            with self.subTest(words=words[0], said=said):
                done = self.add("bad", *words)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertIn(said, done.stderr)
                self.assertEqual(sorted(self.parties.rglob("*")), before)
                self.assertFalse((self.folder / "bad.key").exists())
        self.assertEqual(self.run_hoso("party", "show", "good").returncode, 0)

    def test_a_slip_in_a_right_is_named_with_what_was_meant(self):
        done = self.add("slip", "--activities", "verfication.review")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b'"verfication.review": did you mean verification.review?', done.stderr)
        idle = self.add("idle")
        self.assertEqual((idle.returncode, b"nothing yet" in idle.stderr), (0, True))
        self.assertEqual(self.add("reader", "--journal").stderr, b"")
        self.assertIn(b"parties/idle.cfg", self.add("idle").stderr)

    def test_who_changes_a_party_waits_for_who_began_before(self):
        self.assertEqual(self.add("shared").returncode, 0)
        lock = os.open(self.parties, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        token = subprocess.Popen([HOSO, "party", "token", "shared", "--cell", self.cell], env=ENV,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(token.stdout.close)
        self.until(lambda: self.is_waited_for() or token.poll() is not None, "it waits, or ended")
        file = self.parties / "shared.cfg"
        file.write_text(file.read_text("utf-8") + "revoked = true;\n", encoding="utf-8")
        os.close(lock)
        self.assertEqual(token.wait(timeout=PATIENCE), 0)
        now = file.read_text("utf-8")
        self.assertIn("revoked = true", now)
        self.assertIn("tokens = ", now)

    def is_waited_for(self):
        inode = f":{self.parties.stat().st_ino} "
        rows = pathlib.Path("/proc/locks").read_text("utf-8").splitlines()
        return any("-> FLOCK" in row and inode in row for row in rows)

    def until(self, is_so, what):
        end = time.monotonic() + PATIENCE
        while not is_so():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.02)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
