#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Bytes that are no message and no HTTP, through gate and bridge: each ends in a documented error
and a counter, stores nothing, and leaves the good parties alone.

    tests/integration/hostile_bytes.py HOSO CONFIG PROCEDURES [NAMES]
"""
import json
import pathlib
import socket
import sys
import threading
import time
import unittest

from doors import Cell, DOSSIER, FRAME_MAX, PATIENCE, pack
import msgpack

CORPUS = pathlib.Path(__file__).resolve().parent.parent / "fuzz" / "corpus" / "message"


def setUpModule():
    Cell.begin()


def tearDownModule():
    Cell.finish()


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


def frames():
    """Each breaks one rule of the envelope, of msgpack, or of the message's table."""
    envelope = {"v": 1, "type": "dossier_submit", "id": "bad", "body": DOSSIER}

    def changed(**what):
        return msgpack.packb({**envelope, **what})

    def body(**what):
        return msgpack.packb({**envelope, "body": {**DOSSIER, **what}})
    good = msgpack.packb(envelope)
    yield from (b"", b"x", b"\x80", b"\xc0", b"\xc1", b"\xc7\x01\x01\x00", b"\xd4\x00\x00",
                b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff",  # four thousand million
                b"\xdb\xff\xff\xff\xff", b"\xc6\x7f\xff\xff\xff",
                b"\x91" * 200000, b"\x81\xa1a" * 60000, good + b"\x00", good + good, good[1:],
                b"\x82\xa1v\x01\xa1v\x01")
    yield from (good[:n] for n in range(1, len(good), 37))
    yield from (changed(v=2), changed(v="1"), changed(type=1), changed(type="none"),
                changed(type="work"), changed(type="error"), changed(id=""), changed(id="x" * 65),
                changed(id=7), changed(id="a\0b"), changed(body=[]), changed(body=None),
                changed(surplus=1), changed(to="nobody"))
    yield from (body(surplus=1), body(procedure=5), body(procedure="x" * 65), body(fields=[1]),
                body(fields={"": 1}), body(fields={"full_name": nested(20)}),
                body(fields={str(i): i for i in range(5000)}), body(fields={"full_name": "a\0b"}),
                body(fields={"full_name": float("nan")}), body(fields={"full_name": float("inf")}),
                body(fields={"full_name": 2 ** 63}), body(by=None), body(by=-1), body(papers={}))
    yield good.replace("Nguyễn".encode(), b"\xff\xfe\xc0\x80\xed\xa0\x80\xf5")
    yield good.replace(b"\xa4body", b"\xa4type")  # a name twice
    for path in sorted(CORPUS.iterdir()):
        try:  # of the seeds those that no party may send
            kind = msgpack.unpackb(path.read_bytes())["type"]
        except (ValueError, KeyError, TypeError, msgpack.exceptions.ExtraData):
            kind = None
        if kind in (None, "work", "error", "done", "tasks", "dossier_state", "dossier_page",
                    "health_report", "journal_page"):
            yield path.read_bytes()


def heads():
    """What is no HTTP, or not the HTTP that is spoken here."""
    host = b"Host: x\r\n"
    submit = b"POST /v1/dossiers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    yield from (b"\r\n\r\n\r\n", b"\x00" * 100, b"\xff" * 100, b"GET\r\n\r\n", b"GET /\r\n\r\n",
                b"GET / HTTP/9.9\r\n" + host + b"\r\n", b"G\x00T / HTTP/1.1\r\n" + host + b"\r\n",
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                bytes.fromhex("16030100a5010000a10303") + b"\x11" * 160,  # a client's TLS hello
                b"GET /v1/dossiers HTTP/1.1\r\n\r\n",  # no Host
                b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\n" + host + b"\r\n",
                b"GET /v1/dossiers HTTP/1.1\r\n" + host + b"A: " + b"x" * 100000 + b"\r\n\r\n",
                b"GET /v1/dossiers HTTP/1.1\r\n" + host + b"A: b\r\n" * 20000 + b"\r\n",
                b"GET /v1/dossiers HTTP/1.1\r\n" + host + b"no colon\r\n\r\n",
                b"GET /v1/dossiers HTTP/1.1\r\n" + host + b"A: \x00\r\n\r\n")
    for length in (b"x", b"-1", b"1e3", b"99999999999999999999", b"0x10", b"5, 6"):
        yield submit + b"Content-Length: " + length + b"\r\n\r\n{}"
    yield submit + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "
    for coding in (b"gzip", b"chunked, gzip", b"identity"):
        yield submit + b"Transfer-Encoding: " + coding + b"\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    for chunks in (b"zz\r\n{}\r\n", b"-2\r\n{}\r\n", b"ffffffffffffffffff\r\n{}",
                   b"2\r\n{}xx0\r\n\r\n"):
        yield submit + b"Transfer-Encoding: chunked\r\n\r\n" + chunks


