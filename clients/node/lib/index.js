// SPDX-License-Identifier: Apache-2.0
// Client of the Hoso queue endpoints; see docs/integrators.md.
//
//     import { connect } from 'hoso-client';
//     const hoso = connect();
//     console.log((await hoso.submit(dossier, 'counter-7-2026-000123')).dossier);
//     hoso.close();

export { connect, Connection } from './connection.js';
export { errors, HosoError } from './errors.js';
export { gate, localCell, readKeyFile } from './sockets.js';
export { TaskFailed } from './tasks.js';
