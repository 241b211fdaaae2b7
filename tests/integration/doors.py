# SPDX-License-Identifier: Apache-2.0
"""A running cell with both its doors, gate and bridge, for the tests of what comes in by them.

One cell for all tests of a file (Cell.begin, Cell.finish). Where the log is looked at, each
stranger comes from an address of its own of 127/8: the log tells each address once a minute.
"""
import http.client
import json
import os
import pathlib
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from common import DOSSIER, ENV

try:
    import msgpack
    import zmq
except ImportError as error:
    print(f"skipped: {error}: scripts/setup installs python3-zmq and python3-msgpack")
    sys.exit(77)

HOSO, CONFIG, PROCEDURES = sys.argv[1:4]
PATIENCE = 60  # seconds, on a busy machine
SITE = "000.00.13.H30"
FRAME_MAX = 256 * 1024
SLOW = 1  # seconds, of the cell's settings
QUOTA = 25  # requests a second of the party that floods
TO = {"task_fetch": "verification", "paper_get": "intake"}  # whose: through the gate it is said
PRINTED = (b"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", b"D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs")

SETTINGS = """
gate_listen = "tcp://127.0.0.1:{gate}"; bridge_listen = "127.0.0.1:{bridge}";
gate_handshake_ms = "1 second"; gate_slow_ms = "2 seconds"; gate_party_connections = 4;
bridge_slow_ms = "{slow} seconds"; log_rate = 1000000;
"""

# name, site, requests a second
PARTIES = [("good", SITE, 100000), ("noisy", SITE, 100000), ("flood", SITE, QUOTA),
           ("far", "000.00.14.H30", 100000), ("shut-out", SITE, 100000), ("crowd", SITE, 100000),
           ("sleepy", SITE, 100000)]


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def until(holds, what, patience=PATIENCE):
    end = time.monotonic() + patience
    while True:
        got = holds()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain until {what}")
        time.sleep(0.05)


class Line:
    """A connection to the gate, with any keys and from any address of this host."""

    def __init__(self, cell, keys, server=None, address="127.0.0.1", **options):
        self.socket = cell.context.socket(zmq.DEALER)
        self.socket.linger, self.socket.immediate = 0, True
        for name, value in options.items():
            setattr(self.socket, name, value)
        if keys is not None:
            self.socket.curve_publickey, self.socket.curve_secretkey = keys
            self.socket.curve_serverkey = server or cell.server
        self.socket.connect(f"tcp://{address}:0;127.0.0.1:{cell.gate}")
        self.count = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close(0)

    def send(self, frame):
        """Waits for the connection; False where there is none."""
        try:
            self.socket.sndtimeo = PATIENCE * 1000
            self.socket.send(frame)
            return True
        except zmq.Again:
            return False

    def take(self, patience=PATIENCE):
        if not self.socket.poll(patience * 1000):
            return None
        return msgpack.unpackb(self.socket.recv(), strict_map_key=False)

    def ask(self, kind, body, id=None, to=None, patience=PATIENCE):
        """The answer with this id; what is busy or was lost is asked again under the same."""
        self.count += 1
        id = id or f"{secrets.token_hex(6)}-{self.count}"
        frame = pack(kind, body, id, to)
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if not self.send(frame):
                break
            got = self.take(2)
            while got is not None and got.get("re") != id:
                got = self.take(2)
            if got is not None and got["body"].get("code") not in ("busy", "timeout"):
                return got
            time.sleep(0.1)
        raise AssertionError(f"{kind}: no answer")

    def is_refused(self):
        """Nothing that is sent finds a connection."""
        self.socket.sndtimeo = 700
        try:
            self.socket.send(pack("health", {}, "stranger", "routing"))
        except zmq.Again:
            return True
        return False


def pack(kind, body, id, to=None):
    to = to or TO.get(kind)
    envelope = {"v": 1, "type": kind, "id": id, "body": body}
    return msgpack.packb({**envelope, "to": to} if to else envelope)


def review(line):
    """A lease on an open review."""
    return until(lambda: line.ask("task_fetch", {
        "activity": "verification.review", "to": [SITE], "by": "an", "role": "civil_servant",
        "max": 1, "lease_ms": 60000, "wait_ms": 500})["body"]["tasks"], "a review is open")[0]


