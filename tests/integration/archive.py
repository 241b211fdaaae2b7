#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A backup and the archive of changes: the cell of any moment, while its processes are killed.

    tests/integration/archive.py HOSO CONFIG PROCEDURES
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from common import DOSSIER, ENV

HOSO, CONFIG, PROCEDURES = sys.argv[1:4]
PATIENCE = 30

def run(*words, given=None):
    return subprocess.run([HOSO, *words], input=given, env=ENV, text=True, errors="replace",
                          capture_output=True, timeout=60, check=False)


class Archive(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hoso-archive-")
        self.cell = os.path.join(self.folder, "cell")
        self.archive = os.path.join(self.folder, "archive")
        self.supervisor = None
        done = run("init", self.cell, "--config-from", CONFIG, "--procedures", PROCEDURES)
        assert done.returncode == 0, done.stderr
        self.set_archive("../archive")

    def tearDown(self):
        self.stop()
        shutil.rmtree(self.folder)

    def set_archive(self, where):
        path = pathlib.Path(self.cell, "hoso.cfg")
        lines = [line for line in path.read_text(encoding="utf-8").splitlines()
                 if not line.startswith("archive")]
        path.write_text("\n".join(lines + [f'archive = "{where}";', ""]), encoding="utf-8")

    def start(self):
        self.log = open(os.path.join(self.folder, "log"), "a", encoding="utf-8")
        self.supervisor = subprocess.Popen([HOSO, "run", "--cell", self.cell],
                                           stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.assertIn("is ready", self.supervisor.stdout.readline())

    def stop(self):
        if self.supervisor is not None:
            self.supervisor.terminate()
            self.supervisor.wait(timeout=PATIENCE)
            self.supervisor.stdout.close()
            self.log.close()
            self.supervisor = None

    def hoso(self, *words, expect=0, cell=None, given=None):
        done = run(*words, "--cell", cell or self.cell, given=given)
        self.assertEqual(done.returncode, expect, f"{words}: {done.stdout}{done.stderr}")
        if expect != 0:
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        return done.stdout if expect == 0 else done.stderr

    def ask(self, *words, **how):
        return json.loads(self.hoso(*words, "--json", **how))

    def until(self, holds, what):
        end = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), end, f"waited in vain until {what}")
            time.sleep(0.05)

    def submit(self):
        done = self.hoso("submit", "-", "--json", "--timeout", "30", given=json.dumps(DOSSIER))
        return json.loads(done)["dossier"]

    def child(self, name):
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rsplit(")", 1)[1].split()
                if int(fields[1]) == self.supervisor.pid and \
                        os.readlink(path.parent / "exe").endswith(f"hoso-{name}"):
                    return int(path.parent.name)
            except OSError:
                continue
        return None

    def kill(self, name):
        pid = self.child(name)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    def caught_up(self):
        state = self.ask("archive")
        return state["on"] and state["waiting"] == 0

    def rows(self, cell):
        """All that is stored, but for the changes and their head."""
        return [line for line in self.hoso("dump", cell=cell).splitlines()[1:-1]
                if json.loads(line)["table"] != "changes" and
                json.loads(line)["key"] != b"changes".hex()]

    def codes(self, cell):
        return {row["dossier"] for row in self.ask("list", "--max", "0", cell=cell)["dossiers"]}

    def restore(self, name, *words, **how):
        cell = os.path.join(self.folder, name)
        self.hoso("restore", os.path.join(self.folder, "b"), cell, "--name", "cell", *words, **how)
        return cell

    def test_any_moment_comes_back_while_processes_are_killed(self):
        self.start()
        backup = os.path.join(self.folder, "b")
        first = self.submit()
        self.hoso("backup", backup)
        moments, so_far = [], {first}
        for victim in ("archive", "intake", "archive", "verification"):
            for _ in range(3):
                so_far.add(self.submit())
            self.kill(victim)
            so_far.add(self.submit())
            self.until(lambda: len(self.ask("task", "list", "--max", "0")["tasks"]) == len(so_far),
                       "all are checked")
            health = json.loads(run("status", "--json", "--cell", self.cell).stdout)
            moments.append((health["journal"], set(so_far)))
        self.until(self.caught_up, "all is archived")
        self.assertTrue(self.ask("verify")["undamaged"])
        self.stop()
        self.hoso("archive", "--move")
        cell = self.restore("last", "--archive", self.archive, "--skip-numbers", "0")
        self.assertEqual(self.rows(cell), self.rows(self.cell))
        for n, (seq, codes) in enumerate(moments):
            cell = self.restore(f"m{n}", "--archive", self.archive, "--until", str(seq))
            self.assertEqual(self.codes(cell), codes)
        self.assertIn("# before the restore: archive",
                      pathlib.Path(cell, "hoso.cfg").read_text(encoding="utf-8"))
        self.assertFalse(self.ask("archive", cell=cell)["on"])
        self.assertEqual(self.codes(self.restore("plain")), {first})
        self.assertEqual(self.codes(self.restore("old", "--archive", self.archive, "--until",
                                                 "2020-01-01T00:00:00")), {first})

    def test_a_crash_of_the_archiver_at_each_point_loses_nothing_and_doubles_nothing(self):
        self.assertEqual(run("archive", "--move", "--cell", self.cell).returncode, 0)
        for n, point in enumerate(("archive.written:1", "archive.synced:1", "store.commit.after:1")):
            self.change(n)
            done = subprocess.run([HOSO, "archive", "--move", "--cell", self.cell],
                                  env=os.environ | {"WF_FAULTS": f"{point}=kill"},
                                  capture_output=True, timeout=60, check=False)
            if done.returncode == 0:
                self.skipTest("built without fault points")
            self.assertEqual(done.returncode, -signal.SIGKILL, point)
            self.assertEqual(self.ask("archive", "--move")["waiting"], 0)
            found = self.ask("verify")
            self.assertTrue(found["undamaged"], found)
            self.assertEqual(found["archived"], found["changes"])

    def change(self, n):
        """Any write of an operator is a change."""
        verb = ("retire", "activate")[n % 2]
        self.hoso("procedure", verb, "1.004873", "1", "--reason", "a test", "--by", "head-1")

    def test_mistakes_get_one_line_and_leave_nothing(self):
        self.start()
        self.submit()
        self.until(self.caught_up, "all is archived")
        self.hoso("backup", os.path.join(self.folder, "b"))
        self.submit()
        self.until(self.caught_up, "all is archived")
        self.stop()
        self.hoso("archive", "--move")
        empty = os.path.join(self.folder, "empty")
        os.mkdir(empty)
        other = os.path.join(self.folder, "other")
        shutil.copytree(self.archive, other)
        name = sorted(os.listdir(other))[0]
        data = bytearray(pathlib.Path(other, name).read_bytes())
        data[-20] ^= 1
        pathlib.Path(other, name).write_bytes(data)
        for words, code, text in (
                (["--archive", empty], 3, "no changes"),
                (["--archive", other], 1, "is damaged"),
                (["--archive", os.path.join(self.folder, "none")], 3, "no changes"),
                (["--archive", self.archive, "--until", "yesterday"], 2, "a date is written"),
                (["--until", "5"], 2, "--archive")):
            said = self.restore_refused(words, code)
            self.assertIn(text, said)
        self.assertFalse([n for n in os.listdir(self.folder) if n.startswith("new")])

        data[-20] ^= 1
        data[200] ^= 1
        pathlib.Path(self.archive, name).write_bytes(data)
        found = json.loads(run("verify", "--json", "--cell", self.cell).stdout)
        self.assertEqual([f["name"] for f in found["findings"]], ["archive"])

    def restore_refused(self, words, code):
        return self.hoso("restore", os.path.join(self.folder, "b"),
                         os.path.join(self.folder, "new"), "--name", "cell", *words, expect=code)

    def test_wrong_folders_are_refused_before_the_workers_start(self):
        self.set_archive("archive")
        self.assertIn("own folder", self.refused())
        self.set_archive("../no/such/folder")
        self.assertIn("archive", self.refused())
        self.set_archive("../archive")
        self.start()
        self.submit()
        self.until(self.caught_up, "all is archived")
        self.stop()
        foreign = os.path.join(self.folder, "foreign")
        shutil.move(self.archive, foreign)
        self.hoso("archive", "--off")
        self.start()  # an empty folder, a new beginning
        self.submit()
        self.until(self.caught_up, "all is archived")
        self.stop()
        self.set_archive("../foreign")
        self.assertIn("which is not this store's", self.refused())
        self.set_archive("")
        self.start()
        self.assertFalse(self.ask("archive")["on"])
        self.stop()

    def refused(self):
        done = run("run", "--cell", self.cell)
        self.assertEqual(done.returncode, 2, done.stderr)
        return done.stderr


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
