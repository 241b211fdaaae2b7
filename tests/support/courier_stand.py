# SPDX-License-Identifier: Apache-2.0
"""A stand-in for a courier's system: orders, cancellations, polled tracking, and its bad days.

It keeps count of what it was told, complains of what no courier would stand (two bodies under one
order number, a number used twice), and on bad days delays, loses answers, refuses tokens, and
tells its tracking doubled, out of order and late.
"""
import base64
import http.server
import json
import random
import threading
import time
import urllib.parse

WORDS = {
    "ngsp": {"number": "orderNumber", "item": "itemCode", "code": "status", "list": "data",
             "last": "lastId", "size": "pageSize", "id": "id", "event": "statusCode",
             "at": "statusTime", "ok": "0", "again": "409", "header": "Authorization",
             "token": "Bearer {}"},
    "lgsp": {"number": "OrderNumber", "item": "ItemCode", "code": "Status", "list": "Data",
             "last": "LastId", "size": "PageSize", "id": "Id", "event": "StatusCode",
             "at": "StatusTime", "ok": "100", "again": "101", "header": "token", "token": "{}"},
}
WAYS = [["2", "3", "9", "4"], ["2", "3", "9", "5", "9", "4"], ["2", "9", "4"],
        ["2", "3", "9", "5", "9", "5", "6", "7"], ["2", "3", "10"]]
ENDS = {"4": "delivered", "7": "returned", "10": "lost", "8": "cancelled"}


class Order:
    def __init__(self, body, item):
        self.body, self.item = body, item
        self.asked, self.state, self.way = 1, "ordered", None
        self.codes = []


