#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A station and its cell in two network namespaces, with a line between them that is cut.

    tests/integration/relay.py HOSO CONFIG PROCEDURES

The cell is a training cell: an hour passes in a second, so a cut of seconds is one of hours. What
dies is chosen at random (SEED=n repeats a run; TORTURE=n makes it n times as long). Without the
right to make network namespaces that test is skipped.
"""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

from common import ENV, faketime

HOSO, CONFIG, PROCEDURES = sys.argv[1:4]
PLUGIN = pathlib.Path(PROCEDURES).parent / "scripts" / "monitoring" / "check_hoso"
PATIENCE = 60  # seconds, on a busy machine
SEED = int(os.environ.get("SEED", "0")) or random.randrange(1, 1 << 31)
SITE = "000.00.13.H30"
CELL_NET, STATION_NET = f"hoso-c{os.getpid()}", f"hoso-s{os.getpid()}"
FAKETIME = faketime(HOSO)
RATE = 3600
TORTURE = int(os.environ.get("TORTURE", "1"))  # so many times as long


def run(*words, check=True):
    return subprocess.run(words, text=True, capture_output=True, timeout=PATIENCE, check=check)


def make_line():
    """Two namespaces and a pair of interfaces between them."""
    links = f"hc{os.getpid()}", f"hs{os.getpid()}"
    for net in (CELL_NET, STATION_NET):
        run("ip", "netns", "add", net)
    run("ip", "link", "add", links[0], "netns", CELL_NET, "type", "veth",
        "peer", "name", links[1], "netns", STATION_NET)
    for net, link, host in ((CELL_NET, links[0], 1), (STATION_NET, links[1], 2)):
        run("ip", "-n", net, "addr", "add", f"10.77.0.{host}/24", "dev", link)
        run("ip", "-n", net, "link", "set", link, "up")
        run("ip", "-n", net, "link", "set", "lo", "up")
    return links[0]


def remove_line():
    for net in (CELL_NET, STATION_NET):
        if os.path.exists(f"/var/run/netns/{net}"):
            run("ip", "netns", "del", net, check=False)


class Cells(unittest.TestCase):
    """A cell and a station, made and not started."""
    endpoint = "tcp://127.0.0.1:1"
    settings = ""

    def setUp(self):
        self.random = random.Random(SEED)
        self.folder = tempfile.mkdtemp(prefix="hoso-")
        self.cell, self.station = (os.path.join(self.folder, n) for n in ("cell", "st"))
        self.env = dict(ENV)
        self.supervisors = {}
        self.log = open(os.path.join(self.folder, "log"), "a", encoding="utf-8")
        self.addCleanup(self.end)
        self.hoso("init", self.cell, "--config-from", CONFIG, "--procedures", PROCEDURES,
                  "--training", f"{RATE}:2026-11-23T08:00")
        with open(os.path.join(self.cell, "hoso.cfg"), "a", encoding="utf-8") as file:
            file.write(f'gate_listen = "{self.endpoint}";\ngate_rate = 1000;\n')
        key = os.path.join(self.folder, "long-my.key")
        self.hoso("party", "add", "long-my", "--cell", self.cell, "--kind", "counter", "--sites",
                  SITE, "--roles", "civil_servant", "--submit", "*", "--relay", "--output", key)
        self.hoso("relay", "init", self.station, "--key", key, "--config-from", CONFIG,
                  "--procedures", PROCEDURES)
        with open(os.path.join(self.station, "relay.cfg"), "a", encoding="utf-8") as file:
            file.write('answer_wait_ms = "200 ms"; line_timeout_ms = "600 ms";\n'
                       f'probe_ms = "300 ms"; {self.settings}\n')

    def end(self):
        for process in self.supervisors.values():
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=PATIENCE)
            process.stdout.close()
        self.log.close()
        shutil.rmtree(self.folder)

    # ---- steps --------------------------------------------------------------------------------

    def call(self, *words, **more):
        return subprocess.run([HOSO, *words], env=self.env, cwd=self.folder, text=True,
                              capture_output=True, timeout=PATIENCE, check=False, **more)

    def hoso(self, *words, **more):
        done = self.call(*words, **more)
        self.assertEqual(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def json(self, *words):
        return json.loads(self.call(*words, "--json").stdout)

    def start(self, folder, *inside):
        self.supervisors[folder] = subprocess.Popen(
            [*inside, HOSO, "run", "--cell", folder], env=self.env,
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.assertIn("is ready", self.supervisors[folder].stdout.readline())

    def status(self):
        return self.json("status", "--cell", self.station)

    def plugin(self, *words):
        done = run(PLUGIN, "--hoso", HOSO, "--cell", self.station, *words, check=False)
        return done.returncode, done.stdout

    def until(self, holds, what):
        end = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), end, f"SEED={SEED}: waited in vain until {what}")
            time.sleep(0.05)

    def kill(self, folder, name):
        """The process as the supervisor started it; it is started again."""
        pid = self.supervisors[folder].pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
        for child in children:
            try:
                with open(f"/proc/{child}/cmdline", encoding="utf-8") as file:
                    program = os.path.basename(file.read().split("\0")[0])
                if program == f"hoso-{name}":
                    os.kill(int(child), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError):
                pass  # dead already

    def ask(self, *words, text=None):
        """As a counter's program does: with the same id until there is an answer."""
        end = time.monotonic() + PATIENCE
        while True:
            done = self.call(*words, "--cell", self.station, "--timeout", "2", "--json", input=text)
            if done.returncode == 0:
                return json.loads(done.stdout)
            self.assertIn(done.returncode, (1, 4), f"SEED={SEED} {words}: {done.stderr}")
            self.assertRegex(done.stderr, "reached|in time|waits for the cell|line is down",
                             f"SEED={SEED} {words}")
            self.assertLess(time.monotonic(), end, f"SEED={SEED} {words}: {done.stderr}")

    def dossier(self, i):
        return {
            "procedure": "1.004873", "channel": "one_stop", "site": SITE, "by": "counter-2",
            "role": "civil_servant", "fields": {
                "full_name": f"Nguyễn Thị Số {i}", "citizen_id": "093190000017",
                "phone": "0912345678", "return_by": "counter", "birth_date": "1990-05-17",
                "was_married": False, "purpose": "marriage", "address": "Ấp 1, xã Long Trị"},
            "papers": [{"id": "declaration", "kind": "original", "copies": 1},
                       {"id": "identity", "kind": "copy", "copies": 1}]}

    def submit(self, i):
        return self.ask("submit", "-", "--id", f"s-{i}", text=json.dumps(self.dossier(i)))

    def event(self, i, code, name):
        return self.ask("event", code, name, "--by", "counter-2", "--role", "civil_servant",
                        "--id", f"e-{i}-{name}")


