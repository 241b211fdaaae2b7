#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hoso-portal between a real cell and a stand-in for the national portal.

    tests/integration/portal.py HOSO CONFIG PROCEDURES

The stand-in notes whatever comes doubled, out of order or ill-formed; every test ends with looking
whether it has. What must come is waited for, with patience.
"""
import glob
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from common import faketime  # noqa: E402  pylint: disable=wrong-import-position
import portal_standin  # noqa: E402  pylint: disable=wrong-import-position

HOSO, CONFIG, PROCEDURES = sys.argv[1:4]
ADAPTER = os.path.join(os.path.dirname(HOSO), "hoso-portal")
FAKETIME = faketime(HOSO)
PATIENCE = 60
SITE = "000.00.13.H30"
NAME = "Nguyễn Văn An"

DOSSIER = {
    "procedure": "1.004873", "channel": "post", "site": SITE,
    "by": "teller-07", "role": "postal_worker",
    "fields": {"full_name": NAME, "citizen_id": "093090001234",
               "phone": "0912345678", "return_by": "counter", "birth_date": "1990-05-17",
               "was_married": False, "purpose": "marriage"},
    "papers": [{"id": "declaration", "kind": "original", "copies": 1},
               {"id": "identity", "kind": "copy", "copies": 1}],
}
PARTY = """name = "portal"; organisation = "National portal"; kind = "portal";
sites = [ "*" ]; journal = true;
"""
SETTINGS = """login_url = "http://127.0.0.1:{port}/login";
service_url = "http://127.0.0.1:{port}/service";
unit = "{unit}"; user = "{user}"; headers = [ "dstcode: {header}" ];
http_timeout_ms = "2 seconds"; poll_ms = "50 ms"; retry_ms = "50 ms"; retry_most_ms = "200 ms";
"""


class Cell(unittest.TestCase):
    """One cell for all tests: each has its own dossiers, adapter database and portal."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="hoso-")
        cls.cell = os.path.join(cls.folder, "cell")
        cls.env = {k: v for k, v in os.environ.items() if not k.startswith("HOSO_")}
        cls.log = open(os.path.join(cls.folder, "log"), "a+", encoding="utf-8")
        cls.run_hoso("init", cls.cell, "--config-from", CONFIG, "--procedures", PROCEDURES)
        parties = pathlib.Path(cls.cell, "parties")
        parties.mkdir(exist_ok=True)
        (parties / "portal.cfg").write_text(PARTY, encoding="utf-8")
        cls.supervisor = None
        cls.run_cell()

    @classmethod
    def run_cell(cls):
        cls.supervisor = subprocess.Popen([HOSO, "run", "--cell", cls.cell], env=cls.env,
                                          stdout=subprocess.PIPE, stderr=cls.log, text=True)
        assert "is ready" in cls.supervisor.stdout.readline()

    @classmethod
    def tearDownClass(cls):
        if cls.supervisor is not None:
            cls.supervisor.terminate()
            cls.supervisor.wait(timeout=PATIENCE)
            cls.supervisor.stdout.close()
        cls.log.close()
        shutil.rmtree(cls.folder)

    @classmethod
    def run_hoso(cls, *words, cell=False, code=0, text=None):
        words = [*words, "--cell", cls.cell] if cell else words
        done = subprocess.run([HOSO, *words], env=cls.env, cwd=cls.folder, text=True, input=text,
                              capture_output=True, timeout=PATIENCE, check=False)
        assert done.returncode == code, f"{words}: {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def hoso(self, *words, **more):
        return json.loads(self.run_hoso(*words, "--json", cell=True, **more))

    def setUp(self):
        self.portal = portal_standin.Portal()
        self.portal.start()
        self.adapter = None
        self.addCleanup(self.end)
        pathlib.Path(self.cell, "portal.cfg").write_text(SETTINGS.format(
            port=self.portal.port, unit=portal_standin.UNIT, user=portal_standin.USER,
            header=portal_standin.HEADER) + f'cursor = "{self._testMethodName[:60]}";\n',
            encoding="utf-8")
        password = pathlib.Path(self.cell, "portal.password")
        password.touch()
        password.chmod(0o600)
        password.write_text(portal_standin.PASSWORD + "\n", encoding="utf-8")
        for old in glob.glob(os.path.join(self.cell, "portal.db*")):
            os.unlink(old)

    def end(self):
        self.stop_adapter(signal.SIGTERM)
        self.portal.stop()
        self.assertEqual(self.portal.faults, [])

    # ---- steps --------------------------------------------------------------------------------

    def start_adapter(self, wait=True, folder=None):
        ready, told = os.pipe()
        config = os.path.join(folder or self.cell, "hoso.cfg")
        self.adapter = subprocess.Popen(
            [ADAPTER, "--config", config, "--ready-fd", str(told)],
            env=self.env, stderr=self.log, pass_fds=[told])
        os.close(told)
        with os.fdopen(ready) as pipe:
            if wait:
                self.assertIn("ready", pipe.readline())

    def stop_adapter(self, number):
        if self.adapter is not None:
            self.adapter.send_signal(number)
            code = self.adapter.wait(timeout=PATIENCE)
            self.adapter = None
            if number == signal.SIGTERM:
                self.assertEqual(code, 0)

    def until(self, holds, what):
        end = time.monotonic() + PATIENCE
        while True:
            got = holds()
            if got:
                return got
            self.assertLess(time.monotonic(), end, f"waited in vain until {what}: {self.said()}")
            time.sleep(0.02)

    def said(self):
        self.log.flush()
        with open(self.log.name, encoding="utf-8") as log:
            return log.read()[-3000:]

    def submit(self, **changes):
        return self.hoso("submit", "-", text=json.dumps({**DOSSIER, **changes}))["dossier"]

    def review(self, code, role="civil_servant", **result):
        tasks = self.until(lambda: [t for t in self.hoso(
            "task", "claim", "verification.review", "--to", SITE, "--max", "100", "--by", "an",
            "--role", role)["tasks"]], f"a review by {role}")
        for task in tasks:
            self.run_hoso("task", "complete", str(task["task"]), str(task["token"]),
                          json.dumps(result or {"verdict": "approve"}), "--by", "an", cell=True)
        self.assertIn(code, [t["dossier"] for t in tasks])

    def records(self):
        """All in the outbox: what was read before a stop may still be told after it."""
        status = self.portal_status()
        return status["told"] + status["waiting"]

    def portal_status(self, ahead="0"):
        """Whatever its exit code says; `ahead`, such as 1h: as if so much later."""
        later = {"LD_PRELOAD": FAKETIME, "FAKETIME": "+" + ahead,
                 "DONT_FAKE_MONOTONIC": "1"} if ahead != "0" else {}
        done = subprocess.run([HOSO, "portal", "status", "--json", "--cell", self.cell], text=True,
                              env={**self.env, **later}, capture_output=True, timeout=PATIENCE,
                              check=False)
        status = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if status["well"] else 1, done.stdout)
        return status

    def until_told(self, code, status):
        return self.until(lambda: self.portal.statuses[code][-1:] == [status],
                          f"{code} is told as {status}, now {self.portal.statuses[code]}")


