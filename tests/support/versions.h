/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/versions.h - versions of procedures in a cell of scenarios.
 *
 * Definitions are given by what matters in a test: version, settings, data and states; the rest is
 * the same in all of them, and a quote ' stands for a double one. The code is VERSIONED.
 */
#ifndef TESTS_SUPPORT_VERSIONS_H
#define TESTS_SUPPORT_VERSIONS_H

#include "support/steps.h"

#define VERSIONED "1.000077"

struct edition {
    int version;
    const char *settings; /* of the procedure: "valid_from = '...';" or "" */
    const char *fields;   /* beside full_name: ", { id = ...; }" or "" */
    const char *data;     /* "rounds = 0;" or "" */
    const char *states;   /* beside register, which goes to the first of them, and closed */
    const char *first;
};

/* Installs it as `hoso procedure install` does; every engine loads it. Must be sound. */
void install_edition(struct cell *cell, const struct edition *edition);

/* The same for one that an older release found sound and the rules of today would refuse. */
void install_old_edition(struct cell *cell, const struct edition *edition);

/* Is this text refused, with nothing stored? */
bool is_refused_edition(struct cell *cell, const struct edition *edition);

/* retire and activate. */
void set_active(struct cell *cell, const char *code, uint64_t version, bool active);

/* Files a dossier of VERSIONED; gives its code. */
const char *submit_versioned(struct cell *cell);

/* Carries the migration out in a transaction of its own. A refusal must have written nothing. */
int migrate(struct cell *cell, const char *code, const struct wf_migration *order,
            struct wf_error *err);

/* The dossier as it is stored. */
struct wf_rec_dossier stored(struct cell *cell, const char *code);
void assert_version(struct cell *cell, const char *code, unsigned version);

#endif
