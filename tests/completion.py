#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The completion of the shell, driven as bash drives it; and in zsh, at its own prompt.

    tests/completion.py COMPLETION HOSO SOURCE
"""
import os
import pathlib
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

COMPLETION, HOSO, SOURCE = (os.path.abspath(word) for word in sys.argv[1:4])

ASK = r"""
source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_hoso
printf '%s\n' "${COMPREPLY[@]}"
"""


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="hoso-completion-")
        cls.cell = os.path.join(cls.folder, "cell")
        subprocess.run([HOSO, "init", cls.cell, "--config-from", SOURCE + "/config",
                        "--procedures", SOURCE + "/procedures"], check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run([HOSO, "party", "add", "one-stop-7", "--kind", "counter", "--organisation",
                        "x", "--cell", cls.cell, "--output", cls.folder + "/key"], check=True,
                       stdout=subprocess.DEVNULL)
        for name in ("one.cfg", "two.cfg"):
            pathlib.Path(cls.folder, name).touch()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def complete(self, *words):
        env = {k: v for k, v in os.environ.items() if not k.startswith("HOSO_")}
        done = subprocess.run(["bash", "-c", ASK, "bash", COMPLETION, HOSO, *words], env=env,
                              cwd=self.folder, capture_output=True, text=True, timeout=30,
                              check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return done.stdout.split()

    def test_verbs_are_offered_by_their_first_and_second_word(self):
        self.assertEqual(["submit"], self.complete("sub"))
        self.assertIn("procedure", self.complete(""))
        self.assertIn("help", self.complete(""))
        self.assertEqual(["claim", "complete"], sorted(self.complete("task", "c")))
        self.assertIn("install", self.complete("help", "procedure", ""))

    def test_every_verb_can_be_reached(self):
        verbs = subprocess.run(["bash", "-c", 'source "$1"; echo "$_hoso_verbs"', "bash", COMPLETION],
                               capture_output=True, text=True, check=True).stdout.split("\n")[:-1]
        self.assertGreater(len(verbs), 50)
        for first in {verb.split()[0] for verb in verbs}:
            self.assertIn(first, self.complete(first))
        for verb in verbs:
            if " " in verb:
                self.assertIn(verb.split()[1], self.complete(*verb.split()), verb)

    def test_a_verb_offers_its_own_options_and_no_others(self):
        options = self.complete("queue", "retry", "--")
        self.assertIn("--older=", options)
        self.assertIn("--cell=", options)
        self.assertNotIn("--public-key=", options)
        self.assertEqual(["--dry-run"], self.complete("queue", "retry", "--dr"))

    def test_values_of_options(self):
        self.assertEqual(["en", "vi"], sorted(self.complete("show", "--lang", "")))
        self.assertEqual(["return", "routing"], sorted(self.complete("queue", "list", "--service", "r")))
        self.assertEqual(["verification.review"],
                         self.complete("task", "list", "--activity", "=", "verification.r"))
        self.assertIn("agency", self.complete("party", "add", "x", "--kind", ""))

    def test_procedures_parties_and_sites_come_from_the_cell(self):
        self.assertIn("1.004873", self.complete("procedure", "show", "--cell", self.cell, "1."))
        self.assertIn("1.004873", self.complete("--cell=" + self.cell, "list", "--procedure", ""))
        self.assertEqual(["one-stop-7"], self.complete("--cell", self.cell, "party", "show", ""))
        self.assertIn("000.00.13.H30", self.complete("--cell", self.cell, "list", "--site", ""))
        self.assertIn("postal_worker",
                      self.complete("--cell", self.cell, "task", "claim", "--role", "p"))

    def test_files_and_folders(self):
        self.assertEqual(["one.cfg"], self.complete("procedure", "check", "on"))
        self.assertIn("two.cfg", self.complete("procedure", "install", "one.cfg", "t"))
        self.assertEqual(["cell"], self.complete("status", "--cell", "c"))
        self.assertEqual(["cell"], self.complete("restore", "ce"))

    def test_where_there_is_no_cell_nothing_is_said(self):
        self.assertEqual([], self.complete("procedure", "show", "--cell", "/nowhere", "1."))


@unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
class Zsh(unittest.TestCase):
    """Typed at a terminal: what zsh makes of bash's completion (man/completion.bash says how)."""
    START = "autoload -Uz compinit && compinit -D && autoload -Uz bashcompinit && bashcompinit"

    def setUp(self):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            env = {k: v for k, v in os.environ.items() if not k.startswith("HOSO_")}
            os.execvpe("zsh", ["zsh", "-f", "-i"], {**env, "TERM": "dumb"})
        self.addCleanup(self.end)
        self.type(f"{self.START}; source {COMPLETION}; PATH={os.path.dirname(HOSO)}:$PATH; "
                  "PS1='>'; echo rea''dy\n")
        self.until("ready\r\n")

    def end(self):
        self.type("\x15exit\n")
        os.waitpid(self.pid, 0)
        os.close(self.terminal)

    def type(self, text):
        os.write(self.terminal, text.encode())

    def until(self, wanted):
        seen, end = "", time.monotonic() + 30
        while wanted not in seen:
            self.assertLess(time.monotonic(), end, f"no {wanted!r} in {seen!r}")
            if select.select([self.terminal], [], [], 0.1)[0]:
                seen += os.read(self.terminal, 65536).decode(errors="replace")

    def test_words_and_options_are_completed(self):
        for begun, whole in (("hoso sub", "hoso submit"), ("hoso task com", "hoso task complete"),
                             ("hoso list --over", "hoso list --overdue"),
                             ("hoso queue list --service ver", "--service verification")):
            self.type(begun + "\t")
            self.until(whole)
            self.type("\x15")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
