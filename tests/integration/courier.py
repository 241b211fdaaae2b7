#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hoso-courier between a real cell and a stand-in of a courier's system.

    tests/integration/courier.py HOSO CONFIG

HOSO is the command; the workers and hoso-courier lie beside it.
"""
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

from common import ENV

HOSO, CONFIG = sys.argv[1:3]
COURIER = os.path.join(os.path.dirname(HOSO), "hoso-courier")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from courier_stand import Courier  # noqa: E402

SITE = "000.00.13.H30"
PATIENCE = 60  # seconds, on a busy machine
SEED = int(os.environ.get("SEED", "7"))

PROCEDURE = """procedure: {
  code = "1.009999"; version = 1;
  title = { vi = "Gửi trả kết quả"; en = "Sending a result home"; };
  level = "commune"; channels = [ "post" ]; time_limit = "3 working days";
  papers = ( { id = "declaration"; title = { vi = "Tờ khai"; en = "Declaration"; }; } );
  fields = (
    { id = "full_name"; type = "text"; required = true; personal = true; max = 100;
      title = { vi = "Họ và tên"; en = "Full name"; }; },
    { id = "phone"; type = "mobile"; personal = true;
      title = { vi = "Điện thoại"; en = "Phone"; }; },
    { id = "address"; type = "text"; required = true; personal = true; max = 200;
      title = { vi = "Địa chỉ"; en = "Address"; }; },
    { id = "from_home"; type = "boolean";
      title = { vi = "Nhận giấy tờ tại nhà"; en = "Papers at home"; }; }
  );
  initial = "register";
  states: {
    register: { status = 1;
      invoke = ( { activity = "intake.register"; id = "register"; } );
      on = ( { event = "done.invoke.register"; target = "accepted"; } ); };
    accepted: { status = 2; always = ( { cond = "from_home == true"; target = "collect"; },
                                     { target = "deliver"; } ); };
    collect: { status = 2; deadline = "10 days";
      invoke = ( { activity = "return.collect"; id = "collect"; } );
      on = (
        { event = "done.invoke.collect"; cond = "_event.data.outcome == 'delivered'";
          target = "deliver"; },
        { event = "done.invoke.collect"; target = "returned"; },
        { event = "withdraw"; target = "withdrawn"; roles = [ "postal_worker" ]; },
        { event = "deadline.collect"; target = "lost"; },
        { event = "error.communication"; target = "lost"; } ); };
    deliver: { status = 9; deadline = "30 days";
      invoke = ( { activity = "return.deliver"; id = "deliver"; by = "parcel"; fee = 15000;
                   charge = 8000; } );
      on = (
        { event = "done.invoke.deliver"; cond = "_event.data.outcome == 'delivered'";
          target = "delivered"; },
        { event = "done.invoke.deliver"; cond = "_event.data.outcome == 'returned'";
          target = "returned"; },
        { event = "done.invoke.deliver"; target = "lost"; },
        { event = "withdraw"; target = "withdrawn"; roles = [ "postal_worker" ]; },
        { event = "again"; target = "deliver"; roles = [ "postal_worker" ]; },
        { event = "deadline.deliver"; target = "lost"; },
        { event = "error.communication"; target = "lost"; } ); };
    delivered: { type = "final"; status = 10; outcome = "approved"; };
    returned:  { type = "final"; status = 9;  outcome = "lapsed"; };
    lost:      { type = "final"; status = 9;  outcome = "stopped"; };
    withdrawn: { type = "final"; status = 8;  outcome = "withdrawn"; };
  };
};
"""

DOSSIER = {"procedure": "1.009999", "channel": "post", "site": SITE, "by": "teller-07",
           "role": "postal_worker", "papers": [{"id": "declaration", "kind": "original"}],
           "fields": {"full_name": "Nguyễn Văn An", "phone": "0912345678",
                      "address": "12 Trần Hưng Đạo, \"Long Mỹ\""}}

PARTY = """name = "courier"; organisation = "Test"; kind = "courier"; addresses = [ "vnpost" ];
roles = [ "courier" ]; activities = [ "return.deliver", "return.collect" ];
"""

SETTINGS = """enabled = false;
dialect = "{dialect}"; url = "{url}"; customer_code = "HGG"; postage = 26000;
token_url = "{url}/token"; client_id = "hoso"; receiver_province = "93";
senders = ( {{ site = "*"; name = "Bưu điện tỉnh"; address = "Vị Thanh"; }},
  {{ site = "000.00.13.H30"; name = "Bưu cục Long Mỹ"; address = "Long Mỹ"; tel = "02933871001";
     province = "93"; district = "931"; }} );
