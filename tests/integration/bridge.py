#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The HTTP bridge against a real cell: workers, store, sockets, and clients that speak only HTTP.

    tests/integration/bridge.py HOSO CONFIG PROCEDURES

HOSO is the command, the workers and the bridge lie beside it. No test counts on how fast anything
is: what must come is waited for, with patience.
"""
import hashlib
import http.client
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from common import DOSSIER, ENV

HOSO, CONFIG, PROCEDURES = sys.argv[1:4]
BRIDGE = os.path.join(os.path.dirname(HOSO), "hoso-bridge")
PATIENCE = 60  # seconds, on a busy machine
SITE = "000.00.13.H30"
BODY_MAX = 256 * 1024

PARTY = """name = "{name}"; organisation = "Test"; kind = "{kind}";
sites = [ "{site}" ]; addresses = [ "*" ]; roles = [ {roles} ];
procedures = [ "*" ]; activities = [ "*" ]; submit = true; journal = true;
tokens = [ "{hash}" ]; {more}
"""
ROLES = ["postal_worker", "civil_servant", "head", "official", "courier", "gateway"]


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        text = response.read()
        self.text = text.decode("utf-8")
        is_json = response.headers.get("Content-Type") == "application/json"
        self.json = json.loads(self.text) if is_json else None


class Client:
    """One connection, kept; opened anew when it was closed."""

    def __init__(self, place, token=None):
        self.place, self.token = place, token
        self.connection = None

    def ask(self, method, path, body=None, key=None, **headers):
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if key is not None:
            headers["Idempotency-Key"] = key
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode("utf-8")
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(self.place, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, body, key=None, **headers):
        return self.ask("POST", path, body, key or secrets.token_hex(8), **headers)


class Bridge(unittest.TestCase):
    settings = ""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hoso-")
        self.cell = os.path.join(self.folder, "cell")
        self.env = dict(ENV)
        self.supervisor = self.bridge = None
        self.log = open(os.path.join(self.folder, "log"), "a", encoding="utf-8")
        self.addCleanup(self.end)
        self.hoso("init", self.cell, "--config-from", CONFIG, "--procedures", PROCEDURES)
        with open(os.path.join(self.cell, "hoso.cfg"), "a", encoding="utf-8") as file:
            file.write(self.settings)
        self.token = self.party("counter-1")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.place = f"127.0.0.1:{free.getsockname()[1]}"
        self.client = Client(self.place, self.token)

    def end(self):
        for process in (self.bridge, self.supervisor):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait(timeout=PATIENCE)
        if self.supervisor is not None:
            self.supervisor.stdout.close()
        self.log.close()
        shutil.rmtree(self.folder)

    # ---- steps --------------------------------------------------------------------------------

    def hoso(self, *words):
        done = subprocess.run([HOSO, *words], env=self.env, cwd=self.folder, text=True,
                              capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def party(self, name, kind="counter", site=SITE, more=""):
        token = "hoso_" + secrets.token_hex(32)
        folder = pathlib.Path(self.cell, "parties")
        folder.mkdir(exist_ok=True)
        (folder / f".{name}").write_text(PARTY.format(
            name=name, kind=kind, site=site, more=more, roles=", ".join(f'"{r}"' for r in ROLES),
            hash=hashlib.blake2b(token.encode(), digest_size=32).hexdigest()), encoding="utf-8")
        os.rename(folder / f".{name}", folder / f"{name}.cfg")
        return token

    def start_workers(self):
        self.supervisor = subprocess.Popen([HOSO, "run", "--cell", self.cell], env=self.env,
                                           stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.assertIn("is ready", self.supervisor.stdout.readline())

    def start_bridge(self):
        ready, told = os.pipe()
        self.bridge = subprocess.Popen(
            [BRIDGE, "--config", os.path.join(self.cell, "hoso.cfg"), "--listen", self.place,
             "--ready-fd", str(told)], env=self.env, stderr=self.log, pass_fds=[told])
        os.close(told)
        with os.fdopen(ready) as pipe:
            self.assertIn("ready", pipe.readline())

    def until(self, holds, what):
        end = time.monotonic() + PATIENCE
        while True:
            got = holds()
            if got:
                return got
            self.assertLess(time.monotonic(), end, f"waited in vain until {what}")
            time.sleep(0.05)

    def until_ready(self):
        self.until(lambda: Client(self.place).get("/ready").status == 200, "all workers answer")

    def workers(self):
        done = subprocess.run([HOSO, "status", "--json", "--cell", self.cell], env=self.env,
                              text=True, capture_output=True, timeout=PATIENCE, check=False)
        return {w["service"]: w["pid"] for w in json.loads(done.stdout)["workers"]
                if "service" in w}

    def expect(self, answer, status, code=None):
        self.assertEqual(answer.status, status, answer.text)
        if code is not None:
            self.assertEqual(answer.json["code"], code, answer.text)
            self.assertTrue(answer.json["message"])
        return answer.json

    def submit(self, key=None, client=None, **changes):
        return self.expect((client or self.client).post("/v1/dossiers", {**DOSSIER, **changes},
                                                        key), 201)["dossier"]

    def fetch(self, activity, role):
        def got():
            answer = self.client.post("/v1/tasks/fetch", {
                "activity": activity, "to": ["*"], "by": "an", "role": role, "wait_ms": 1000})
            return self.expect(answer, 200)["tasks"]
        return self.until(got, f"there is a task of {activity}")[0]


class Life(Bridge):
    def setUp(self):
        super().setUp()
        self.start_workers()
        self.start_bridge()
        self.until_ready()

    def test_a_dossier_lives_its_whole_life_over_http(self):
        code = self.submit()
        self.assertRegex(code, re.escape(SITE))
        state = self.expect(self.client.get(f"/v1/dossiers/{code}?content=true"), 200)
        self.assertEqual(state["content"]["fields"]["full_name"], "Nguyễn Văn An")
        self.assertNotIn("content", self.client.get(f"/v1/dossiers/{code}").json)
        listed = self.expect(self.client.get(f"/v1/dossiers?procedure=1.004873&site={SITE}"), 200)
        self.assertEqual([d["dossier"] for d in listed["dossiers"]], [code])

        task = self.fetch("verification.review", "civil_servant")
        where, held = f"/v1/tasks/{task['task']}", {"token": task["token"]}
        more = self.expect(self.client.post(f"{where}/extend", {**held, "lease_ms": 120000}), 200)
        self.assertGreater(more["until"], task["lease_until"])
        self.expect(self.client.post(f"{where}/complete", {**held, "result": {}, "by": "an"}),
                    400, "invalid")
        self.expect(self.client.post(f"{where}/fail",
                                     {**held, "reason": "away", "retry_ms": 1, "by": "an"}), 200)
        task = self.fetch("verification.review", "civil_servant")
        done = {"token": task["token"], "result": {"verdict": "approve"}, "by": "an"}
        self.expect(self.client.post(f"{where}/complete", {**done, "token": held["token"]}),
                    409, "stale")
        self.expect(self.client.post(f"{where}/complete", done, key="done-1"), 200)
        again = self.client.post(f"{where}/complete?service=verification", done, key="done-1")
        self.assertIn(again.status, (200,))

        self.expect(self.client.post(f"/v1/dossiers/{code}/events", {
            "event": "no_such_event", "by": "teller-07", "role": "postal_worker"}), 409)
        events = self.until(lambda: [e for e in self.client.get("/v1/journal?from=1").json["events"]
                                     if e["event"].startswith("done.invoke.")][1:],
                            "the work goes on")
        self.assertEqual(events[0]["dossier"], state["id"])
        self.expect(self.client.post("/v1/journal/ack", {"cursor": "c", "seq": 2}), 200)
        page = self.expect(self.client.get("/v1/journal?cursor=c&max=1"), 200)
        self.assertEqual([e["seq"] for e in page["events"]], [3])
        health = self.expect(self.client.get("/v1/health?service=routing"), 200)
        self.assertEqual(health["service"], "routing")

    def test_the_same_key_gives_the_same_answer_and_other_content_is_refused(self):
        first = self.client.post("/v1/dossiers", DOSSIER, key="k-1")
        self.expect(first, 201)
        again = self.client.post("/v1/dossiers", dict(reversed(DOSSIER.items())), key="k-1")
        self.assertEqual((again.status, again.text), (201, first.text))
        other = self.client.post("/v1/dossiers", {**DOSSIER, "by": "teller-08"}, key="k-1")
        self.assertEqual(self.expect(other, 409, "conflict")["field"], "Idempotency-Key")
        self.expect(self.client.post("/v1/journal/ack", {"cursor": "c", "seq": 1}, key="k-1"),
                    409, "conflict")
        # another party's keys are its own
        client = Client(self.place, self.party("counter-2"))
        self.until(lambda: client.get("/v1/dossiers").status == 200, "the party is known")
        self.assertNotEqual(self.submit("k-1", client), first.json["dossier"])
        # a refused request is mended under the same key
        fields = {**DOSSIER["fields"], "phone": "12"}
        bad = self.client.post("/v1/dossiers", {**DOSSIER, "fields": fields}, key="k-2")
        self.assertEqual(self.expect(bad, 400, "invalid")["field"], "fields.phone")
        self.submit("k-2")

    def test_who_is_unknown_or_revoked_is_refused(self):
        for token in (None, "", "hoso_" + "0" * 64, self.token[:-1], self.token + "0", "x" * 4000):
            answer = Client(self.place, token).get("/v1/dossiers")
            self.expect(answer, 401, "denied")
            self.assertEqual(answer.headers["WWW-Authenticate"], "Bearer")
        stored = re.search('"([0-9a-f]{64})"',
                           pathlib.Path(self.cell, "parties", "counter-1.cfg").read_text()).group(1)
        self.expect(Client(self.place, stored).get("/v1/dossiers"), 401)
        self.expect(self.client.get("/v1/dossiers", Authorization=f"Basic {self.token}"), 401)
        second = Client(self.place, self.party("counter-2"))
        self.until(lambda: second.get("/v1/dossiers").status == 200, "the party is known")
        self.party("counter-2", more="revoked = true;")
        self.until(lambda: second.get("/v1/dossiers").status == 401, "the party is shut out")
        self.expect(self.client.get("/v1/dossiers"), 200)
        # a registry with a mistake leaves what was read before
        pathlib.Path(self.cell, "parties", "bad.cfg").write_text("nonsense = 1;\n")
        time.sleep(1)
        self.expect(self.client.get("/v1/dossiers"), 200)

    def test_what_is_not_this_partys_business_does_not_exist_for_it(self):
        code = self.submit()
        other = Client(self.place, self.party("far", site="000.00.14.H30"))
        self.until(lambda: other.get("/v1/dossiers").status == 200, "the party is known")
        self.expect(other.get(f"/v1/dossiers/{code}"), 404, "not_found")
        self.assertEqual(other.get("/v1/dossiers").json["dossiers"], [])
        self.expect(other.post("/v1/dossiers", DOSSIER), 403, "denied")
        self.expect(self.client.post("/v1/dossiers", {**DOSSIER, "role": "admin"}), 403, "denied")

    def test_addresses_and_methods_that_do_not_exist(self):
        for path in ("/", "/v1", "/v1/nothing", "/v1/dossiers/", "/v1/tasks/1", "//v1/dossiers",
                     "/v1/dossiers/a/events/b", "/v1/dossiers/a%2Fb", "/../etc/passwd"):
            self.expect(self.client.get(path), 404, "not_found")
        self.expect(self.client.get("/v1/dossiers/nope"), 404, "not_found")
        self.expect(self.client.post("/v1/tasks/999999/fail",
                                     {"token": 1, "reason": "x", "by": "an"}), 404, "not_found")
        answer = self.client.ask("DELETE", "/v1/dossiers")
        self.expect(answer, 405, "unsupported")
        self.assertEqual(answer.headers["Allow"], "POST, GET")
        for path, field in (("/v1/dossiers?max=x", "max"), ("/v1/dossiers?max=1e3", "max"),
                            ("/v1/dossiers?max=1001", "max"), ("/v1/dossiers?state=a&state=b",
                                                              "state"),
                            ("/v1/dossiers/x?content=yes", "content"),
                            ("/v1/health?service=none", "service")):
            self.assertEqual(self.expect(self.client.get(path), 400)["field"], field)
        self.expect(self.client.get("/v1/dossiers?nonsense=1"), 400)
        self.expect(self.client.post("/v1/tasks/x/fail", {"token": 1, "reason": "x", "by": "an"}),
                    400)

    def test_bodies_that_are_no_request_are_refused_and_do_no_harm(self):
        good = json.dumps(DOSSIER)
        corpus = [b"", b"{", b"[]", b"1", b'"x"', b"null", b"{}", b"\xff\xfe{}", b"\x00",
                  b'{"a":1,"a":2}', b'{"procedure":"\\u0000"}', b'{"procedure":"\\ud800"}',
                  b'{"procedure":NaN}', b'{"procedure":1e999}', b'{"a":99999999999999999999}',
                  b"[" * 100000, b'{"a":' * 17 + b"1" + b"}" * 17, b'{"fields":' * 20000,
                  good[:-1].encode(), (good + "x").encode(), (good + good).encode(),
                  good.replace("teller-07", "\xff").encode("latin-1", "replace"),
                  json.dumps({**DOSSIER, "surplus": 1}).encode(),
                  json.dumps({**DOSSIER, "procedure": 5}).encode(),
                  json.dumps({**DOSSIER, "procedure": "x" * 65}).encode(),
                  json.dumps({**DOSSIER, "fields": [1]}).encode(),
                  json.dumps({**DOSSIER, "fields": {str(i): i for i in range(5000)}}).encode(),
                  json.dumps({k: v for k, v in DOSSIER.items() if k != "by"}).encode(),
                  b'{"": {}}', b'{"v":1,"type":"dossier_submit","id":"1","body":{}}']
        for body in corpus:
            answer = self.client.post("/v1/dossiers", body)
            self.assertEqual(answer.status, 400, (body[:60], answer.text))
            self.assertEqual(answer.json["code"], "invalid")
            self.assertNotIn("Nguyễn", answer.text)
        self.expect(self.client.ask("POST", "/v1/dossiers", DOSSIER), 400, "invalid")  # no key
        self.expect(self.client.post("/v1/dossiers", DOSSIER, key="with space"), 400)
        self.expect(self.client.post("/v1/dossiers", DOSSIER, key="x" * 256), 400)
        self.expect(self.client.post("/v1/dossiers", good, **{"Content-Type": "text/plain"}), 415)
        self.expect(self.client.post("/v1/dossiers/x/events", {
            "dossier": "y", "event": "e", "by": "b", "role": "r"}), 400)
        self.assertEqual(self.client.get("/v1/dossiers").json["dossiers"], [])
        self.submit()

    def test_a_body_that_is_too_long_is_refused_while_others_work(self):
        body = json.dumps({**DOSSIER, "by": "x" * BODY_MAX})
        self.expect(self.client.post("/v1/dossiers", body), 413, "invalid")
        with socket.create_connection(self.place.split(":"), timeout=PATIENCE) as raw:
            raw.sendall(f"POST /v1/dossiers HTTP/1.1\r\nHost: x\r\nIdempotency-Key: x\r\n"
                        f"Authorization: Bearer {self.token}\r\n"
                        f"Content-Length: {1 << 40}\r\n\r\n".encode())
            self.assertIn(b" 413 ", raw.recv(100))
        with socket.create_connection(self.place.split(":"), timeout=PATIENCE) as raw:
            raw.sendall(f"POST /v1/dossiers HTTP/1.1\r\nHost: x\r\nIdempotency-Key: x\r\n"
                        f"Authorization: Bearer {self.token}\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n".encode())
            sent = 0
            try:
                while sent < 1 << 26:  # it is cut off long before
                    sent += raw.send(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
            except OSError:
                pass
            self.assertLess(sent, 1 << 26)
        self.submit()

    def test_hostile_connections_do_not_stop_a_good_one(self):
        crowd = [socket.create_connection(self.place.split(":"), timeout=PATIENCE)
                 for _ in range(100)]
        for i, raw in enumerate(crowd):
            raw.sendall([b"", b"GET", b"POST /v1/dossiers HTTP/1.1\r\nHost: x\r\nContent-Length: 9",
                         b"\x00\xff" * 50, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 100][i % 5])
        self.submit()
        for raw in crowd:
            raw.close()
        self.submit()
        with socket.create_connection(self.place.split(":"), timeout=PATIENCE) as raw:
            try:
                raw.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 100000)
                self.assertNotIn(b" 200 ", raw.recv(1000))
            except OSError:
                pass
        self.expect(Client(self.place).get("/health"), 200)

    def test_a_long_poll_holds_up_nobody_and_gets_what_comes(self):
        got = []

        def wait():
            got.append(self.client.post("/v1/tasks/fetch", {
                "activity": "verification.review", "to": ["*"], "by": "an",
                "role": "civil_servant", "wait_ms": 60000}))
        waiting = threading.Thread(target=wait)
        waiting.start()
        for _ in range(5):
            self.expect(self.client.get("/v1/dossiers"), 200)
        code = self.submit()
        waiting.join(PATIENCE)
        self.assertEqual([t["dossier"] for t in self.expect(got[0], 200)["tasks"]], [code])

    def test_one_party_that_floods_is_told_to_come_back_and_others_work(self):
        slow = Client(self.place, self.party("slow", more="requests_per_second = 1;"))
        self.until(lambda: slow.get("/v1/dossiers").status == 200, "the party is known")
        refused = self.until(lambda: [a for a in (slow.get("/v1/dossiers") for _ in range(20))
                                      if a.status != 200], "it is too much")
        self.expect(refused[0], 429, "busy")
        self.assertGreaterEqual(int(refused[0].headers["Retry-After"]), 1)
        self.submit()

    def test_the_description_is_well_formed_and_names_every_verb(self):
        described = self.expect(Client(self.place).get("/v1/openapi.json"), 200)
        self.assertTrue(described["openapi"].startswith("3."))
        verbs = {o["operationId"] for methods in described["paths"].values()
                 for o in methods.values() if "operationId" in o}
        self.assertEqual(verbs, {
            "dossier_submit", "dossier_event", "dossier_get", "dossier_list", "task_fetch",
            "task_extend", "task_complete", "task_fail", "task_progress", "journal_fetch",
            "journal_ack", "health", "procedure_get", "paper_put", "paper_get"})

        def refs(node):
            if isinstance(node, dict):
                if "$ref" in node:
                    yield node["$ref"]
                for value in node.values():
                    yield from refs(value)
            elif isinstance(node, list):
                for value in node:
                    yield from refs(value)
        found = set(refs(described))
        self.assertGreaterEqual(len(found), 7)
        for ref in found:
            self.assertIn(ref.rsplit("/", 1)[1], described["components"]["schemas"])
        for path, methods in described["paths"].items():
            for operation in methods.values():
                self.assertIn("responses", operation)
                named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
                self.assertEqual(named, set(re.findall("{(.*?)}", path)))

    def test_a_stopped_bridge_ends_well(self):
        self.submit()
        self.bridge.send_signal(signal.SIGTERM)
        self.assertEqual(self.bridge.wait(timeout=PATIENCE), 0)

    def test_killed_under_load_nothing_acknowledged_is_lost_or_done_twice(self):
        answered, stop = {}, threading.Event()

        def load(who):
            for n in range(200):
                key = f"{who}-{n}"
                while not stop.is_set():
                    try:
                        answer = self.client.post("/v1/dossiers", DOSSIER, key=key)
                    except (OSError, http.client.HTTPException):
                        time.sleep(0.05)
                        continue
                    if answer.status == 201:
                        answered[key] = answer.json["dossier"]
                        break
                    time.sleep(0.05)
                if stop.is_set():
                    return
        clerks = [threading.Thread(target=load, args=(who,)) for who in "abcd"]
        for clerk in clerks:
            clerk.start()
        for kills in range(1, 4):
            self.until(lambda n=kills: len(answered) >= 15 * n, "some are answered")
            self.bridge.kill()
            self.bridge.wait()
            self.start_bridge()
        self.until(lambda: len(answered) >= 60, "work goes on")
        stop.set()
        for clerk in clerks:
            clerk.join(PATIENCE)
        self.assertEqual(len(set(answered.values())), len(answered))
        for key, code in answered.items():
            answer = self.until(lambda k=key: self.again(k), "it is answered again")
            self.assertEqual(answer, code)
        stored = {d["dossier"] for d in json.loads(self.hoso(
            "list", "--max", "0", "--json", "--cell", self.cell))["dossiers"]}
        self.assertLessEqual(set(answered.values()), stored)
        self.assertLessEqual(len(stored), len(answered) + len(clerks))
        self.hoso("verify", "--cell", self.cell)

    def test_a_worker_that_dies_is_asked_again_when_it_is_back(self):
        for n in range(3):
            os.kill(self.workers()["intake"], signal.SIGKILL)
            code = self.until(lambda k=n: self.again(f"k-{k}"), "intake is back")
            self.assertEqual(self.submit(f"k-{n}"), code)
        self.until_ready()
        self.assertEqual(len(self.client.get("/v1/dossiers").json["dossiers"]), 3)

    def again(self, key):
        answer = self.client.post("/v1/dossiers", DOSSIER, key=key)
        return answer.json["dossier"] if answer.status == 201 else None


class Away(Bridge):
    settings = 'bridge_timeout_ms = "1 second";\n'

    def test_without_workers_it_says_so_and_then_works(self):
        self.start_bridge()
        self.expect(Client(self.place).get("/health"), 200)
        ready = Client(self.place).get("/ready")
        self.assertEqual(ready.status, 503)
        self.assertFalse(ready.json["workers"]["intake"])
        answer = self.client.post("/v1/dossiers", DOSSIER, key="early")
        self.expect(answer, 503, "timeout")
        self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        self.start_workers()
        self.until_ready()
        code = self.until(lambda: (lambda a: a.status == 201 and a.json["dossier"])(
            self.client.post("/v1/dossiers", DOSSIER, key="early")), "intake answers")
        self.assertEqual(self.submit("early"), code)


def child_of(parent, program):
    """The pid of the parent's child that runs the program (a plain Debian has no pgrep)."""
    with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as file:
        for pid in file.read().split():
            with open(f"/proc/{pid}/cmdline", "rb") as line:
                if program.encode() in line.read():
                    return int(pid)
    raise AssertionError(f"{program} does not run")


