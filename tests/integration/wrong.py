#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What people and machines get wrong: one clear line, an exit code, and no harm.

    tests/integration/wrong.py HOSO CONFIG PROCEDURES [TEST]

Each row of CASES makes its trouble in a copy of a good cell, gives a command, and says the exit code
and a part of the one line; the cell must be as it was, byte for byte. Rows that need root (another
user, a disk that is read-only or full) are left out where the test has not the right.
"""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from common import DOSSIER, ENV, faketime, for_other_users

HOSO, CONFIG, PROCEDURES = for_other_users(*sys.argv[1:4])
PATIENCE = 30
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
FAKETIME = faketime(HOSO)
IS_ROOT = os.geteuid() == 0

def run(*words, before=(), given=None, env=None):
    env = dict(ENV) | (env or {})
    return subprocess.run([*before, HOSO, *words], input=given, env=env, text=True,
                          errors="replace", capture_output=True, timeout=60, check=False)


def clock(when):
    """Environment of a process whose clock is off by so much; time goes on at its usual pace."""
    return {"LD_PRELOAD": FAKETIME, "FAKETIME": when, "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


# ---- troubles: each takes the test and makes the cell what the row says ----------------------------

def data(t):
    return pathlib.Path(t.cell, "store", "data.mdb")


def cut(share):
    def make(t):
        size = data(t).stat().st_size
        os.truncate(data(t), int(size * share) // 4096 * 4096)
    return make


def text_file(t):
    data(t).write_text("this was an address list\n" * 2000, encoding="utf-8")


def no_file(t):
    data(t).unlink()


def empty_file(t):
    data(t).write_bytes(b"")


def a_folder_instead(t):
    data(t).unlink()
    data(t).mkdir()


def another_lmdb(t):
    with open(data(t), "r+b") as file:
        for page in (0, 4096):
            file.seek(page + 20)  # version of the format, behind page head and magic
            file.write(struct.pack("<I", 999))


def no_settings(t):
    os.unlink(os.path.join(t.cell, "hoso.cfg"))


def wrong_settings(t):
    with open(os.path.join(t.cell, "hoso.cfg"), "a", encoding="utf-8") as file:
        file.write("batch = 0;\n")


def no_calendar(t):
    os.unlink(os.path.join(t.cell, "calendar.cfg"))


def owned_by_root(t):
    os.chmod(t.cell, 0o700)


def readable_only(t):
    for path in [pathlib.Path(t.cell), *pathlib.Path(t.cell).rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    os.chmod(t.folder, 0o755)


def no_cell_there(t):
    shutil.rmtree(t.cell)


def a_file_there(t):
    shutil.rmtree(t.cell)
    pathlib.Path(t.cell).write_text("x", encoding="utf-8")


def an_empty_folder(t):
    shutil.rmtree(t.cell)
    os.mkdir(t.cell)


def a_backup(t):
    done = run("backup", t.path("b"), "--cell", t.cell)
    assert done.returncode == 0, done.stderr


def half_a_backup(t):
    a_backup(t)
    os.unlink(t.path("b", "manifest.json"))


def a_cut_backup(t):
    a_backup(t)
    os.truncate(t.path("b", "store", "data.mdb"), 8192)


def a_read_only_place(t):
    a_backup(t)
    for path in [pathlib.Path(t.path("b")), *pathlib.Path(t.path("b")).rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    os.mkdir(t.path("place"))
    os.chmod(t.path("place"), 0o555)
    readable_only(t)


ANY = "status list verify run upgrade compact".split()
# [what is wrong], trouble, words, code, part of the line, as whom
CASES = [
    ("the folder is not there", no_cell_there, ANY, 2, "`hoso init`", ()),
    ("the folder is a file", a_file_there, ANY, 2, "is a file", ()),
    ("the folder is no cell", an_empty_folder, ANY, 2, "has no hoso.cfg", ()),
    ("the settings are gone", no_settings, ANY, 2, "has no hoso.cfg", ()),
    ("a setting is out of range", wrong_settings, ANY, 2, "batch", ()),
    ("the calendar is gone", no_calendar, ["status", "verify", "list", "run"], 2, "calendar.cfg", ()),
    ("the store is not there", no_file, ["status", "list", "run"], 2, "`hoso init ", ()),
    ("the store is not there", no_file, ["verify", "compact", "upgrade"], 3, "no store there", ()),
    ("the store is empty", empty_file, ANY, 1, "hoso", ()),
    ("the store is a folder", a_folder_instead, ANY, 1, "hoso", ()),
    ("the store is some other file", text_file, ANY, 1, "not a store", ()),
    ("the store was copied to a tenth", cut(0.1), ANY, 1, "pages are missing", ()),
    ("the store was copied by half", cut(0.5), ANY, 1, "pages are missing", ()),
    ("the store lacks its last page", cut(0.995), ANY, 1, "pages are missing", ()),
    ("another LMDB made the store", another_lmdb, ["status", "list", "run", "upgrade"], 2,
     "VERSION", ()),
    ("the backup is of another cell", a_backup, ["restore b other"], 1, "--name cell", ()),
    ("the place of a copy is not there", a_backup, ["restore b nowhere/cell", "backup nowhere/b"], 2,
     "make it first", ()),
    ("the backup was not finished", half_a_backup, ["restore b cell2 --name cell"], 2,
     "is no backup", ()),
    ("the backup was half copied", a_cut_backup, ["restore b cell2 --name cell"], 1, "damaged", ()),
    ("the backup goes where one is", a_backup, ["backup b"], 1, "is not empty", ()),
    ("the cell is another user's", owned_by_root, ANY, 2, "Permission denied", NOBODY),
    ("the cell may only be read", readable_only, ["run"], 2, "Permission denied", NOBODY),
    ("the cell may only be read", readable_only, ["upgrade", "compact"], 1, "Permission denied",
     NOBODY),
    ("the backup is another user's", a_backup, ["restore b cell2 --name cell"], 1,
     "Permission denied", NOBODY),
    ("the cell may only be read", readable_only, ["list", "status", "verify"], 1, "no right", NOBODY),
    ("the new folder may not be made", a_read_only_place, ["restore b place/cell"], 1,
     "Permission denied", NOBODY),
]


class Wrong(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.good = tempfile.mkdtemp(prefix="hoso-wrong-good-")
        cell = os.path.join(cls.good, "cell")
        done = run("init", cell, "--config-from", CONFIG, "--procedures", PROCEDURES)
        assert done.returncode == 0, done.stderr

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.good)

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hoso-wrong-")
        self.cell = self.path("cell")
        self.supervisor = None
        self.renew()

    def tearDown(self):
        self.stop()
        shutil.rmtree(self.folder)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def renew(self):
        for entry in pathlib.Path(self.folder).iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        shutil.copytree(os.path.join(self.good, "cell"), self.cell)

    def content(self):
        """Names, modes and hashes of all, but for locks and the run folder."""
        seen = {}
        for path in sorted(pathlib.Path(self.folder).rglob("*")):
            name = str(path.relative_to(self.folder))
            if "/run" in name or name.endswith("lock.mdb"):
                continue
            seen[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "/"
        return seen

    def start(self, *words, env=None):
        env = os.environ | (env or {})
        self.supervisor = subprocess.Popen([HOSO, "run", *words, "--cell", self.cell], env=env,
                                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                           text=True)
        self.assertIn("is ready", self.supervisor.stdout.readline())

    def stop(self):
        if self.supervisor is not None:
            self.supervisor.terminate()
            self.supervisor.wait(timeout=PATIENCE)
            self.supervisor.stdout.close()
            self.supervisor = None

    def expect(self, what, done, code, text):
        self.assertEqual(done.returncode, code, f"{what}: {done.stdout}{done.stderr}")
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, f"{what}: {done.stderr}")
        self.assertIn(text, lines[0], what)

    def test_each_mistake_gets_one_line_and_does_no_harm(self):
        for what, trouble, commands, code, text, before in CASES:
            if before and not IS_ROOT:
                continue
            self.renew()
            trouble(self)
            content = self.content()
            for command in commands:
                words = command.split()
                words = [words[0], *[self.path(w) if i < 2 and not w.startswith("-") else w
                                     for i, w in enumerate(words[1:])]]
                if words[0] != "restore":
                    words += ["--cell", self.cell]
                with self.subTest(what=what, command=command):
                    self.expect(f"{what}: {command}", run(*words, before=before), code, text)
                    self.assertEqual(self.content(), content)


    def test_a_mistyped_word_of_a_closed_list_is_told_with_all_of_them(self):
        for words, text in (
                (["queue", "retry", "--error", "interna"], "held, failed; perhaps internal"),
                (["queue", "list", "--service", "rooting"], "notification, return; perhaps routing"),
                (["task", "list", "--service", "x"], "--service: one of intake, ")):
            self.expect(words, run(*words, "--cell", self.cell), 2, text)

    def test_a_gate_without_its_key_tells_what_makes_one(self):
        with open(os.path.join(self.cell, "hoso.cfg"), "a", encoding="utf-8") as file:
            file.write('gate_listen = "tcp://127.0.0.1:*";\n')
        gate = os.path.join(os.path.dirname(HOSO), "hoso-gate")
        done = subprocess.run([gate, "--config", os.path.join(self.cell, "hoso.cfg")], text=True,
                              capture_output=True, timeout=60, check=False)
        self.expect("no key", done, 2, "`hoso party gate-key` makes it")

    def test_settings_that_are_not_there_are_for_a_person_to_mend(self):
        for name in ("intake", "gate", "bridge", "archive", "metrics", "portal", "folder", "courier",
                     "relay"):
            with self.subTest(name):
                program = os.path.join(os.path.dirname(HOSO), f"hoso-{name}")
                done = subprocess.run([program, "--config", self.path("nowhere", "hoso.cfg")],
                                      text=True, capture_output=True, timeout=60, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(self.path("nowhere"), done.stderr)

    def test_a_second_supervisor_and_a_second_worker_are_kept_out(self):
        self.start()
        self.expect("second run", run("run", "--cell", self.cell), 1, "runs already")
        for verb in ("compact", "upgrade"):
            self.expect(verb, run(verb, "--cell", self.cell), 1, "is running")
        intake = os.path.join(os.path.dirname(HOSO), "hoso-intake")
        done = subprocess.run([intake, "--config", os.path.join(self.cell, "hoso.cfg")], text=True,
                              capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("runs already in this cell", done.stderr)
        self.submit()

    def test_what_runs_can_be_checked_beside_it_and_stays_as_it_was(self):
        config = os.path.join(self.cell, "hoso.cfg")
        with open(config, "a", encoding="utf-8") as file:
            file.write(f'gate_listen = "tcp://127.0.0.1:*"; archive = "{self.path("archive")}";\n')
        self.assertEqual(run("party", "gate-key", "--cell", self.cell).returncode, 0)
        self.start()
        content = None
        while content != self.content():  # what is written at the start
            content = self.content()
            time.sleep(0.3)

        def check(name):
            return subprocess.run([os.path.join(os.path.dirname(HOSO), f"hoso-{name}"), "--check",
                                   "--config", config], text=True, capture_output=True, timeout=60,
                                  check=False)
        names = ("intake", "verification", "routing", "notification", "return", "gate", "archive")
        for name in names:
            with self.subTest(name):
                self.assertEqual(check(name).returncode, 0, check(name).stderr)
        done = run("run", "--check", "--cell", self.cell)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.content(), content)
        with open(config, "a", encoding="utf-8") as file:
            file.write("batch = 0;\n")
        for name in names:
            with self.subTest(name):
                done = check(name)
                self.assertEqual(done.returncode, 2)
                self.assertIn("batch", done.stderr)

    def test_settings_put_in_place_by_another_name_are_told_with_their_cure(self):
        config = pathlib.Path(self.cell, "hoso.cfg")
        with open(config, "a", encoding="utf-8") as file:
            file.write('gate_listen = "tcp://127.0.0.1:*";\n')
        self.assertEqual(run("party", "gate-key", "--cell", self.cell).returncode, 0)
        ready, told = os.pipe()
        log = pathlib.Path(self.path("log"))
        with open(log, "w", encoding="utf-8") as file:
            gate = subprocess.Popen([os.path.join(os.path.dirname(HOSO), "hoso-gate"), "--config",
                                     str(config), "--ready-fd", str(told)], stderr=file,
                                    pass_fds=[told])
        os.close(told)
        try:
            with os.fdopen(ready) as pipe:
                self.assertIn("ready", pipe.readline())
            os.replace(shutil.copy(config, self.path("new.cfg")), config)
            gate.send_signal(signal.SIGHUP)
            end = time.monotonic() + PATIENCE
            while "settings" not in (said := log.read_text(encoding="utf-8")):
                self.assertLess(time.monotonic(), end)
                time.sleep(0.02)
        finally:
            gate.terminate()
            self.assertEqual(gate.wait(timeout=PATIENCE), 0)
        if "landlock" in said:
            self.assertIn("hoso.cfg was replaced by another file", said)
            self.assertIn("start the gate anew", said)

    def submit(self, *more):
        done = run("submit", "-", "--json", "--cell", self.cell, *more, given=json.dumps(DOSSIER))
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["dossier"]

    @unittest.skipUnless(FAKETIME, "faketime is not installed, or not of use here")
    def test_a_clock_that_is_years_off_is_told_before_a_dossier_gets_its_date(self):
        self.start()
        self.submit()
        self.stop()
        content = self.content()
        for when in ("-6y", "-3d", "+5y"):
            done = run("run", "--cell", self.cell, env=clock(when))
            self.expect(when, done, 2, "the clock says")
            self.assertEqual(self.content(), content)
        self.start(env=clock("-2h"))  # may be: it was fast, and was set right
        self.stop()
        # Who says that it is right gets a cell that works, and still does when it is set right.
        self.start("--clock-ok", env=clock("-3d"))
        self.submit()
        self.stop()
        self.start()
        self.submit()
        self.assertEqual(run("verify", "--cell", self.cell).returncode, 0)
        self.stop()
        self.renew()
        self.start(env=clock("+200d"))  # may be: the cell has rested

    @unittest.skipUnless(FAKETIME, "faketime is not installed, or not of use here")
    def test_a_clock_set_forward_has_nothing_done_twice(self):
        self.start()
        first = self.submit("--id", "r-1")
        self.stop()
        self.start(env=clock("+200d"))
        time.sleep(1.5)  # request ids are swept every second
        self.assertEqual(self.submit("--id", "r-1"), first)
        self.stop()

    @unittest.skipUnless(IS_ROOT, "mounting wants root")
    def test_a_disk_that_is_read_only_or_full(self):
        disk = self.path("disk")
        os.mkdir(disk)
        script = f"""set -e
            mount -t tmpfs -o size=2500k none {disk}
            cp -r {self.cell} {disk}/cell
            case $1 in
            read_only) mount -o remount,ro {disk};;
            full) dd if=/dev/zero of={disk}/fill bs=4k 2>/dev/null || true;;
            esac
            shift
            exec "$@" """
        rows = [("read_only", "list", 0, ""), ("read_only", "status", 1, "Read-only"),
                ("read_only", "verify", 2, "Read-only"), ("read_only", "run", 2, "Read-only"),
                ("read_only", "compact", 1, "Read-only"), ("read_only", "upgrade", 1, "Read-only"),
                ("full", "compact", 1, "No space"), ("full", f"backup {disk}/b", 1, "No space"),
                ("full", f"dump --output {disk}/d", 1, "No space"), ("full", "list", 0, ""),
                ("full", "verify", 0, "")]
        inside = ["unshare", "-m", "sh", "-c", script, "sh"]
        if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
            self.skipTest("no mount namespaces here")
        for how, command, code, text in rows:
            with self.subTest(how=how, command=command):
                done = run(*command.split(), "--cell", f"{disk}/cell", before=[*inside, how])
                if code == 0:
                    self.assertEqual(done.returncode, 0, done.stderr)
                else:
                    self.expect(f"{how}: {command}", done, code, text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:])
