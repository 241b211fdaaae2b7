#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The handbook is true: its commands are run, in their order, against a cell of a folder of their own.

    tests/integration/handbook.py HOSO SOURCE

Blocks marked `sh` are run by bash, each in a shell of its own that knows the variables of those before
it; `sh keep` stays; `sh host` is only read by bash -n. Every command of hoso in any document must be one
that the program knows. HANDBOOK_KEEP=1 shows what each block says.
"""
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from common import ENV

HOSO, SOURCE = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
PATIENCE = 60  # seconds for a block, on a busy machine
BLOCK = re.compile(r"^```sh(| keep| host)\n(.*?)^```$", re.M | re.S)
STATE = r"""
set -eu
[ ! -e "$STATE" ] || . "$STATE"
cd "$WHERE"
%s
{ export -p; declare -p | grep -E '^declare -- [a-z_]+='; } > "$STATE"
"""


def blocks(path):
    """(line, kind, text) of each block."""
    text = path.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        yield text[:found.start()].count("\n") + 2, found[1].strip(), found[2]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Handbook(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hoso-hb-"))
        (self.folder / "here").mkdir()
        (self.folder / "lib").mkdir()
        (self.folder / "backups" / "hoso").mkdir(parents=True)
        self.places = [("/usr/share/hoso", str(SOURCE)), ("/usr/libexec/hoso", str(HOSO.parent)),
                       ("/var/lib/hoso", str(self.folder / "lib")),
                       ("/var/backups", str(self.folder / "backups")),
                       ("/tmp/trial", str(self.folder / "trial")), ("5570", str(free_port()))]
        self.env = dict(ENV)
        self.env.update(PATH=f"{HOSO.parent}:{os.environ['PATH']}", WHERE=str(self.folder / "here"),
                        STATE=str(self.folder / "state"))
        self.kept = []
        self.log = open(self.folder / "log", "w", encoding="utf-8")

    def tearDown(self):
        for process in self.kept:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.kept:
            process.wait(timeout=PATIENCE)
            process.stdout.close()
        self.log.close()
        shutil.rmtree(self.folder)

    def here(self, text):
        for where, place in self.places:
            text = text.replace(where, place)
        return text

    def keep(self, text):
        script = f'. "$STATE"; cd "$WHERE"; exec {text.strip()}'
        process = subprocess.Popen(["bash", "-c", script], env=self.env, text=True,
                                   stdout=subprocess.PIPE, stderr=self.log)
        self.kept.append(process)
        said = process.stdout.readline()
        return ("is ready" in said, said)

    def run_block(self, text):
        done = subprocess.run(["bash", "-c", STATE % text], env=self.env, text=True, timeout=PATIENCE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return (done.returncode == 0, done.stdout)

    def test_every_command_of_the_handbook_works(self):
        wrong = []
        for line, kind, text in blocks(SOURCE / "docs" / "handbook.md"):
            start = time.monotonic()
            if kind == "host":
                done = subprocess.run(["bash", "-n", "-c", text], capture_output=True, text=True,
                                      check=False)
                good, said = done.returncode == 0, done.stderr
            else:
                good, said = (self.keep if kind == "keep" else self.run_block)(self.here(text))
            if os.environ.get("HANDBOOK_KEEP"):
                print(f"--- line {line}, {time.monotonic() - start:.1f} s\n{said}", file=sys.stderr)
            if not good:
                wrong.append(f"docs/handbook.md:{line}:\n{text}\nsaid:\n{said}")
        if wrong:
            self.log.flush()
            log = (self.folder / "log").read_text(encoding="utf-8").splitlines()
            self.fail("\n\n".join(wrong + ["log:", *log[-20:]]))


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        source = (SOURCE / "services/hoso/verbs.c").read_text(encoding="utf-8")
        cls.verbs = re.findall(r'^    \{"([a-z -]+)",', source, re.M)
        cls.options = {}

    def options_of(self, verb):
        if verb not in self.options:
            said = subprocess.run([HOSO, *verb.split(), "--help"], capture_output=True, text=True,
                                  check=True).stdout
            self.options[verb] = set(re.findall(r"^ .*?(--[a-z-]+)", said, re.M))
        return self.options[verb]

    def commands(self, text, indent="    "):
        """(line, words) of each command of hoso in examples: a block, or indented."""
        inside, line = False, 0
        for row in text.replace("\\\n", " \\\v").split("\n"):
            line += 1 + row.count("\v")
            inside = inside != row.startswith("```")
            if not inside and not row.startswith(indent):
                continue
            for part in re.split(r"\$\(|[|;&()]+ ", row.replace("\\\v", " ")):
                if re.match(r"\s*hoso [a-z]", part):
                    try:
                        yield line, shlex.split(part, comments=True)
                    except ValueError:
                        yield line, part.split()

    def mistakes(self, words):
        verb = " ".join(words[1:3]) if " ".join(words[1:3]) in self.verbs else words[1]
        if verb not in self.verbs:
            return [f"no verb: {verb}"]
        options = {found[0] for found in (re.match(r"--[a-z-]+", word) for word in words) if found}
        return [f"hoso {verb} has no {option}" for option in options - self.options_of(verb)]

    def test_every_command_in_the_documents_is_one_that_hoso_knows(self):
        wrong, seen = [], 0
        for path in [SOURCE / "README.md", *sorted((SOURCE / "docs").glob("*.md")),
                     *sorted((SOURCE / "man").glob("*.md"))]:
            for line, words in self.commands(path.read_text(encoding="utf-8")):
                seen += 1
                if "VERB" not in words[1:3] and words[1][0] not in "[A":
                    wrong += [f"{path.name}:{line}: {why}" for why in self.mistakes(words)]
        self.assertEqual([], wrong)
        self.assertGreater(seen, 100)

    def test_every_unit_that_is_named_is_installed(self):
        units = {path.name for folder in (SOURCE / "systemd", HOSO.parent.parent / "systemd")
                 for path in folder.glob("hoso*@.*")}
        self.assertIn("hoso@.target", units)
        for path in [SOURCE / "README.md", *sorted((SOURCE / "docs").glob("*.md"))]:
            for line in path.read_text(encoding="utf-8").splitlines():
                if "systemctl" in line:
                    for name, kind in re.findall(r"\b(hoso[a-z-]*)@[\w-]+(?:\.(target|timer))?", line):
                        self.assertIn(f"{name}@.{kind or 'service'}", units, f"{path.name}: {line}")

    def test_every_example_of_a_verb_is_one_that_hoso_knows(self):
        wrong, seen = [], 0
        for verb in self.verbs:
            said = subprocess.run([HOSO, *verb.split(), "--help"], capture_output=True, text=True,
                                  check=True).stdout
            for _, words in self.commands(said, "  hoso "):
                seen += 1
                wrong += [f"hoso {verb} --help: {why}" for why in self.mistakes(words)]
        self.assertEqual([], wrong)
        self.assertGreater(seen, 40)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
