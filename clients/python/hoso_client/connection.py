# SPDX-License-Identifier: Apache-2.0
"""Requests and answers: sent until answered, always with the same id and the same bytes."""
import hashlib
import itertools
import os
import secrets
import time

import msgpack

from .errors import Corrupt, HosoError, Invalid, State, Timeout, error_of
from .messages import FRAME_MAX, REPLIES, REQUESTS, VERSION
from .sockets import Gate, LocalCell, Sockets
from .tasks import TaskLoop

_UNREACHED_S = 0.02  # until a service that takes nothing is tried again
_PIECE = 128 * 1024  # of a paper in one request


def _name_of(file):
    """The paper's name, which is its BLAKE2b-256, and its size."""
    file.seek(0)
    digest, size = hashlib.blake2b(digest_size=32), 0
    while piece := file.read(_PIECE):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def _private(path, flags):
    """Somebody's papers are not made for others to read."""
    return os.open(path, flags, 0o600)


class _Request:
    """One request under way. Times are monotonic seconds."""

    def __init__(self, request_id, service, frame, timeout, retry):
        self.id, self.service, self.frame, self.retry = request_id, service, frame, retry
        self.send_at = time.monotonic()
        self.give_up = self.send_at + timeout
        self.was_sent = False
        self.outcome = None  # the answer's body, or the HosoError


def connect(**settings):
    """A connection by HOSO_KEY_FILE (the file that the operator gave you: through the gate, from
    any host; HOSO_GATE names another endpoint), or else by HOSO_RUN (the cell's run folder)."""
    env = os.environ
    if env.get("HOSO_KEY_FILE"):
        gate = Gate.of_key_file(env["HOSO_KEY_FILE"], env.get("HOSO_GATE"))
        return Connection(gate, **settings)
    if env.get("HOSO_RUN"):
        return Connection(LocalCell(env["HOSO_RUN"]), **settings)
    raise Invalid("set HOSO_KEY_FILE, or HOSO_RUN on the cell's own host")


