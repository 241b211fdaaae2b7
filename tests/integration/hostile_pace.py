#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Too slow, too fast, too much, through gate and bridge: what that costs others is bounded.

    tests/integration/hostile_pace.py HOSO CONFIG PROCEDURES [NAMES]
"""
import hashlib
import os
import re
import secrets
import socket
import sys
import threading
import time
import unittest

from common import ENV
from doors import Cell, DOSSIER, PATIENCE, QUOTA, pack, until


def setUpModule():
    # An address sanitizer keeps up to 256 MiB of what was freed: the bounds of memory below would
    # measure that. A smaller quarantine leaves them what the programs themselves keep.
    ENV["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
    Cell.begin()


def tearDownModule():
    Cell.finish()


class Slow(Cell):
    def cut_in_time(self, *raws):
        for one in raws:
            one.settimeout(PATIENCE)
            try:
                while one.recv(65536):
                    pass
            except OSError:
                pass
            one.close()

    def test_who_says_nothing_or_one_byte_at_a_time_is_cut_and_good_ones_work(self):
        before = self.figures()
        at = ("127.0.0.1", self.bridge)
        silent = [socket.create_connection(at) for _ in range(30)]
        loris = [socket.create_connection(at) for _ in range(30)]
        endless = socket.create_connection(at)
        endless.sendall(f"POST /v1/dossiers HTTP/1.1\r\nHost: x\r\nIdempotency-Key: e\r\n"
                        f"Authorization: Bearer {self.tokens['noisy']}\r\n"
                        "Content-Type: application/json\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n".encode())
        half = [socket.create_connection(("127.0.0.1", self.gate), source_address=("127.0.0.9", 0))
                for _ in range(100)]
        half[0].sendall(b"\xff\x00\x00")
        alive = [*loris, endless]
        slowest, end = 0, time.monotonic() + PATIENCE
        head = iter(b"GET /v1/dossiers HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 100000)
        while alive and time.monotonic() < end:
            byte = bytes([next(head)])
            for one in list(alive):
                try:
                    one.sendall(b"1\r\n \r\n" if one is endless else byte)
                except OSError:
                    alive.remove(one)
            began = time.monotonic()
            self.works()
            slowest = max(slowest, time.monotonic() - began)
        self.assertEqual(alive, [])
        self.assertLess(slowest, 5)
        self.cut_in_time(*silent, *loris, endless, *half)
        self.rises(before, "hoso_bridge_cut_total", by=61)
        self.rises(before, "hoso_gate_unproved_total", by=1)
        until(lambda: self.stranger("127.0.0.9", "proved no key"), "the log tells")

    def stranger(self, address, why):
        return re.search(rf"event=stranger .*{re.escape(address)} was refused: .*{why}",
                         self.log_path.read_text("utf-8"))

    def test_an_answer_that_nobody_takes_is_bounded_and_asked_again(self):
        paper, name = secrets.token_bytes(1 << 20), None
        name = hashlib.blake2b(paper, digest_size=32).hexdigest()
        with self.line() as line:
            for at in range(0, len(paper), 1 << 17):
                line.ask("paper_put", {"paper": name, "size": len(paper), "at": at,
                                       "bytes": paper[at:at + (1 << 17)]})
            dossier = {**DOSSIER, "papers": [{**DOSSIER["papers"][0], "file": name},
                                             DOSSIER["papers"][1]]}
            code = line.ask("dossier_submit", dossier)["body"]["dossier"]
        ask = {"dossier": code, "paper": name, "at": 0}
        before, memory = self.figures(), self.memory("gate")
        with self.line("sleepy", rcvhwm=1, rcvbuf=4096, heartbeat_ivl=0, reconnect_ivl=100) as line:
            for n in range(300):
                line.send(pack("paper_get", ask, f"sleepy-{n}"))
            self.rises(before, "hoso_gate_dropped_total", by=50)
            self.assertLess(self.memory("gate") - memory, 32 << 20)
            until(lambda: self.figures()["hoso_gate_connections"]
                  <= before["hoso_gate_connections"], "it is cut off")
            self.works()
            while line.socket.poll(200):
                line.socket.recv()
            told = line.ask("paper_get", ask, "sleepy-299")  # on a new connection
            self.assertEqual(told["body"]["bytes"], paper[:len(told["body"]["bytes"])])
        self.slow_reader_of_http(code, name, paper)

    def slow_reader_of_http(self, code, name, paper):
        before, memory = self.figures(), self.memory("bridge")
        get = (f"GET /v1/dossiers/{code}/papers/{name} HTTP/1.1\r\nHost: x\r\n"
               f"Authorization: Bearer {self.tokens['sleepy']}\r\n\r\n").encode()
        readers = []
        for _ in range(20):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", self.bridge))
            one.sendall(get * 5)
            readers.append(one)
        self.rises(before, "hoso_bridge_cut_total", by=20)
        self.assertLess(self.memory("bridge") - memory, 16 << 20)
        for one in readers:
            one.close()
        self.assertEqual(len(self.http("GET", f"/v1/dossiers/{code}").text) > 0, True)
        with socket.create_connection(("127.0.0.1", self.bridge), timeout=PATIENCE) as one:
            one.sendall(get.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            told = b"".join(iter(lambda: one.recv(65536), b""))
        self.assertTrue(told.endswith(paper))

    def test_a_paper_that_stops_on_its_way_up_is_cut_and_goes_on_later(self):
        paper = secrets.token_bytes(1 << 19)
        name = hashlib.blake2b(paper, digest_size=32).hexdigest()
        before = self.figures()
        head = (f"PUT /v1/papers/{name} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(paper)}\r\n"
                f"Authorization: Bearer {self.tokens['good']}\r\n\r\n").encode()
        stopped = []
        for more in (0, 1, 5000):  # between two pieces, and within one
            stopped.append(socket.create_connection(("127.0.0.1", self.bridge)))
            stopped[-1].sendall(head + paper[:(1 << 17) + more])
        self.rises(before, "hoso_bridge_cut_total", by=len(stopped))
        self.cut_in_time(*stopped)
        told = self.raw(head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), paper)
        self.assertIn(b'"whole":true', told)

    def test_a_flood_of_one_leaves_the_others_their_work(self):
        quiet = self.pace(1.5)
        stop = threading.Event()
        crowd = [threading.Thread(target=flood, args=(stop,))
                 for flood in (self.flood_gate, self.flood_bridge)]
        before = self.figures()
        for one in crowd:
            one.start()
        try:
            loud = self.pace(1.5)
        finally:
            stop.set()
            for one in crowd:
                one.join(PATIENCE)
        self.assertGreaterEqual(loud / quiet, 0.6, (quiet, loud))  # wanted: 0.8, and 1.0 is usual
        for door in ("gate", "bridge"):
            self.rises(before, f"hoso_{door}_busy_total", by=5 * QUOTA)

    def pace(self, seconds):
        """A good party at 40 requests a second through each door: how many were answered."""
        end, n = time.monotonic() + seconds, 0
        with self.line() as line:
            while time.monotonic() < end:
                due = time.monotonic() + 0.025
                n += line.ask("dossier_get", {"dossier": "none"})["body"]["code"] == "not_found"
                n += self.http("GET", "/v1/dossiers/none").status == 404
                time.sleep(max(0, due - time.monotonic()))
        return n

    def flood_gate(self, stop):
        with self.line("flood") as line:
            while not stop.wait(0.05):
                for n in range(QUOTA):  # in each twentieth of a second what it has for a whole one
                    line.send(pack("health", {}, f"f-{n}", "routing"))
                while line.socket.poll(0):
                    line.socket.recv()

    def flood_bridge(self, stop):
        get = (f"GET /v1/dossiers/none HTTP/1.1\r\nHost: x\r\n"
               f"Authorization: Bearer {self.tokens['flood']}\r\n\r\n").encode()
        with socket.create_connection(("127.0.0.1", self.bridge), timeout=PATIENCE) as one:
            while not stop.wait(0.05):
                one.sendall(get * QUOTA)
                told = 0
                while told < QUOTA:
                    told += one.recv(1 << 20).count(b"HTTP/1.1 ")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
