// SPDX-License-Identifier: Apache-2.0
// Requests and answers: sent until answered, always with the same id and the same bytes. Calls may
// run side by side on one connection.

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { decode, encode } from '@msgpack/msgpack';

import { Blake2b256 } from './blake2b.js';
import { errorOf, errors, HosoError } from './errors.js';
import { FRAME_MAX, REPLIES, REQUESTS, VERSION } from './messages.js';
import { gate, localCell, readKeyFile, Sockets } from './sockets.js';
import { sleep, work } from './tasks.js';

// A connection by HOSO_KEY_FILE (the file that the operator gave you: through the gate, from any
// host; HOSO_GATE names another endpoint), or else by HOSO_RUN (the cell's run folder).
export function connect(settings = {}) {
    const env = process.env;
    if (env.HOSO_KEY_FILE) {
        const place = readKeyFile(env.HOSO_KEY_FILE);
        return new Connection(gate({ ...place, endpoint: env.HOSO_GATE || place.endpoint }),
            settings);
    }
    if (env.HOSO_RUN)
        return new Connection(localCell(env.HOSO_RUN), settings);
    throw new errors.invalid("set HOSO_KEY_FILE, or HOSO_RUN on the cell's own host");
}

const PIECE = 128 * 1024; // of a paper in one request

async function pieceOf(file, at) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(PIECE), 0, PIECE, at);
    return buffer.subarray(0, bytesRead);
}

// The paper's name, which is its BLAKE2b-256, and its size.
async function nameOf(file) {
    const hash = new Blake2b256();
    for (let size = 0;;) {
        const piece = await pieceOf(file, size);
        if (piece.length === 0)
            return { name: hash.hex(), size };
        hash.update(piece);
        size += piece.length;
    }
}

const serviceOf = (activity = '') => activity.split('.')[0];

export class Connection {
    #where;
    #sockets;
    #waiting = new Map(); // id -> what takes its answer
    #mark = randomBytes(4).toString('hex');
    #count = 0;

    // timeoutMs: until errors.timeout; retryMs: until a request is sent again.
    constructor(where, { timeoutMs = 10000, retryMs = 1000 } = {}) {
        this.#where = where;
        this.#sockets = new Sockets(where, (frame) => this.#take(frame));
        this.timeoutMs = timeoutMs;
        this.retryMs = retryMs;
    }

    close() {
        this.#sockets.close();
    }

    // ---- dossiers ----

    // Files a dossier, once per id. Take the id from your own record of it.
    submit(dossier, id) {
        return this.call('dossier_submit', dossier, { id });
    }

    // Files many, `window` of them under way at a time. `dossiers` gives [id, dossier]; yields
    // [id, state or HosoError] as the answers come, in any order.
    submitAll(dossiers, window = 64) {
        const requests = function* () {
            for (const [id, dossier] of dossiers)
                yield ['dossier_submit', dossier, { id }];
        };
        return this.callAll(requests(), window);
    }

    event(dossier, event, { by, role, data, id }) {
        return this.call('dossier_event', { dossier, event, by, role, data }, { id });
    }

    get(dossier, content = false) {
        return this.call('dossier_get', { dossier, content });
    }

    // All dossiers that fit, page by page: procedure, state, site, due_before.
    async *list(which = {}) {
        let after;
        do {
            const page = await this.call('dossier_list', { ...which, after });
            yield* page.dossiers;
            after = page.next;
        } while (after !== 0);
    }

    // ---- papers ----

    // Sends a scan; gives its name, which goes into a dossier's papers as `file`. Goes on where an
    // earlier call broke off. progress(done, size) is called after each piece.
    async putPaper(path, progress = () => {}) {
        const file = await open(path, 'r');
        try {
            const { name, size } = await nameOf(file);
            let state = await this.call('paper_put', { paper: name, size });
            for (let stuck = 0; !state.whole; progress(state.have, size)) {
                const at = state.have;
                const bytes = await pieceOf(file, at);
                state = await this.call('paper_put', { paper: name, size, at, bytes });
                stuck = state.have > at ? 0 : stuck + 1;
                if (stuck > 3)
                    throw new errors.state('the paper does not get on: is it sent from elsewhere?');
            }
            return name;
        } finally {
            await file.close();
        }
    }

