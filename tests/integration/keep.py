#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Keeping a cell: backup, restore, verify, compact, dump and load; and damage.

    tests/integration/keep.py HOSO CONFIG PROCEDURES

KEEP_SEED chooses other places for the damage, KEEP_PLACES how many.
"""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from common import DOSSIER, ENV

HOSO, CONFIG, PROCEDURES = sys.argv[1:4]
OTHER_SITE = "000.00.11.H30"
PATIENCE = 30  # seconds, on a busy machine
SEED = int(os.environ.get("KEEP_SEED", "20261123"))
PLACES = int(os.environ.get("KEEP_PLACES", "300"))


def run(*words, given=None):
    return subprocess.run([HOSO, *words], input=given, env=ENV, text=True, errors="replace",
                          capture_output=True, timeout=60, check=False)


class Place:
    """A folder with a cell in it, perhaps running."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="hoso-keep-")
        self.cell = os.path.join(self.folder, "cell")
        self.supervisor = None
        done = run("init", self.cell, "--config-from", CONFIG, "--procedures", PROCEDURES)
        assert done.returncode == 0, done.stderr

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def start(self, cell=None):
        self.log = open(self.path("log"), "a", encoding="utf-8")
        self.supervisor = subprocess.Popen([HOSO, "run", "--cell", cell or self.cell],
                                           stdout=subprocess.PIPE, stderr=self.log, text=True)
        assert "is ready" in self.supervisor.stdout.readline()

    def stop(self):
        if self.supervisor is None:
            return
        self.supervisor.send_signal(signal.SIGTERM)
        self.supervisor.wait(timeout=PATIENCE)
        self.supervisor.stdout.close()
        self.log.close()
        self.supervisor = None

    def close(self):
        self.stop()
        shutil.rmtree(self.folder)

    def submit(self, **changes):
        done = run("submit", "-", "--json", "--cell", self.cell,
                   given=json.dumps({**DOSSIER, **changes}))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["dossier"]


