#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hoso follow: events of a real cell as they happen, while workers die and readers go away.

    tests/integration/follow.py HOSO CONFIG PROCEDURES

One running cell for all tests; each looks at the dossiers that it filed.
"""
import fcntl
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest

from common import DOSSIER, ENV

HOSO, CONFIG, PROCEDURES = sys.argv[1:4]
PATIENCE = 15  # seconds, on a busy machine


class Follower:
    """A running `hoso follow`, whose lines come out of a queue."""

    def __init__(self, cell, *words):
        self.process = subprocess.Popen([HOSO, "follow", "--cell", cell, *words], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV)
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)

    def line(self):
        return self.lines.get(timeout=PATIENCE)

    def event(self):
        return json.loads(self.line())

    def until(self, event, code):
        """All events up to this one of the dossier."""
        seen = [self.event()]
        while (seen[-1]["event"], seen[-1]["dossier"]) != (event, code):
            seen.append(self.event())
        return seen

    def end(self, how=signal.SIGINT):
        self.process.send_signal(how)
        code = self.process.wait(timeout=PATIENCE)
        self.reader.join()
        said = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return code, said


class Follow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="hoso-follow-")
        cls.cell = os.path.join(cls.folder, "cell")
        subprocess.run([HOSO, "init", cls.cell, "--config-from", CONFIG, "--procedures",
                        PROCEDURES], check=True, stdout=subprocess.DEVNULL, env=ENV)
        cls.log = open(os.path.join(cls.folder, "log"), "w", encoding="utf-8")
        cls.supervisor = subprocess.Popen([HOSO, "run", "--cell", cls.cell], text=True, env=ENV,
                                          stdout=subprocess.PIPE, stderr=cls.log)
        assert "is ready" in cls.supervisor.stdout.readline()

    @classmethod
    def tearDownClass(cls):
        cls.supervisor.terminate()
        cls.supervisor.wait(timeout=PATIENCE)
        cls.supervisor.stdout.close()
        cls.log.close()
        shutil.rmtree(cls.folder)

    def run_hoso(self, *words, given=None):
        return subprocess.run([HOSO, *words, "--cell", self.cell], input=given, text=True, env=ENV,
                              capture_output=True, timeout=60, check=False)

    def ask(self, *words, given=None):
        done = self.run_hoso(*words, "--json", given=given)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def submit(self, **changes):
        return self.ask("submit", "-", given=json.dumps({**DOSSIER, **changes}))["dossier"]

    def withdraw(self, code):
        done = self.run_hoso("event", code, "withdraw", "--by", "counter-2", "--role",
                             "postal_worker")
        self.assertEqual(done.returncode, 0, done.stderr)

    def follow(self, *words):
        follower = Follower(self.cell, *words)
        self.addCleanup(lambda: follower.process.poll() is None and follower.process.kill())
        return follower

    def head(self):
        return self.ask("status")["journal"]

    # ---- what comes -----------------------------------------------------------------------------

    def test_every_event_comes_once_and_in_order(self):
        at = self.head() + 1
        all_of_it = self.follow("--json", "--from", str(at))
        codes = [self.submit() for _ in range(5)]
        for code in codes:
            self.withdraw(code)
        seen = []
        while sum(e["event"] == "withdraw" for e in seen) < 5:
            seen.append(all_of_it.event())
        self.assertEqual([e["seq"] for e in seen], list(range(at, at + len(seen))))
        self.assertLessEqual(set(codes), {e["dossier"] for e in seen})
        self.assertEqual(all_of_it.end(), (0, ""))

    def test_without_from_only_what_happens_from_now_on_comes(self):
        old = self.submit()
        follower = self.follow("--lang", "vi")
        self.assertIn("Sự kiện", follower.line())
        code = self.submit()
        lines = [follower.line()]
        while code not in lines[-1]:
            lines.append(follower.line())
        self.assertIn("submit", lines[-1])
        self.assertIn("mới đăng ký", lines[-1])
        self.assertFalse([line for line in lines if old in line and " submit " in line])
        self.assertEqual(follower.end(signal.SIGTERM), (0, ""))

    def test_it_goes_on_where_another_one_ended_though_workers_were_killed(self):
        first = self.follow("--json", "--from", str(self.head() + 1))
        last = first.until("done.invoke.check", self.submit())[-1]["seq"]
        pids = {w["service"]: w["pid"] for w in self.ask("status")["workers"]}
        os.kill(pids["intake"], signal.SIGKILL)
        os.kill(pids["verification"], signal.SIGKILL)
        code = self.submit()  # the client asks again until the new worker answers
        here = first.until("done.invoke.check", code)
        self.assertEqual(first.end()[0], 0)
        second = self.follow("--json", "--from", str(last + 1))
        again = second.until("done.invoke.check", code)
        self.assertEqual(here, again)
        self.assertEqual([e["seq"] for e in here], list(range(last + 1, last + 1 + len(here))))
        self.assertEqual(second.end()[0], 0)

    # ---- what is asked for ----------------------------------------------------------------------

    def test_each_option_lets_its_own_events_through(self):
        code, at = self.submit(), str(self.head())
        one = self.follow("--json", "--dossier", code, "--from", "1")
        none = self.follow("--json", "--site", "000.00.14.H30", "--from", "1")
        other = self.follow("--json", "--procedure", "1.001193", "--from", "1")
        named = self.follow("--json", "--event", "done.invoke.check with", "--from", at)
        self.submit()
        self.withdraw(code)
        seen = one.until("withdraw", code)
        self.assertEqual({e["dossier"] for e in seen}, {code})
        self.assertEqual([e["n"] for e in seen], list(range(1, len(seen) + 1)))
        self.assertEqual(named.event()["event"], "done.invoke.check")  # a prefix of whole parts
        for follower in (one, none, other, named):
            self.assertEqual(follower.end()[0], 0)
        for silent in (none, other):
            self.assertTrue(silent.lines.empty())
        self.assertFalse(any("withdraw" in line for line in named.lines.queue))

    def test_personal_data_is_masked_unless_it_is_asked_for(self):
        at = str(self.head() + 1)
        code = self.submit()
        masked = self.follow("--json", "--from", at, "--event", "submit")
        full = self.follow("--json", "--from", at, "--event", "submit", "--unmask")
        shown = [f.event()["data"] for f in (masked, full)]
        self.assertNotIn("Nguyễn Văn An", json.dumps(shown[0], ensure_ascii=False))
        self.assertEqual(shown[1]["fields"]["full_name"], "Nguyễn Văn An")
        people = self.run_hoso("show", code).stdout
        self.assertNotIn("Nguyễn Văn An", people)
        for follower in (masked, full):
            follower.end()

    def test_what_it_cannot_follow_is_said_in_one_line(self):
        for words, code, text in (
                (("--dossier", "000.00.13.H30-200101-9999"), 3, "there is no dossier"),
                (("--from", "yesterday"), 2, "--from: a number of the journal, or now")):
            done = self.run_hoso("follow", *words)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(text, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)

    # ---- how it ends ----------------------------------------------------------------------------

    def test_it_ends_when_its_reader_goes_though_nothing_happens(self):
        for words in ((), ("--json",), ("--from", "1")):
            process = subprocess.Popen([HOSO, "follow", "--cell", self.cell, *words], env=ENV,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            process.stdout.close()
            self.assertEqual(process.wait(timeout=PATIENCE), 0)
            self.assertEqual(process.stderr.read(), "")
            process.stderr.close()

    def test_a_reader_that_stands_still_holds_no_snapshot_and_the_end_still_comes(self):
        for _ in range(8):
            self.submit()
        process = subprocess.Popen([HOSO, "follow", "--cell", self.cell, "--json", "--from", "1"],
                                   env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   pipesize=4096)
        self.until(lambda: self.lies_in(process.stdout) >= 4096, "its pipe is full")
        for _ in range(3):
            self.submit()
        self.assertEqual(self.ask("status")["store"]["oldest_reader"], 0)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=PATIENCE), 0)
        self.assertEqual(process.stderr.read(), b"")
        process.stdout.close()
        process.stderr.close()

    @staticmethod
    def lies_in(pipe):
        return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)

    def until(self, holds, what):
        end = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), end, f"waited in vain until {what}")
            time.sleep(0.05)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
