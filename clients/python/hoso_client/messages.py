# SPDX-License-Identifier: Apache-2.0
"""Words and bounds of the protocol. Made by protocol-table; do not edit."""

VERSION = 1
FRAME_MAX = 262144
REPLY_MAX = 4194304
SERVICES = ("intake", "verification", "routing", "notification", "return")

# type: service that takes it (None: the one whose task or queue it is),
# and by field: type, needed, bound (0: none of its own)
REQUESTS = {
    "dossier_submit": ("intake", {
        "procedure": ("text", True, 64),
        "channel": ("text", True, 16),
        "site": ("text", True, 32),
        "by": ("text", True, 128),
        "role": ("text", True, 32),
        "fields": ("map", True, 0),
        "papers": ("list", False, 0),
        "agent": ("map", False, 0),
        "partial": ("bool", False, 0),
        "provisional": ("text", False, 64),
        "received": ("int", False, 0),
    }),
    "dossier_event": ("intake", {
        "dossier": ("text", True, 64),
        "event": ("text", True, 64),
        "data": ("map", False, 0),
        "by": ("text", True, 128),
        "role": ("text", True, 32),
    }),
    "dossier_get": ("intake", {
        "dossier": ("text", True, 64),
        "content": ("bool", False, 0),
    }),
    "dossier_list": ("intake", {
        "procedure": ("text", False, 64),
        "state": ("text", False, 64),
        "site": ("text", False, 32),
        "due_before": ("int", False, 0),
        "after": ("uint", False, 0),
        "max": ("uint", False, 1000),
    }),
    "procedure_get": ("intake", {
        "procedure": ("text", True, 64),
        "version": ("uint", False, 0),
    }),
    "task_fetch": (None, {
        "activity": ("text", True, 64),
        "to": ("list", True, 0),
        "by": ("text", True, 128),
        "role": ("text", True, 32),
        "max": ("uint", False, 100),
        "lease_ms": ("uint", False, 86400000),
        "wait_ms": ("uint", False, 60000),
    }),
    "task_extend": (None, {
        "task": ("uint", True, 0),
        "token": ("uint", True, 0),
        "lease_ms": ("uint", True, 86400000),
    }),
    "task_complete": (None, {
        "task": ("uint", True, 0),
        "token": ("uint", True, 0),
        "result": ("map", True, 0),
        "by": ("text", True, 128),
    }),
    "task_fail": (None, {
        "task": ("uint", True, 0),
        "token": ("uint", True, 0),
        "reason": ("text", True, 200),
        "retry_ms": ("uint", False, 86400000),
        "final": ("bool", False, 0),
        "by": ("text", True, 128),
    }),
    "task_progress": (None, {
        "task": ("uint", True, 0),
        "token": ("uint", True, 0),
        "data": ("map", True, 0),
        "by": ("text", True, 128),
    }),
    "journal_fetch": (None, {
        "cursor": ("text", False, 64),
        "from": ("uint", False, 0),
        "max": ("uint", False, 1000),
    }),
    "journal_ack": (None, {
        "cursor": ("text", True, 64),
        "seq": ("uint", True, 0),
    }),
    "health": (None, {
        "full": ("bool", False, 0),
    }),
    "paper_put": ("intake", {
        "paper": ("text", True, 64),
        "size": ("uint", True, 0),
        "at": ("uint", False, 0),
        "bytes": ("bin", False, 131072),
    }),
    "paper_get": (None, {
        "dossier": ("text", True, 64),
        "paper": ("text", True, 64),
        "at": ("uint", False, 0),
        "max": ("uint", False, 131072),
    }),
    "relay_reserve": ("intake", {
        "count": ("uint", True, 10000),
        "handed": ("uint", False, 0),
        "number": ("uint", False, 0),
    }),
}

REPLIES = (
    "dossier_state",
    "dossier_page",
    "tasks",
    "done",
    "journal_page",
    "health_report",
    "procedure_text",
    "paper_state",
    "paper_chunk",
    "relay_range",
    "error",
)

# code: what to do (retry: send the same again; refuse: do not;
# stop: the service restarts, then send the same again), meaning
ERRORS = {
    "nomem": ("retry", "out of memory"),
    "busy": ("retry", "too much waiting work; come back later"),
    "io": ("stop", "reading or writing failed"),
    "corrupt": ("stop", "stored data is damaged"),
    "invalid": ("refuse", "input breaks a rule"),
    "unsupported": ("refuse", "message type or version is not known"),
    "denied": ("refuse", "the sender may not do this"),
    "not_found": ("refuse", "no such thing, or not yours"),
    "state": ("refuse", "not possible in the present state"),
    "stale": ("refuse", "the lease has run out or passed on"),
    "conflict": ("refuse", "same id was used with other content"),
    "full": ("refuse", "no room; nothing was stored"),
    "timeout": ("retry", "no answer in time"),
    "config": ("refuse", "a settings or procedure file is wrong"),
    "version": ("stop", "made by another version"),
    "internal": ("refuse", "a promise of our own was broken"),
    "held": ("refuse", "put on hold by an operator; try again when it is released"),
}
