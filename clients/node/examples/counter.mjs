#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
/*
 * A counter: files every dossier that lies in a folder, once each.
 *
 *     counter.mjs FOLDER [COUNTER]
 *
 * NAME.json holds a dossier (the body of dossier_submit). When it is filed, NAME.answer holds what
 * the service said; when it is refused, NAME.refused says why. Kill it at any moment and start it
 * again: the id is made of the counter and the file's name, so nothing is filed twice.
 */
import fs from 'node:fs';
import path from 'node:path';
import { connect, HosoError } from 'hoso-client';

const [folder, counter = 'counter-7'] = process.argv.slice(2);

function* waiting() {
    for (const file of fs.readdirSync(folder).filter((name) => name.endsWith('.json')).sort()) {
        const name = file.slice(0, -'.json'.length);
        if (!fs.existsSync(path.join(folder, `${name}.answer`)))
            yield [`${counter}-${name}`, JSON.parse(fs.readFileSync(path.join(folder, file)))];
    }
}

// Whole or not at all, also through a power cut.
function keep(name, text) {
    const file = path.join(folder, name);
    const fd = fs.openSync(`${file}.new`, 'w');
    fs.writeSync(fd, text);
    fs.fsyncSync(fd);
    fs.closeSync(fd);
    fs.renameSync(`${file}.new`, file);
}

const hoso = connect();
for await (const [id, outcome] of hoso.submitAll(waiting(), 64)) {
    const name = id.slice(counter.length + 1);
    if (!(outcome instanceof HosoError)) {
        keep(`${name}.answer`, JSON.stringify(outcome));
        console.log(name, outcome.dossier);
        continue;
    }
    process.exitCode = 1;
    if (outcome.action === 'refuse')
        keep(`${name}.refused`, `${outcome.field}: ${outcome.message}\n`);
    else // perhaps filed: the next run asks again with the same id
        console.error(name, outcome.message);
}
hoso.close();