class Connection:
    """All requests of the protocol. One thread per connection; `again()` makes another one.

    timeout: seconds until Timeout is raised; retry: seconds until a request is sent again.
    """

    def __init__(self, where, timeout=10.0, retry=1.0):
        self.where, self.timeout, self.retry = where, timeout, retry
        self._sockets = Sockets(where)
        self._waiting = {}
        self._mark = secrets.token_hex(4)
        self._count = itertools.count(1)

    def again(self):
        return Connection(self.where, self.timeout, self.retry)

    def close(self):
        self._sockets.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- dossiers -------------------------------------------------------------------------------

    def submit(self, dossier, id=None):
        """Files a dossier, once per id. Take the id from your own record of it."""
        return self.call("dossier_submit", dossier, id)

    def submit_all(self, dossiers, window=64):
        """Files many, `window` of them under way at a time. `dossiers` gives (id, dossier);
        yields (id, state or HosoError) as the answers come, in any order."""
        return self.call_all((("dossier_submit", dossier, id) for id, dossier in dossiers), window)

    def event(self, dossier, event, *, by, role, data=None, id=None):
        return self.call("dossier_event", {"dossier": dossier, "event": event, "data": data,
                                           "by": by, "role": role}, id)

    def get(self, dossier, content=False):
        return self.call("dossier_get", {"dossier": dossier, "content": content})

    def list(self, **which):
        """All dossiers that fit, page by page: procedure, state, site, due_before."""
        while True:
            page = self.call("dossier_list", which)
            yield from page["dossiers"]
            if page["next"] == 0:
                return
            which["after"] = page["next"]

    # ---- papers ---------------------------------------------------------------------------------

    def put_paper(self, file, progress=None):
        """Sends a scan (a path, or a binary file that can seek); gives its name, which goes into
        a dossier's papers as `file`. Goes on where an earlier call broke off. progress(done,
        size) is called after each piece."""
        if not hasattr(file, "read"):
            with open(file, "rb") as opened:
                return self.put_paper(opened, progress)
        name, size = _name_of(file)
        state, stuck = self.call("paper_put", {"paper": name, "size": size}), 0
        while not state["whole"]:
            before = state["have"]
            file.seek(before)
            state = self.call("paper_put", {"paper": name, "size": size, "at": before,
                                            "bytes": file.read(_PIECE)})
            stuck = 0 if state["have"] > before else stuck + 1
            if stuck > 3:
                raise State("the paper does not get on: is it sent from elsewhere?")
            if progress:
                progress(state["have"], size)
        return name

    def get_paper(self, dossier, paper, file, progress=None):
        """Writes a dossier's scan to a path, or to a binary file opened for reading and writing,
        and checks it. What the file holds already is taken as its beginning."""
        if not hasattr(file, "write"):
            with open(file, "a+b", opener=_private) as opened:
                return self.get_paper(dossier, paper, opened, progress)
        at, size = file.seek(0, os.SEEK_END), None
        while size is None or at < size:
            chunk = self.call("paper_get", {"dossier": dossier, "paper": paper, "at": at},
                              service="intake")
            file.write(chunk["bytes"])
            at, size = at + len(chunk["bytes"]), chunk["size"]
            if progress:
                progress(at, size)
        if _name_of(file)[0] != paper:
            file.truncate(0)
            raise Corrupt("what came has another hash: get the paper anew")
        return None

    # ---- tasks ----------------------------------------------------------------------------------

    def fetch(self, activity, to, *, by, role, max=1, lease_ms=60000, wait_ms=0):
        return self.call("task_fetch", {
            "activity": activity, "to": [to] if isinstance(to, str) else [*to], "by": by,
            "role": role, "max": max, "lease_ms": lease_ms, "wait_ms": wait_ms})["tasks"]

    def extend(self, task, lease_ms=60000):
        return self._of(task, "task_extend", {"lease_ms": lease_ms})

    def complete(self, task, result, *, by):
        """Once per lease, however often it is said: the id is made of task and token."""
        return self._of(task, "task_complete", {"result": result, "by": by},
                        f"complete-{task['task']}-{task['token']}")

    def fail(self, task, reason, *, by, retry_ms=0, final=False):
        return self._of(task, "task_fail", {"reason": reason, "retry_ms": retry_ms,
                                            "final": final, "by": by},
                        f"fail-{task['task']}-{task['token']}")

    def progress(self, task, data, *, by, id=None):
        return self._of(task, "task_progress", {"data": data, "by": by}, id)

    def work(self, activity, to, handler, *, by, role, **settings):
        """Fetches tasks and gives them to handler(task), see TaskLoop."""
        return TaskLoop(self, activity, to, handler, by=by, role=role, **settings).run()

    def _of(self, task, verb, body, id=None):
        return self.call(verb, {"task": task["task"], "token": task["token"], **body}, id,
                         service=task["activity"].partition(".")[0])

    # ---- journal --------------------------------------------------------------------------------

    def journal(self, cursor, *, after=0, follow=True, pause=1.0, max=100, service="intake"):
        """Every event, in order. A page is acknowledged when you ask for what comes after it, so
        deal with an event before you go on. After a crash some come again: keep the last `seq`
        with your own data and pass it as `after`. With follow=False it ends at the head."""
        acknowledged = 0
        while True:
            page = self.call("journal_fetch", {"cursor": cursor, "max": max}, service=service)
            yield from (event for event in page["events"] if event["seq"] > after)
            last = page["events"][-1]["seq"] if page["events"] else page["head"]
            upto = page.get("next", last + 1) - 1  # what is not yours is passed over
            if upto > acknowledged:
                self.call("journal_ack", {"cursor": cursor, "seq": upto}, service=service)
                acknowledged = upto
            if upto < page["head"]:
                continue
            if not follow:
                return
            time.sleep(pause)

    def health(self, service="intake", full=False):
        return self.call("health", {"full": full}, service=service)

    # ---- asking ---------------------------------------------------------------------------------

    def new_id(self):
        """Rises with time, and no other connection makes the same."""
        return f"{int(time.time() * 1000):012x}-{self._mark}-{next(self._count):06d}"

    def call(self, type, body, id=None, service=None):
        """The body of the answer, or a HosoError. Busy and failing services are waited out.
        After Timeout the request may or may not be done: call again with the same id."""
        [(_, outcome)] = self.call_all([(type, body, id, service)])
        if isinstance(outcome, HosoError):
            raise outcome
        return outcome

    def call_all(self, requests, window=64):
        """Many requests (type, body[, id[, service]]), `window` of them under way at a time.
        Yields (id, body or HosoError) in the order of the answers."""
        source, mine = iter(requests), {}
        more = True
        try:
            while more or mine:
                while more and len(mine) < window:
                    request = next(source, None)
                    more = request is not None
                    if not more:
                        break
                    try:
                        asked = self._start(*request)
                    except HosoError as error:  # never sent
                        yield request[2] if len(request) > 2 else None, error
                    else:
                        mine[asked.id] = asked
                if mine:
                    self._turn(mine)
                for asked in [a for a in mine.values() if a.outcome is not None]:
                    del mine[asked.id], self._waiting[asked.id]
                    yield asked.id, asked.outcome
        finally:
            for request_id in mine:
                self._waiting.pop(request_id, None)

    def _start(self, type, body, id=None, service=None):
        id = id or self.new_id()
        if type not in REQUESTS:
            raise Invalid(f"there is no request {type}", "type")
        if id in self._waiting:
            raise Invalid("a request with this id is under way", "id")
        home, fields = REQUESTS[type]
        body = {name: value for name, value in body.items() if value is not None}
        for name in [*(body.keys() - fields.keys()),
                     *(name for name, row in fields.items() if row[1] and name not in body)]:
            raise Invalid(f"{type}: {name} is {'unknown' if name in body else 'missing'}",
                          f"body.{name}")
        service = service or home or body.get("activity", "").partition(".")[0]
        silent = body.get("wait_ms", 0) / 1000  # a long poll is no lost message
        asked = _Request(id, service, self._pack(type, body, id, service, home),
                         self.timeout + silent, self.retry + silent)
        self._waiting[id] = asked
        return asked

    def _pack(self, type, body, id, service, home):
        envelope = {"v": VERSION, "type": type, "id": id, "body": body}
        if self.where.through_gate and home is None:
            envelope["to"] = service  # the gate cannot know whose task or queue is meant
        frame = msgpack.packb(envelope)
        if len(frame) > FRAME_MAX:
            raise Invalid(f"request of {len(frame)} bytes: {FRAME_MAX} are allowed")
        return frame

    def _turn(self, mine):
        """Sends what is due, then takes what has come; waits no longer than until the next due.
        Also for the requests of a loop within whose body this one was called."""
        now = time.monotonic()
        pending = [asked for asked in self._waiting.values() if asked.outcome is None]
        for asked in pending:
            if now >= asked.give_up:
                said = "did not answer in time" if asked.was_sent else "cannot be reached"
                asked.outcome = Timeout(f"{asked.service} {said}")
            elif now >= asked.send_at:
                sent = self._sockets.send(asked.service, asked.frame)
                asked.was_sent |= sent
                asked.send_at = now + (asked.retry if sent else _UNREACHED_S)
        if any(asked.outcome is not None for asked in mine.values()):
            return
        until = min(min(asked.send_at, asked.give_up) for asked in pending)
        for frame in self._sockets.receive(until - time.monotonic()):
            self._take(msgpack.unpackb(frame))

    def _take(self, envelope):
        asked = self._waiting.get(envelope.get("re"))
        if asked is None or asked.outcome is not None or envelope.get("type") not in REPLIES:
            return  # late, or the second answer to a request that was sent twice
        if envelope["type"] != "error":
            asked.outcome = envelope["body"]
            return
        error = error_of(envelope["body"])
        again_at = time.monotonic() + (error.retry_ms / 1000 or asked.retry)
        if error.action != "refuse" and again_at < asked.give_up:
            asked.send_at = again_at
        else:
            asked.outcome = error
