// SPDX-License-Identifier: Apache-2.0
// One class for each code word of the protocol: errors.not_found, errors.busy, ... A class comes
// into being with its row in the table of errors, so none can be forgotten.

import { ERRORS } from './messages.js';

export class HosoError extends Error {
    constructor(message, { field = '', retryMs = 0, code = 'internal', action = 'refuse' } = {}) {
        super(message);
        this.name = 'HosoError';
        this.field = field; // what is at fault, such as body.fields
        this.retryMs = retryMs;
        this.code = code; // for programs
        this.action = action; // retry, refuse or stop
    }

    // True where only asking again with the same id tells whether it was done.
    get mayBeDone() {
        return this.code === 'timeout';
    }
}

export const errors = Object.freeze(
    Object.fromEntries(
        Object.entries(ERRORS).map(([code, [action, meaning]]) => [
            code,
            class extends HosoError {
                constructor(message = meaning, more = {}) {
                    super(message, { ...more, code, action });
                    this.name = `HosoError.${code}`;
                }
            },
        ]),
    ),
);

// The exception that an `error` message stands for.
export function errorOf(body) {
    const more = { field: body.field, retryMs: body.retry_ms };
    const made = Object.hasOwn(errors, body.code) ? errors[body.code] : null;
    return made ? new made(body.message, more)
        : new HosoError(`${body.code}: ${body.message}`, { ...more, code: body.code });
}
