/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/hoso/station.h - a station's folder: its own settings and store, and how it is.
 *
 * CONCEPTS   station   CELL/relay.cfg makes a folder one: there are no workers and no store of
 *                      dossiers, but what waits for the line (relay/store.h)
 * DANGERS    hoso-relay may run meanwhile, and works on the same file.
 */
#ifndef HOSO_STATION_H
#define HOSO_STATION_H

#include "hoso.h"
#include "relay/relay.h"

struct station {
    struct relay relay; /* settings only */
    struct db *db;      /* NULL: hoso-relay has not run yet */
};

/* Settings, and its store where there is one. Close it also where this failed. */
int station_open(struct hoso *h, bool write, struct station *out) WF_CHECKED;
void station_close(struct station *station);

/* The folder of its store; NULL where its settings cannot be read. */
const char *station_files(struct hoso *h);

/* As hoso_health (health.h), of a station: docs/relay.md describes it. */
int station_health(struct hoso *h, const struct wf_value **out) WF_CHECKED;
/* That answer for people. */
int station_print(struct hoso *h, const struct wf_value *answer) WF_CHECKED;

#endif
