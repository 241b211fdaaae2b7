#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Health for people, programs and Prometheus, of a real cell that is well and of one that is not.

    tests/integration/monitoring.py HOSO SOURCE

HOSO is the command, SOURCE the root of the source tree.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

HOSO, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
SCRIPTS = SOURCE / "scripts"
PATIENCE = 30  # seconds, on a busy machine

DOSSIER = {
    "procedure": "1.004873", "channel": "post", "site": "000.00.13.H30",
    "by": "teller-07", "role": "postal_worker",
    "fields": {"full_name": "Nguyễn Văn An", "citizen_id": "093090001234",
               "phone": "0912345678", "return_by": "post", "birth_date": "1990-05-17",
               "was_married": False, "purpose": "marriage",
               "address": "12 Trần Hưng Đạo, Long Mỹ"},
    "papers": [{"id": "declaration", "kind": "original", "copies": 1},
               {"id": "identity", "kind": "copy", "copies": 1}],
}


def command(*words, given=None, path=None):
    env = {k: v for k, v in os.environ.items() if not k.startswith("HOSO_")}
    return subprocess.run([str(word) for word in words], input=given, env=env, text=True, cwd=path,
                          capture_output=True, timeout=60, check=False)


def until(holds, what):
    end = time.monotonic() + PATIENCE
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain until {what}")
        time.sleep(0.05)


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as why:
        return why.code, why.read().decode()


