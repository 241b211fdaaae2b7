#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
/*
 * A courier: brings parcels home, and tells where they are.
 *
 *     courier.mjs ADDRESS [TASKS]      ADDRESS: such as vnpost; ends after so many tasks; 0 = never
 *
 * Each attempt is a task of its own. Its params hold what stands on the label: `item` (the number
 * of the parcel), full_name, phone, address, and which `attempt` this is.
 */
import { connect } from 'hoso-client';

const WAY = ['collected', 'in_transit', 'out_for_delivery'];
const by = 'courier-17';
const [address, tasks = 0] = process.argv.slice(2);
const hoso = connect();

async function bring(task) {
    const { item, attempt } = task.params;
    for (const state of WAY) // said again after a crash, older news change nothing
        await hoso.progress(task, { state, attempt },
            { by, id: `${item}-${attempt}-${state}-${task.token}` });
    if (!task.params.address)
        return { outcome: 'failed', reason: 'no address', attempt };
    console.log(task.dossier, item);
    return { outcome: 'delivered', attempt };
}

await hoso.work('return.deliver', address, bring, { by, role: 'courier', limit: +tasks });
hoso.close();