class Life(Cell):
    def test_a_dossier_is_told_in_order_with_the_statuses_between(self):
        self.start_adapter()
        code = self.submit()
        self.review(code)
        self.until_told(code, 6)
        self.assertEqual(self.portal.statuses[code], [1, 2, 6])
        record = self.portal.dossiers[code]
        self.assertEqual(record["ChuHoSo"], NAME)
        self.assertEqual(record["KenhThucHien"], "3")
        self.assertEqual(record["DinhDanhCHS"], [{"LoaiDinhDanh": "1",
                                                  "SoDinhDanh": "093090001234"}])
        self.until(lambda: self.portal.steps[code], "a step is told")

    ANSWERS = (("verification.review", "civil_servant", {"verdict": "approve"}),
               ("return.collect_fee", "postal_worker",
                {"paid": True, "receipt": "BL-1", "amount": 15000}),
               ("routing.consult", "agency", {"answer": "agree"}),
               ("verification.review", "specialist", {"verdict": "approve"}),
               ("verification.review", "signing_authority", {"verdict": "approve"}),
               ("return.deliver", "postal_worker", {"outcome": "delivered"}),
               ("intake.supplement", "postal_worker", {"papers": []}))

    def live(self, code, answers=None):
        """Whoever has something to do does it, until the dossier is closed."""
        answers = dict(answers or {})
        end = time.monotonic() + PATIENCE
        while not self.hoso("show", code)["closed"]:
            self.assertLess(time.monotonic(), end, self.hoso("show", code))
            for activity, role, result in self.ANSWERS:
                done = self.hoso("task", "claim", activity, "--to", "*", "--max", "10",
                                 "--by", "an", "--role", role)["tasks"]
                for task in done:
                    mine = task["dossier"] == code
                    said = answers.pop(f"{activity} {role}", result) if mine else result
                    self.run_hoso("task", "complete", str(task["task"]), str(task["token"]),
                                  json.dumps(said), "--by", "an", cell=True)

    def test_a_whole_life_with_a_supplement_ends_at_10(self):
        self.start_adapter()
        code = self.submit()
        self.live(code, {"verification.review specialist":
                         {"verdict": "supplement", "items": ["identity"],
                          "reason": "ảnh mờ, số 093090001234"}})
        self.until_told(code, 10)
        self.assertEqual(self.portal.statuses[code][:3], [1, 2, 6])
        self.assertEqual(self.portal.statuses[code][-3:], [4, 9, 10])
        self.assertIn(5, self.portal.statuses[code])
        record = self.portal.dossiers[code]
        self.assertTrue(record["NgayTiepNhan"] and record["NgayKetThucXuLy"] and record["NgayTra"])
        self.assertEqual(len(record["DanhSachHoSoBoSung"]), 1)
        self.assertEqual(len(record["DanhSachGiayToKetQua"]), 1)

    def test_a_refusal_at_reception_ends_at_3(self):
        self.start_adapter()
        code = self.submit()
        self.live(code, {"verification.review civil_servant":
                         {"verdict": "refuse", "reason": "không thuộc thẩm quyền"}})
        self.until_told(code, 3)
        self.assertEqual(self.portal.statuses[code], [1, 3])
        self.assertEqual(self.portal.dossiers[code]["GhiChu"], "không thuộc thẩm quyền")
        self.assertTrue(self.portal.dossiers[code]["NgayTuChoi"])


