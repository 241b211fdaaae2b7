#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The hoso command against a real cell: five workers, a store, sockets.

    tests/integration/hoso.py HOSO CONFIG PROCEDURES

HOSO is the command, its workers lie beside it. Every test has a cell of its own in a new folder.
"""
import contextlib
import json
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unittest

from common import DOSSIER, ENV

HOSO, CONFIG, PROCEDURES = sys.argv[1:4]
DELIVERED = len(list(pathlib.Path(PROCEDURES).glob("*.cfg")))
PATIENCE = 15  # seconds, on a busy machine


class Cell(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hoso-")
        self.cell = os.path.join(self.folder, "cell")
        self.supervisor = None

    def tearDown(self):
        if self.supervisor is not None and self.supervisor.poll() is None:
            self.stop()
        shutil.rmtree(self.folder)

    # ---- steps --------------------------------------------------------------------------------

    def run_hoso(self, *words, given=None):
        return subprocess.run([HOSO, *words], input=given, env=ENV, cwd=self.folder, text=True,
                              capture_output=True, timeout=60, check=False)

    def hoso(self, *words, expect=0, given=None):
        done = self.run_hoso(*words, "--cell", self.cell, given=given)
        self.assertEqual(done.returncode, expect, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout if expect == 0 else done.stderr

    def ask(self, *words, **how):
        return json.loads(self.hoso(*words, "--json", **how))

    def init(self, *more):
        done = self.run_hoso("init", self.cell, "--config-from", CONFIG,
                             "--procedures", PROCEDURES, *more)
        self.assertEqual(done.returncode, 0, done.stderr)

    def start(self):
        self.log = open(os.path.join(self.folder, "log"), "a", encoding="utf-8")
        self.supervisor = subprocess.Popen([HOSO, "run", "--cell", self.cell],
                                           stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.assertIn("is ready", self.supervisor.stdout.readline())

    def stop(self):
        self.supervisor.send_signal(signal.SIGTERM)
        code = self.supervisor.wait(timeout=PATIENCE)
        self.supervisor.stdout.close()
        self.log.close()
        return code

    def until(self, holds, what):
        end = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), end, f"waited in vain until {what}")
            time.sleep(0.05)

    def workers(self):
        done = self.run_hoso("status", "--json", "--cell", self.cell)
        return json.loads(done.stdout)["workers"]

    def submit(self, **changes):
        return self.ask("submit", "-", given=json.dumps({**DOSSIER, **changes}))["dossier"]

    def claim(self, activity="verification.review", role="civil_servant"):
        tasks = []

        def got():
            tasks[:] = self.ask("task", "claim", activity, "--by", "an", "--role", role)["tasks"]
            return tasks
        self.until(got, f"there is a task of {activity}")
        return str(tasks[0]["task"]), str(tasks[0]["token"])


class WithoutWorkers(Cell):
    def test_init_makes_a_whole_cell_and_refuses_a_second_one(self):
        self.init()
        for name in ("hoso.cfg", "sites.cfg", "roles.cfg", "templates.cfg", "calendar.cfg"):
            self.assertTrue(os.path.exists(os.path.join(self.cell, name)))
        self.assertEqual(os.stat(os.path.join(self.cell, "run")).st_mode & 0o777, 0o700)
        self.assertEqual(len(self.ask("procedure", "list")["procedures"]), DELIVERED)
        again = self.run_hoso("init", self.cell, "--config-from", CONFIG)
        self.assertEqual(again.returncode, 1)
        self.assertIn("is a cell already", again.stderr)

    def test_init_keeps_a_file_that_is_there(self):
        os.mkdir(self.cell)
        path = pathlib.Path(self.cell, "hoso.cfg")
        path.write_text('cell = "mine"; code_digits = 5;\n', encoding="utf-8")
        self.init()
        self.assertIn("code_digits = 5", path.read_text(encoding="utf-8"))
        self.assertEqual(self.run_status()["cell"], "mine")

    def run_status(self):
        return json.loads(self.run_hoso("status", "--json", "--cell", self.cell).stdout)

    def test_the_name_is_written_into_the_settings(self):
        self.init("--name", "vi-thanh", "--training", "60:2026-11-23T08:00")
        status = self.run_status()
        self.assertEqual(status["cell"], "vi-thanh")
        self.assertEqual(status["rate"], 60)
        self.assertEqual(self.run_hoso("init", "x", "--name", "Vị Thanh").returncode, 2)

    def test_a_cell_at_rest_is_not_well_but_can_be_read(self):
        self.init()
        self.assertIn("not running", self.run_hoso("status", "--cell", self.cell).stdout)
        self.hoso("status", expect=1)
        self.assertEqual(self.hoso("list"), "none\n")
        self.assertEqual(self.ask("verify")["undamaged"], True)

    def on_terminal(self, columns, *words):
        """What a terminal of so many columns gets to see."""
        leader, follower = pty.openpty()
        termios.tcsetwinsize(follower, (24, columns))
        done = subprocess.Popen([HOSO, *words, "--cell", self.cell], env=ENV, stdout=follower)
        os.close(follower)
        seen = b""
        with contextlib.suppress(OSError):  # the other side was closed: all has come
            while part := os.read(leader, 65536):
                seen += part
        os.close(leader)
        done.wait(PATIENCE)
        return seen.decode()

    def test_rows_fit_the_terminal_and_say_the_same(self):
        self.init()
        for words in (("status",), ("procedure", "list"), ("status", "--lang", "vi")):
            piped = self.run_hoso(*words, "--cell", self.cell).stdout
            narrow = self.on_terminal(80, *words)
            self.assertGreater(max(map(len, piped.splitlines())), 80)
            self.assertLessEqual(max(map(len, narrow.splitlines())), 80, narrow)
            self.assertEqual(narrow.split(), piped.split())
        self.assertEqual(self.on_terminal(300, "procedure", "list").splitlines(),
                         self.run_hoso("procedure", "list", "--cell", self.cell)
                         .stdout.splitlines())

    def test_changes_need_the_workers(self):
        self.init()
        said = self.hoso("submit", "-", "--timeout", "1", given=json.dumps(DOSSIER), expect=4)
        self.assertIn("hoso run", said)

    def test_mistakes_are_told_in_one_line_with_their_cure(self):
        self.assertIn("hoso init", self.hoso("list", expect=2))
        self.init()
        self.assertIn("no dossier nope", self.hoso("show", "nope", expect=3))
        self.assertIn("2026-11-23", self.hoso("list", "--due-before", "soon", expect=2))
        self.assertIn("23/11/2026", self.hoso("list", "--due-before", "31/02/2027", expect=2))
        self.assertEqual(self.hoso("list", "--due-before", "01/02/2027"), "none\n")
        self.assertIn("--by", self.hoso("event", "x", "withdraw", expect=2))
        self.assertIn("--reason", self.hoso("queue", "drop", "1", expect=2))
        self.assertIn("perhaps list", self.run_hoso("lits").stderr)
        self.assertIn("perhaps backup", self.run_hoso("bakup").stderr)
        self.assertIn("did you mean verification.review",
                      self.hoso("task", "claim", "verification.reviw", expect=3))
        self.assertEqual(self.run_hoso("list", "--nonsense").returncode, 2)
        with open(os.path.join(self.cell, "hoso.cfg"), "a", encoding="utf-8") as file:
            file.write("bacth = 3;\n")
        self.assertIn("did you mean 'batch'", self.hoso("list", expect=2))
        self.assertIn("did you mean 'batch'", self.hoso("run", expect=2))

    def test_a_word_that_stands_nowhere_is_named_when_the_list_is_empty(self):
        self.init()

        def noted(*words):
            return self.run_hoso("list", *words, "--cell", self.cell).stderr
        self.assertIn("perhaps accept", noted("--state", "acept"))
        self.assertIn("perhaps 1.004873", noted("--procedure", "1.00487"))
        self.assertIn("sites.cfg", noted("--site", "000.00.99.H30"))
        self.assertEqual(noted("--state", "accept", "--procedure", "1.004873"), "")
        tasks = self.run_hoso("task", "list", "--activity", "verification.reviw", "--cell",
                              self.cell)
        self.assertEqual((tasks.returncode, tasks.stdout), (0, "none\n"))
        self.assertIn("perhaps verification.review", tasks.stderr)
        for verb in (("task", "list"), ("queue", "list"), ("queue", "shape")):
            self.assertIn("perhaps routing", self.hoso(*verb, "--service", "ruoting", expect=2))
        for verb in ("task", "queue"):
            self.assertIn("no dossier nope", self.hoso(verb, "list", "--dossier", "nope", expect=3))

    def test_an_error_is_json_too_where_json_was_asked_for(self):
        self.init()
        done = self.run_hoso("show", "nope", "--json", "--cell", self.cell)
        self.assertEqual(json.loads(done.stdout)["error"]["code"], "not_found")

    def test_an_installed_version_never_changes(self):
        self.init()
        source = sorted(pathlib.Path(PROCEDURES).glob("1.004873*.cfg"))[0]
        copy = os.path.join(self.folder, "changed.cfg")
        text = source.read_text(encoding="utf-8")
        pathlib.Path(copy).write_text(text, encoding="utf-8")
        self.assertIn("already", self.hoso("procedure", "install", copy))
        pathlib.Path(copy).write_text(text + "# changed\n", encoding="utf-8")
        self.assertIn("raise `version`", self.hoso("procedure", "install", copy, expect=1))
        self.assertEqual(self.hoso("procedure", "show", "1.004873", "--source"), text)

    def test_one_wrong_definition_keeps_all_out(self):
        self.init()
        good = sorted(pathlib.Path(PROCEDURES).glob("1.004873*.cfg"))[0]
        new = os.path.join(self.folder, "new.cfg")
        bad = os.path.join(self.folder, "bad.cfg")
        text = good.read_text(encoding="utf-8")
        pathlib.Path(new).write_text(text.replace("version = 1;", "version = 2;", 1),
                                     encoding="utf-8")
        pathlib.Path(bad).write_text("procedure: { code = 1; };\n", encoding="utf-8")
        self.assertIn("bad.cfg:1", self.hoso("procedure", "install", new, bad, expect=2))
        self.assertEqual(len(self.ask("procedure", "list")["procedures"]), DELIVERED)
        self.hoso("procedure", "install", new)
        self.assertEqual(self.ask("procedure", "show", "1.004873")["version"], 2)


class WithWorkers(Cell):
    def setUp(self):
        super().setUp()
        self.init()
        self.start()

    def test_task_list_says_that_there_is_more_and_shows_one_dossier(self):
        codes = [self.submit() for _ in range(3)]
        self.until(lambda: len(self.ask("task", "list")["tasks"]) == 3, "three reviews are open")
        self.assertTrue(self.hoso("task", "list", "--max", "2").endswith("more: --max 0\n"))
        self.assertNotIn("more", self.hoso("task", "list", "--max", "0"))
        self.assertEqual([t["dossier"] for t in self.ask("task", "list", "--dossier",
                                                         codes[1])["tasks"]], [codes[1]])

    def test_a_dossier_is_filed_shown_masked_and_worked_on(self):
        code = self.submit()
        self.assertIn("N. V. A.", self.hoso("show", code))
        self.assertNotIn("Nguyễn Văn An", self.hoso("show", code) + self.hoso("history", code))
        self.assertIn("Nguyễn Văn An", self.hoso("show", code, "--unmask"))
        task, token = self.claim()
        self.assertIn("verdict", self.hoso("task", "complete", task, token, "{}", "--by", "an",
                                           expect=1))
        self.hoso("task", "complete", task, token, '{"verdict": "approve"}', "--by", "an")
        self.hoso("task", "complete", task, token, '{"verdict": "approve"}', "--by", "an", expect=3)
        events = [e["event"] for e in self.ask("history", code)["events"]]
        self.assertEqual(events[0], "submit")
        self.until(lambda: self.ask("show", code)["events"] >= 4, "the work goes on")
        self.assertEqual(self.ask("list", "--procedure", "1.004873")["dossiers"][0]["dossier"], code)
        self.assertEqual(self.ask("list", "--procedure", "9.9")["dossiers"], [])

    def test_the_same_request_id_files_once(self):
        given = json.dumps(DOSSIER)
        first = self.ask("submit", "-", "--id", "counter-7-1", given=given)
        again = self.ask("submit", "-", "--id", "counter-7-1", given=given)
        self.assertEqual(first["dossier"], again["dossier"])
        self.assertEqual(len(self.ask("list")["dossiers"]), 1)

    def test_who_files_may_stand_in_the_file_and_the_role_on_the_line(self):
        given = json.dumps({**DOSSIER, "by": "an", "role": None})
        self.assertIn("--role", self.hoso("submit", "-", given=given, expect=2))
        self.hoso("submit", "-", "--role", DOSSIER["role"], given=given)
        given = json.dumps({**DOSSIER, "by": None})
        self.assertIn("--by", self.hoso("submit", "-", given=given, expect=2))

    def test_what_is_wrong_with_a_dossier_is_said_in_the_clerks_words(self):
        for changes, words in (({"phone": "12"}, "hoso: fields.phone: "),
                               ({"purpose": "job"}, "not one of marriage, land, loan, other")):
            given = json.dumps({**DOSSIER, "fields": {**DOSSIER["fields"], **changes}})
            self.assertIn(words, self.hoso("submit", "-", given=given, expect=1))
        code = self.submit()
        said = self.hoso("event", code, "withdraw", "--by", "x", "--role", "head", expect=1)
        self.assertIn("who may: citizen, agent, postal_worker, civil_servant", said)
        self.claim()
        self.assertIn("Tiếp nhận hồ sơ", self.hoso("task", "list"))
        vietnamese = self.hoso("show", code, "--lang", "vi")
        self.assertIn("accept: Chờ tiếp nhận", vietnamese)
        self.assertIn("bưu chính", vietnamese)
        self.assertRegex(vietnamese, r"Ngày hẹn trả +\d\d/\d\d/\d{4} \d\d:\d\d\n")
        self.assertIn("không", vietnamese)

    def test_an_event_that_no_state_takes_is_refused(self):
        code = self.submit()
        said = self.hoso("event", code, "fly", "--by", "x", "--role", "postal_worker", expect=1)
        self.assertIn("fly", said)

    def test_a_dead_letter_is_shown_put_back_and_dropped(self):
        code = self.submit()
        task, token = self.claim()
        self.hoso("task", "fail", task, token, "printer burnt", "--final", "--by", "an")
        self.until(lambda: self.ask("queue", "list", "--dead")["items"], "the letter is dead")
        self.assertIn("dead letters", self.run_hoso("status", "--cell", self.cell).stdout)
        seq = str(self.ask("queue", "list", "--dead")["items"][0]["seq"])
        self.assertIn("printer burnt", self.hoso("queue", "show", seq))
        self.hoso("queue", "retry", seq, "--by", "an")
        task, token = self.claim()
        self.hoso("task", "fail", task, token, "again", "--final", "--by", "an")
        self.until(lambda: self.ask("queue", "list", "--dead")["items"], "it is dead again")
        seq = str(self.ask("queue", "list", "--dead")["items"][0]["seq"])
        self.hoso("queue", "drop", seq, "--reason", "told by letter", "--by", "an")
        self.assertEqual(self.ask("queue", "list", "--dead")["items"], [])
        events = [e["event"] for e in self.ask("history", code)["events"]]
        self.assertIn("operator.retry", events)
        self.assertIn("operator.drop", events)

    def test_a_killed_worker_is_started_again(self):
        before = self.workers()[2]["pid"]
        os.kill(before, signal.SIGKILL)
        self.until(lambda: self.workers()[2]["state"] == "up"
                   and self.workers()[2]["pid"] != before, "routing is up again")
        self.submit()

    def test_a_second_supervisor_is_refused(self):
        self.assertIn(f"pid {self.supervisor.pid}", self.hoso("run", expect=1))

    def test_a_stopped_cell_leaves_no_worker_behind(self):
        pids = [w["pid"] for w in self.workers()]
        self.assertEqual(self.stop(), 0)
        for pid in pids:
            with self.assertRaises(ProcessLookupError):
                os.kill(pid, 0)
        self.assertEqual({w["state"] for w in self.workers()}, {"down"})

    def test_workers_do_not_outlive_a_killed_supervisor(self):
        self.supervisor.kill()
        self.supervisor.wait()
        self.supervisor.stdout.close()
        self.log.close()
        self.until(lambda: {w["state"] for w in self.workers()} == {"down"}, "all are gone")
        self.start()
        self.hoso("verify")

    def test_a_worker_that_holds_the_write_lock_too_long_is_ended(self):
        before = self.workers()[1]["pid"]
        board = pathlib.Path(self.cell, "run", "board").read_bytes()
        slot = board.index(before.to_bytes(8, "little"))  # it begins with the pid
        with open(os.path.join(self.cell, "run", "board"), "r+b") as board:
            board.seek(slot + 16)  # writing_since_ms
            board.write((1).to_bytes(8, "little"))
        self.until(lambda: self.workers()[1]["pid"] not in (0, before), "it is replaced")
        log = pathlib.Path(self.folder, "log").read_text(encoding="utf-8")
        self.assertIn("event=watchdog", log)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
