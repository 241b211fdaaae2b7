# SPDX-License-Identifier: Apache-2.0
"""Runs the demonstration: a fresh training cell, its workers, the stand-ins, and a summary.

Started by scripts/demo. Needs nothing but Python's own library.
"""
import argparse
import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TIMEOUT = 180  # seconds until the dossiers must be closed
SETTLE = 20  # seconds more for messages and letters of apology that are still out
START = "2026-11-30T07:30"  # a Monday without holidays near
STANDS = ("desk", "agency", "gateway", "courier", "counter")
DAY_MS = 1000
SOCKET_PATH_MAX = 107


class Failure(Exception):
    """Says in one line what went wrong."""


def fresh_folder(into):
    """In the folder, or in the system's own place where socket paths would grow too long."""
    longest = os.path.abspath(os.path.join(into, "cell-12345678/run/notification.sock"))
    place = into if len(longest) <= SOCKET_PATH_MAX else None
    return tempfile.mkdtemp(prefix="cell-", dir=place)


class Demo:
    def __init__(self, options):
        self.options = options
        self.services = os.path.abspath(os.path.join(options.build, "services"))
        self.stands = os.path.abspath(os.path.join(options.build, "demo"))
        self.cell = options.cell or fresh_folder(options.into)
        self.logs = os.path.join(self.cell, "log")
        self.programs = []
        self.run = None
        self.started = 0.0
        self.is_tty = sys.stdout.isatty()
        self.last_shown = 0.0
        self.dice = random.Random(options.seed)
        self.killed = 0
        self.next_kill = 0.0

    # ---- the hoso command -------------------------------------------------------------------

    def command(self, *words):
        """The words that a person would type."""
        return [self.find_hoso(), *words]

    def find_hoso(self):
        for place in (self.services, os.path.join(self.services, "hoso")):
            path = os.path.join(place, "hoso")
            if os.path.isfile(path):
                return path
        raise Failure(f"{self.services}/hoso was not built")

    def hoso(self, *words, check=True):
        done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise Failure(f"hoso {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def in_cell(self, *words, check=True):
        return self.hoso(*words, "--cell", self.cell, check=check)

    # ---- processes --------------------------------------------------------------------------

    def start(self, name, words, **more):
        with open(os.path.join(self.logs, name + ".log"), "w", encoding="utf-8") as log:
            program = subprocess.Popen(words, stderr=log, **more)
        self.programs.append((name, program))
        return program

    def start_workers(self):
        if os.path.exists(os.path.join(self.cell, "store")):
            raise Failure(f"{self.cell} has a store already: name a new folder")
        self.hoso("init", self.cell, "--training", f"86400:{START}", "--name", "demo",
                  "--config-from", "config", "--procedures", "procedures")
        os.makedirs(self.logs, exist_ok=True)
        self.run = self.start(
            "workers", self.command("run", "--cell", self.cell, "--workers", self.services),
            stdout=subprocess.PIPE, text=True)
        if not self.run.stdout.readline():
            raise Failure(f"the workers did not start: see {self.logs}/workers.log")

    def start_stands(self):
        for name in STANDS:
            self.start(name, [
                os.path.join(self.stands, "demo-" + name), "--run",
                os.path.join(self.cell, "run"), "--seed", str(self.options.seed), "--day",
                str(DAY_MS), "--count", str(self.options.count)])
        self.started = time.monotonic()

    def stop(self):
        """The stand-ins first, then the workers, each by its own pid."""
        for _, program in reversed(self.programs):
            if program.poll() is None:
                program.send_signal(signal.SIGTERM)
                try:
                    program.wait(15)
                except subprocess.TimeoutExpired:
                    program.kill()
                    program.wait()

    def is_worker(self, pid):
        """Only children of our own supervisor, whatever a stale figure may say."""
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                return int(stat.read().rsplit(")", 1)[1].split()[1]) == self.run.pid
        except (OSError, IndexError, ValueError):
            return False

    def kill_a_worker(self):
        """With --rough: SIGKILL to one of the five, once a second."""
        now = time.monotonic()
        if not self.options.rough or now < self.next_kill:
            return
        self.next_kill = now + 1
        status = json.loads(self.in_cell("status", "--json", check=False))
        pids = [w["pid"] for w in status["workers"] if w["pid"] and self.is_worker(w["pid"])]
        if pids:
            os.kill(self.dice.choice(pids), signal.SIGKILL)
            self.killed += 1

    def check_programs(self):
        for name, program in self.programs:
            if program.poll() is not None:
                raise Failure(f"{name} ended with code {program.returncode}: "
                              f"see {self.logs}/{name}.log")

    # ---- what can be seen -------------------------------------------------------------------

    def dossiers(self):
        return json.loads(self.in_cell("list", "--json", "--max", "0"))["dossiers"]

    def tasks(self):
        return json.loads(self.in_cell("task", "list", "--json", "--max", "0"))["tasks"]

    def dead(self):
        return json.loads(self.in_cell("queue", "list", "--dead", "--json", "--max", "0"))["items"]

    def show(self, dossiers, final=False):
        """One line that is rewritten on a terminal, or a line now and then elsewhere."""
        now = time.monotonic()
        if not final and not self.is_tty and now - self.last_shown < 5:
            return
        self.last_shown = now
        closed = sum(d["closed"] for d in dossiers)
        status = collections.Counter(d["status"] for d in dossiers if not d["closed"])
        line = (f"day {int((now - self.started) * 1000 / DAY_MS):3}: "
                f"received {len(dossiers)}/{self.options.count}, "
                f"at desks {status[1] + status[2] + status[4] + status[7]}, "
                f"citizen asked {status[5] + status[6]}, "
                f"result ready {status[9] + status[10]}, closed {closed}")
        if self.is_tty:
            width = shutil.get_terminal_size().columns - 1
            print("\r\x1b[K" + line[:width], end="\n" if final else "", flush=True)
        else:
            print(line, flush=True)

    # ---- the course -------------------------------------------------------------------------

    def wait_closed(self):
        while True:
            self.check_programs()
            dossiers = self.dossiers()
            closed = sum(d["closed"] for d in dossiers)
            if closed >= self.options.count:
                self.show(dossiers, final=True)
                return dossiers
            if time.monotonic() - self.started > TIMEOUT:
                self.show(dossiers, final=True)
                raise Failure(self.stuck(dossiers))
            self.show(dossiers)
            self.kill_a_worker()
            time.sleep(0.25)

    def stuck(self, dossiers):
        where = collections.Counter(
            f"{d['procedure']} in {' '.join(d['states'])}" for d in dossiers if not d["closed"])
        lines = [f"after {TIMEOUT} s not all dossiers are closed:"]
        lines += [f"  {n:3} x {place}" for place, n in where.most_common(12)]
        lines += [f"  {self.options.count - len(dossiers):3} were not received"]
        return "\n".join(lines)

    def wait_settled(self):
        """Notices and escalations may outlive their dossier for a moment."""
        until = time.monotonic() + SETTLE
        while self.tasks() and time.monotonic() < until:
            self.check_programs()
            time.sleep(0.25)

    def summary(self, dossiers):
        procedures = json.loads(self.in_cell("procedure", "list", "--json"))["procedures"]
        titles = {p["procedure"]: p["title"] for p in procedures}
        outcomes = sorted({d["outcome"] for d in dossiers},
                          key=lambda o: (o != "approved", o))
        print("\nDossiers by procedure and outcome\n")
        head = f"  {'procedure':<42}" + "".join(f"{o:>11}" for o in outcomes) + f"{'all':>7}"
        print(head + "\n  " + "-" * (len(head) - 2))
        for code in sorted({d["procedure"] for d in dossiers}):
            mine = [d for d in dossiers if d["procedure"] == code]
            count = collections.Counter(d["outcome"] for d in mine)
            name = f"{code} {titles.get(code, '')}"[:41]
            print(f"  {name:<42}" + "".join(f"{count[o]:>11}" for o in outcomes) +
                  f"{len(mine):>7}")
        count = collections.Counter(d["outcome"] for d in dossiers)
        print(f"  {'all':<42}" + "".join(f"{count[o]:>11}" for o in outcomes) +
              f"{len(dossiers):>7}")

    def tell(self, dossiers):
        """Health of the queues, one dossier's life, and where to look further."""
        code = max(dossiers, key=lambda d: (d["events"], d["dossier"]))["dossier"]
        print("\nHealth of the queues\n")
        print(self.in_cell("status", check=False).rstrip())
        print(f"\nThe longest history: {code}\n")
        print(self.in_cell("history", code, "--unmask").rstrip())
        print("\nProof of journal and records\n")
        print(self.in_cell("verify").rstrip())
        short = os.path.relpath(self.find_hoso())
        cell = os.path.relpath(self.cell)
        print(f"\nEverything lies in {cell} (store, settings, logs). Look further with\n")
        print(f"  export HOSO_CELL={cell}")
        for words in (f"show {code}", "list --procedure 1.013831", "procedure show 1.004873",
                      "list --site 000.00.13.H30", "run     # the workers; in another window: status, task list"):
            print(f"  {short} {words}")

    def complaints(self):
        for name in STANDS:
            with open(os.path.join(self.logs, name + ".log"), encoding="utf-8") as log:
                for line in log.readlines()[:3]:
                    print(f"  {name}: {line.rstrip()}")

    def go(self):
        self.start_workers()
        print(f"a training cell in {self.cell}: one second is a day", flush=True)
        self.start_stands()
        dossiers = self.wait_closed()
        self.wait_settled()
        self.summary(dossiers)
        self.tell(dossiers)
        dead = self.dead()
        self.complaints()
        if dead:
            raise Failure(f"{len(dead)} dead letters: hoso queue list --dead --cell {self.cell}")
        print(f"\nall {len(dossiers)} dossiers closed, no dead letters" +
              (f", though {self.killed} times a worker was killed" if self.killed else ""))


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


positive.__name__ = "positive number"  # as argparse names it


def interrupted(_signal, _frame):
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGTERM, interrupted)  # nothing that was started may stay behind
    signal.signal(signal.SIGINT, interrupted)  # also where a shell without jobs had it ignored
    parser = argparse.ArgumentParser(prog="scripts/demo", description="the demonstration of Hoso")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--into", default="build-demo", help=argparse.SUPPRESS)
    parser.add_argument("--count", type=positive, default=300, help="dossiers (300)")
    parser.add_argument("--seed", type=int, default=1, help="of all that happens by chance (1)")
    parser.add_argument("--rough", action="store_true", help="kill a worker every second")
    parser.add_argument("--cell", help="folder of the cell (default: a new one in build-demo)")
    demo = Demo(parser.parse_args())
    try:
        demo.go()
        return 0
    except Failure as why:
        print(f"demo: {why}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        demo.stop()


if __name__ == "__main__":
    sys.exit(main())