    // Writes a dossier's scan to a file and checks it. What the file holds already is taken as its
    // beginning.
    async getPaper(dossier, paper, path, progress = () => {}) {
        const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
        try {
            let at = (await file.stat()).size;
            for (let size = Infinity; at < size; progress(at, size)) {
                const chunk = await this.call('paper_get', { dossier, paper, at },
                    { service: 'intake' });
                await file.write(chunk.bytes, 0, chunk.bytes.length, at);
                at += chunk.bytes.length;
                size = chunk.size;
            }
            if ((await nameOf(file)).name === paper)
                return;
            await file.truncate(0);
            throw new errors.corrupt('what came has another hash: get the paper anew');
        } finally {
            await file.close();
        }
    }

    // ---- tasks ----

    async fetch(activity, to, { by, role, max = 1, leaseMs = 60000, waitMs = 0 }) {
        const body = { activity, to: [to].flat(), by, role, max, lease_ms: leaseMs,
            wait_ms: waitMs };
        return (await this.call('task_fetch', body)).tasks;
    }

    extend(task, leaseMs = 60000) {
        return this.#of(task, 'task_extend', { lease_ms: leaseMs });
    }

    // Once per lease, however often it is said: the id is made of task and token.
    complete(task, result, { by }) {
        return this.#of(task, 'task_complete', { result, by },
            `complete-${task.task}-${task.token}`);
    }

    fail(task, reason, { by, retryMs = 0, final = false }) {
        return this.#of(task, 'task_fail', { reason, retry_ms: retryMs, final, by },
            `fail-${task.task}-${task.token}`);
    }

    progress(task, data, { by, id }) {
        return this.#of(task, 'task_progress', { data, by }, id);
    }

    // Fetches tasks and gives them to handler(task), see tasks.js.
    work(activity, to, handler, settings) {
        return work(this, activity, to, handler, settings);
    }

    #of(task, verb, body, id) {
        return this.call(verb, { task: task.task, token: task.token, ...body },
            { id, service: serviceOf(task.activity) });
    }

    // ---- journal ----

    // Every event, in order. A page is acknowledged when you ask for what comes after it, so deal
    // with an event before you go on. After a crash some come again: keep the last `seq` with your
    // own data and pass it as `after`. With follow false it ends at the head.
    async *journal(cursor, settings = {}) {
        const { after = 0, follow = true, pauseMs = 1000, max = 100,
            service = 'intake' } = settings;
        for (let acknowledged = 0;;) {
            const page = await this.call('journal_fetch', { cursor, max }, { service });
            for (const event of page.events)
                if (event.seq > after)
                    yield event;
            const last = page.events.at(-1)?.seq ?? page.head;
            const upto = (page.next ?? last + 1) - 1; // what is not yours is passed over
            if (upto > acknowledged)
                await this.call('journal_ack', { cursor, seq: upto }, { service });
            acknowledged = upto;
            if (upto < page.head)
                continue;
            if (!follow)
                return;
            await sleep(pauseMs);
        }
    }

    health(service = 'intake', full = false) {
        return this.call('health', { full }, { service });
    }

    // ---- asking ----

    // Rises with time, and no other connection makes the same.
    newId() {
        const time = Date.now().toString(16).padStart(12, '0');
        return `${time}-${this.#mark}-${String(++this.#count).padStart(6, '0')}`;
    }

    // The body of the answer, or a HosoError. Busy and failing services are waited out. After
    // errors.timeout the request may or may not be done: call again with the same id.
    async call(type, body, { id = this.newId(), service } = {}) {
        if (!Object.hasOwn(REQUESTS, type))
            throw new errors.invalid(`there is no request ${type}`, { field: 'type' });
        if (this.#waiting.has(id))
            throw new errors.invalid('a request with this id is under way', { field: 'id' });
        const to = service ?? REQUESTS[type][0] ?? serviceOf(body.activity);
        const silent = body.wait_ms ?? 0; // a long poll is no lost message
        const asked = { to, frame: this.#pack(type, body, id, to), answer: null, wake: () => {} };
        this.#waiting.set(id, asked);
        try {
            return await this.#ask(asked, this.timeoutMs + silent, this.retryMs + silent);
        } finally {
            this.#waiting.delete(id);
        }
    }

    // Many requests [type, body, {id, service}], `window` of them under way at a time. Yields
    // [id, body or HosoError] in the order of the answers.
    async *callAll(requests, window = 64) {
        const source = requests[Symbol.iterator]();
        const flying = new Map();
        for (let more = true; more || flying.size > 0;) {
            while (more && flying.size < window) {
                const { done, value } = source.next();
                more = !done;
                if (done)
                    break;
                const [type, body, how = {}] = value;
                const id = how.id ?? this.newId();
                const mine = Symbol(id);
                flying.set(mine, this.call(type, body, { ...how, id })
                    .catch((error) => {
                        if (error instanceof HosoError)
                            return error;
                        throw error;
                    })
                    .then((outcome) => [mine, id, outcome]));
            }
            if (flying.size === 0)
                return;
            const [mine, id, outcome] = await Promise.race(flying.values());
            flying.delete(mine);
            yield [id, outcome];
        }
    }

    async #ask(asked, timeoutMs, retryMs) {
        const giveUp = performance.now() + timeoutMs;
        let wasSent = false;
        for (;;) {
            const sent = await this.#sockets.send(asked.to, asked.frame, giveUp);
            wasSent ||= sent;
            const answer = sent ? await this.#answer(asked, Math.min(retryMs, giveUp -
                performance.now())) : null;
            if (answer !== null && answer.type !== 'error')
                return answer.body;
            if (answer !== null) {
                const error = errorOf(answer.body);
                const wait = error.retryMs || retryMs;
                if (error.action === 'refuse' || performance.now() + wait >= giveUp)
                    throw error;
                await sleep(wait);
            } else if (performance.now() >= giveUp || !sent) {
                const said = wasSent ? 'did not answer in time' : 'cannot be reached';
                throw new errors.timeout(`${asked.to} ${said}`);
            }
        }
    }

    // The next answer, or null when none came in time.
    #answer(asked, waitMs) {
        return new Promise((resolve) => {
            const finish = (answer) => {
                clearTimeout(timer);
                asked.wake = () => {};
                asked.answer = null;
                resolve(answer);
            };
            const timer = setTimeout(() => finish(null), Math.max(0, waitMs));
            asked.wake = () => finish(asked.answer);
            if (asked.answer !== null)
                asked.wake();
        });
    }

    #pack(type, body, id, service) {
        const [home, fields] = REQUESTS[type];
        const present = Object.fromEntries(
            Object.entries(body).filter(([, value]) => value !== undefined && value !== null));
        for (const name of Object.keys(present))
            if (!Object.hasOwn(fields, name))
                throw new errors.invalid(`${type}: ${name} is unknown`, { field: `body.${name}` });
        for (const [name, [, needed]] of Object.entries(fields))
            if (needed && !Object.hasOwn(present, name))
                throw new errors.invalid(`${type}: ${name} is missing`, { field: `body.${name}` });
        const envelope = { v: VERSION, type, id, body: present };
        if (this.#where.throughGate && home === null)
            envelope.to = service; // the gate cannot know whose task or queue is meant
        const frame = encode(envelope, { ignoreUndefined: true });
        if (frame.length > FRAME_MAX)
            throw new errors.invalid(
                `request of ${frame.length} bytes: ${FRAME_MAX} are allowed`);
        return frame;
    }

    #take(frame) {
        const envelope = decode(frame);
        const asked = this.#waiting.get(envelope.re);
        if (asked === undefined || !REPLIES.includes(envelope.type))
            return; // late, or the second answer to a request that was sent twice
        asked.answer = envelope;
        asked.wake();
    }
}
