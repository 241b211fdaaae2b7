#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hoso top on a real terminal, over a real cell.

    tests/integration/top.py HOSO CONFIG PROCEDURES SUPPORT

SUPPORT is tests/support/, where the terminal is. One running cell for all tests.
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

from common import DOSSIER

HOSO, CONFIG, PROCEDURES = sys.argv[1:4]
sys.path.insert(0, sys.argv[4])
from terminal import PATIENCE, Terminal  # noqa: E402

ENV = {k: v for k, v in os.environ.items() if not k.startswith("HOSO_") and k != "NO_COLOR"}
ENV["TERM"] = "xterm-256color"
SERVICES = ["intake", "verification", "routing", "notification", "return"]


def make(cell, *lines):
    subprocess.run([HOSO, "init", cell, "--config-from", CONFIG, "--procedures", PROCEDURES],
                   check=True, stdout=subprocess.DEVNULL, env=ENV)
    with open(os.path.join(cell, "hoso.cfg"), "a", encoding="utf-8") as file:
        file.writelines(lines)


class Top(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="hoso-top-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.cell = os.path.join(cls.folder, "cell")
        make(cls.cell, 'bridge_listen = "127.0.0.1:0";\n')
        cls.log = open(os.path.join(cls.folder, "log"), "w", encoding="utf-8")
        cls.addClassCleanup(cls.log.close)
        cls.supervisor = subprocess.Popen([HOSO, "run", "--cell", cls.cell], text=True, env=ENV,
                                          stdout=subprocess.PIPE, stderr=cls.log)
        cls.addClassCleanup(cls.stop)
        assert "is ready" in cls.supervisor.stdout.readline()

    @classmethod
    def stop(cls):
        cls.supervisor.terminate()
        cls.supervisor.wait(timeout=PATIENCE)
        cls.supervisor.stdout.close()

    def hoso(self, *words, given=None):
        return subprocess.run([HOSO, *words, "--cell", self.cell], input=given, text=True, env=ENV,
                              capture_output=True, timeout=60, check=False)

    def status(self):
        return json.loads(self.hoso("status", "--json").stdout)

    def submit(self):
        done = self.hoso("submit", "-", given=json.dumps(DOSSIER))
        self.assertEqual(done.returncode, 0, done.stderr)

    def top(self, *words, rows=24, columns=80, cell=None, **env):
        terminal = Terminal([HOSO, "top", "--cell", cell or self.cell, *words], {**ENV, **env},
                            rows, columns)
        self.addCleanup(terminal.close)
        return terminal

    @staticmethod
    def names(terminal, heading):
        """The first words of a pane's rows."""
        lines = terminal.screen.text().split("\n")
        at = [i for i, line in enumerate(lines) if line.startswith(heading)][0] + 1
        rows = []
        while lines[at].strip() and lines[at].split()[0] in SERVICES + ["gate", "bridge"]:
            rows.append(lines[at].split()[0])
            at += 1
        return rows

    # ---- what is on the screen ------------------------------------------------------------------

    def test_a_dossier_that_is_filed_shows_within_the_interval(self):
        terminal = self.top()
        terminal.shows("Queue", "Process", "Door", "all is well", "q quit")
        self.assertEqual(self.names(terminal, "Queue"), SERVICES)
        self.assertEqual(self.names(terminal, "Process"), SERVICES + ["bridge"])
        before = self.status()
        self.submit()
        terminal.shows(f"{before['dossiers']['open'] + 1} open", f"{before['journal'] + 3} events")
        tasks = before["workers"][1]["tasks"] + 1
        terminal.until(lambda text: [line for line in text.split("\n") if line.endswith(str(tasks))
                                     and line.startswith("verification")], "the task shows", " ")

    def test_a_worker_that_is_stopped_shows_and_so_does_what_to_do(self):
        terminal = self.top("--lang", "vi", LC_ALL="C")
        terminal.shows("Tiến trình", "đang chạy", "q thoát")
        pid = self.status()["workers"][3]["pid"]
        self.addCleanup(os.kill, pid, signal.SIGCONT)
        os.kill(pid, signal.SIGSTOP)
        terminal.shows("bị dừng", "việc cần xem", "kill -CONT", key=" ")
        os.kill(pid, signal.SIGCONT)
        terminal.shows("bình thường", key=" ")

    def test_it_fits_every_size_and_comes_back(self):
        terminal = self.top()
        terminal.shows("Queue", "Commits")
        for rows, columns in ((12, 60), (8, 40), (4, 24), (3, 20), (1, 1), (50, 200)):
            terminal.resize(rows, columns)
            if rows >= 4:
                terminal.shows("hoso top", "Queue"[:columns])
            elif rows > 1:
                terminal.shows("too small")
            self.assertTrue(all(len(line) <= columns
                                for line in terminal.screen.text().split("\n")))
        terminal.resize(24, 80)
        terminal.shows("Queue", "Commits", "q quit")
        terminal.press("q")
        self.assertEqual(terminal.wait(), 0)

    def test_keys_sort_pause_choose_and_help(self):
        terminal = self.top()
        terminal.shows("Queue", "2 s")
        terminal.press("s")
        terminal.shows("sorted by Queue")
        self.assertEqual(self.names(terminal, "Queue"), sorted(SERVICES))
        terminal.press("S\t")
        terminal.until(lambda text: "sorted" not in text, "it is not sorted")
        terminal.press("ss")
        terminal.shows("sorted by State")
        terminal.press("+")
        terminal.shows("5 s")
        terminal.press("--")
        terminal.shows("1 s")
        terminal.press("h")
        terminal.shows("this page", "choose the next pane")
        terminal.press("h")
        terminal.until(lambda text: "this page" not in text and "Queue" in text, "help is gone")
        terminal.press("p")
        terminal.shows("PAUSED")
        held = terminal.screen.text()
        self.submit()
        time.sleep(1.2)  # longer than the interval
        terminal.read()
        self.assertEqual(terminal.screen.text(), held)
        terminal.press("p")
        terminal.shows(f"{self.status()['journal']} events")

    def test_rows_that_do_not_fit_are_reached_by_the_arrows(self):
        terminal = self.top(rows=6)
        terminal.shows("intake", "1-3/5")
        terminal.press("\x1bOB\x1bOB\x1bOB\x1bOB")  # beyond the end stands still
        terminal.shows("return", "3-5/5")
        self.assertNotIn("intake", terminal.screen.text())
        terminal.press("\x1bOA")
        terminal.shows("verification", "2-4/5")

    # ---- colours --------------------------------------------------------------------------------

    def test_colours_come_only_where_they_are_wanted_and_can_be_shown(self):
        for env, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "vt220"}, False),
                              ({"NO_COLOR": ""}, True)):
            terminal = self.top(**env)
            terminal.shows("Queue", "all is well")
            self.assertEqual(bool(terminal.screen.colours), coloured, env)

    # ---- the end --------------------------------------------------------------------------------

    def test_the_terminal_is_as_before_after_each_end(self):
        for how in ("q", "\x03", signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            terminal = self.top()
            terminal.shows("Queue", "all is well")
            self.assertTrue(terminal.screen.is_other)
            self.assertFalse(terminal.is_restored())
            if isinstance(how, str):
                terminal.press(how)
            else:
                terminal.process.send_signal(how)
            self.assertEqual(terminal.wait(), 0, how)
            self.assertTrue(terminal.is_restored(), how)

    def test_a_cell_that_is_killed_is_shown_dead_and_the_terminal_comes_back(self):
        cell = os.path.join(self.folder, "killed")
        make(cell)
        supervisor = subprocess.Popen([HOSO, "run", "--cell", cell], env=ENV, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                      start_new_session=True)
        self.assertIn("is ready", supervisor.stdout.readline())
        terminal = self.top(cell=cell)
        terminal.shows("all is well")
        os.killpg(supervisor.pid, signal.SIGKILL)
        supervisor.wait()
        supervisor.stdout.close()
        terminal.until(lambda text: text.count(" down") == 5 and "needs a person" in text,
                       "all five are down", " ")
        terminal.press("q")
        self.assertEqual(terminal.wait(), 0)
        self.assertTrue(terminal.is_restored())

    def test_a_store_that_is_cut_ends_it_with_one_line_and_the_terminal_comes_back(self):
        cell = os.path.join(self.folder, "cut")
        make(cell)
        terminal = self.top(cell=cell)
        terminal.shows("Queue", "needs a person")
        os.truncate(pathlib.Path(cell, "store", "data.mdb"), 0)
        self.assertEqual(terminal.wait(), 1)
        self.assertIn(b"its file is damaged or was cut", terminal.said)
        self.assertTrue(terminal.is_restored())

    def test_without_a_terminal_there_is_one_clear_line(self):
        for name in ("dumb", "", "no-such-terminal"):
            terminal = self.top(TERM=name)
            self.assertEqual(terminal.wait(), 2, name)
            self.assertEqual(terminal.said.count(b"\n"), 1, terminal.said)
            self.assertIn(b"hoso status", terminal.said)
            self.assertTrue(terminal.is_restored(), name)
        done = self.hoso("top")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(done.stderr, "hoso: a live view needs a terminal: `hoso status` tells the "
                                      "same once\n")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
