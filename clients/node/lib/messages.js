// SPDX-License-Identifier: Apache-2.0
// Words and bounds of the protocol. Made by protocol-table; do not edit.

export const VERSION = 1;
export const FRAME_MAX = 262144;
export const REPLY_MAX = 4194304;
export const SERVICES = Object.freeze(["intake", "verification", "routing", "notification", "return"]);

// type: service that takes it (null: the one whose task or queue it is),
// and by field: type, needed, bound (0: none of its own)
export const REQUESTS = Object.freeze({
    "dossier_submit": ["intake", {
        "procedure": ["text", true, 64],
        "channel": ["text", true, 16],
        "site": ["text", true, 32],
        "by": ["text", true, 128],
        "role": ["text", true, 32],
        "fields": ["map", true, 0],
        "papers": ["list", false, 0],
        "agent": ["map", false, 0],
        "partial": ["bool", false, 0],
        "provisional": ["text", false, 64],
        "received": ["int", false, 0],
    }],
    "dossier_event": ["intake", {
        "dossier": ["text", true, 64],
        "event": ["text", true, 64],
        "data": ["map", false, 0],
        "by": ["text", true, 128],
        "role": ["text", true, 32],
    }],
    "dossier_get": ["intake", {
        "dossier": ["text", true, 64],
        "content": ["bool", false, 0],
    }],
    "dossier_list": ["intake", {
        "procedure": ["text", false, 64],
        "state": ["text", false, 64],
        "site": ["text", false, 32],
        "due_before": ["int", false, 0],
        "after": ["uint", false, 0],
        "max": ["uint", false, 1000],
    }],
    "procedure_get": ["intake", {
        "procedure": ["text", true, 64],
        "version": ["uint", false, 0],
    }],
    "task_fetch": [null, {
        "activity": ["text", true, 64],
        "to": ["list", true, 0],
        "by": ["text", true, 128],
        "role": ["text", true, 32],
        "max": ["uint", false, 100],
        "lease_ms": ["uint", false, 86400000],
        "wait_ms": ["uint", false, 60000],
    }],
    "task_extend": [null, {
        "task": ["uint", true, 0],
        "token": ["uint", true, 0],
        "lease_ms": ["uint", true, 86400000],
    }],
    "task_complete": [null, {
        "task": ["uint", true, 0],
        "token": ["uint", true, 0],
        "result": ["map", true, 0],
        "by": ["text", true, 128],
    }],
    "task_fail": [null, {
        "task": ["uint", true, 0],
        "token": ["uint", true, 0],
        "reason": ["text", true, 200],
        "retry_ms": ["uint", false, 86400000],
        "final": ["bool", false, 0],
        "by": ["text", true, 128],
    }],
    "task_progress": [null, {
        "task": ["uint", true, 0],
        "token": ["uint", true, 0],
        "data": ["map", true, 0],
        "by": ["text", true, 128],
    }],
    "journal_fetch": [null, {
        "cursor": ["text", false, 64],
        "from": ["uint", false, 0],
        "max": ["uint", false, 1000],
    }],
    "journal_ack": [null, {
        "cursor": ["text", true, 64],
        "seq": ["uint", true, 0],
    }],
    "health": [null, {
        "full": ["bool", false, 0],
    }],
    "paper_put": ["intake", {
        "paper": ["text", true, 64],
        "size": ["uint", true, 0],
        "at": ["uint", false, 0],
        "bytes": ["bin", false, 131072],
    }],
    "paper_get": [null, {
        "dossier": ["text", true, 64],
        "paper": ["text", true, 64],
        "at": ["uint", false, 0],
        "max": ["uint", false, 131072],
    }],
    "relay_reserve": ["intake", {
        "count": ["uint", true, 10000],
        "handed": ["uint", false, 0],
        "number": ["uint", false, 0],
    }],
});

export const REPLIES = Object.freeze([
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
]);

// code: what to do (retry: send the same again; refuse: do not;
// stop: the service restarts, then send the same again), meaning
export const ERRORS = Object.freeze({
    "nomem": ["retry", "out of memory"],
    "busy": ["retry", "too much waiting work; come back later"],
    "io": ["stop", "reading or writing failed"],
    "corrupt": ["stop", "stored data is damaged"],
    "invalid": ["refuse", "input breaks a rule"],
    "unsupported": ["refuse", "message type or version is not known"],
    "denied": ["refuse", "the sender may not do this"],
    "not_found": ["refuse", "no such thing, or not yours"],
    "state": ["refuse", "not possible in the present state"],
    "stale": ["refuse", "the lease has run out or passed on"],
    "conflict": ["refuse", "same id was used with other content"],
    "full": ["refuse", "no room; nothing was stored"],
    "timeout": ["retry", "no answer in time"],
    "config": ["refuse", "a settings or procedure file is wrong"],
    "version": ["stop", "made by another version"],
    "internal": ["refuse", "a promise of our own was broken"],
    "held": ["refuse", "put on hold by an operator; try again when it is released"],
});
