// SPDX-License-Identifier: Apache-2.0
// Where the services are: local sockets of a cell's run folder, or the one door of a gate.

import fs from 'node:fs';
import path from 'node:path';
import zmq from 'zeromq';

import { errors } from './errors.js';
import { REPLY_MAX, SERVICES } from './messages.js';

// What `hoso party add` has made for you: {public, secret, gate, endpoint}: your key pair, the
// gate's key and its endpoint.
export function readKeyFile(file) {
    if ((fs.statSync(file).mode & 0o077) !== 0)
        throw new errors.invalid(`${file}: others may read this secret key: chmod 0600 it`,
            { field: 'key_file' });
    const rows = fs.readFileSync(file, 'utf8').matchAll(/^\s*(\w+)\s*=\s*"([^"]*)"\s*;/gm);
    return Object.fromEntries([...rows].map(([, name, value]) => [name, value]));
}

// Programs on the cell's own host: one socket for each service.
export function localCell(run) {
    return {
        throughGate: false,
        keyOf: (service) => service,
        addressOf: (service) => `ipc://${path.join(run, service)}.sock`,
        options: {},
    };
}

// Programs on other hosts: one encrypted connection; both sides prove who they are.
export function gate({ endpoint, gate: server, public: own, secret }) {
    for (const [field, key] of Object.entries({ gate: server, public: own, secret }))
        if (key?.length !== 40)
            throw new errors.invalid(`${field} must be a key of 40 characters in Z85`, { field });
    return {
        throughGate: true,
        keyOf: () => 'gate',
        addressOf: () => endpoint,
        options: {
            curveServerKey: server,
            curvePublicKey: own,
            curveSecretKey: secret,
            heartbeatInterval: 10000,
            heartbeatTimeout: 30000,
        },
    };
}

// The sockets in use, each made when it is first needed.
export class Sockets {
    #where;
    #take;
    #open = new Map();
    #context = new zmq.Context();

    constructor(where, take) {
        this.#where = where;
        this.#take = take;
    }

    // One frame after the other: a socket takes one send at a time. Resolves to false where the
    // service takes nothing before `until` (a time of performance.now()).
    send(service, frame, until) {
        const open = this.#socket(service);
        const sent = open.last.then(async () => {
            const left = Math.ceil(until - performance.now());
            if (left <= 0 || open.socket.closed)
                return false;
            open.socket.sendTimeout = left;
            try {
                await open.socket.send(frame);
                return true;
            } catch (error) {
                if (error.code === 'EAGAIN' || open.socket.closed)
                    return false;
                throw error;
            }
        });
        open.last = sent.catch(() => {});
        return sent;
    }

    close() {
        for (const { socket } of this.#open.values())
            socket.close();
        this.#open.clear();
    }

    #socket(service) {
        if (!SERVICES.includes(service))
            throw new errors.invalid(`there is no service ${service}`, { field: 'service' });
        const key = this.#where.keyOf(service);
        if (!this.#open.has(key)) {
            const socket = new zmq.Dealer({
                context: this.#context,
                linger: 0,
                immediate: true, // nothing is queued for a service that is not there
                maxMessageSize: REPLY_MAX,
                reconnectInterval: 50,
                reconnectMaxInterval: 2000,
                ...this.#where.options,
            });
            socket.connect(this.#where.addressOf(service));
            this.#open.set(key, { socket, last: Promise.resolve() });
            this.#listen(socket);
        }
        return this.#open.get(key);
    }

    async #listen(socket) {
        try {
            for await (const frames of socket)
                frames.forEach((frame) => this.#take(frame));
        } catch (error) {
            if (!socket.closed)
                throw error;
        }
    }
}
