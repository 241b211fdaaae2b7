#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manual is whole and clean: every program, verb, setting, message and file has its page.

    tests/manual.py MAN SERVICES SOURCE      the folders of pages, programs and the source
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

MAN, SERVICES, SOURCE = (pathlib.Path(word) for word in sys.argv[1:4])
FONT = re.compile(r"\\f[BIR]")


def page(name):
    """A page as its reader sees the words: without fonts and escapes."""
    text = (MAN / f"man{name[-1]}" / name).read_text(encoding="utf-8")
    link = re.match(r"\.so (\S+)", text)
    if link:
        text = (MAN / link[1]).read_text(encoding="utf-8")
    return FONT.sub("", text).replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")


def said(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=30, check=False).stdout


def programs():
    return sorted(path.name for path in SERVICES.glob("hoso*")
                  if path.is_file() and os.access(path, os.X_OK))


def words_of(path, pattern):
    return re.findall(pattern, (SOURCE / path).read_text(encoding="utf-8"), re.M)


class Manual(unittest.TestCase):
    def test_every_program_has_a_page_with_its_options(self):
        self.assertGreater(len(programs()), 10)
        for program in programs():
            text = page(program + (".1" if program == "hoso" else ".8"))
            for option in re.findall(r"--[a-z-]+", said(SERVICES / program, "--help").split("\nVerbs")[0]):
                self.assertIn(option, text, program)

    def test_every_verb_has_a_page_with_its_options(self):
        hoso = SERVICES / "hoso"
        listed = said(hoso, "--help").split("Verbs:\n")[1].split("\n\n")[0]
        verbs = words_of("services/hoso/verbs.c", r'^    \{"([a-z -]+)",')
        self.assertGreater(len(verbs), 50)
        self.assertGreaterEqual(len(listed.splitlines()), len(verbs))
        whole = page("hoso.1")
        for verb in verbs:
            text = page(f"hoso-{verb.split()[0]}.1")
            self.assertIn(f"hoso {verb} [OPTION...]", text)
            self.assertIn(verb, whole)
            for option in re.findall(r"^ +(--[a-z-]+)", said(hoso, *verb.split(), "--help"), re.M):
                if option not in ("--help", "--usage", "--version"):
                    self.assertIn(option, text, verb)

    def test_every_setting_has_its_place(self):
        sources = {"hoso.cfg.5": "libworkflow/service/settings.c",
                   "hoso-party.5": "libworkflow/procedure/parties.c",
                   "folder.cfg.5": "services/folder/settings.c",
                   "portal.cfg.5": "services/portal/settings.c",
                   "courier.cfg.5": "services/courier/settings.c",
                   "relay.cfg.5": "services/relay/settings.c"}
        row = r'^ {4}(?:SETTING\(|TIME\(|KEY\((?:\w+, +)?|TEXTS?\(|\{"|ROW\(\w+, ")([a-z_]+)\W'
        for name, source in sources.items():
            settings = words_of(source, row)
            self.assertGreater(len(settings), 9, source)
            text = page(name)
            for setting in settings:
                self.assertTrue(re.search(rf"(?m)^{setting}\b", text), f"{name}: {setting}")

    def test_every_message_and_code_and_event_is_told(self):
        pages = {"hoso-protocol.7": words_of("libworkflow/include/workflow/messages.h",
                                             r"^ {4}X\(\d+, +(\w+),"),
                 "hoso-codes.7": words_of("libworkflow/include/workflow/error.h",
                                          r'^ {4}X\(\w+, +-\d+, +\w+, +"(\w+)"'),
                 "hoso-log.7": words_of("libworkflow/include/workflow/log.h",
                                        r'^ {4}X\(\w+, +"(\w+)"')}
        for name, words in pages.items():
            self.assertGreater(len(words), 15, name)
            for word in words:
                self.assertTrue(re.search(rf"\b{word}\b", page(name)), f"{name}: {word}")

    def test_every_file_of_the_configuration_has_a_page(self):
        for path in (SOURCE / "config").glob("*.cfg"):
            self.assertTrue(page(path.name + ".5"), path.name)

    def test_log_lines_have_the_levels_of_the_table(self):
        events = words_of("libworkflow/include/workflow/log.h", r'^ {4}X\((\w+), +"\w+"')
        table = dict(re.findall(r"\[WF_LOG_(\w+)_EVENT\] += \{\"([a-z, ]+)\"",
                                (SOURCE / "scripts/dev/log_events.c").read_text(encoding="utf-8")))
        self.assertEqual(sorted(events), sorted(table), "a row for each event, in log_events.c")
        call = re.compile(r"wf_log\(([^;\"]*?)WF_LOG_(\w+)_EVENT")
        for folder in ("libworkflow", "services"):
            for path in (SOURCE / folder).rglob("*.c"):
                for before, event in call.findall(path.read_text(encoding="utf-8")):
                    for level in re.findall(r"WF_LOG_(FATAL|ERROR|WARN|INFO|DEBUG)", before):
                        if "dead ?" not in before:
                            self.assertIn(level.lower(), table[event], f"{path}: {event}")

    def test_see_also_names_pages_that_are_there(self):
        for path in MAN.glob("man?/*"):
            for name, section in re.findall(r"\\fB([a-z][a-z.-]+)\\fR\((\d)\)",
                                            path.read_text(encoding="utf-8").replace("\\-", "-")):
                self.assertTrue((MAN / f"man{section}" / f"{name}.{section}").exists(),
                                f"{path.name}: {name}({section})")

    @unittest.skipUnless(shutil.which("man"), "needs man-db")
    def test_man_has_nothing_to_complain_of(self):
        env = dict(os.environ, LC_ALL="C.UTF-8", MANWIDTH="80", MANROFFSEQ="")
        for path in sorted(MAN.glob("man?/*")):
            if path.read_text(encoding="utf-8").startswith(".so"):
                continue
            done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path],
                                  env=env, capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), path.name)
            self.assertIn("NAME", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
