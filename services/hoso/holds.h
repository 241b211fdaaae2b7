/* SPDX-License-Identifier: Apache-2.0 */
/* services/hoso/holds.h - what hold, release and drain share. */
#ifndef HOSO_HOLDS_H
#define HOSO_HOLDS_H

#include "hoso.h"

/* Puts on hold or releases, in a transaction of its own; what was put aside is not put back. */
int holds_act(struct hoso *h, struct wf_engine *engine, const struct wf_hold_order *order,
              bool release) WF_CHECKED;

/* The holds in force over a dossier, of its queues none: rows for an answer, and for people. */
int holds_over(struct hoso *h, struct wf_txn *txn, const struct wf_rec_dossier *dossier,
               const struct wf_value **out) WF_CHECKED;
int holds_print(struct hoso *h, const struct wf_value *rows) WF_CHECKED;

#endif
