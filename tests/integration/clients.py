#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The clients in C, Python and Node against a real cell, on local sockets and through the gate.

    tests/integration/clients.py HOSO CONFIG PROCEDURES LANGUAGE SOURCE-ROOT BUILD-ROOT

LANGUAGE is c, python or node. Ends with 77 and a message where what the language needs is missing.
"""
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

from common import ENV

LANGUAGE, SOURCE, BUILD = sys.argv[4:7]
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(SOURCE, "clients", "python")]
sys.dont_write_bytecode = True
import hoso  # noqa: E402 - reads the first three arguments

PATIENCE = 60  # seconds, on a busy machine
LEASE = 6  # seconds: what a killed one held waits so long
SITE, AGENCY = "000.00.13.H30", "000.00.33.H30"
PHONE, HOUSE = "0912345678", "12 Trần Hưng Đạo, Long Mỹ"
COUNT = 12
FOLDER = None  # of the language's examples


def dossier(n):
    return {"procedure": "1.999001", "channel": "post", "site": SITE, "by": "teller-07",
            "role": "postal_worker",
            "fields": {"full_name": f"Nguyễn Văn {n}", "phone": PHONE, "address": HOUSE},
            "papers": [{"id": "declaration", "kind": "original", "copies": 1}]}


def command(name):
    """How an example of the language is started."""
    if LANGUAGE == "c":
        return [os.path.join(BUILD, "clients", "c", f"example-{name}")]
    if LANGUAGE == "python":
        return [sys.executable, os.path.join(FOLDER, f"{name}.py")]
    return ["node", os.path.join(FOLDER, f"{name}.mjs")]


class Trial(hoso.Cell):
    """A cell with the trial procedure, and the five parties."""
    def setUp(self):
        super().setUp()
        self.parties = []
        self.init()
        self.hoso("procedure", "install", os.path.join(HERE, "clients.cfg"))
        self.where = self.way()
        self.start()
        self.spool = self.make("spool")
        self.outbox = self.make("outbox")
        self.book = os.path.join(self.folder, "book")

    def tearDown(self):
        for party in self.parties:
            self.end(party)
        super().tearDown()

    def way(self):
        return {"HOSO_RUN": os.path.join(self.cell, "run")}

    def make(self, name):
        path = pathlib.Path(self.folder, name)
        path.mkdir()
        return path

    # ---- parties ------------------------------------------------------------------------------

    def begin(self, name, *args):
        env = dict(ENV)
        env |= {**self.where, "HOSO_LEASE_MS": str(LEASE * 1000),
                "PYTHONPATH": os.path.join(SOURCE, "clients", "python"),
                "PYTHONDONTWRITEBYTECODE": "1"}
        log = open(os.path.join(self.folder, f"{name}.log"), "ab")
        party = subprocess.Popen([*command(name), *map(str, args)], env=env, stdout=log,
                                 stderr=log)
        log.close()
        self.parties.append(party)
        return party

    def end(self, party, how=signal.SIGKILL):
        if party.poll() is None:
            party.send_signal(how)
        party.wait(timeout=PATIENCE)

    def finish(self, party):
        code = party.wait(timeout=PATIENCE)
        self.assertEqual(code, 0, self.logs())

    def logs(self):
        return "\n".join(f"{path.name}: {path.read_text(encoding='utf-8', errors='replace')[-600:]}"
                         for path in pathlib.Path(self.folder).glob("*.log"))

    def workers_of_tasks(self):
        """How the four that work on tasks are started."""
        return [("desk", SITE, "civil_servant"), ("agency", AGENCY, self.book),
                ("gateway", "sms", self.outbox), ("courier", "vnpost")]

    def fill(self, numbers):
        for n in numbers:
            (self.spool / f"n{n:04}.json").write_text(json.dumps(dossier(n)), encoding="utf-8")

    def answers(self):
        return {path.name: json.loads(path.read_text(encoding="utf-8"))["dossier"]
                for path in self.spool.glob("*.answer")}

    # ---- what must hold -----------------------------------------------------------------------

    def dossiers(self):
        return self.ask("list", "--max", "1000")["dossiers"]

    def until(self, holds, what, patience=PATIENCE):
        end = time.monotonic() + patience
        while not holds():
            self.assertLess(time.monotonic(), end, f"waited in vain until {what}\n{self.logs()}")
            time.sleep(0.2)

    def all_home(self, patience=PATIENCE):
        self.until(lambda: sum(d["closed"] for d in self.dossiers()) == COUNT,
                   "all dossiers are closed", patience)
        self.assertEqual({d["outcome"] for d in self.dossiers()}, {"approved"})
        self.assertEqual(len(self.dossiers()), COUNT)
        messages = [path.read_text(encoding="utf-8") for path in self.outbox.iterdir()]
        self.assertEqual(len(messages), COUNT)
        self.assertTrue(all(text.startswith(PHONE + "\n") for text in messages))
        events = [e["event"] for e in self.ask("history", self.dossiers()[0]["dossier"])["events"]]
        for ended in ("accept", "handoff", "tell", "deliver"):
            self.assertEqual(events.count(f"done.invoke.{ended}"), 1, events)

    def bring_home(self):
        for words in self.workers_of_tasks():
            self.begin(*words)
        self.fill(range(COUNT))
        self.finish(self.begin("counter", self.spool))
        self.all_home()
        self.assertEqual(len(set(self.answers().values())), COUNT)


class FiveParties(Trial):
    def test_they_bring_every_dossier_home(self):
        self.bring_home()

    def test_what_is_killed_and_started_again_does_nothing_twice(self):
        many = 300
        self.fill(range(many))
        counter = self.begin("counter", self.spool)
        self.until(lambda: len(self.answers()) >= 20 or counter.poll() is not None,
                   "some are filed")
        self.end(counter)
        os.kill(self.workers()[0]["pid"], signal.SIGKILL)
        self.finish(self.begin("counter", self.spool))
        self.assertEqual(sorted(self.answers().values()),
                         sorted(d["dossier"] for d in self.dossiers()))
        self.assertEqual(len(self.dossiers()), many)

    def test_killed_workers_and_services_lose_nothing(self):
        self.fill(range(COUNT))
        self.finish(self.begin("counter", self.spool))
        crews = {words[0]: (self.begin(*words), words) for words in self.workers_of_tasks()}
        for i, name in enumerate(("desk", "agency", "gateway", "courier")):
            os.kill(self.workers()[1 + i]["pid"], signal.SIGKILL)
            party, words = crews[name]
            self.end(party, signal.SIGTERM if i % 2 else signal.SIGKILL)
            crews[name] = (self.begin(*words), words)
        self.all_home(patience=LEASE + PATIENCE)  # what the killed ones held waits so long

    def test_a_refused_dossier_is_told_and_holds_nobody_up(self):
        self.fill(range(3))
        bad = dossier(1)
        bad["fields"]["phone"] = "12"
        (self.spool / "n0001.json").write_text(json.dumps(bad), encoding="utf-8")
        counter = self.begin("counter", self.spool)
        self.assertEqual(counter.wait(timeout=PATIENCE), 1, self.logs())
        self.assertIn("phone", (self.spool / "n0001.refused").read_text(encoding="utf-8"))
        self.assertEqual(len(self.answers()), 2)
        self.fill([1])  # mended: the same name, so the same id
        self.finish(self.begin("counter", self.spool))
        self.assertEqual(len(self.dossiers()), 3)


class ThroughTheGate(Trial):
    def way(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            endpoint = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        with open(os.path.join(self.cell, "hoso.cfg"), "a", encoding="utf-8") as settings:
            settings.write(f'gate_listen = "{endpoint}";\n')
        self.key_file = os.path.join(self.folder, "party.key")
        self.hoso("party", "gate-key")
        self.hoso("party", "add", "trial", "--kind", "agency", "--organisation", "Trial",
                  "--sites", "*", "--addresses", "*", "--submit", "*", "--activities", "*",
                  "--roles", "postal_worker,civil_servant,agency,gateway,courier",
                  "--endpoint", endpoint, "--output", self.key_file)
        return {"HOSO_KEY_FILE": self.key_file}

    def test_the_parties_do_the_same_with_their_keys(self):
        self.bring_home()

    def test_a_wrong_key_of_the_gate_comes_to_nothing(self):
        text = pathlib.Path(self.key_file).read_text(encoding="ascii")
        own = re.search('public = (".*")', text).group(1)
        text = re.sub('gate = ".*"', lambda _: f"gate = {own}", text)
        pathlib.Path(self.key_file).write_text(text, encoding="ascii")
        self.fill([1])
        counter = self.begin("counter", self.spool)
        self.assertEqual(counter.wait(timeout=PATIENCE), 1, self.logs())
        self.assertEqual(self.dossiers(), [])


# ---- per language -----------------------------------------------------------------------------

def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def prepare_node(folder):
    """A copy of the client with its packages, as the lock file pins them."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            skip(f"{tool} is not installed")
    shutil.copytree(os.path.join(SOURCE, "clients", "node"), folder,
                    ignore=shutil.ignore_patterns("node_modules"))
    try:
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--prefer-offline",
                               "--fetch-retries=1", "--fetch-retry-mintimeout=1000",
                               "--fetch-retry-maxtimeout=5000"], cwd=folder, text=True,
                              capture_output=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        skip("npm ci takes too long: is the registry within reach?")
    if done.returncode != 0:
        skip(f"npm ci did not get the packages: {done.stderr.strip()[-400:]}")
    probe = subprocess.run(["node", "-e", "require('zeromq')"], cwd=folder, text=True,
                           capture_output=True, timeout=60, check=False)
    if probe.returncode != 0:
        skip(f"zeromq has no build for this machine: {probe.stderr.strip()[-400:]}")


class NodeOwnTests(Trial):
    def test_the_tests_of_the_node_client_pass(self):
        done = subprocess.run(["node", "--test"], cwd=os.path.dirname(FOLDER), text=True,
                              capture_output=True, timeout=120, check=False,
                              env={**os.environ, **self.where})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


def main():
    global FOLDER
    with tempfile.TemporaryDirectory(prefix="hoso-node-") as scratch:
        classes = [FiveParties, ThroughTheGate]
        if LANGUAGE == "python":
            try:
                import clients_python
            except ImportError as error:
                skip(f"{error}: scripts/setup installs python3-zmq and python3-msgpack")
            classes += clients_python.classes(Trial)
            FOLDER = os.path.join(SOURCE, "clients", "python", "examples")
        elif LANGUAGE == "node":
            prepare_node(os.path.join(scratch, "node"))
            FOLDER = os.path.join(scratch, "node", "examples")
            classes.append(NodeOwnTests)
        load = unittest.defaultTestLoader.loadTestsFromTestCase
        result = unittest.TextTestRunner(verbosity=2).run(
            unittest.TestSuite(load(c) for c in classes))
        return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
