#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
/*
 * An agency: takes dossiers over, decides, and gives each decision one number.
 *
 *     agency.mjs AGENCY BOOK [TASKS]   ends after so many tasks; 0 = never
 *
 * BOOK, a file with a line for each decision, stands for the agency's own database. The task's
 * number is the key in it: when the answer was lost, or the program died after deciding, the next
 * attempt finds the decision and gives no second number.
 */
import fs from 'node:fs';
import { connect, TaskFailed } from 'hoso-client';

const [agency, book, tasks = 0] = process.argv.slice(2);
const file = fs.openSync(book, 'a+');
const decisions = fs.readFileSync(file, 'utf8').split('\n').slice(0, -1);

function numberOf(task) {
    const line = `${task.task} ${task.dossier}`;
    if (!decisions.includes(line)) {
        try {
            fs.writeSync(file, `${line}\n`);
            fs.fsyncSync(file);
        } catch {
            throw new TaskFailed('the book cannot be written', { retryMs: 5000 });
        }
        decisions.push(line);
    }
    return decisions.indexOf(line) + 1;
}

function decide(task) {
    const number = numberOf(task);
    console.log(task.dossier, number);
    return { decision: 'approve', number: `${number}/QĐ-UBND` };
}

const hoso = connect();
await hoso.work('routing.handoff', agency, decide,
    { by: 'agency-system', role: 'agency', limit: +tasks });
hoso.close();
