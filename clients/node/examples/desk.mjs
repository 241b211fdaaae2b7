#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
/*
 * A desk: reviews the dossiers of one place of reception.
 *
 *     desk.mjs SITE ROLE [TASKS]       ends after so many tasks; 0 = never
 *
 * An official's decision would come from a screen; here a dossier with papers is approved, and one
 * without is asked to bring them.
 */
import { connect } from 'hoso-client';

const [site, role, tasks = 0] = process.argv.slice(2);
const hoso = connect();

async function review(task) {
    const dossier = await hoso.get(task.dossier, true);
    const papers = dossier.content.papers ?? [];
    console.log(task.dossier, dossier.procedure, `${papers.length} papers`);
    if (papers.length > 0)
        return { verdict: 'approve' };
    return { verdict: 'supplement', reason: 'no papers', items: [] };
}

// An official reads for minutes: the lease is kept as long as review() runs.
await hoso.work('verification.review', site, review, { by: `${role}-01`, role, limit: +tasks });
hoso.close();
