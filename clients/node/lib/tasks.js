// SPDX-License-Identifier: Apache-2.0
// The loop of a program that works on tasks: fetch, keep the lease, complete or fail.

import { errors, HosoError } from './errors.js';

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Thrown by a handler: not done. `reason` must hold no personal data.
export class TaskFailed extends Error {
    constructor(reason, { retryMs = 0, final = false } = {}) {
        super(reason);
        this.retryMs = retryMs;
        this.final = final;
    }
}

// Says it until it is answered, or somebody else has the task.
async function untilAnswered(task, stop, say) {
    for (;;) {
        try {
            return await say();
        } catch (error) {
            if (!(error instanceof HosoError) || error.action === 'refuse' || task.lost ||
                stop.aborted)
                throw error;
            await sleep(1000);
        }
    }
}

// Extends the lease of a task until the returned function is called. `task.lost` tells that the
// lease has passed on.
function keep(connection, task, leaseMs) {
    let busy = false;
    const timer = setInterval(async () => {
        if (busy)
            return;
        busy = true;
        try {
            await connection.extend(task, leaseMs);
        } catch (error) {
            if (!(error instanceof errors.timeout)) { // a time-out: again at the next turn
                task.lost = true;
                clearInterval(timer);
            }
        }
        busy = false;
    }, leaseMs / 3);
    return () => clearInterval(timer);
}

/*
 * handler(task) returns the result, or throws TaskFailed; any other exception fails the task (with
 * the exception's name only) and goes to onError. A task has {task, token, dossier, activity, to,
 * role, params, attempt, lease_until, created}. task.task stays the same in every attempt: make it
 * the key of your own records, and an attempt after a crash finds what the first one has done.
 *
 * limit: end after so many tasks (0: never); stop: an AbortSignal; leaseMs: else HOSO_LEASE_MS, else
 * a minute: what one who died held waits so long. Resolves to the number of tasks that were dealt
 * with.
 */
export async function work(connection, activity, to, handler, settings) {
    const { by, role, leaseMs = Number(process.env.HOSO_LEASE_MS) || 60000, waitMs = 20000,
        batch = 1, limit = 0,
        stop = new AbortController().signal,
        onError = (error) => console.error(`task: ${error}`) } = settings;

    const next = async (max) => {
        try {
            return await connection.fetch(activity, to, { by, role, leaseMs, waitMs, max });
        } catch (error) {
            if (!(error instanceof HosoError) || error.action === 'refuse')
                throw error;
            onError(error); // the service is away: go on asking
            return [];
        }
    };
    const fail = async (task, reason, more = {}) => {
        const short = new TextDecoder().decode(new TextEncoder().encode(reason).slice(0, 200))
            .replace(/\uFFFD+$/, '');
        await untilAnswered(task, stop, () => connection.fail(task, short, { by, ...more }))
            .catch(onError);
    };
    const complete = async (task, result) => {
        try {
            await untilAnswered(task, stop, () => connection.complete(task, result, { by }));
        } catch (error) {
            onError(error);
            if (!(error instanceof errors.stale)) // not what the activity asks for
                await fail(task, `${error.code}: ${error.message}`);
        }
    };
    const dealWith = async (task) => {
        let result;
        try {
            result = await handler(task);
        } catch (error) {
            if (error instanceof TaskFailed)
                return fail(task, error.message, error);
            onError(error);
            return fail(task, error.constructor.name);
        }
        return complete(task, result);
    };

    let done = 0;
    while (!stop.aborted && (limit === 0 || done < limit)) {
        const tasks = await next(limit > 0 ? Math.min(batch, limit - done) : batch);
        const letGo = new Map(tasks.map((task) => [task, keep(connection, task, leaseMs)]));
        for (const task of tasks) {
            await dealWith(task);
            letGo.get(task)();
            done++;
        }
    }
    return done;
}