class Courier:
    def __init__(self, dialect="ngsp", seed=1, bad_days=0.0, gives_items=False):
        self.words = WORDS[dialect]
        self.random = random.Random(seed)
        self.bad_days, self.gives_items = bad_days, gives_items
        self.lock = threading.RLock()
        self.orders, self.events, self.complaints = {}, [], []
        self.asked = {"order": 0, "cancel": 0, "tracking": 0, "token": 0}
        self.tokens, self.refuses = set(), {}
        self.hang = threading.Event()  # set: the order is taken, and its answer held back
        self.taken = threading.Event()
        self.release = threading.Event()
        self.clock = 1700000000
        self.serial = 0
        self.server = None
        self.port = 0

    # ---- being up and down ---------------------------------------------------------------------

    def start(self):
        courier = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                courier.serve(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # who asked was killed

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    # ---- requests ------------------------------------------------------------------------------

    def serve(self, request):
        length = int(request.headers.get("Content-Length", 0))
        text = request.rfile.read(length)
        path = urllib.parse.urlsplit(request.path).path
        day = self.random.random() / self.bad_days if self.bad_days > 0 else 1
        if day < 0.25:
            return self.cut(request)  # nothing was done
        if day < 0.35:
            return self.answer(request, 500, {"error": "maintenance"})
        if day < 0.45:
            time.sleep(0.05)
        if day > 0.9 and day < 1:
            with self.lock:
                self.tokens.clear()
        if path == "/token":
            status, body = self.token(request, text)
        elif not self.knows(request):
            status, body = 401, {}
        else:
            with self.lock:
                status, body = {"/order": self.order, "/cancelOrder": self.cancel,
                                "/getOrderTracking": self.tracking}[path](json.loads(text))
        if path == "/order" and self.hang.is_set():
            self.taken.set()
            self.release.wait(20)
            return self.cut(request)
        if 0.45 < day < 0.7:
            return self.cut(request)  # done, and the answer is lost
        return self.answer(request, status, body)

    @staticmethod
    def cut(request):
        request.close_connection = True

    @staticmethod
    def answer(request, status, body):
        text = json.dumps(body).encode()
        try:
            request.send_response(status)
            request.send_header("Content-Type", "application/json")
            request.send_header("Content-Length", str(len(text)))
            request.end_headers()
            request.wfile.write(text)
        except OSError:
            pass  # who asked is gone

    def token(self, request, text):
        self.asked["token"] += 1
        given = request.headers.get("Authorization", "")
        if (base64.b64decode(given.removeprefix("Basic ")) != b"hoso:s3cret"
                or text != b"grant_type=client_credentials"
                or request.headers.get_all("Content-Type") != ["application/x-www-form-urlencoded"]):
            self.complaints.append(f"login: {text!r}")
            return 401, {}
        with self.lock:
            token = f"t{self.asked['token']}"
            self.tokens.add(token)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600}

    def knows(self, request):
        given = request.headers.get(self.words["header"], "")
        return given in {self.words["token"].format(t) for t in self.tokens}

    def order(self, body):
        self.asked["order"] += 1
        number = body[self.words["number"]]
        if number in self.refuses:
            return 200, {self.words["code"]: self.refuses[number], "message": "Nguyễn Văn An"}
        known = self.orders.get(number)
        if known is not None:
            known.asked += 1
            if known.body != body:
                self.complaints.append(f"{number}: another body under the same number")
            if known.state == "cancelled":
                self.complaints.append(f"{number}: ordered after it was cancelled")
            return 200, self.order_answer(self.words["again"], known)
        item = body.get("ItemCode") or (f"CP{len(self.orders):06d}" if self.gives_items else "")
        if item and item in {o.item for o in self.orders.values()}:
            self.complaints.append(f"{number}: item number {item} is used")
        self.orders[number] = Order(body, item)
        return 200, self.order_answer(self.words["ok"], self.orders[number])

    def order_answer(self, code, order):
        answer = {self.words["code"]: int(code), "message": "OK"}
        if self.gives_items:
            answer[self.words["item"]] = order.item
        return answer

    def cancel(self, body):
        self.asked["cancel"] += 1
        order = self.orders.get(body[self.words["number"]])
        if order is not None and order.codes and order.state != "cancelled":
            return 200, {self.words["code"]: 400, "message": "collected"}
        if order is not None:
            order.state = "cancelled"
        return 200, {self.words["code"]: self.words["ok"]}

    def tracking(self, body):
        self.asked["tracking"] += 1
        size, last = body[self.words["size"]], body[self.words["last"]]
        if not 0 < size <= 1000 or len(last) != 24:
            self.complaints.append(f"tracking: {body}")
        page = sorted((e for e in self.events if e[self.words["id"]] > last),
                      key=lambda e: e[self.words["id"]])[:size]
        if self.bad_days > 0:
            self.random.shuffle(page)
            page = (page + page[:2])[:size]
        return 200, {self.words["code"]: self.words["ok"], self.words["list"]: page}

    # ---- what happens to parcels ---------------------------------------------------------------

    def happens(self, number, code, at=None):
        """One event; `at` is its own time where it is told later than it happened."""
        with self.lock:
            order = self.orders[number]
            order.codes.append(code)
            order.state = ENDS.get(code, order.state)
            self.clock += 1
            self.serial += 1
            self.events.append({
                self.words["id"]: f"{self.clock:08x}{self.serial:016x}",
                self.words["number"]: number, self.words["event"]: int(code),
                self.words["at"]: at or self.clock, "statusMessage": "Nguyễn Văn An"})

    def carry(self):
        """Half of the parcels go some steps, each its own way; the steps are told in disorder."""
        with self.lock:
            for number, order in self.orders.items():
                if order.state != "ordered" or self.random.random() < 0.5:
                    continue
                if order.way is None:
                    order.way = list(self.random.choice(WAYS))
                steps = min(len(order.way), self.random.choice([1, 1, 2, 3]))
                told = [(order.way.pop(0), self.clock + 10 + i) for i in range(steps)]
                self.clock += 20
                self.random.shuffle(told)
                for code, at in told:
                    self.happens(number, code, at)
                order.state = next((ENDS[c] for c, _ in told if c in ENDS), "ordered")

    def is_over(self):
        with self.lock:
            return all(o.state != "ordered" for o in self.orders.values())