class Alone(Cells):
    """A station that has never reached its cell."""

    def test_without_numbers_it_takes_nothing_and_says_why(self):
        self.start(self.station)
        self.until(lambda: self.status()["line"] == "down", "the line is seen to be down")
        done = self.call("submit", "-", "--cell", self.station, input=json.dumps(self.dossier(1)))
        self.assertEqual(done.returncode, 1)
        self.assertIn("no provisional numbers are left", done.stderr)
        done = self.call("task", "claim", "verification.review", "--to", SITE, "--by", "an", "--role",
                         "civil_servant", "--timeout", "1", "--cell", self.station)
        self.assertIn("the line is down", done.stderr)
        status = self.status()
        self.assertEqual((status["waiting"], status["numbers"], status["well"]), (0, 0, False))
        self.assertEqual([p["code"] for p in status["problems"]], ["numbers_out"], status)

    def test_without_room_on_the_disk_it_takes_nothing(self):
        with open(os.path.join(self.station, "hoso.cfg"), "a", encoding="utf-8") as file:
            file.write("min_free_mib = 1048576;\n")
        self.start(self.station)
        done = self.call("submit", "-", "--cell", self.station, input=json.dumps(self.dossier(1)))
        self.assertEqual(done.returncode, 1)
        self.assertIn("the disk is nearly full: nothing was stored", done.stderr)
        status = self.status()
        self.assertEqual((status["waiting"], status["well"]), (0, False))
        self.assertTrue(any("its disk is nearly full" in t for t in status["troubles"]), status)

    def test_what_is_wrong_with_it_is_said_at_its_start(self):
        with open(os.path.join(self.station, "relay.cfg"), "a", encoding="utf-8") as file:
            file.write("windw = 3;\n")
        done = self.call("run", "--cell", self.station)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"relay.cfg:\d+: unknown setting 'windw'")


    def test_a_second_key_is_not_taken_in_silence(self):
        other = os.path.join(self.folder, "other.key")
        self.call("party", "add", "other", "--kind", "counter", "--relay", "--endpoint",
                  "tcp://127.0.0.1:5570", "--output", other, "--cell", self.cell)
        said = self.call("relay", "init", self.station, "--key", other, "--config-from", CONFIG,
                         "--procedures", PROCEDURES)
        self.assertEqual(said.returncode, 1)
        self.assertIn("relay.key holds another key", said.stderr)

    def test_it_can_be_checked_while_it_runs(self):
        relay = os.path.join(os.path.dirname(HOSO), "hoso-relay")
        check = [relay, "--check", "--config", os.path.join(self.station, "hoso.cfg")]
        done = subprocess.run(check, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.station, "relay.db")))
        self.start(self.station)
        done = subprocess.run(check, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        os.rename(os.path.join(self.station, "relay.key"), os.path.join(self.station, "old.key"))
        done = subprocess.run(check, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("relay.key", done.stderr)

    def test_what_needs_a_store_of_dossiers_says_what_a_station_has_instead(self):
        for words, instead in ((["list"], "`hoso relay list --all`"),
                               (["show", "P-long-my-000001"], "`hoso relay show CODE`"),
                               (["history", "P-long-my-000001"], "`hoso relay show CODE`"),
                               (["top"], "`hoso status`"), (["queue", "shape"], "`hoso status`"),
                               (["task", "list"], "ask at the cell"),
                               (["verify"], "nothing to do"), (["upgrade"], "nothing to do"),
                               (["init", self.station], "`hoso relay init`")):
            done = self.call(*words, *(["--cell", self.station] if words[0] != "init" else []))
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertRegex(done.stderr, r"^hoso: [^\n]* is a station, [^\n]*\n$")
            self.assertIn(instead, done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.station, "store")))
        done = self.call("relay", "status", "--cell", self.cell)
        self.assertEqual(done.returncode, 3)
        self.assertIn("it is no station", done.stderr)

    def test_one_that_does_not_run_is_told_by_all(self):
        status = self.json("status", "--cell", self.station)
        self.assertEqual((status["well"], status["level"], status["process"]),
                         (False, "critical", "down"))
        self.assertEqual([p["code"] for p in status["problems"]], ["not_running"])
        self.assertEqual(self.call("status", "--cell", self.station).returncode, 1)
        self.assertIn("hoso_healthy 0", self.hoso("metrics", "--cell", self.station))
        self.assertEqual(self.plugin()[0], 2)


