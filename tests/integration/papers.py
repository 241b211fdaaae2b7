#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Papers in a running cell: up and down, broken off by kills, kept, verified, taken away.

    tests/integration/papers.py HOSO CONFIG PROCEDURES CLIENT
"""
import hashlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from common import ENV

HOSO, CONFIG, PROCEDURES, CLIENT = sys.argv[1:5]
sys.path.insert(0, CLIENT)
from hoso_client import Connection, Invalid, LocalCell, NotFound  # noqa: E402

PATIENCE = 30  # seconds, on a busy machine
MIB = 1 << 20


def dossier(*files):
    papers = [{"id": "declaration", "kind": "original"}, {"id": "identity", "kind": "copy"}]
    for paper, file in zip(papers, files):
        paper["file"] = file
    return {
        "procedure": "1.004873", "channel": "post", "site": "000.00.13.H30",
        "by": "teller-07", "role": "postal_worker",
        "fields": {"full_name": "Nguyễn Văn An", "citizen_id": "093090001234",
                   "phone": "0912345678", "return_by": "counter", "birth_date": "1990-05-17",
                   "was_married": False, "purpose": "marriage"},
        "papers": papers}


def name_of(data):
    return hashlib.blake2b(data, digest_size=32).hexdigest()


class Papers(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hoso-papers-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.cell = self.folder / "cell"
        self.hoso("init", str(self.cell), "--config-from", CONFIG, "--procedures", PROCEDURES)
        with open(self.cell / "hoso.cfg", "a", encoding="utf-8") as settings:
            settings.write('\npapers_max_mib = 3;\npapers_open = 2;\nlog_level = "warn";\n')
            settings.write(self.more())
        self.log = open(self.folder / "log", "a", encoding="utf-8")
        self.addCleanup(self.log.close)
        self.supervisor = subprocess.Popen([HOSO, "run", "--cell", self.cell],
                                           stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.addCleanup(self.stop)
        self.assertIn("is ready", self.supervisor.stdout.readline())
        self.client = Connection(LocalCell(str(self.cell / "run")), timeout=PATIENCE, retry=0.3)
        self.addCleanup(self.client.close)

    def more(self):
        return ""

    def stop(self):
        if self.supervisor is not None:
            self.supervisor.send_signal(signal.SIGTERM)
            self.supervisor.wait(timeout=PATIENCE)
            self.supervisor.stdout.close()
            self.supervisor = None

    def hoso(self, *words, expect=0):
        env = dict(ENV)
        cell = [] if words[0] in ("init", "restore") else ["--cell", str(self.cell)]
        done = subprocess.run([HOSO, *words, *cell], env=env, text=True, capture_output=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, expect, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout if expect == 0 else done.stderr + done.stdout

    def until(self, holds, what):
        end = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), end, f"waited in vain until {what}")
            time.sleep(0.02)

    def file(self, data, name="scan.pdf"):
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    def place(self, name, cell=None):
        return pathlib.Path(cell or self.cell) / "papers" / name[:2] / name

    def intake_pid(self):
        return self.client.health("intake")["pid"]

    def test_a_scan_goes_up_into_a_dossier_and_comes_down_again(self):
        data = os.urandom(2 * MIB + 12345)
        name = self.hoso("paper", "put", self.file(data)).strip()
        self.assertEqual(name, name_of(data))
        with self.assertRaises(Invalid) as refused:
            self.client.submit(dossier("0" * 64))
        self.assertEqual(refused.exception.field, "body.papers[0].file")
        code = self.client.submit(dossier(name))["dossier"]
        self.hoso("paper", "get", code, name, "--output", str(self.folder / "back.pdf"))
        self.assertEqual((self.folder / "back.pdf").read_bytes(), data)
        # what broke off goes on, and what is no beginning of it is found out
        (self.folder / "half").write_bytes(data[:MIB])
        self.client.get_paper(code, name, str(self.folder / "half"))
        self.assertEqual((self.folder / "half").read_bytes(), data)
        with self.assertRaises(NotFound):
            self.client.get_paper(code, "0" * 64, str(self.folder / "none"))
        with self.assertRaises(Invalid):
            self.client.put_paper(self.file(os.urandom(3 * MIB + 1), "large"))
        other = name_of(b"other")
        with self.assertRaises(Invalid):
            self.client.call("paper_put", {"paper": other, "size": 6, "bytes": b"others"})
        self.assertEqual(self.client.call("paper_put", {"paper": other, "size": 6})["have"], 0)
        log = (self.folder / "log").read_text()
        self.assertNotIn(name, log)

    def test_an_upload_goes_on_after_intake_was_killed_in_its_middle(self):
        data = os.urandom(3 * MIB)
        killed = []

        def kill_sometimes(done, size):
            if done * 4 // size > len(killed) and len(killed) < 3:
                killed.append(self.intake_pid())
                os.kill(killed[-1], signal.SIGKILL)

        pieces = []
        name = self.client.put_paper(self.file(data), lambda done, size: (
            pieces.append(done), kill_sometimes(done, size)))
        self.assertEqual(len(set(killed)), 3)
        self.assertEqual(pieces, sorted(pieces))
        self.assertEqual(len(pieces), 24)  # no piece was sent twice for a kill
        self.assertEqual(self.place(name).read_bytes(), data)
        self.assertEqual(self.client.put_paper(self.file(data)), name)
        self.client.submit(dossier(name))

    def test_backups_carry_the_papers_and_verify_reads_them(self):
        data = os.urandom(300000)
        name = self.client.put_paper(self.file(data))
        waiting = self.client.put_paper(self.file(b"not used yet", "other"))
        self.client.submit(dossier(name, name))
        backup, again = str(self.folder / "backup"), str(self.folder / "again")
        self.hoso("backup", backup)
        self.assertEqual((self.folder / "backup" / "papers.b2").read_text(),
                         f"{name}  papers/{name[:2]}/{name}\n")
        subprocess.run(["b2sum", "-l", "256", "-c", "--quiet", "papers.b2"], cwd=backup, check=True)
        self.assertFalse(self.place(waiting, backup).exists())
        self.hoso("restore", backup, again, "--name", "cell")
        self.assertEqual(self.place(name, again).read_bytes(), data)
        answer = json.loads(self.hoso("verify", "--json"))
        self.assertEqual((answer["papers"], answer["papers_waiting"]), (1, 1))
        self.place(name).unlink()
        self.place(name).write_bytes(data[:-1] + b"x")
        self.assertIn("papers", self.hoso("verify", expect=1))
        self.hoso("verify", "--quick")
        self.place(name).unlink()
        self.assertIn("missing", self.hoso("verify", "--quick", expect=1))
        self.assertIn("missing", self.hoso("verify", "--json", expect=1))

    def test_what_no_dossier_names_goes_after_its_time(self):
        used = self.client.put_paper(self.file(b"of a dossier"))
        unused = self.client.put_paper(self.file(b"of none", "b"))
        fresh = self.client.put_paper(self.file(b"of none yet", "c"))
        half = name_of(b"x" * 500)
        self.client.call("paper_put", {"paper": half, "size": 500, "bytes": b"x" * 100})
        incoming = self.cell / "papers" / "incoming" / "@host" / half
        code = self.client.submit(dossier(used))["dossier"]
        for path in (self.place(used), self.place(unused), incoming):
            os.utime(path, (1000, 1000))
        self.until(lambda: not self.place(unused).exists(), "the unused one went")
        self.until(lambda: not incoming.exists(), "the half one went")
        self.assertTrue(self.place(used).exists())
        self.assertTrue(self.place(fresh).exists())
        self.client.get_paper(code, used, str(self.folder / "back"))
        self.assertEqual((self.folder / "back").stat().st_mode & 0o777, 0o600)
        with self.assertRaises(Invalid):
            self.client.submit(dossier(unused))


class OverHttp(Papers):
    """The same cell with a bridge, and two parties of which one sees the dossier."""

    def more(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.place_http = f"127.0.0.1:{free.getsockname()[1]}"
        self.tokens = {}
        for name, site in (("here", "000.00.13.H30"), ("there", "000.00.14.H30")):
            self.hoso("party", "add", name, "--kind", "counter", "--organisation", name,
                      "--sites", site, "--roles", "postal_worker", "--submit", "*",
                      "--output", str(self.folder / f"{name}.key"), "--endpoint", "tcp://x:1")
            self.tokens[name] = self.hoso("party", "token", name).strip().splitlines()[-1]
        return f'bridge_listen = "{self.place_http}";\n'

    def ask(self, party, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(self.place_http, timeout=PATIENCE)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = f"Bearer {self.tokens[party]}"
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def test_scans_go_up_and_down_whole_and_in_ranges(self):
        data = b"%PDF-1.7 " + os.urandom(2 * MIB + 777)
        name, size = name_of(data), len(data)
        path = f"/v1/papers/{name}"
        answer, text = self.ask("here", "PUT", path, data[:300000],
                                Content_Range=f"bytes 0-299999/{size}")
        self.assertEqual((answer.status, json.loads(text)["have"]), (200, 300000), text)
        answer, text = self.ask("here", "PUT", path, Content_Range=f"bytes */{size}")
        self.assertEqual(json.loads(text)["have"], 300000)
        answer, text = self.ask("there", "PUT", path, Content_Range=f"bytes */{size}")
        self.assertEqual(json.loads(text)["have"], 0)
        answer, text = self.ask("here", "PUT", path, data)
        self.assertEqual((answer.status, json.loads(text)["whole"]), (200, True), text)
        answer, text = self.ask("here", "PUT", f"/v1/papers/{'0' * 64}", data)
        self.assertEqual((answer.status, json.loads(text)["field"]), (400, "paper"), text)
        answer, text = self.ask("here", "PUT", path, b"x", Content_Range="bytes 0-1/9")
        self.assertEqual(answer.status, 400)

        answer, text = self.ask("here", "POST", "/v1/dossiers", json.dumps(dossier(name)),
                                Content_Type="application/json", Idempotency_Key="k1")
        self.assertEqual(answer.status, 201, text)
        down = f"/v1/dossiers/{json.loads(text)['dossier']}/papers/{name}"
        answer, found = self.ask("here", "GET", down)
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/pdf"))
        self.assertEqual(found, data)
        answer, found = self.ask("here", "GET", down, Range="bytes=200000-499999")
        self.assertEqual((answer.status, answer.headers["Content-Range"]),
                         (206, f"bytes 200000-499999/{size}"))
        self.assertEqual(found, data[200000:500000])
        self.assertEqual(self.ask("there", "GET", down)[0].status, 404)
        self.assertEqual(self.ask("here", "GET", down[:-1] + "g")[0].status, 404)


# Those of Papers run once, in their own class.
for inherited in [n for n in dir(Papers) if n.startswith("test_")]:
    setattr(OverHttp, inherited, None)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
