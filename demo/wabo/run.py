# SPDX-License-Identifier: Apache-2.0
"""Replays the stranger's process: a fresh training cell, its workers, the replayer, a proof.

Started by scripts/wabo and by the tests. Exit code 0: all agrees; 1: not so; 77: no log there.
"""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

LOG = "../shared/data/wabo-receipt.csv"  # beside the project, never in it
PACED = "1000000:2010-09-01"  # 11.5 days a second; the log begins a month later
FAST = "2:2010-10-01"  # a clock that hardly moves: no limit passes
READY_S = 30
REPLAY_S = 300
SKIPPED = 77
SOCKET_PATH_MAX = 107


class Failure(Exception):
    """Says in one line what went wrong."""


def fresh_folder(into):
    """In the folder, or in the system's own place where socket paths would grow too long."""
    os.makedirs(into, exist_ok=True)
    longest = os.path.abspath(os.path.join(into, "wabo-12345678/run/notification.sock"))
    return tempfile.mkdtemp(prefix="wabo-", dir=into if len(longest) <= SOCKET_PATH_MAX else None)


class Replay:
    def __init__(self, options):
        self.options = options
        self.services = os.path.abspath(os.path.join(options.build, "services"))
        self.hoso = os.path.join(self.services, "hoso")
        self.cell = options.cell or fresh_folder(options.into)
        self.workers = None
        self.replayer = None
        self.dice = random.Random(1)
        self.next_kill = time.monotonic() + 2
        self.killed = 0

    def ask(self, *words):
        done = subprocess.run([self.hoso, *words, "--cell", self.cell], capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"hoso {words[0]}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout.rstrip()

    def make_cell(self):
        if os.path.exists(os.path.join(self.cell, "store")):
            raise Failure(f"{self.cell} has a store already: name a new folder")
        done = subprocess.run(
            [self.hoso, "init", self.cell, "--config-from", "demo/wabo/cell", "--training",
             FAST if self.options.fast else PACED], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"hoso init: {done.stderr.strip()}")
        self.ask("procedure", "install", "demo/wabo/receipt.cfg")

    def start_workers(self):
        with open(os.path.join(self.cell, "workers.log"), "w", encoding="utf-8") as log, \
                open(os.path.join(self.cell, "ready"), "w", encoding="utf-8") as ready:
            self.workers = subprocess.Popen(
                [self.hoso, "run", "--cell", self.cell, "--workers", self.services],
                stdout=ready, stderr=log)
        until = time.monotonic() + READY_S
        while os.path.getsize(os.path.join(self.cell, "ready")) == 0:
            if self.workers.poll() is not None or time.monotonic() > until:
                raise Failure(f"the workers did not start: see {self.cell}/workers.log")
            time.sleep(0.02)

    def replay(self):
        words = [os.path.join(self.options.build, "demo/wabo/wabo-replay"), "--cell", self.cell]
        if self.options.fast:
            words.append("--fast")
        if self.options.shuffle is not None:
            words += ["--shuffle", str(self.options.shuffle)]
        self.replayer = subprocess.Popen([*words, self.options.log])
        until = time.monotonic() + REPLAY_S
        while self.replayer.poll() is None:
            if time.monotonic() > until:
                raise Failure(f"the replayer was not done in {REPLAY_S} s")
            self.kill_a_worker()
            time.sleep(0.1)
        if self.replayer.returncode != 0:
            raise Failure(f"the replayer ended with code {self.replayer.returncode}; "
                          f"the cell is left in {self.cell}")
        if self.killed > 0:
            print(f"{self.killed} times a worker was killed.")

    # ---- with --rough -----------------------------------------------------------------------

    def is_worker(self, pid):
        """Only children of our own supervisor, whatever a stale figure may say."""
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                return int(stat.read().rsplit(")", 1)[1].split()[1]) == self.workers.pid
        except (OSError, IndexError, ValueError):
            return False

    def kill_a_worker(self):
        """SIGKILL to one of the five, once a second; to intake, which does the work, more often."""
        now = time.monotonic()
        if not self.options.rough or now < self.next_kill:
            return
        self.next_kill = now + 1
        status = subprocess.run([self.hoso, "status", "--json", "--cell", self.cell],
                                capture_output=True, text=True, check=False)
        pids = [w["pid"] for w in json.loads(status.stdout)["workers"]
                if w["pid"] and self.is_worker(w["pid"])]
        if pids:
            os.kill(self.dice.choice(pids[:1] * 3 + pids), signal.SIGKILL)
            self.killed += 1

    # ---- the course -------------------------------------------------------------------------

    def stop(self):
        """Each by its own pid; the supervisor takes its workers along."""
        for program in (self.replayer, self.workers):
            if program is None or program.poll() is not None:
                continue
            program.send_signal(signal.SIGTERM)
            try:
                program.wait(15)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()

    def go(self):
        self.make_cell()
        self.start_workers()
        self.replay()
        print(self.ask("verify"))
        self.stop()
        if self.options.cell:
            print(f"the cell is in {self.cell}; look with: {os.path.relpath(self.hoso)} list "
                  f"--cell {self.cell}")
        else:
            shutil.rmtree(self.cell)


def read_options():
    parser = argparse.ArgumentParser(prog="scripts/wabo", description="replay of a real event log")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--into", default="build-demo", help=argparse.SUPPRESS)
    parser.add_argument("--log", default=LOG, help=f"event log ({LOG})")
    parser.add_argument("--fast", action="store_true", help="at once, not in virtual time")
    parser.add_argument("--shuffle", type=int, metavar="SEED",
                        help="each case in an order of chance: how much is refused?")
    parser.add_argument("--rough", action="store_true", help="kill a worker every second")
    parser.add_argument("--cell", help="a new folder for the cell, which is kept then")
    return parser.parse_args()


def main():
    options = read_options()
    if not os.path.isfile(options.log):
        print(f"wabo: skipped: there is no event log {options.log}", file=sys.stderr)
        return SKIPPED
    replay = Replay(options)
    try:
        replay.go()
        return 0
    except Failure as why:
        print(f"wabo: {why}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        replay.stop()


if __name__ == "__main__":
    sys.exit(main())