codes = ( {{ code = "1"; means = "numbered"; }}, {{ code = "2"; means = "collected"; }},
  {{ code = "3"; means = "in_transit"; }}, {{ code = "4"; means = "delivered"; }},
  {{ code = "5"; means = "failed"; reason = "absent"; }}, {{ code = "6"; means = "returning"; }},
  {{ code = "7"; means = "returned"; }}, {{ code = "8"; means = "cancelled"; }},
  {{ code = "9"; means = "out_for_delivery"; }}, {{ code = "10"; means = "lost"; }} );
tracking_every = "100 ms"; tracking_overlap = "10 minutes"; lease = "2 seconds"; poll_ms = "50 ms";
retry_ms = "50 ms"; retry_most_ms = "200 ms"; answer = "2 seconds"; {more}
"""


class Cell(unittest.TestCase):
    """One cell for all tests, whose workers stay up; each test has its own courier and book."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="hoso-")
        cls.cell = os.path.join(cls.folder, "cell")
        cls.env = dict(ENV)
        procedures = pathlib.Path(cls.folder, "procedures")
        procedures.mkdir()
        (procedures / "1.009999.cfg").write_text(PROCEDURE, encoding="utf-8")
        done = subprocess.run([HOSO, "init", cls.cell, "--config-from", CONFIG, "--procedures",
                               str(procedures)], env=cls.env, capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, done.stderr
        parties = pathlib.Path(cls.cell, "parties")
        parties.mkdir(exist_ok=True)
        (parties / "courier.cfg").write_text(PARTY, encoding="utf-8")
        cls.log_path = pathlib.Path(cls.folder, "log")
        cls.log = open(cls.log_path, "a", encoding="utf-8")
        cls.supervisor = subprocess.Popen([HOSO, "run", "--cell", cls.cell], env=cls.env,
                                          stdout=subprocess.PIPE, stderr=cls.log, text=True)
        assert "is ready" in cls.supervisor.stdout.readline()

    @classmethod
    def tearDownClass(cls):
        cls.supervisor.terminate()
        cls.supervisor.wait(timeout=PATIENCE)
        cls.supervisor.stdout.close()
        cls.log.close()
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.adapter = None
        self.courier = None
        self.addCleanup(self.end)
        for file in pathlib.Path(self.cell).glob("courier*"):
            file.unlink()

    def end(self):
        if self.adapter is not None:
            self.stop()
        if self.courier is not None:
            self.courier.stop()
        for dossier in json.loads(self.hoso("list", "--open", "--json"))["dossiers"]:
            self.raise_event(dossier["dossier"], "withdraw")

    # ---- steps ---------------------------------------------------------------------------------

    def begin(self, dialect="ngsp", more="", **courier):
        self.courier = Courier(dialect, seed=SEED, **courier)
        self.courier.start()
        folder = pathlib.Path(self.cell)
        secret = folder / "courier.secret"
        secret.touch(0o600)
        secret.write_text("s3cret\n", encoding="utf-8")
        (folder / "courier.cfg").write_text(SETTINGS.format(
            dialect=dialect, url=self.courier.url, more=more), encoding="utf-8")
        self.start()

    def start(self):
        ready, told = os.pipe()
        self.adapter = subprocess.Popen(
            [COURIER, "--config", os.path.join(self.cell, "hoso.cfg"), "--ready-fd", str(told)],
            env=self.env, stderr=self.log, pass_fds=[told])
        os.close(told)
        with os.fdopen(ready) as pipe:
            self.assertIn("ready", pipe.readline())

    def stop(self, how=signal.SIGTERM):
        self.adapter.send_signal(how)
        code = self.adapter.wait(timeout=PATIENCE)
        self.adapter = None
        self.assertIn(code, (0, -signal.SIGKILL), self.log_path.read_text(encoding="utf-8")[-2000:])

    def hoso(self, *words, given=None, expect=0):
        done = subprocess.run([HOSO, *words, "--cell", self.cell], env=self.env, input=given,
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, expect, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout if expect < 2 else done.stderr

    def submit(self, **more):
        dossier = {**DOSSIER, "fields": {**DOSSIER["fields"], **more}}
        return json.loads(self.hoso("submit", "-", "--json", given=json.dumps(dossier)))["dossier"]

    def raise_event(self, code, event):
        self.hoso("event", code, event, "--by", "teller-07", "--role", "postal_worker")

    def show(self, code):
        return json.loads(self.hoso("show", code, "--json"))

    def outcome(self, code):
        state = self.show(code)
        return state["states"][0] if state["closed"] else None

    def rows(self, sql, *values):
        with sqlite3.connect(f"file:{self.cell}/courier.db?mode=ro", uri=True) as db:
            found = db.execute(sql, values).fetchall()
        db.close()
        return found

    def order_state(self, number):
        found = self.rows("SELECT state FROM orders WHERE number = ?", number)
        return found[0][0] if found else None

    def until(self, holds, what):
        end = time.monotonic() + PATIENCE
        while not (got := holds()):
            self.assertLess(time.monotonic(), end, f"waited in vain until {what}")
            self.assertTrue(self.adapter is None or self.adapter.poll() is None,
                            self.log_path.read_text(encoding="utf-8")[-2000:])
            time.sleep(0.02)
        return got

    def until_ordered(self, code):
        self.until(lambda: self.order_state(code) == "ordered", f"{code} is ordered")


class Orders(Cell):
    def test_an_order_of_the_national_dialect_is_worded_as_agreed(self):
        self.begin("ngsp")
        code = self.submit()
        self.until_ordered(code)
        self.assertEqual(self.courier.orders[code].body, {
            "customerCode": "HGG", "orderNumber": code, "codAmount": 49000,
            "senderProvince": "93", "senderDistrict": "931", "senderAddress": "Long Mỹ",
            "senderName": "Bưu cục Long Mỹ", "senderEmail": "", "senderTel": "02933871001",
            "senderDesc": code, "description": "Kết quả giải quyết thủ tục hành chính",
            "receiverName": "Nguyễn Văn An", "receiverAddress": "12 Trần Hưng Đạo, \"Long Mỹ\"",
            "receiverTel": "0912345678", "receiverProvince": "93", "receiverDistrict": "",
            "receiverEmail": ""})
        self.courier.happens(code, "4")
        self.until(lambda: self.outcome(code) == "delivered", "the dossier is delivered")
        done = json.loads(self.hoso("history", code, "--json"))
        ledgers = [e["data"] for e in done["events"] if e["event"] == "done.invoke.deliver"][0]
        self.assertEqual((ledgers["fee"], ledgers["charge"], ledgers["postage"]),
                         (15000, 8000, 26000))
        self.assertEqual(self.courier.complaints, [])

    def test_the_province_dialect_takes_numbers_from_the_pool_and_waits_when_it_is_empty(self):
        pool = pathlib.Path(self.cell, "courier-items.txt")
        pool.write_text("# given by the courier\nEE473124829VN\n", encoding="utf-8")
        self.begin("lgsp", more='items = "pool"; item_pool = "courier-items.txt";')
        code = self.submit()
        self.until_ordered(code)
        body = self.courier.orders[code].body
        self.assertEqual({k: body[k] for k in ("ItemCode", "OrderNumber", "CODAmount",
                                               "FlagConfig", "CustomerCode", "ReceiverName")},
                         {"ItemCode": "EE473124829VN", "OrderNumber": code, "CODAmount": 49000,
                          "FlagConfig": 2, "CustomerCode": "HGG", "ReceiverName": "Nguyễn Văn An"})
        second = self.submit()
        self.until(lambda: self.rows("SELECT 1 FROM orders WHERE number = ? AND why LIKE '%pool%'",
                                     second), "the empty pool is noticed")
        self.assertIn("no number is left", self.hoso("courier", "status", expect=1))
        self.stop()
        pool.write_text("EE473124829VN\nEE123456785VN\n", encoding="utf-8")
        self.start()
        self.until_ordered(second)
        self.courier.happens(code, "4")
        self.until(lambda: self.outcome(code) == "delivered", "the dossier is delivered")
        history = self.hoso("history", code, "--json")
        self.assertIn("EE473124829VN", history)
        self.assertEqual(self.courier.complaints, [])

    def test_the_couriers_own_number_reaches_the_dossier(self):
        self.begin("ngsp", more='items = "courier";', gives_items=True)
        code = self.submit()
        self.until(lambda: "CP000000" in self.hoso("history", code, "--json"), "the number is told")
        self.courier.happens(code, "4")
        self.until(lambda: self.outcome(code) == "delivered", "the dossier is delivered")
        end = json.loads(self.hoso("history", code, "--json"))["events"]
        self.assertEqual([e["data"]["item"] for e in end if e["event"] == "done.invoke.deliver"],
                         ["CP000000"])

    def test_papers_are_collected_at_home_before_the_result_goes_there(self):
        self.begin("ngsp", more="collect = true;")
        code = self.submit(from_home=True)
        self.until_ordered(code + ".C")
        body = self.courier.orders[code + ".C"].body
        self.assertEqual({k: body[k] for k in ("senderName", "senderTel", "receiverName",
                                               "receiverDistrict", "codAmount")},
                         {"senderName": "Nguyễn Văn An", "senderTel": "0912345678",
                          "receiverName": "Bưu cục Long Mỹ", "receiverDistrict": "931",
                          "codAmount": 0})
        self.courier.happens(code + ".C", "4")
        self.until_ordered(code)
        self.assertEqual(self.courier.orders[code].body["receiverName"], "Nguyễn Văn An")
        self.courier.happens(code, "4")
        self.until(lambda: self.outcome(code) == "delivered", "the dossier is delivered")

    def test_killed_between_call_and_commit_it_asks_again_and_there_is_one_order(self):
        self.begin("ngsp")
        self.courier.hang.set()
        code = self.submit()
        self.assertTrue(self.courier.taken.wait(PATIENCE))
        self.stop(signal.SIGKILL)
        self.assertEqual(self.order_state(code), "waiting")
        self.courier.hang.clear()
        self.courier.release.set()
        self.start()
        self.until_ordered(code)
        self.assertEqual(list(self.courier.orders), [code])
        self.assertEqual(self.courier.orders[code].asked, 2)
        self.assertEqual(self.courier.complaints, [])
        self.assertEqual(self.rows("SELECT person FROM orders"), [("",)])

    def test_a_refused_order_is_given_back_and_tried_again_when_an_operator_says_so(self):
        self.begin("ngsp")
        self.stop()
        code = self.submit()
        self.courier.refuses[code] = "422"
        self.start()
        self.until(lambda: self.order_state(code) == "refused", "the order is refused")
        status = json.loads(self.hoso("courier", "status", "--json", expect=1))
        self.assertEqual(status["refused"], 1)
        self.assertIn(code, self.hoso("courier", "list", "--state", "refused"))
        self.assertIn("--state: one of waiting, ordered, refused, cancelling, cancelled, stray, over;"
                      " perhaps refused",
                      self.hoso("courier", "list", "--state", "refussed", expect=2))
        dead = json.loads(self.hoso("queue", "list", "--dead", "--json"))["items"]
        self.assertEqual(len(dead), 1)
        del self.courier.refuses[code]
        self.hoso("queue", "retry", "--all", "--by", "operator")
        self.until_ordered(code)
        self.assertNotIn("Nguyễn", self.log_path.read_text(encoding="utf-8"))


class Cancelling(Cell):
    def test_what_is_withdrawn_before_it_is_collected_is_cancelled_once(self):
        self.begin("ngsp")
        code = self.submit()
        self.until_ordered(code)
        self.raise_event(code, "withdraw")
        self.until(lambda: self.order_state(code) == "cancelled", "the order is cancelled")
        self.assertEqual(self.courier.orders[code].state, "cancelled")
        self.assertEqual(self.courier.asked["cancel"], 1)

    def test_what_is_on_its_way_is_not_cancelled_and_nothing_more_is_told(self):
        self.begin("ngsp")
        code = self.submit()
        self.until_ordered(code)
        self.courier.happens(code, "2")
        self.until(lambda: "progress.deliver" in self.hoso("history", code, "--json"),
                   "it is collected")
        self.raise_event(code, "withdraw")
        self.until(lambda: self.order_state(code) == "stray", "the parcel is stray")
        self.courier.happens(code, "4")
        self.until(lambda: self.order_state(code) == "over", "the parcel is over")
        self.assertEqual(self.courier.asked["cancel"], 0)
        self.assertEqual(self.outcome(code), "withdrawn")

    def test_sent_home_again_it_is_another_order(self):
        self.begin("ngsp")
        code = self.submit()
        self.until_ordered(code)
        self.raise_event(code, "again")
        self.until_ordered(code + ".R2")
        self.until(lambda: self.order_state(code) == "cancelled", "the first is cancelled")
        self.courier.happens(code + ".R2", "4")
        self.until(lambda: self.outcome(code) == "delivered", "the dossier is delivered")
        self.assertEqual(self.courier.complaints, [])

    def claim(self):
        """Somebody else takes the task of the one parcel, as soon as its lease has ended."""
        tasks = json.loads(self.hoso("task", "claim", "return.deliver", "--to", "vnpost", "--role",
                                     "courier", "--by", "an", "--wait", "20", "--json"))
        return [str(tasks["tasks"][0][name]) for name in ("task", "token")]

    def test_an_order_stands_while_somebody_else_holds_its_task(self):
        self.begin("ngsp")
        given_back, withdrawn = self.submit(), None
        self.until_ordered(given_back)
        self.stop()
        task, token = self.claim()
        self.start()
        self.until(lambda: self.rows("SELECT token FROM orders") == [(0,)], "the loss is known")
        status = json.loads(self.hoso("courier", "status", "--json"))
        self.assertEqual((status["ordered"], status["without_task"]), (1, 1))
        self.hoso("task", "fail", task, token, "not mine", "--by", "an", "--retry", "1")
        self.courier.happens(given_back, "4")
        self.until(lambda: self.outcome(given_back) == "delivered", "it goes on")
        withdrawn = self.submit()
        self.until_ordered(withdrawn)
        self.stop()
        self.claim()
        self.start()
        self.until(lambda: self.rows("SELECT 1 FROM orders WHERE token = 0"), "the loss is known")
        self.raise_event(withdrawn, "withdraw")
        self.until(lambda: self.order_state(withdrawn) == "cancelled", "the order is cancelled")
        self.assertEqual(self.courier.asked["cancel"], 1)

    def register(self, text):
        """What the registration says from now on, and the worker has heard of it."""
        def read():
            return self.log_path.read_text(encoding="utf-8").count("service=return event=parties")
        before = read()
        pathlib.Path(self.cell, "parties", "courier.cfg").write_text(text, encoding="utf-8")
        self.until(lambda: read() > before, "the parties are read again")

    def test_an_order_stands_while_the_registration_hides_its_task(self):
        self.begin("ngsp")
        code = self.submit()
        self.until_ordered(code)
        self.stop()
        task, token = self.claim()
        self.addCleanup(self.register, PARTY)
        self.register(PARTY.replace('"vnpost"', ""))
        self.start()
        self.until(lambda: "does not serve address vnpost" in
                   self.log_path.read_text(encoding="utf-8"), "the adapter hears of it")
        self.assertEqual(self.order_state(code), "ordered")
        self.register(PARTY)
        self.hoso("task", "fail", task, token, "not mine", "--by", "an", "--retry", "1")
        self.courier.happens(code, "4")
        self.until(lambda: self.outcome(code) == "delivered", "it goes on")
        self.assertEqual(self.courier.asked["cancel"], 0)


class Tracking(Cell):
    def test_news_that_come_late_are_put_in_the_order_of_their_own_time(self):
        self.begin("ngsp")
        code = self.submit()
        self.until_ordered(code)
        t = self.courier.clock
        self.courier.happens(code, "9", t + 500)
        self.until(lambda: "out_for_delivery" in self.hoso("history", code, "--json"), "told")
        self.courier.happens(code, "5", t + 300)
        self.courier.happens(code, "9", t + 200)
        self.courier.happens(code, "2", t + 100)

        def news():
            told = json.loads(self.hoso("history", code, "--json"))["events"]
            return [(e["data"]["state"], e["data"]["attempt"]) for e in told
                    if e["event"] == "progress.deliver"]
        self.until(lambda: news()[-1] == ("out_for_delivery", 2), "the second attempt is known")
        self.courier.happens(code, "4", t + 600)
        self.until(lambda: self.outcome(code) == "delivered", "delivered")
        self.courier.happens(code, "3", t + 550)
        self.until(lambda: len(self.rows("SELECT 1 FROM events")) == 6, "the late one is heard")
        self.assertEqual(self.order_state(code), "over")
        self.assertEqual(json.loads(self.hoso("courier", "list", "--json"))["orders"][0]["news"],
                         "delivered")

    def test_a_code_that_is_not_known_counts_once_it_is_written_down(self):
        self.begin("ngsp")
        code = self.submit()
        self.until_ordered(code)
        self.courier.happens(code, "77")
        self.until(lambda: "codes" in self.hoso("courier", "status", expect=1)
                   if self.rows("SELECT 1 FROM events") else False, "the code is named")
        self.stop()
        path = pathlib.Path(self.cell, "courier.cfg")
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace('codes = ( ', 'codes = ( { code = "77"; means = "delivered"; }, '),
                        encoding="utf-8")
        self.start()
        self.until(lambda: self.outcome(code) == "delivered", "the code counts")
        self.hoso("courier", "status")

    def test_a_restored_cell_orders_no_parcel_twice(self):
        self.begin("ngsp")
        known, missed = self.submit(), None
        self.until_ordered(known)
        folder = pathlib.Path(self.folder)
        self.hoso("backup", str(folder / "b1"))
        missed = self.submit()
        self.until_ordered(missed)
        with sqlite3.connect(os.path.join(self.cell, "courier.db")) as db:
            db.executemany("INSERT INTO items (number) VALUES (?)", [("P1",), ("P2",), ("P3",)])
        db.close()
        self.hoso("backup", str(folder / "b2"))
        self.stop()
        restored = str(folder / "restored")
        said = json.loads(self.hoso("restore", str(folder / "b2"), restored, "--name", "cell",
                                    "--skip-numbers", "2", "--json"))
        self.assertEqual(said["items_skipped"], 2)
        with sqlite3.connect(os.path.join(restored, "courier.db")) as db:
            self.assertEqual(db.execute("SELECT number FROM items WHERE passed = 0").fetchall(),
                             [("P3",)])
            self.assertEqual(sorted(db.execute("SELECT number, state FROM orders").fetchall()),
                             [(known, "ordered"), (missed, "ordered")])
        db.close()
        # a book is copied before the store: what came between the two it must learn again
        shutil.copy(folder / "b1" / "courier.db", os.path.join(restored, "courier.db"))
        shutil.copy(os.path.join(self.cell, "courier.secret"), restored)
        supervisor = subprocess.Popen([HOSO, "run", "--cell", restored], env=self.env,
                                      stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.cell = restored
        try:
            self.assertIn("is ready", supervisor.stdout.readline())
            self.start()
            self.until_ordered(missed)
            self.assertEqual(list(self.courier.orders), [known, missed])
            self.assertEqual(self.courier.orders[missed].asked, 2)
            for code in (known, missed):
                self.courier.happens(code, "4")
                self.until(lambda code=code: self.outcome(code) == "delivered", "it is delivered")
            self.stop()
        finally:
            del self.cell
            supervisor.terminate()
            supervisor.wait(timeout=PATIENCE)
            supervisor.stdout.close()
        self.assertEqual(self.courier.complaints, [])

    def test_forty_parcels_end_as_the_courier_says_whatever_happens_on_the_way(self):
        chance = random.Random(SEED)
        self.begin("ngsp", more="page_size = 20;", bad_days=0.25)
        codes = [self.submit() for _ in range(40)]
        kills = 0
        was_down = False
        while kills < 8 or len(self.courier.orders) < len(codes) or not self.courier.is_over():
            self.courier.carry()
            time.sleep(chance.uniform(0.02, 0.15))
            if kills < 12 and chance.random() < 0.6:
                kills += 1
                self.stop(signal.SIGKILL)
                self.start()
            if kills == 4 and not was_down:
                was_down = True
                self.courier.stop()
                time.sleep(0.3)
                self.courier.start()
        self.courier.bad_days = 0
        self.until(lambda: self.rows("SELECT count(*) FROM orders WHERE state = 'over'") == [(40,)],
                   "all are over")
        self.assertEqual(sorted(self.courier.orders), sorted(codes))
        self.assertEqual(self.courier.complaints, [])
        ends = {c: self.courier.orders[c].state for c in codes}
        self.assertEqual({c: self.outcome(c) for c in codes}, ends)
        self.assertEqual(dict(self.rows("SELECT number, news FROM orders")), ends)
        log = self.log_path.read_text(encoding="utf-8")
        self.assertNotIn("Nguyễn", log)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:])
