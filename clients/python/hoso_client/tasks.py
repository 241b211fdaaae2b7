# SPDX-License-Identifier: Apache-2.0
"""The loop of a program that works on tasks: fetch, keep the lease, complete or fail."""
import os
import sys
import threading

from .errors import HosoError, Stale, Timeout


class TaskFailed(Exception):
    """Raised by a handler: not done. `reason` must hold no personal data."""

    def __init__(self, reason, retry_ms=0, final=False):
        super().__init__(reason)
        self.retry_ms, self.final = retry_ms, final


class Task(dict):
    """task, token, dossier, activity, to, role, params, attempt, lease_until, created.

    `task["task"]` stays the same in every attempt: make it the key of your own records, and an
    attempt after a crash finds what the first one has done. `lost` is true once the lease has
    passed on.
    """

    def __init__(self, fields):
        super().__init__(fields)
        self._lost = threading.Event()

    @property
    def lost(self):
        return self._lost.is_set()


class _Keeper(threading.Thread):
    """Extends the leases of the tasks at hand, on a connection of its own."""

    def __init__(self, connection, lease_ms):
        super().__init__(name="hoso-lease", daemon=True)
        self._connection, self._lease_ms = connection, lease_ms
        self._wake, self._lock, self._held = threading.Event(), threading.Lock(), {}

    def hold(self, tasks):
        with self._lock:
            self._held.update((task["task"], task) for task in tasks)

    def drop(self, task):
        with self._lock:
            self._held.pop(task["task"], None)

    def run(self):
        with self._connection as connection:
            while not self._wake.wait(self._lease_ms / 3000):
                with self._lock:
                    held = list(self._held.values())
                for task in held:
                    self._extend(connection, task)

    def _extend(self, connection, task):
        try:
            connection.extend(task, self._lease_ms)
        except Timeout:
            pass  # tried again at the next turn
        except HosoError:
            with self._lock:
                still_held = self._held.get(task["task"]) is task
                self._held.pop(task["task"], None)
            if still_held:
                task._lost.set()

    def stop(self):
        self._wake.set()
        self.join()


class TaskLoop:
    """handler(task) returns the result, or raises TaskFailed. It runs in the caller's thread and
    may take as long as it needs; any other exception fails the task (with the exception's name
    only) and goes to on_error.

    limit: end after so many tasks (0: never); stop: a threading.Event that ends the loop.
    lease_ms: else $HOSO_LEASE_MS, else a minute; what one who died held waits so long.
    """

    def __init__(self, connection, activity, to, handler, *, by, role, lease_ms=None,
                 wait_ms=20000, batch=1, limit=0, stop=None, on_error=None):
        self._hoso, self._handler, self._by = connection, handler, by
        lease_ms = lease_ms or int(os.environ.get("HOSO_LEASE_MS", 60000))
        self._fetch = {"activity": activity, "to": to, "by": by, "role": role,
                       "lease_ms": lease_ms, "wait_ms": wait_ms}
        self._batch, self._limit = batch, limit
        self._stop = stop or threading.Event()
        self._on_error = on_error or (lambda error: print(f"task: {error!r}", file=sys.stderr))

    def run(self):
        """The number of tasks that were dealt with."""
        done = 0
        keeper = _Keeper(self._hoso.again(), self._fetch["lease_ms"])
        keeper.start()
        try:
            while not self._stop.is_set() and (done < self._limit or not self._limit):
                most = min(self._batch, self._limit - done) if self._limit else self._batch
                tasks = self._next(most)
                keeper.hold(tasks)
                for task in tasks:
                    self._deal_with(task)
                    keeper.drop(task)
                    done += 1
        finally:
            keeper.stop()
        return done

    def _next(self, most):
        try:
            return [Task(fields) for fields in self._hoso.fetch(**self._fetch, max=most)]
        except HosoError as error:
            if error.action == "refuse":
                raise
            self._on_error(error)  # the service is away: go on asking
            return []

    def _deal_with(self, task):
        try:
            result = self._handler(task)
        except TaskFailed as failed:
            self._fail(task, str(failed), failed.retry_ms, failed.final)
        except Exception as error:
            self._on_error(error)
            self._fail(task, type(error).__name__)
        else:
            self._complete(task, result)

    def _complete(self, task, result):
        try:
            self._until_answered(task, lambda: self._hoso.complete(task, result, by=self._by))
        except Stale as error:
            self._on_error(error)
        except HosoError as error:  # the result is not what the activity asks for
            self._on_error(error)
            self._fail(task, f"{error.code}: {error}")

    def _fail(self, task, reason, retry_ms=0, final=False):
        reason = reason.encode()[:200].decode(errors="ignore")
        try:
            self._until_answered(task, lambda: self._hoso.fail(
                task, reason, by=self._by, retry_ms=retry_ms, final=final))
        except HosoError as error:
            self._on_error(error)

    def _until_answered(self, task, say):
        while True:
            try:
                return say()
            except HosoError as error:
                if error.action == "refuse" or task.lost or self._stop.wait(1):
                    raise