class Keeping(unittest.TestCase):
    def setUp(self):
        self.place = Place()
        self.cell = self.place.cell

    def tearDown(self):
        self.place.close()

    def hoso(self, *words, expect=0, cell=None):
        done = run(*words, "--cell", cell or self.cell)
        self.assertEqual(done.returncode, expect, f"{words}: {done.stdout}{done.stderr}")
        if expect != 0 and words[0] not in ("verify", "status"):
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        return done.stdout if expect == 0 else done.stderr + done.stdout

    def ask(self, *words, **how):
        return json.loads(self.hoso(*words, "--json", **how))

    def until(self, holds, what):
        end = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), end, f"waited in vain until {what}")
            time.sleep(0.05)

    def test_a_backup_under_load_has_all_that_was_acknowledged_before_it(self):
        self.place.start()
        acknowledged, done = [], threading.Event()

        def load():
            while not done.is_set():
                acknowledged.append(self.place.submit())
        thread = threading.Thread(target=load)
        thread.start()
        try:
            for n in range(3):
                self.until(lambda: len(acknowledged) >= 10 * (n + 1), "dossiers come in")
                before = list(acknowledged)
                backup, cell = self.place.path(f"b{n}"), self.place.path(f"r{n}")
                self.hoso("backup", backup)
                self.assertEqual(os.stat(backup).st_mode & 0o777, 0o700)
                self.hoso("restore", backup, cell, "--name", "cell")
                self.assertTrue(self.ask("verify", cell=cell)["undamaged"])
                rows = self.ask("list", "--max", "0", cell=cell)["dossiers"]
                self.assertLessEqual(set(before), {row["dossier"] for row in rows})
                self.assertTrue(self.ask("verify")["undamaged"])
        finally:
            done.set()
            thread.join()

    def test_a_restored_cell_goes_on(self):
        os.mkdir(os.path.join(self.cell, "parties"))
        with open(os.path.join(self.cell, "hoso.cfg"), "a", encoding="utf-8") as file:
            file.write(f'store = "{self.cell}/store";\n')  # must not lead back to the old store
        self.place.start()
        code = self.place.submit()
        self.until(lambda: self.ask("task", "list")["tasks"], "the review is open")
        self.hoso("backup", self.place.path("b"))
        self.place.stop()
        shutil.rmtree(self.cell)
        self.hoso("restore", self.place.path("b"), self.cell)
        self.place.start()
        claim = self.ask("task", "claim", "verification.review", "--by", "an", "--role",
                         "civil_servant")["tasks"][0]
        self.hoso("task", "complete", str(claim["task"]), str(claim["token"]),
                  '{"verdict": "approve"}', "--by", "an")
        self.until(lambda: self.ask("show", code)["events"] >= 4, "the work goes on")
        self.assertNotEqual(self.place.submit(), code)
        self.assertTrue(self.ask("verify")["undamaged"])

    def test_a_restored_cell_gives_nothing_that_the_lost_one_may_have_given(self):
        self.place.start()
        self.place.submit()
        self.until(lambda: self.ask("task", "list")["tasks"], "the review is open")
        self.hoso("backup", self.place.path("b"))
        lost = [self.place.submit(), self.place.submit(site=OTHER_SITE)]
        self.until(lambda: len(self.ask("task", "list")["tasks"]) == 3, "the reviews are open")
        tasks = {task["task"] for task in self.ask("task", "list")["tasks"]}
        self.place.stop()
        shutil.rmtree(self.cell)
        said = json.loads(run("restore", self.place.path("b"), self.cell, "--json").stdout)
        self.assertEqual(said["skipped"], 1000)
        self.place.start()
        new = [self.place.submit(), self.place.submit(site=OTHER_SITE)]
        self.until(lambda: len(self.ask("task", "list")["tasks"]) == 3, "the reviews are open")
        more = {task["task"] for task in self.ask("task", "list")["tasks"]} - {min(tasks)}
        self.assertEqual([code[:-4] for code in new], [code[:-4] for code in lost])
        self.assertEqual([code[-4:] for code in new], ["1002", "1001"])
        self.assertFalse(more & tasks)
        self.assertTrue(self.ask("verify")["undamaged"])
        for words, skipped in ((("--skip-numbers", "0"), 0), ((), 1000)):
            cell = self.place.path(f"skip{skipped}")
            said = self.hoso("restore", self.place.path("b"), cell, "--name", "cell", *words)
            self.assertIn(f"{skipped:,}".replace(",", ""), said.replace(",", ""))
        self.assertIn("smaller --skip-numbers", self.hoso(
            "restore", self.place.path("b"), self.place.path("no"), "--name", "cell",
            "--skip-numbers", "9999", expect=1))
        self.assertFalse(os.path.exists(self.place.path("no")))

    def test_mistakes_get_one_line_each(self):
        backup, new = self.place.path("b"), self.place.path("new")
        self.hoso("backup", backup)
        self.assertIn("not empty", self.hoso("backup", backup, expect=1))
        self.assertIn("no cell", run("backup", new).stderr)
        self.assertIn("--name cell", self.hoso("restore", backup, new, expect=1))
        self.assertIn("not empty", self.hoso("restore", backup, self.cell, expect=1))
        self.assertIn("is no backup", self.hoso("restore", self.cell, new, expect=2))
        self.assertFalse(os.path.exists(new))
        for name in ("store/data.mdb", "sites.cfg", "manifest.json"):
            broken = self.place.path("broken")
            shutil.copytree(backup, broken)
            data = bytearray(pathlib.Path(broken, name).read_bytes())
            data[len(data) // 2] ^= 1
            pathlib.Path(broken, name).write_bytes(data)
            self.assertIn("damaged", self.hoso("restore", broken, new, "--name", "cell", expect=1))
            os.unlink(os.path.join(broken, name))
            self.hoso("restore", broken, new, "--name", "cell",
                      expect=2 if name == "manifest.json" else 3)
            shutil.rmtree(broken)
            self.assertEqual(os.listdir(self.place.folder).count("new"), 0)
            self.assertFalse([n for n in os.listdir(self.place.folder) if "part" in n])

    def test_a_newer_backup_is_refused(self):
        backup = self.place.path("b")
        self.hoso("backup", backup)
        path = pathlib.Path(backup, "manifest.json")
        text = path.read_text(encoding="utf-8")
        form = json.loads(text)["format"]
        for old, new in (('"hoso_backup": 1', '"hoso_backup": 2'),
                         (f'"format": {form}', f'"format": {form + 1}')):
            self.assertIn(old, text)
            path.write_text(text.replace(old, new), encoding="utf-8")
            self.sum(path)
            said = self.hoso("restore", backup, self.place.path("n"), "--name", "cell", expect=2)
            self.assertIn("this release", said)
            path.write_text(text, encoding="utf-8")
            self.sum(path)

    def sum(self, path):
        done = subprocess.run(["b2sum", "-l", "256", path.name], cwd=path.parent, text=True,
                              capture_output=True, check=True)
        path.with_suffix(".b2").write_text(done.stdout, encoding="utf-8")

    def test_compact_makes_the_file_small_and_only_while_the_cell_rests(self):
        self.place.start()
        self.assertIn("is running", self.hoso("compact", expect=1))
        codes = {self.place.submit() for _ in range(15)}
        self.assertIn("is running", self.hoso("load", os.devnull, expect=1))
        self.place.stop()
        sizes = self.ask("compact")
        self.assertLess(sizes["after"], sizes["before"])
        self.assertTrue(self.ask("verify")["undamaged"])
        self.place.start()
        codes.add(self.place.submit())
        rows = self.ask("list", "--max", "0")["dossiers"]
        self.assertEqual({row["dossier"] for row in rows}, codes)

    def test_a_dump_comes_back_and_a_changed_one_does_not(self):
        self.place.start()
        self.place.submit()
        self.place.stop()
        dump, again = self.place.path("d.jsonl"), self.place.path("again.jsonl")
        self.hoso("dump", "--output", dump)
        self.assertEqual(os.stat(dump).st_mode & 0o777, 0o600)
        self.assertIn("not empty", self.hoso("load", dump, expect=1))
        lines = pathlib.Path(dump).read_text(encoding="utf-8").splitlines()
        shutil.rmtree(os.path.join(self.cell, "store"))
        bad = {"cut": lines[:-1], "one lost": lines[:5] + lines[6:], "half": lines[:4] + [lines[4][:30]],
               "changed": lines[:5] + [lines[5][:-4] + ("0" if lines[5][-4] != "0" else "1") + lines[5][-3:]]
               + lines[6:], "empty": [], "other": ["{}"] + lines[1:]}
        for what, rows in bad.items():
            pathlib.Path(again).write_text("".join(row + "\n" for row in rows), encoding="utf-8")
            self.hoso("load", again, expect=1)
            self.assertFalse(os.path.exists(os.path.join(self.cell, "store")), what)
        self.hoso("load", dump)
        self.hoso("dump", "--output", again)
        self.assertEqual(pathlib.Path(dump).read_bytes(), pathlib.Path(again).read_bytes())

    def test_a_store_that_is_not_one_is_told_in_one_line(self):
        data = pathlib.Path(self.cell, "store", "data.mdb")
        whole = data.read_bytes()
        for what, content in (("empty", b""), ("text", b"no store at all\n" * 1000),
                              ("half", whole[:len(whole) // 2]), ("head", whole[:100])):
            data.write_bytes(content)
            for verb in (["list"], ["status"], ["backup", self.place.path("b")], ["run"]):
                done = run(*verb, "--cell", self.cell)
                self.assertIn(done.returncode, (1, 2), f"{what} {verb}: {done.stderr}")
                last = done.stderr.splitlines()[-1]
                self.assertTrue(last.startswith("hoso: "), f"{what} {verb}: {done.stderr}")
            self.assertFalse(os.path.exists(self.place.path("b")))


class Damage(unittest.TestCase):
    """A bit, a page or a cut at a random place is found, or changes no answer."""

    # Keys of these rows carry no checksum and nothing refers to them: a request that is sent again
    # would be done again, a subscriber begin at its own place.
    UNBOUND = ("requests", "cursors", "numbers")

    @classmethod
    def setUpClass(cls):
        cls.place = Place()
        cls.place.start()
        for _ in range(20):
            cls.place.submit()
        time.sleep(0.5)
        cls.place.stop()
        cls.data = pathlib.Path(cls.place.cell, "store", "data.mdb")
        cls.whole = cls.data.read_bytes()
        cls.rows = cls.dump()

    @classmethod
    def tearDownClass(cls):
        cls.place.close()

    @classmethod
    def dump(cls):
        done = run("dump", "--cell", cls.place.cell)
        if done.returncode != 0:
            return [done.stderr]
        return [row for row in done.stdout.splitlines()[1:-1]
                if json.loads(row)["table"] not in cls.UNBOUND]

    def damage(self, dice):
        data, kind = bytearray(self.whole), dice.choice(("bit", "bit", "bit", "page", "cut"))
        at = dice.randrange(len(data))
        if kind == "bit":
            data[at] ^= 1 << dice.randrange(8)
        elif kind == "page":
            page = at // 4096 * 4096
            data[page:page + 4096] = dice.choice((bytes(4096), dice.randbytes(4096)))
        else:
            del data[at:]
        self.data.write_bytes(data)
        return f"{kind} at {at}"

    def test_damage_is_found_or_harmless(self):
        print(f"seed {SEED}, {PLACES} places", file=sys.stderr)
        found = 0
        for n in range(PLACES):
            what = f"KEEP_SEED={SEED + n} KEEP_PLACES=1: {self.damage(random.Random(SEED + n))}"
            done = run("verify", "--json", "--cell", self.place.cell)
            self.assertIn(done.returncode, (0, 1, 2), f"{what}: {done.stderr}")
            if done.returncode == 0:
                self.assertEqual(self.dump(), self.rows, what)
                continue
            found += 1
            self.assertLessEqual(len(done.stderr.splitlines()), 1, what)
            json.loads(done.stdout)
        if PLACES >= 100:
            self.assertGreater(found, PLACES // 4)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[5:], verbosity=2)
