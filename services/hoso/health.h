/* SPDX-License-Identifier: Apache-2.0 */
/* services/hoso/health.h - how a cell is, as one value. */
#ifndef HOSO_HEALTH_H
#define HOSO_HEALTH_H

#include "hoso.h"

/*
 * What `status --json` prints: well, level (ok, warning, critical), problems [{code, level, service,
 * what, cure}], dossiers, journal, timers, store, workers [...]. docs/operations.md lists the codes.
 */
int hoso_health(struct hoso *h, const struct wf_value **out) WF_CHECKED;

#endif
