#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Health for people, programs and Prometheus, of a real cell that is well and of one that is not.

    tests/integration/monitoring.py HOSO SOURCE

HOSO is the command, SOURCE the root of the source tree.
"""
import email
import email.policy
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
import urllib.parse
import urllib.request

from common import DOSSIER, ENV, faketime

HOSO, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
SCRIPTS = SOURCE / "scripts" / "monitoring"
PATIENCE = 30  # seconds, on a busy machine


def command(*words, given=None, path=None):
    return subprocess.run([str(word) for word in words], input=given, env=ENV, text=True, cwd=path,
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
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o644)  # the exporter has another account
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

    def test_it_has_given_up_what_it_does_not_need(self):
        """A sanitizer needs what would be given up."""
        log = pathlib.Path(self.folder, "log").read_text(encoding="utf-8")
        if faketime(HOSO) is None:
            self.skipTest("programs with a sanitizer")
        self.assertRegex(log, r'service=metrics event=start msg="sandbox: (landlock|none)')
        pid = re.findall(r"metrics is up \(pid ([0-9]+)\)", log)[-1]
        status = pathlib.Path("/proc", pid, "status").read_text(encoding="ascii")
        self.assertRegex(status, r"NoNewPrivs:\t1\nSeccomp:\t2\n")

    def test_a_worker_that_died_is_seen_to_be_down(self):
        pid = self.worker("routing")["pid"]
        os.kill(self.supervisor.pid, signal.SIGSTOP)  # nobody starts it again
        try:
            os.kill(pid, signal.SIGKILL)
            until(lambda: values(self.figures(), "hoso_worker_up")['{service="routing"}'] == 0,
                  "it is seen")
            self.assertEqual(get(self.url + "/readyz"),
                             (503, "worker_down routing: worker is down\n"))
        finally:
            os.kill(self.supervisor.pid, signal.SIGCONT)
        until(lambda: self.status()["well"], "all is well again")

    def test_a_worker_that_does_not_answer_makes_it_unready(self):
        with self.halted("routing"):
            self.assertEqual(get(self.url + "/readyz"),
                             (503, "worker_halted routing: worker is halted\n"))
            self.assertEqual(get(self.url + "/healthz")[0], 200)
            self.assertEqual(values(self.figures(), "hoso_worker_up")['{service="routing"}'], 0)
        until(lambda: get(self.url + "/readyz")[0] == 200, "it is ready again")

    def test_a_cell_on_hold_is_not_ready(self):
        self.hoso("hold", "cell", "--reason", "test", "--by", "an")
        self.assertEqual(get(self.url + "/readyz")[0], 503)
        self.assertEqual(values(self.figures(), "hoso_holds"), {"": 1})
        self.hoso("release", "cell", "--reason", "over", "--by", "an")
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


class Scripts(Cell):
    """What tells people: each in a good state and in broken ones."""

    def plugin(self, *words, cell=None):
        done = command(SCRIPTS / "check_hoso", "--hoso", HOSO, "--cell", cell or self.cell, *words)
        self.assertEqual(len(done.stdout.splitlines()), 1, done.stdout + done.stderr)
        return done.returncode, done.stdout

    def test_each_has_a_help_text(self):
        for name in ("check_hoso", "hoso_watch", "hoso_daily"):
            done = command(SCRIPTS / name, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn("--cell", done.stdout)
            self.assertIn("Exit codes:", done.stdout)

    def test_the_plugin_tells_good_from_bad(self):
        self.submit()
        self.assertEqual(self.plugin()[0], 0, self.plugin())
        self.assertEqual(self.plugin("--warning", "tasks=1")[0], 1)
        self.assertEqual(self.plugin("--critical", "tasks=1")[0], 2)
        self.assertEqual(self.plugin("--critical", "nonsense=1")[0], 3)
        for name in ("tasks", "retrying", "lag", "due_soon", "commit"):
            self.assertRegex(self.plugin()[1], rf"\b{name}=[0-9.]+")
        with self.halted("routing"):
            self.assertEqual(self.plugin()[0], 2)
        seq = self.bury()
        self.assertEqual(self.plugin()[0], 1)
        self.drop(seq)
        self.assertEqual(self.plugin()[0], 0)
        self.assertEqual(self.plugin(cell=os.path.join(self.folder, "nowhere"))[0], 3)

    # ---- the watcher --------------------------------------------------------------------------

    def watch(self, *words):
        return command(SCRIPTS / "hoso_watch", "--hoso", HOSO, "--cell", self.cell, "--once",
                       "--state", os.path.join(self.folder, "once.json"), *words)

    def test_the_watcher_tells_each_change_once(self):
        told = pathlib.Path(self.folder, "told")
        told.write_text("", encoding="utf-8")
        watcher = subprocess.Popen(
            [SCRIPTS / "hoso_watch", "--hoso", HOSO, "--cell", self.cell, "--every", "0.1",
             "--command", f"echo $HOSO_BEFORE $HOSO_LEVEL new=$HOSO_NEW over=$HOSO_OVER >> {told}"])

        def lines():
            return told.read_text(encoding="utf-8").splitlines()
        try:
            with self.halted("routing"):
                until(lambda: len(lines()) == 1, "it is told")
            until(lambda: len(lines()) == 2, "it is told that it is over")
            self.assertEqual(lines(), ["ok critical new=routing/worker_halted over=",
                                       "critical ok new= over=routing/worker_halted"])
        finally:
            watcher.send_signal(signal.SIGTERM)
            self.assertEqual(watcher.wait(timeout=PATIENCE), 0)

    def test_what_could_not_be_told_is_told_again(self):
        self.assertEqual(self.watch().returncode, 0)
        seq = self.bury()
        self.assertEqual(self.watch("--command", "false").returncode, 1)
        done = self.watch("--state", os.path.join(self.folder, "nowhere", "state"))
        self.assertIn("ok -> warning", done.stdout)
        self.assertRegex(done.stderr, r"^hoso_watch: could not keep what was told: [^\n]*\n$")
        done = self.watch()
        self.assertIn("ok -> warning", done.stdout)
        self.assertIn("hoso queue retry", done.stdout)
        self.assertEqual(self.watch().stdout, "", "told once")
        self.drop(seq)
        self.assertIn("All is well", self.watch().stdout)

    def test_mails_are_whole_in_both_languages(self):
        box = os.path.join(self.folder, "box")
        sendmail = os.path.join(self.folder, "sendmail")
        pathlib.Path(sendmail).write_text(f"#!/bin/sh\ncat > {box}\n", encoding="utf-8")
        os.chmod(sendmail, 0o755)
        seq = self.bury()
        for script, words in (("hoso_watch", ["--once", "--state", box + ".json"]),
                              ("hoso_daily", [])):
            done = command(SCRIPTS / script, "--hoso", HOSO, "--cell", self.cell, "--lang", "vi",
                           "--mail", "head@example.vn", "--sendmail", sendmail, *words)
            with open(box, "rb") as file:
                mail = email.message_from_binary_file(file, policy=email.policy.default)
            self.assertEqual(mail["To"], "head@example.vn")
            self.assertIn("cell", mail["Subject"], done.stderr)
            self.assertIn("việc lỗi hẳn: 1", mail.get_content())
            self.assertNotIn("Nguyễn", mail.get_content())
        self.drop(seq)

    # ---- the page of the day ------------------------------------------------------------------

    def daily(self, *words, cell=None):
        return command(SCRIPTS / "hoso_daily", "--hoso", HOSO, "--cell", cell or self.cell, *words)

    def test_the_page_of_the_day_counts_what_changed(self):
        state = os.path.join(self.folder, "page.json")
        self.submit()
        self.assertIn("All is well.", self.daily("--state", state).stdout)
        self.submit()
        self.submit()
        page = self.daily("--state", state).stdout
        self.assertRegex(page, r"\+2  open\n")
        self.assertRegex(page, r"[0-9]+  1\.004873\n")
        with self.halted("return"):
            self.assertIn("return: worker is halted", self.daily("--state", state).stdout)
        done = self.daily(cell=os.path.join(self.folder, "nowhere"))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertTrue(done.stderr.startswith("hoso_daily: "))


class Stopped(Cell):
    def test_a_cell_that_is_not_running_is_told_by_all(self):
        self.stop()
        self.assertEqual(command(SCRIPTS / "check_hoso", "--hoso", HOSO, "--cell",
                                 self.cell).returncode, 2)
        done = command(SCRIPTS / "hoso_watch", "--hoso", HOSO, "--cell", self.cell, "--once")
        self.assertIn("`hoso run` starts it", done.stdout)
        done = command(SCRIPTS / "hoso_daily", "--hoso", HOSO, "--cell", self.cell)
        self.assertIn("the cell is not running", done.stdout)
        self.assertEqual({w["state"] for w in self.status()["workers"]}, {"down"})
        self.assertIn("hoso_healthy 0", self.hoso("metrics"))


class Prometheus(Cell):
    """A real Prometheus scrapes the cell; the dashboard's questions are put to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            place = "127.0.0.1:%d" % free.getsockname()[1]
        config = (SCRIPTS / "prometheus.yml").read_text(encoding="utf-8")
        for old, new in (("15s", "1s"), ("127.0.0.1:9464", cls.url[7:]),
                         ("alerts.yml", str((SCRIPTS / "alerts.yml").resolve()))):
            assert old in config
            config = config.replace(old, new)
        path = pathlib.Path(cls.folder, "prometheus.yml")
        path.write_text(config, encoding="utf-8")
        cls.api = f"http://{place}/api/v1/"
        cls.server = subprocess.Popen(
            ["prometheus", f"--config.file={path}", f"--web.listen-address={place}",
             f"--storage.tsdb.path={cls.folder}/tsdb", "--log.level=error"])

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        cls.server.wait(timeout=PATIENCE)
        super().tearDownClass()

    def api_get(self, path, **query):
        try:
            status, text = get(self.api + path + "?" + urllib.parse.urlencode(query))
        except OSError:
            return None  # it is starting
        return json.loads(text)["data"] if status == 200 else None

    def query(self, expression):
        data = self.api_get("query", query=expression)
        return None if data is None else data["result"]

    def test_it_finds_the_series_and_loads_the_rules(self):
        until(lambda: self.query('up{job="hoso"} == 1'), "the cell was scraped")
        self.submit()
        found = until(lambda: self.query('hoso_dossiers_open{procedure="1.004873"} > 0'),
                      "the dossier is counted")
        self.assertEqual(found[0]["value"][1], "1")
        self.assertEqual(len(self.query("hoso_worker_up == 1")), 5)
        until(lambda: self.worker("verification")["in_1m"], "a rate is known")
        self.assertIsNotNone(self.worker("verification")["out_5m"])
        until(lambda: self.query('hoso_worker_commit_duration_seconds_count{service="intake"} > 0'),
              "commits are counted")
        rules = [rule["name"] for group in self.api_get("rules")["groups"]
                 for rule in group["rules"]]
        self.assertIn("HosoQueueStuck", rules)
        kinds = self.api_get("metadata")
        self.assertEqual(kinds["hoso_queue_in_total"][0]["type"], "counter")

    def test_every_panel_asks_for_what_there_is(self):
        until(lambda: self.query('up{job="hoso"} == 1'), "the cell was scraped")
        dashboard = json.loads((SCRIPTS / "dashboard.json").read_text(encoding="utf-8"))
        asked = [target["expr"] for panel in dashboard["panels"]
                 for target in panel.get("targets", [])]
        self.assertGreater(len(asked), 30)
        known = names_of(all_figures())
        for expression in asked:
            said = self.query(expression.replace("$instance", ".*"))
            self.assertIsNotNone(said, expression)
            names = set(re.findall(r"\bhoso_\w+", expression))
            self.assertTrue(names and names <= known, names - known)
        ids = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)))