class Cell(unittest.TestCase):
    """One running cell for all tests of the class, with figures over HTTP."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="hoso-monitoring-")
        cls.cell = os.path.join(cls.folder, "cell")
        done = command(HOSO, "init", cls.cell, "--config-from", SOURCE / "config",
                       "--procedures", SOURCE / "procedures")
        assert done.returncode == 0, done.stderr
        with open(os.path.join(cls.cell, "hoso.cfg"), "a", encoding="utf-8") as file:
            file.write('metrics_listen = "127.0.0.1:0"; bridge_listen = "127.0.0.1:0";\n')
        cls.start()

    @classmethod
    def tearDownClass(cls):
        if cls.supervisor.poll() is None:
            cls.stop()
        shutil.rmtree(cls.folder)

    @classmethod
    def start(cls):
        cls.log = open(os.path.join(cls.folder, "log"), "a+", encoding="utf-8")
        cls.supervisor = subprocess.Popen([HOSO, "run", "--cell", cls.cell],
                                          stdout=subprocess.PIPE, stderr=cls.log, text=True)
        assert "is ready" in cls.supervisor.stdout.readline()
        cls.url = "http://" + until(cls.place, "the figures are served")

    @classmethod
    def place(cls):
        text = pathlib.Path(cls.folder, "log").read_text(encoding="utf-8")
        found = re.findall(r"service=metrics .*http at ([0-9.:]+)", text)
        return found[-1] if found else None

    @classmethod
    def stop(cls):
        cls.supervisor.send_signal(signal.SIGTERM)
        code = cls.supervisor.wait(timeout=PATIENCE)
        cls.supervisor.stdout.close()
        cls.log.close()
        return code

    def hoso(self, *words, expect=0, given=None):
        done = command(HOSO, *words, "--cell", self.cell, given=given)
        self.assertEqual(done.returncode, expect, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def ask(self, *words, **how):
        return json.loads(self.hoso(*words, "--json", **how))

    def status(self):
        return json.loads(command(HOSO, "status", "--json", "--cell", self.cell).stdout)

    def worker(self, service):
        return [w for w in self.status()["workers"] if w["service"] == service][0]

    def submit(self):
        code = self.ask("submit", "-", given=json.dumps(DOSSIER))["dossier"]
        until(lambda: self.ask("task", "list", "--activity", "verification.review")["tasks"],
              "the review is open")
        return code

    def bury(self):
        """A dead letter of verification, for as long as the context lasts."""
        self.submit()
        tasks = until(lambda: self.ask("task", "claim", "verification.review", "--by", "an", "--role",
                                       "civil_servant")["tasks"], "a task is there")
        self.hoso("task", "fail", tasks[0]["task"], tasks[0]["token"], "printer burnt", "--final",
                  "--by", "an")
        items = until(lambda: self.ask("queue", "list", "--dead")["items"], "the letter is dead")
        return str(items[0]["seq"])

    def drop(self, seq):
        self.hoso("queue", "drop", seq, "--reason", "test", "--by", "an")

    def halted(self, service):
        """A context in which the worker is stopped by a signal."""
        return Halted(self, service)

    def figures(self):
        status, text = get(self.url + "/metrics")
        self.assertEqual(status, 200)
        return text


class Halted:
    def __init__(self, test, service):
        self.test, self.service = test, service

    def __enter__(self):
        self.pid = self.test.worker(self.service)["pid"]
        os.kill(self.pid, signal.SIGSTOP)
        until(lambda: self.test.worker(self.service)["state"] == "halted", "it is seen")

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGCONT)
        until(lambda: self.test.status()["well"], "all is well again")


def values(text, name):
    """The series of a name: {labels: value}."""
    found = {}
    for line in text.splitlines():
        series, _, value = line.rpartition(" ")
        if not line.startswith("#") and series.split("{")[0] == name:
            found[series[len(name):]] = float(value)
    return found


class Health(Cell):
    def test_status_tells_people_and_programs_the_same(self):
        before = self.status()["dossiers"]["open"]
        self.submit()
        self.assertIn("All is well", self.hoso("status"))
        self.assertIn("Mọi việc bình thường", self.hoso("status", "--lang", "vi"))
        status = self.status()
        self.assertTrue(status["well"])
        self.assertEqual(status["dossiers"]["open"], before + 1)
        self.assertEqual([(row["procedure"], row["open"])
                          for row in status["dossiers"]["by_procedure"]], [("1.004873", before + 1)])
        self.assertIn("accept", [row["state"] for row in status["dossiers"]["by_state"]])
        self.assertEqual({w["state"] for w in status["workers"]}, {"up"})
        self.assertTrue(all(w["beat_ms"] < 5000 for w in status["workers"]))
        verification = self.worker("verification")
        self.assertEqual(verification["in"] - verification["out"], verification["queued"])
        self.assertGreater(verification["out"], 0)
        self.assertEqual([(p["name"], p["state"]) for p in status["processes"]], [("bridge", "up")])
        shape = self.ask("queue", "shape")["rows"]
        self.assertIn(("task", "verification.review"), {(r["where"], r["activity"]) for r in shape})

    def test_a_leased_task_and_a_dead_letter_show_and_go(self):
        seq = self.bury()
        status = self.status()
        self.assertEqual([(p["code"], p["service"]) for p in status["problems"]],
                         [("dead_letters", "verification")])
        self.assertIn("hoso queue retry", self.hoso("status", expect=1))
        self.hoso("queue", "retry", seq, "--by", "an")
        tasks = until(lambda: self.ask("task", "claim", "verification.review", "--by", "an", "--role",
                                       "civil_servant")["tasks"], "the task is back")
        self.assertEqual(self.worker("verification")["leased"], 1)
        self.hoso("task", "complete", tasks[0]["task"], tasks[0]["token"], '{"verdict": "approve"}',
                  "--by", "an")
        self.assertEqual(self.worker("verification")["leased"], 0)
        self.assertTrue(self.status()["well"])
        self.assertTrue(self.ask("verify")["undamaged"])

    def test_refusals_are_counted_by_code(self):
        before = self.worker("intake")["errors"]["not_found"]
        self.hoso("event", "000.00.13.H30-261123-9999", "withdraw", "--by", "x", "--role",
                  "postal_worker", expect=3)
        self.assertEqual(self.worker("intake")["errors"]["not_found"], before + 1)
        errors = values(self.figures(), "hoso_worker_errors_total")
        self.assertEqual(errors['{service="intake",code="not_found"}'], before + 1)


class Figures(Cell):
    def test_the_figures_pass_prometheus_own_checks(self):
        path = os.path.join(self.folder, "hoso.prom")
        self.submit()
        self.hoso("metrics", "--output", path)
        text = pathlib.Path(path).read_text(encoding="utf-8")
        done = command("promtool", "check", "metrics", given=text)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        series = [line.rpartition(" ")[0] for line in text.splitlines() if line[0] != "#"]
        self.assertEqual(len(series), len(set(series)))
        buckets = values(text, "hoso_worker_commit_duration_seconds_bucket")
        intake = [n for labels, n in buckets.items() if 'service="intake"' in labels]
        self.assertEqual(intake, sorted(intake))
        self.assertEqual(intake[-1], values(text, "hoso_worker_commits_total")['{service="intake"}'])

    def test_http_gives_figures_life_and_readiness(self):
        self.assertEqual(get(self.url + "/healthz"), (200, "alive\n"))
        self.assertEqual(get(self.url + "/readyz"), (200, "ready\n"))
        self.assertEqual(get(self.url + "/")[0], 404)
        self.assertIn('hoso_worker_up{service="intake"} 1', self.figures())
        request = urllib.request.Request(self.url + "/metrics", data=b"x")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=PATIENCE)
        self.assertEqual(refused.exception.code, 405)

    def test_a_worker_that_does_not_answer_makes_it_unready(self):
        with self.halted("routing"):
            self.assertEqual(get(self.url + "/readyz"),
                             (503, "worker_halted routing: worker is halted\n"))
            self.assertEqual(get(self.url + "/healthz")[0], 200)
            self.assertEqual(values(self.figures(), "hoso_worker_up")['{service="routing"}'], 0)
        until(lambda: get(self.url + "/readyz")[0] == 200, "it is ready again")

    def test_more_connections_than_there_are_places_do_not_shut_it(self):
        host, port = self.url[7:].rsplit(":", 1)
        idle = [socket.create_connection((host, int(port))) for _ in range(40)]
        for one in idle:
            one.close()
        until(lambda: get(self.url + "/healthz")[0] == 200, "there is room again")

    def test_an_address_that_is_none_is_refused_with_its_cure(self):
        done = command(HOSO, "metrics", "--cell", self.cell, "--listen", "localhost")
        self.assertEqual(done.returncode, 2)
        self.assertIn("127.0.0.1:8080", done.stderr)
        host_port = self.url[7:]
        self.assertIn("in use", command(HOSO, "metrics", "--cell", self.cell, "--listen",
                                        host_port).stderr)


class Plugin(Cell):
    def plugin(self, *words, cell=None):
        done = command(SCRIPTS / "check_hoso", "--hoso", HOSO, "--cell", cell or self.cell, *words)
        self.assertEqual(len(done.stdout.splitlines()), 1, done.stdout + done.stderr)
        return done.returncode, done.stdout

    def test_the_plugin_tells_good_from_bad(self):
        self.submit()
        self.assertEqual(self.plugin()[0], 0, self.plugin())
        self.assertEqual(self.plugin("--warning", "tasks=1")[0], 1)
        self.assertEqual(self.plugin("--critical", "tasks=1")[0], 2)
        self.assertEqual(self.plugin("--critical", "nonsense=1")[0], 3)
        self.assertIn("tasks=1;", self.plugin()[1])
        with self.halted("routing"):
            self.assertEqual(self.plugin()[0], 2)
        self.assertEqual(self.plugin(cell=os.path.join(self.folder, "nowhere"))[0], 3)
        self.stop()
        self.assertEqual(self.plugin()[0], 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