class Near(Cells):
    """Both on this host, without a line to cut."""

    def setUp(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.endpoint = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        super().setUp()

    def test_its_state_is_told_to_people_plugin_and_prometheus(self):
        with open(os.path.join(self.station, "hoso.cfg"), "a", encoding="utf-8") as file:
            file.write('metrics_listen = "127.0.0.1:0";\n')
        self.start(self.cell)
        self.start(self.station)
        self.until(lambda: self.status()["well"], "numbers are reserved")
        self.supervisors[self.cell].terminate()
        self.supervisors[self.cell].wait(timeout=PATIENCE)
        self.until(lambda: self.status()["line"] == "down", "the line is seen to be down")
        self.submit(1)
        status = self.status()
        self.assertEqual((status["waiting"], status["process"], status["well"]), (1, "up", True))
        self.assertEqual(status, {**self.json("relay", "status", "--cell", self.station),
                                  **{name: status[name] for name in
                                     ("oldest_ms", "disk_free_bytes", "processes")}})
        self.assertAlmostEqual(status["heard"] / 1000, time.time(), delta=PATIENCE)
        self.assertEqual(status["processes"][0]["figures"]["cuts"], 1)
        self.assertRegex(self.hoso("status", "--cell", self.station, "--lang", "vi"),
                         "Đường truyền +bị gián đoạn\n")
        self.assertEqual(self.plugin()[0], 0, self.plugin())
        self.assertIn("line down, 1 waiting | waiting=1", self.plugin()[1])
        self.assertEqual(self.plugin("--warning", "waiting=1")[0], 1)
        log = pathlib.Path(self.folder, "log").read_text(encoding="utf-8")
        url = "http://" + re.findall(r"service=metrics .*http at ([0-9.:]+)", log)[-1]
        figures = urllib.request.urlopen(url + "/metrics", timeout=PATIENCE).read().decode()
        self.assertIn("\nhoso_station_waiting 1\n", figures)
        self.assertIn('\nhoso_process_up{process="relay"} 1\n', figures)
        checked = subprocess.run(["promtool", "check", "metrics"], input=figures, text=True,
                                 capture_output=True, check=False, timeout=PATIENCE)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))
        self.assertEqual(urllib.request.urlopen(url + "/readyz", timeout=PATIENCE).read(),
                         b"ready\n")
        self.kill(self.station, "relay")
        self.until(lambda: self.status()["process"] == "up", "it is started again")
        self.assertEqual(self.status()["heard"], status["heard"], "it is remembered")

    @unittest.skipUnless(FAKETIME, "faketime is not installed, or not of use here")
    def test_a_station_whose_clock_is_wrong_says_so_before_it_gives_receipts(self):
        self.start(self.cell)
        self.start(self.station, "env", f"LD_PRELOAD={FAKETIME}", "FAKETIME=+10m",
                   "DONT_FAKE_MONOTONIC=1")
        self.until(lambda: any("clock" in t for t in self.status()["troubles"]), "it is noticed")
        done = self.call("submit", "-", "--cell", self.station, input=json.dumps(self.dossier(1)))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "clock of this station is (599|600|601) s before")
        self.assertEqual(self.status()["waiting"], 0)


    def test_a_cell_restored_from_a_backup_goes_on_with_its_station(self):
        self.start(self.cell)
        self.start(self.station)
        backup = os.path.join(self.folder, "backup")
        self.until(lambda: self.status()["numbers"] > 0, "numbers are reserved")
        self.submit(1)
        self.until(lambda: self.status()["taken"] == 1, "the first is taken")
        self.hoso("backup", backup, "--cell", self.cell)
        self.submit(2)
        self.until(lambda: self.status()["taken"] == 2, "the second is taken")
        self.supervisors[self.cell].terminate()
        self.supervisors[self.cell].wait(timeout=PATIENCE)
        self.supervisors[self.cell].stdout.close()
        shutil.copy(os.path.join(backup, "store", "data.mdb"), os.path.join(self.cell, "store"))
        os.remove(os.path.join(self.cell, "store", "lock.mdb"))
        third = self.submit(3)
        self.start(self.cell)
        self.until(lambda: self.status()["taken"] == 3, "the third is taken by the restored cell")
        self.until(lambda: self.status()["well"], "nobody need look")
        self.hoso("show", third["provisional"], "--cell", self.cell)
        events = self.hoso("export", "journal", "--format", "csv", "--cell", self.cell)
        self.assertEqual(events.count(",station.lost,intake,"), 1, events)


