// SPDX-License-Identifier: Apache-2.0
// What the Node client promises about ids, windows, leases, cursors and errors. Runs against the
// cell of HOSO_RUN, in which the trial procedure 1.999001 is installed.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect, Connection, errors, localCell, TaskFailed } from 'hoso-client';

const SITE = '000.00.13.H30';
const DESK = { by: 'an', role: 'civil_servant' };
const hoso = connect({ timeoutMs: 30000 });
const mark = hoso.newId().split('-')[1]; // ids of this run

const dossier = (n, changes = {}) => ({
    procedure: '1.999001', channel: 'post', site: SITE, by: 'teller-07', role: 'postal_worker',
    fields: { full_name: `Nguyễn Văn ${n}`, phone: '0912345678', address: 'Long Mỹ' },
    papers: [{ id: 'declaration', kind: 'original', copies: 1 }], ...changes,
});
const all = async (source) => {
    const found = [];
    for await (const one of source)
        found.push(one);
    return found;
};
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

after(() => hoso.close());

test('the same id files once, and other content is a conflict', async () => {
    const first = await hoso.submit(dossier(1), `a-${mark}`);
    assert.deepEqual(await hoso.submit(dossier(1), `a-${mark}`), first);
    await assert.rejects(hoso.submit(dossier(2), `a-${mark}`), errors.conflict);
});

test('errors have the class and field of their code', async () => {
    await assert.rejects(hoso.get('000.00.13.H30-261123-9999'), errors.not_found);
    const bad = dossier(1);
    bad.fields.phone = '12';
    await assert.rejects(hoso.submit(bad), (error) => error instanceof errors.invalid &&
        error.field.includes('phone') && error.code === 'invalid');
    await assert.rejects(hoso.call('dossier_get', { dosier: 'x' }),
        { field: 'body.dosier', code: 'invalid' });
});

test('a scan goes up and comes down as it was', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hoso-node-'));
    try {
        const data = randomBytes(300001);
        await writeFile(join(folder, 'scan'), data);
        const pieces = [];
        const paper = await hoso.putPaper(join(folder, 'scan'), (done) => pieces.push(done));
        assert.equal(paper, execFileSync('b2sum', ['-l', '256', join(folder, 'scan')])
            .toString().slice(0, 64));
        assert.deepEqual(pieces, [131072, 262144, 300001]);
        const papers = [{ id: 'declaration', kind: 'original', file: paper }];
        const { dossier: code } = await hoso.submit(dossier(1, { papers }), `paper-${mark}`);
        await writeFile(join(folder, 'back'), data.subarray(0, 1000));
        await hoso.getPaper(code, paper, join(folder, 'back'));
        assert.deepEqual(await readFile(join(folder, 'back')), data);
        await writeFile(join(folder, 'other'), 'no beginning of it');
        await assert.rejects(hoso.getPaper(code, paper, join(folder, 'other')), errors.corrupt);
    } finally {
        await rm(folder, { recursive: true });
    }
});

test('nobody at home is a time-out that may be done', async () => {
    const nobody = new Connection(localCell('/nonexistent'), { timeoutMs: 200 });
    await assert.rejects(nobody.submit(dossier(1)), (error) =>
        error instanceof errors.timeout && error.mayBeDone && /cannot be reached/.test(error));
    nobody.close();
});

test('a window is never overfilled and gives every answer once', async () => {
    let taken = 0;
    const source = function* () {
        for (let n = 0; n < 200; n++, taken++)
            yield [`c-${mark}-${n}`, dossier(n, n % 50 === 0 ? { fields: {} } : {})];
    };
    const answered = new Set();
    let refused = 0;
    for await (const [id, outcome] of hoso.submitAll(source(), 16)) {
        answered.add(id);
        assert.ok(taken - answered.size <= 16);
        if (outcome instanceof errors.invalid)
            refused++;
        else
            assert.equal((await hoso.get(outcome.dossier)).dossier, outcome.dossier);
    }
    assert.deepEqual([answered.size, refused], [200, 4]);
});

test('calls run side by side on one connection', async () => {
    const services = ['intake', 'verification', 'routing', 'notification', 'return'];
    const reports = await Promise.all(services.map((service) => hoso.health(service)));
    assert.deepEqual(reports.map((report) => report.service), services);
});

test('the lease is kept as long as the handler runs', async () => {
    const held = new Set();
    await hoso.submit(dossier(1));
    const slow = async (task) => {
        held.add(task.task);
        await sleep(4000);
        const free = await hoso.fetch('verification.review', SITE, { ...DESK, max: 100 });
        assert.ok(!free.some((other) => held.has(other.task)));
        assert.ok(!task.lost);
        for (const other of free)
            await hoso.fail(other, 'not today', { by: 'an', retryMs: 1 });
        return { verdict: 'approve' };
    };
    assert.equal(await hoso.work('verification.review', SITE, slow,
        { ...DESK, leaseMs: 1500, limit: 1 }), 1);
});

test('of two who hold a task only one completes it', async () => {
    await hoso.submit(dossier(1));
    const [first] = await hoso.fetch('verification.review', SITE,
        { ...DESK, leaseMs: 100, waitMs: 30000 });
    await sleep(200);
    let second;
    do
        [second] = await hoso.fetch('verification.review', SITE,
            { ...DESK, leaseMs: 3000, waitMs: 30000 });
    while (second.task !== first.task);
    assert.ok(second.token > first.token);
    await assert.rejects(hoso.complete(first, { verdict: 'approve' }, DESK), errors.stale);
    await hoso.complete(second, { verdict: 'approve' }, DESK);
    await hoso.complete(second, { verdict: 'approve' }, DESK); // the same answer again
});

test('a failed task does not end the loop, and no exception text goes out', async () => {
    const told = [];
    let count = 0;
    const clumsy = () => {
        count++;
        if (count === 1)
            throw new TaskFailed('no paper in the printer', { retryMs: 1 });
        if (count === 2)
            throw new RangeError('Nguyễn Văn A'); // must not reach the reason
        return { verdict: 'approve' };
    };
    await hoso.work('verification.review', SITE, clumsy,
        { ...DESK, limit: 3, onError: (error) => told.push(error.constructor) });
    assert.equal(count, 3);
    assert.deepEqual(told, [RangeError]);
});

test('a loop is ended from outside', async () => {
    const stop = AbortSignal.timeout(300);
    await hoso.work('routing.consult', 'nobody', () => ({}),
        { by: 'x', role: 'agency', waitMs: 100, stop });
    assert.ok(stop.aborted);
});

test('a cursor goes on after what was acknowledged', async () => {
    const cursor = `books-${mark}`;
    const seen = [];
    for await (const event of hoso.journal(cursor, { follow: false, max: 2 })) {
        seen.push(event.seq);
        if (seen.length === 3)
            break; // the program dies with the second page half done
    }
    assert.deepEqual(seen, [1, 2, 3]);
    const rest = await all(hoso.journal(cursor, { after: 3, follow: false, max: 50 }));
    assert.equal(rest[0].seq, 4);
    rest.forEach((event, i) => assert.equal(event.seq, 4 + i));
});
