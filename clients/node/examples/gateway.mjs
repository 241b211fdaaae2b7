#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
/*
 * A gateway: sends the messages of one channel.
 *
 *     gateway.mjs CHANNEL OUTBOX [TASKS]       ends after so many tasks; 0 = never
 *
 * OUTBOX stands for the operator of the network. Networks take a reference with each message and
 * deliver one reference once: give them the task's number, then a message that is tried again after
 * a crash reaches the citizen once.
 */
import fs from 'node:fs';
import path from 'node:path';
import { connect, TaskFailed } from 'hoso-client';

const [channel, outbox, tasks = 0] = process.argv.slice(2);

function send(reference, number, text) {
    try {
        fs.writeFileSync(path.join(outbox, reference), `${number}\n${text}\n`, { flag: 'wx' });
    } catch (error) {
        if (error.code !== 'EEXIST') // the network knows the reference: sent before the crash
            throw new TaskFailed('the network is away', { retryMs: 30000 });
    }
}

function deliver(task) {
    send(`hoso-${task.task}`, task.params.to, task.params.text);
    console.log(task.dossier, task.params.template);
    return {};
}

const hoso = connect();
await hoso.work('notification.send', channel, deliver,
    { by: `gateway-${channel}`, role: 'gateway', batch: 10, limit: +tasks });
hoso.close();