class Station(Cells):
    endpoint = "tcp://10.77.0.1:5570"
    settings = "range = 1000; low_water = 500;"

    def setUp(self):
        if not MAY_MAKE_NAMESPACES:
            self.skipTest("network namespaces are not allowed here")
        super().setUp()
        self.addCleanup(remove_line)
        self.link = make_line()

    def cut(self, is_cut):
        run("ip", "-n", CELL_NET, "link", "set", self.link, "down" if is_cut else "up")

    # ---- what happens -------------------------------------------------------------------------

    def counter(self, stop, receipts):
        """Citizens come all the time; every third one withdraws at once."""
        i = 0
        while not stop.is_set():
            i += 1
            receipt = self.submit(i)
            receipts.append((i, receipt))
            if i % 3 == 0:
                self.event(i, receipt["provisional"], "withdraw")

    def while_citizens_come(self, happens):
        """What happens meanwhile; gives the receipts. A counter that fails fails the test."""
        stop, receipts, failures = threading.Event(), [], []

        def work():
            try:
                self.counter(stop, receipts)
            except Exception as error:  # told below, in the test's own thread
                failures.append(error)
        counter = threading.Thread(target=work)
        counter.start()
        try:
            happens()
        finally:
            stop.set()
            counter.join()
        if failures:
            raise failures[0]
        return receipts

    def chaos(self):
        deeds = [lambda: self.kill(self.station, "relay"), lambda: self.kill(self.cell, "gate"),
                 lambda: self.kill(self.cell, "intake")]
        for pause in (0.4, 2.5) * TORTURE:  # the last one is two and a half hours
            self.cut(True)
            self.random.choice(deeds)()
            time.sleep(pause)
            self.cut(False)
            time.sleep(self.random.uniform(0.1, 0.6))
            self.random.choice(deeds)()
            time.sleep(self.random.uniform(0.1, 0.6))
        for deed in deeds:
            deed()

    def check_dossier(self, i, receipt):
        there = self.json("show", receipt["provisional"], "--cell", self.cell, "--unmask")
        where = f"SEED={SEED} {receipt['provisional']}"
        fields = {field["id"]: field["value"] for field in there["fields"]}
        self.assertEqual(fields["full_name"], f"Nguyễn Thị Số {i}", where)
        self.assertEqual(there["received"], receipt["received"], where)
        self.assertEqual(there["provisional"], receipt["provisional"], where)
        if "due" in receipt and not there["stopped"]:
            self.assertEqual(there["due"], receipt["due"], where)
        return there

    def check_order(self, receipt):
        history = self.json("history", receipt["provisional"], "--cell", self.cell)
        events = [e["event"] for e in history["events"]]
        self.assertEqual(events[0], "submit")
        self.assertEqual(events.count("submit"), 1)
        self.assertEqual(events.count("withdraw"), 1)

    def test_every_receipt_becomes_one_dossier_whatever_dies(self):
        self.start(self.cell, "ip", "netns", "exec", CELL_NET)
        self.start(self.station, "ip", "netns", "exec", STATION_NET)
        self.until(lambda: self.status()["numbers"] > 0, "numbers are reserved")
        receipts = self.while_citizens_come(self.chaos)
        self.until(lambda: self.status()["line"] == "up", "the line is up")
        self.until(lambda: self.status()["waiting"] == 0, "all is handed over")
        self.assertEqual(self.status()["refused"], 0)
        codes = {receipt["provisional"] for _, receipt in receipts}
        self.assertEqual(len(codes), len(receipts))
        listed = self.json("list", "--cell", self.cell, "--max", "0")["dossiers"]
        self.assertEqual(len(listed), len(receipts), f"SEED={SEED}")
        self.assertTrue(any(r["dossier"] == r["provisional"] for _, r in receipts),
                        "no receipt was given while the line was down")
        for i, receipt in receipts:
            self.check_dossier(i, receipt)
            if i % 3 == 0:
                self.check_order(receipt)
        self.hoso("verify", "--cell", self.cell)
        self.refusals_do_not_block(receipts[0][1]["provisional"])

    def refusals_do_not_block(self, code):
        """One that the cell refuses waits for a person; the next ones pass."""
        self.cut(True)
        self.until(lambda: self.status()["line"] == "down", "the line is seen to be down")
        self.event(0, code, "retry")  # the chart knows the word, but it is for heads alone
        receipt = self.submit(0)
        self.assertEqual(receipt["dossier"], receipt["provisional"])
        self.assertEqual(self.status()["waiting"], 2)
        self.cut(False)
        self.until(lambda: self.status()["waiting"] == 0, "all is handed over")
        status = self.status()
        self.assertEqual((status["refused"], status["well"]), (1, False), status)
        self.check_dossier(0, receipt)
        rows = self.json("relay", "list", "--cell", self.station)["handoffs"]
        self.assertIn("may not raise this event", rows[0]["reason"])
        self.hoso("relay", "drop", str(rows[0]["seq"]), "--reason", "told", "--cell", self.station)
        self.assertTrue(self.status()["well"])


def may_make_namespaces():
    try:
        return (run("ip", "netns", "add", CELL_NET, check=False).returncode == 0 and
                run("ip", "-n", CELL_NET, "link", check=False).returncode == 0)
    except FileNotFoundError:
        return False
    finally:
        remove_line()


MAY_MAKE_NAMESPACES = may_make_namespaces()

if __name__ == "__main__":
    print(f"SEED={SEED}")
    unittest.main(argv=sys.argv[:1], verbosity=2)
