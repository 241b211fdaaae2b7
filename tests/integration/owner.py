#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Root at a cell of another account: what the command makes there is that account's.

    tests/integration/owner.py HOSO CONFIG PROCEDURES
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from common import ENV, for_other_users

HOSO, CONFIG, PROCEDURES = for_other_users(*sys.argv[1:4])
OWNER, OTHER = 65534, 65533  # nobody; and an account without a name
PATIENCE = 30


def run(*words, cwd="/"):
    return subprocess.run([HOSO, *words], env=ENV, cwd=cwd, text=True, capture_output=True,
                          timeout=60, check=False)


class Owner(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hoso-owner-"))
        self.folder.chmod(0o755)
        self.home = self.folder / "home"
        self.home.mkdir(mode=0o755)
        self.cell = self.home / "cell"

    def tearDown(self):
        shutil.rmtree(self.folder)

    def hoso(self, *words, expect=0, cwd="/"):
        done = run(*words, "--cell", str(self.cell), cwd=cwd)
        self.assertEqual(done.returncode, expect, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout if expect == 0 else done.stderr

    def init(self, uid):
        os.chown(self.home, uid, uid)
        done = run("init", str(self.cell), "--config-from", CONFIG)
        self.assertEqual(done.returncode, 0, done.stderr)

    def owners(self):
        return {path.lstat().st_uid for path in [self.cell, *self.cell.rglob("*")]}

    def start(self):
        supervisor = subprocess.Popen([HOSO, "run", "--cell", str(self.cell)], text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(supervisor.stdout.close)
        self.addCleanup(supervisor.wait, PATIENCE)
        self.addCleanup(supervisor.send_signal, signal.SIGTERM)
        self.assertIn("is ready", supervisor.stdout.readline())
        return supervisor.pid

    def test_a_cell_is_the_account_s_in_whose_folder_it_is_made(self):
        self.init(OWNER)
        self.assertEqual(self.owners(), {OWNER})
        self.hoso("party", "add", "one-stop-7", "--kind", "counter", "--organisation", "Section 7",
                  "--sites", "000.00.13.H30", "--output", str(self.home / "one-stop-7.key"))
        self.hoso("upgrade")
        self.hoso("run", "--check")
        self.assertEqual(self.owners(), {OWNER})

    def test_workers_that_root_starts_run_as_the_owner(self):
        self.init(OWNER)
        pid = self.start()
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        self.assertEqual(len(children), 5)
        for each in [pid, *children]:
            status = pathlib.Path(f"/proc/{each}/status").read_text()
            ids = [line.split()[1:] for line in status.splitlines()
                   if line.startswith(("Uid:", "Gid:"))]
            self.assertEqual(ids, [[str(OWNER)] * 4] * 2)
        self.hoso("backup", str(self.home / "copy"))
        self.assertEqual(self.owners(), {OWNER})

    def test_an_account_without_a_name_will_do(self):
        self.init(OTHER)
        self.assertEqual(self.owners(), {OTHER})

    def test_a_cell_of_root_stays_root_s(self):
        self.init(0)
        self.assertEqual(self.owners(), {0})

    def test_a_restored_cell_is_its_folder_s_owner_s_again(self):
        self.init(OWNER)
        self.hoso("backup", str(self.home / "copy"))
        shutil.rmtree(self.cell)
        done = run("restore", str(self.home / "copy"), str(self.cell))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.owners(), {OWNER})

    def test_a_file_that_the_owner_cannot_reach_is_told_with_the_reason(self):
        self.init(OWNER)
        shut = self.folder / "root"
        shut.mkdir(mode=0o700)
        said = self.hoso("backup", str(shut / "copy"), expect=1)
        self.assertIn("Permission denied: root works here as nobody, who owns the cell", said)
        self.assertEqual(said.count("\n"), 1)

    def test_the_gate_s_public_key_can_be_had_where_its_pair_is_another_account_s(self):
        self.init(OWNER)
        public = self.hoso("party", "gate-key").strip()
        os.chown(self.cell / "gate.key", OTHER, OTHER)
        self.assertEqual(self.hoso("party", "gate-key").strip(), public)
        self.assertEqual((self.cell / "gate.key.pub").read_text(), public + "\n")
        (self.cell / "gate.key.pub").write_text("half a ke")
        self.assertIn("is no public key: make it anew", self.hoso("party", "gate-key", expect=2))


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: giving files away wants root")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