def names_of(text):
    """Metrics, and what a histogram is asked by."""
    names = set()
    for name, kind in re.findall(r"# TYPE (\w+) (\w+)", text):
        names |= ({name + "_bucket", name + "_sum", name + "_count"} if kind == "histogram"
                  else {name})
    return names


def all_figures():
    """Those of a cell with all processes, and of a station; they need not run for that."""
    with tempfile.TemporaryDirectory(prefix="hoso-monitoring-") as folder:
        cell = os.path.join(folder, "cell")
        command(HOSO, "init", cell, "--config-from", SOURCE / "config")
        with open(os.path.join(cell, "hoso.cfg"), "a", encoding="utf-8") as file:
            file.write('gate_listen = "tcp://127.0.0.1:1"; bridge_listen = "127.0.0.1:1";\n')
        for adapter in ("portal", "folder", "courier"):
            pathlib.Path(cell, f"{adapter}.cfg").touch()
        station, key = os.path.join(folder, "station"), os.path.join(folder, "key")
        command(HOSO, "party", "gate-key", "--cell", cell)
        command(HOSO, "party", "add", "st", "--cell", cell, "--kind", "counter", "--sites", "*",
                "--roles", "postal_worker", "--submit", "*", "--relay", "--output", key)
        command(HOSO, "relay", "init", station, "--key", key, "--config-from", SOURCE / "config")
        return "".join(command(HOSO, "metrics", "--cell", c).stdout for c in (cell, station))