class Supervised(Bridge):
    def test_hoso_run_starts_the_bridge_and_starts_it_again(self):
        with open(os.path.join(self.cell, "hoso.cfg"), "a", encoding="utf-8") as file:
            file.write(f'bridge_listen = "{self.place}";\n')
        self.start_workers()
        self.until_ready()
        code = self.submit("k")
        os.kill(child_of(self.supervisor.pid, "hoso-bridge"), signal.SIGKILL)

        def again():
            try:
                return self.client.post("/v1/dossiers", DOSSIER, key="k").json["dossier"]
            except (OSError, http.client.HTTPException, KeyError):
                return None
        self.assertEqual(self.until(again, "it is there again"), code)


    def test_a_second_bridge_is_refused_and_the_first_still_counts_as_up(self):
        self.start_workers()
        self.start_bridge()
        done = subprocess.run([BRIDGE, "--config", os.path.join(self.cell, "hoso.cfg"),
                               "--listen", "127.0.0.1:0"], text=True, capture_output=True,
                              timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("a bridge runs already in this cell", done.stderr)
        status = subprocess.run([HOSO, "status", "--json", "--cell", self.cell], env=self.env,
                                text=True, capture_output=True, timeout=PATIENCE, check=False)
        rows = {p["name"]: p["pid"] for p in json.loads(status.stdout)["processes"]}
        self.assertEqual(rows, {"bridge": self.bridge.pid})


class Settings(Bridge):
    def test_a_place_that_is_none_is_refused_with_its_cure(self):
        for place in ("localhost:80", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", ":80", "[::1]",
                      "127.0.0.1:80x", "300.0.0.1:80"):
            done = subprocess.run([BRIDGE, "--config", os.path.join(self.cell, "hoso.cfg"),
                                   "--listen", place], text=True, capture_output=True,
                                  timeout=PATIENCE, check=False)
            self.assertEqual(done.returncode, 2, place)
            self.assertIn("127.0.0.1:8080", done.stderr)

    def test_the_program_holds_nothing_of_the_store(self):
        program = pathlib.Path(BRIDGE).read_bytes()
        self.assertIn(b"libmicrohttpd", program)
        for name in (b"liblmdb", b"mdb_env_open", b"wf_store_open"):
            self.assertNotIn(name, program)

    def test_the_oldest_of_three_tokens_no_longer_opens(self):
        told = [re.search("hoso_[0-9a-f]{64}", self.hoso("party", "token", "counter-1", "--cell",
                                                         self.cell)).group(0) for _ in range(3)]
        self.start_workers()
        self.start_bridge()
        self.until_ready()
        found = [Client(self.place, token).get("/v1/dossiers").status for token in told]
        self.assertEqual(found, [401, 200, 200])

    def test_a_new_token_is_told_once_and_opens(self):
        said = self.hoso("party", "token", "counter-1", "--cell", self.cell)
        token = re.search("hoso_[0-9a-f]{64}", said).group(0)
        stored = pathlib.Path(self.cell, "parties", "counter-1.cfg").read_text(encoding="utf-8")
        self.assertNotIn(token, stored)
        self.start_workers()
        self.start_bridge()
        self.until_ready()
        for one in (token, self.token):
            self.expect(Client(self.place, one).get("/v1/dossiers"), 200)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