class Trouble(Cell):
    def test_a_kill_at_any_moment_loses_and_doubles_nothing(self):
        self.portal.delay = 0.01
        codes = []
        for i in range(12):
            self.start_adapter(wait=False)
            codes.append(self.submit())
            if i % 3 == 2:
                self.review(codes[-1])
            self.portal.lose = i % 2
            time.sleep(0.013 * i)
            self.stop_adapter(signal.SIGKILL)
        self.portal.delay = self.portal.lose = 0
        self.start_adapter()
        for code in codes:
            self.until_told(code, 6)
            self.assertEqual(self.portal.statuses[code], [1, 2, 6])
            self.until(lambda c=code: len(self.portal.steps[c]) == 4, "all steps are told")

    def test_a_portal_that_is_down_for_long_gets_all_in_the_end(self):
        self.portal.stop()
        self.start_adapter()
        codes = [self.submit() for _ in range(3)]
        self.review(codes[0])
        # what happened is out of the cell and safe while nobody listens
        self.until(lambda: self.portal_status()["waiting"] >= 12, "the outbox has all")
        self.until(lambda: self.portal_status()["sides"], "it is seen that the portal is away")
        self.assertTrue(self.portal_status()["well"], "this may pass by itself")
        if FAKETIME:
            self.assertIn("the portal: ", self.portal_status("1h")["troubles"][0])
        self.portal.start()
        for code in codes:
            self.until_told(code, 6)
        self.assertEqual(self.hoso("portal", "status")["held"], 0)
        self.until(lambda: not self.portal_status()["sides"], "both sides work")
        self.stop_adapter(signal.SIGTERM)
        self.assertIn("hoso-portal does not run", self.portal_status()["troubles"][0])

    def test_sessions_that_end_doubled_and_broken_answers_change_nothing(self):
        self.portal.session_calls, self.portal.twice, self.portal.garbage = 1, True, 2
        self.start_adapter()
        code = self.submit()
        self.review(code)
        self.until_told(code, 6)
        self.assertEqual(self.portal.statuses[code], [1, 2, 6])
        self.assertGreater(self.portal.calls["login"], 2)

    def test_that_one_of_a_batch_is_known_says_nothing_of_the_others(self):
        with open(os.path.join(self.cell, "portal.cfg"), "a", encoding="utf-8") as file:
            file.write(f'known_codes = [ "{portal_standin.KNOWN}" ];\n')
        self.start_adapter()
        self.until_told(self.submit(), 1)  # and all that came before it
        self.until(lambda: self.portal_status()["waiting"] == 0, "nothing waits")
        self.portal.tells_known, self.portal.lose = True, 1 << 30
        before, known = self.portal_status()["dossiers"], self.submit()
        self.until(lambda: known in self.portal.dossiers, "the portal has it, and nobody was told")
        other = self.submit()
        self.until(lambda: self.portal_status()["dossiers"] == before + 2, "both wait to be told")
        self.portal.lose = 0
        for code in (known, other):
            self.until_told(code, 1)
        self.until(lambda: self.portal_status()["waiting"] == 0, "all is settled")

    def test_a_refused_dossier_is_held_and_the_others_go_on(self):
        self.portal.stop()
        self.start_adapter()
        bad, good = self.submit(), self.submit()
        self.portal.refuse.add(bad)
        self.until(lambda: self.portal_status()["waiting"] >= 4, "both wait: one batch")
        self.portal.start()
        self.until_told(good, 1)
        self.review(bad)
        self.until_told(good, 6)
        [held] = self.until(lambda: self.hoso("portal", "list", "--held")["records"], "it is held")
        self.assertEqual((held["dossier"], held["n"]), (bad, 1))
        self.assertIn("200: Hồ sơ của *** không hợp lệ", held["reason"])
        self.assertEqual(self.portal.statuses[bad], [])
        waiting = self.hoso("portal", "list")["records"]
        self.assertEqual({r["dossier"] for r in waiting}, {bad})
        self.assertNotIn(NAME, self.run_hoso("portal", "list", cell=True))
        self.assertEqual(self.hoso("portal", "status", code=1)["held"], 1)
        status = self.hoso("status", code=1)
        self.assertEqual([(p["code"], p["service"]) for p in status["problems"]],
                         [("outbox_held", "portal")])
        self.assertIn('hoso_outbox_held{outbox="portal"', self.run_hoso("metrics", cell=True))
        self.portal.refuse.clear()
        self.assertEqual(self.hoso("portal", "retry", bad)["retried"], 1)
        self.until_told(bad, 6)
        self.assertEqual(self.portal.statuses[bad], [1, 2, 6])

    def test_what_the_portal_has_leaves_no_personal_data_behind(self):
        self.portal.stop()
        self.start_adapter()
        code = self.submit()
        self.until(lambda: self.portal_status()["waiting"] > 0, "it waits")
        self.assertTrue(self.holds_name())
        self.portal.start()
        self.until_told(code, 1)
        self.until(lambda: not self.holds_name(), "the name is gone")
        for word in (NAME, "093090001234", "0912345678", portal_standin.PASSWORD):
            self.assertNotIn(word, self.said())

    def holds_name(self):
        return any(NAME.encode() in pathlib.Path(path).read_bytes()
                   for path in glob.glob(os.path.join(self.cell, "portal.db*")))


    def test_a_journal_and_an_outbox_that_do_not_fit_are_not_used(self):
        self.start_adapter()
        self.until_told(self.submit(), 1)
        self.until(lambda: self.portal_status()["position"] > 0, "it has read")
        self.stop_adapter(signal.SIGTERM)
        with sqlite3.connect(os.path.join(self.cell, "portal.db")) as db:
            db.execute("UPDATE position SET seq = seq + 1000000")
        db.close()
        self.start_adapter()
        self.until(lambda: "the journal ends before" in self.said(), "it says so")
        [status] = self.until(lambda: [s for s in [self.portal_status()] if s["sides"]], "it tells")
        self.assertEqual((status["well"], status["sides"][0]["name"], status["sides"][0]["rc"]),
                         (False, "the cell", "state"))
        self.assertIn("the journal ends before", status["troubles"][0])
        status = self.hoso("status", code=1)
        self.assertEqual([(p["code"], p["service"], p["level"]) for p in status["problems"]],
                         [("outbox_stopped", "portal", "critical")])
        self.assertIn('hoso_outbox_stopped{outbox="portal"} 1', self.run_hoso("metrics", cell=True))
        # as it is when that backup has grown past what was read: another event under its number
        self.stop_adapter(signal.SIGTERM)
        with sqlite3.connect(os.path.join(self.cell, "portal.db")) as db:
            db.execute("UPDATE position SET seq = seq - 1000000, hash = replace(hash, 'a', 'b')")
        db.close()
        self.submit()
        written = self.records()
        self.start_adapter()
        self.until(lambda: "the journal is not the one that was read" in self.said(), "it says so")
        self.until(lambda: self.portal_status()["waiting"] == 0, "all is told")
        self.assertEqual(self.records(), written)
        # and the other way round: an outbox that was lost
        self.stop_adapter(signal.SIGTERM)
        for old in glob.glob(os.path.join(self.cell, "portal.db*")):
            os.unlink(old)
        calls = dict(self.portal.calls)
        self.start_adapter()
        self.until(lambda: "the outbox is new" in self.said(), "it says so")
        self.assertEqual(dict(self.portal.calls), calls)

    def test_a_restored_cell_tells_nothing_twice_and_goes_on(self):
        settings = pathlib.Path(self.cell, "portal.cfg")
        text = settings.read_text(encoding="utf-8")
        settings.write_text(f'{text}database = "{self.cell}/portal.db";\n', encoding="utf-8")
        self.start_adapter()
        told = self.submit()
        self.until_told(told, 1)
        self.until(lambda: self.portal_status()["waiting"] == 0, "all is told")
        backup, restored = (os.path.join(self.folder, name) for name in ("backup", "restored"))
        self.run_hoso("backup", backup, cell=True)
        self.stop_adapter(signal.SIGTERM)
        calls, statuses = dict(self.portal.calls), list(self.portal.statuses[told])
        self.run_hoso("restore", backup, restored, "--name", "cell")
        self.assertIn("# before the restore: database",
                      pathlib.Path(restored, "portal.cfg").read_text(encoding="utf-8"))
        self.assertEqual(os.stat(os.path.join(restored, "portal.db")).st_mode & 0o777, 0o600)
        shutil.copy(os.path.join(self.cell, "portal.password"), restored)
        supervisor = subprocess.Popen([HOSO, "run", "--cell", restored], env=self.env,
                                      stdout=subprocess.PIPE, stderr=self.log, text=True)
        try:
            self.assertIn("is ready", supervisor.stdout.readline())
            new = json.loads(self.run_hoso("submit", "-", "--json", "--cell", restored,
                                           text=json.dumps(DOSSIER)))["dossier"]
            self.until_told(new, 1)
        finally:
            supervisor.terminate()
            supervisor.wait(timeout=PATIENCE)
            supervisor.stdout.close()
        self.assertEqual(self.portal.statuses[told], statuses)
        self.assertNotEqual(dict(self.portal.calls), calls)

    def test_two_at_one_outbox_and_an_open_password_are_refused(self):
        config = os.path.join(self.cell, "hoso.cfg")
        self.start_adapter()
        second = subprocess.run([ADAPTER, "--config", config], env=self.env, text=True,
                                capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual(second.returncode, 1)
        self.assertIn("another hoso-portal", second.stderr)
        self.stop_adapter(signal.SIGTERM)
        os.chmod(os.path.join(self.cell, "portal.password"), 0o644)
        self.submit()
        third = subprocess.run([ADAPTER, "--config", config], env=self.env, text=True,
                               capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual(third.returncode, 2)
        self.assertIn("chmod 0600", third.stderr)


class Beside(Cell):
    @classmethod
    def run_cell(cls):
        """Only when the settings are there."""

    def test_hoso_run_starts_it_and_it_works_through_a_gate_as_well(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            gate = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        with open(os.path.join(self.cell, "hoso.cfg"), "a", encoding="utf-8") as file:
            file.write(f'gate_listen = "{gate}"; metrics_listen = "127.0.0.1:0";\n')
        elsewhere = os.path.join(self.folder, "elsewhere")
        os.mkdir(elsewhere)
        self.run_hoso("party", "add", "far", "--kind", "portal", "--organisation", "P", "--sites",
                      "*", "--journal", "--output", os.path.join(elsewhere, "far.key"), cell=True)
        Cell.run_cell.__func__(type(self))
        code = self.submit()
        self.until_told(code, 1)
        self.assertIn("portal is up", self.said())
        [place] = re.findall(r"service=metrics .*http at ([0-9.:]+)", self.said())
        with urllib.request.urlopen(f"http://{place}/metrics", timeout=PATIENCE) as answer:
            figures = answer.read().decode()
        self.assertRegex(figures, 'hoso_outbox_waiting{outbox="portal"} [0-9]+\n')
        self.assertIn('hoso_process_up{process="portal"} 1\n', figures)
        # the same from another host, into a portal of its own
        other = portal_standin.Portal()
        other.start()
        self.addCleanup(other.stop)
        text = pathlib.Path(self.cell, "portal.cfg").read_text(encoding="utf-8")
        pathlib.Path(elsewhere, "portal.cfg").write_text(
            text.replace(str(self.portal.port), str(other.port)) + 'gate = "far.key";',
            encoding="utf-8")
        shutil.copy(os.path.join(self.cell, "portal.password"), elsewhere)
        self.start_adapter(folder=elsewhere)
        self.until(lambda: other.statuses[code] == [1], "it is told there too")
        self.assertEqual(other.faults, [])


class Reconcile(Cell):
    def test_a_difference_is_found_and_named(self):
        self.start_adapter()
        codes = [self.submit() for _ in range(4)]
        for code in codes:
            self.until_told(code, 1)
        self.until(lambda: self.portal_status()["waiting"] == 0, "all is told")
        answer = self.hoso("portal", "reconcile")
        self.assertEqual((answer["differences"], answer["dossiers"]), ([], 4))
        del self.portal.dossiers[codes[0]]
        self.portal.dossiers[codes[1]]["TrangThaiHoSo"] = "5"
        self.portal.dossiers["000.00.13.H30-261123-9999"] = {
            **self.portal.dossiers[codes[2]], "MaHoSo": "000.00.13.H30-261123-9999"}
        answer = self.hoso("portal", "reconcile", code=1)
        found = {d["dossier"]: (d["cell"], d["portal"]) for d in answer["differences"]}
        self.assertEqual(found, {codes[0]: (1, 0), codes[1]: (1, 5),
                                 "000.00.13.H30-261123-9999": (0, 1)})
        [row] = answer["days"]
        self.assertEqual((row["procedure"], row["cell"], row["portal"], row["differ"]),
                         ("1.004873", 4, 4, 3))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)