class BadBytes(Cell):
    def test_frames_that_are_no_message_are_answered_and_counted_and_store_nothing(self):
        stored, before, n = self.dossiers(), self.figures(), 0
        with self.line("noisy") as line:
            for frame in frames():
                line.send(frame)
                began = time.monotonic()
                got = line.take()
                self.assertIsNotNone(got, frame[:60])
                self.assertEqual(got["type"], "error", frame[:60])
                self.assertIn(got["body"]["code"], ("invalid", "unsupported"), (frame[:60], got))
                self.assertTrue(got["body"]["message"])
                self.assertNotIn("Nguyễn", str(got))
                self.assertLess(time.monotonic() - began, 5)
                n += 1
        self.assertGreater(n, 60)
        self.rises(before, "hoso_gate_refused_total",
                   'hoso_worker_refused_total{service="intake"}', by=n)
        self.assertEqual(self.dossiers(), stored)
        self.works()

    def test_what_is_too_large_or_too_many_is_refused_and_the_rest_goes_on(self):
        before = self.figures()
        with self.line("noisy") as line:
            line.send(b"x" * (FRAME_MAX + 1))
            self.assertEqual(line.take()["body"]["code"], "invalid")
            line.socket.send_multipart([pack("health", {}, "many", "routing")] * 10000)
            told = [line.take()["type"] for _ in range(65)]
            self.assertEqual(sorted(told), ["error"] + 64 * ["health_report"])
            self.rises(before, "hoso_gate_refused_total", by=2)
            line.send(b"x" * (FRAME_MAX * 5))  # costs the connection, no more
            self.assertEqual(line.ask("health", {}, to="routing")["type"], "health_report")
        self.works()

    def test_what_is_no_http_is_refused_and_counted_and_stores_nothing(self):
        stored, before = self.dossiers(), self.figures()
        threads, told = [], {}
        for head in heads():  # some wait until they are cut: all together
            threads.append(threading.Thread(
                target=lambda one=head: told.update({one: self.raw(one, socket.SHUT_WR)})))
            threads[-1].start()
        for thread in threads:
            thread.join(PATIENCE)
        self.assertEqual(len(told), len(threads))
        for head, answer in told.items():
            self.assertRegex(answer, rb"^(HTTP/1\.[01] (4\d\d|501|505) |$)", head[:80])
            self.assertNotIn(b"HTTP/1.1 2", answer, head[:80])
        self.rises(before, "hoso_bridge_unread_total", "hoso_bridge_refused_total",
                   "hoso_bridge_cut_total", by=len(told))
        self.assertEqual(self.dossiers(), stored)
        self.works()

    def test_a_body_of_another_length_than_said_harms_nobody(self):
        auth = (f"Host: x\r\nAuthorization: Bearer {self.tokens['noisy']}\r\nIdempotency-Key: k\r\n"
                "Content-Type: application/json\r\n").encode()
        body = json.dumps(DOSSIER).encode()
        stored, before = self.dossiers(), self.figures()
        post = b"POST /v1/dossiers HTTP/1.1\r\n" + auth
        short = self.raw(post + b"Content-Length: %d\r\n\r\n" % (len(body) - 9) + body)
        self.assertRegex(short, rb"^HTTP/1.1 400 ")
        self.assertNotIn(b" 201 ", short)
        self.assertNotIn(b" 201 ", self.raw(post + b"Content-Length: %d\r\n\r\n" % (len(body) + 9)
                                             + body))  # waits for the rest, and is cut
        self.rises(before, "hoso_bridge_cut_total")
        get = b"GET /v1/dossiers?max=1 HTTP/1.1\r\n" + auth + b"\r\n"
        told = self.raw(get + get + b"garbage\r\n\r\n" + get)
        self.assertEqual(told.count(b" 200 "), 2, told)  # before the garbage, not behind it
        self.assertEqual(self.dossiers(), stored)
        self.works()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