class Documents(unittest.TestCase):
    """docs/operations.md lists what there is, and nothing else."""

    @classmethod
    def setUpClass(cls):
        cls.page = (SOURCE / "docs" / "operations.md").read_text(encoding="utf-8")
        cls.text = all_figures()

    def rows(self, first_cell):
        return set(re.findall(rf"^\| `({first_cell})` \|", self.page, re.MULTILINE))

    def test_all_figures_are_described(self):
        kinds = re.findall(r"# TYPE (\w+) (\w+)", self.text)
        self.assertEqual(self.rows("hoso_(?!watch|daily)[a-z_]+"), {name for name, _ in kinds})
        for name, kind in kinds:
            self.assertRegex(self.page, rf"\| `{name}` \| {kind} \|")

    def test_all_alerts_are_described_and_ask_for_what_there_is(self):
        rules = (SCRIPTS / "alerts.yml").read_text(encoding="utf-8")
        self.assertEqual(self.rows(r"Hoso\w+"), set(re.findall(r"- alert: (\w+)", rules)))
        asked = "\n".join(re.findall(r"expr: >?\s*(.*?)\n        (?:for|labels):", rules, re.DOTALL))
        names = set(re.findall(r"\bhoso_[a-z_]+", asked))
        self.assertTrue(names and names <= names_of(self.text), names - names_of(self.text))

    def test_all_problems_are_described(self):
        words = set()
        for name in ("problems.c", "station.c"):
            source = (SOURCE / "services" / "hoso" / name).read_text(encoding="utf-8")
            words |= set(re.findall(r'add\(p, "(\w+)"', source))
            words |= set(re.findall(r'\{"\w+", "([a-z_]+)",', source))
            words |= set(re.findall(r'(?:true|false), "(\w+)",\n', source))
        self.assertTrue(words and words <= self.rows(r"\w+"), words - self.rows(r"\w+"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