class Cell(unittest.TestCase):
    @classmethod
    def begin(cls):
        cls.folder = tempfile.mkdtemp(prefix="hoso-hostile-")
        cls.cell = os.path.join(cls.folder, "cell")
        cls.context = zmq.Context()
        cls.env = dict(ENV)
        cls.gate, cls.bridge = free_port(), free_port()
        cls.hoso("init", cls.cell, "--config-from", CONFIG, "--procedures", PROCEDURES)
        with open(os.path.join(cls.cell, "hoso.cfg"), "a", encoding="utf-8") as file:
            file.write(SETTINGS.format(gate=cls.gate, bridge=cls.bridge, slow=SLOW))
        cls.hoso("party", "gate-key", "--cell", cls.cell)
        cls.keys, cls.tokens = {}, {}
        for name, site, rate in PARTIES:
            cls.register(name, site, rate)
        cls.log_path = pathlib.Path(cls.folder, "log")
        with open(cls.log_path, "a", encoding="utf-8") as log:
            cls.supervisor = subprocess.Popen([HOSO, "run", "--cell", cls.cell], env=cls.env,
                                              stdout=subprocess.PIPE, stderr=log, text=True)
        assert "is ready" in cls.supervisor.stdout.readline()
        until(lambda: cls.http("GET", "/ready", token=None).status == 200, "all workers answer")

    @classmethod
    def finish(cls):
        cls.supervisor.terminate()
        code = cls.supervisor.wait(timeout=PATIENCE)
        cls.supervisor.stdout.close()
        cls.context.destroy(0)
        said = cls.hoso("verify", "--cell", cls.cell)
        shutil.rmtree(cls.folder)
        assert code == 0, said

    @classmethod
    def hoso(cls, *words):
        done = subprocess.run([HOSO, *words], env=cls.env, cwd=cls.folder, text=True,
                              capture_output=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    @classmethod
    def register(cls, name, site, rate):
        path = os.path.join(cls.folder, f"{name}.key")
        cls.hoso("party", "add", name, "--kind", "counter", "--organisation", "Test", "--sites",
                 site, "--addresses", "*" if site == SITE else site, "--roles", "*", "--submit",
                 "*", "--activities", "*",
                 "--rate", str(rate), "--output", path, "--cell", cls.cell)
        row = dict(re.findall(r'(\w+)\s*=\s*"([^"]*)"', pathlib.Path(path).read_text("ascii")))
        cls.server = row["gate"].encode()
        cls.keys[name] = (row["public"].encode(), row["secret"].encode())
        said = cls.hoso("party", "token", name, "--cell", cls.cell)
        cls.tokens[name] = re.search("hoso_[0-9a-f]{64}", said).group(0)

    # ---- what is asked and looked at -----------------------------------------------------------

    @classmethod
    def line(cls, name="good", **how):
        return Line(cls, cls.keys[name], **how)

    @classmethod
    def http(cls, method, path, body=None, token="good", key=None):
        connection = http.client.HTTPConnection("127.0.0.1", cls.bridge, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {cls.tokens[token]}"} if token else {}
        if body is not None:
            headers |= {"Content-Type": "application/json",
                        "Idempotency-Key": key or secrets.token_hex(8)}
            body = json.dumps(body)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.text = answer.read().decode("utf-8")
            return answer
        except (OSError, http.client.HTTPException) as error:
            return type("NoAnswer", (), {"status": 0, "text": str(error)})
        finally:
            connection.close()

    def raw(self, *pieces):
        """Says the pieces (or shuts one side) on one connection; all that comes until its end."""
        with socket.create_connection(("127.0.0.1", self.bridge), timeout=PATIENCE) as one:
            try:
                for piece in pieces:
                    one.shutdown(piece) if isinstance(piece, int) else one.sendall(piece)
                return b"".join(iter(lambda: one.recv(65536), b""))
            except OSError:
                return b""

    def figures(self):
        text = self.hoso("metrics", "--cell", self.cell)
        return {name: float(value) for name, value in re.findall(
            r"^(hoso_(?:gate|bridge)_\w+|hoso_worker_refused_total{service=\"intake\"}) (\S+)$",
            text, re.MULTILINE)}

    def rises(self, before, *names, by=1):
        """These together; a process counts at once, and some of the gate each second."""
        def risen():
            now = self.figures()
            return sum(now[name] - before[name] for name in names) >= by
        until(risen, f"{names} have risen by {by}")

    def dossiers(self):
        return [d["dossier"] for d in json.loads(
            self.hoso("list", "--max", "0", "--json", "--cell", self.cell))["dossiers"]]

    def pid(self, name):
        status = json.loads(subprocess.run([HOSO, "status", "--json", "--cell", self.cell],
                                           env=self.env, capture_output=True, timeout=PATIENCE,
                                           check=False).stdout)
        rows = [r["pid"] for r in status["workers"] + status["processes"]
                if name in (r.get("service"), r.get("name")) and r["state"] == "up"]
        return rows[0] if rows else None

    def memory(self, name):
        text = pathlib.Path("/proc", str(self.pid(name)), "status").read_text("ascii")
        return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1)) * 1024

    def works(self):
        """Both doors still serve a good party."""
        with self.line() as line:
            self.assertEqual(line.ask("health", {}, to="intake")["type"], "health_report")
        self.assertEqual(self.http("GET", "/v1/dossiers?max=1").status, 200)
