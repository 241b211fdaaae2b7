/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/audit.h - reads a store after the workers have ended: is everything as it must be?
 */
#ifndef TESTS_SUPPORT_AUDIT_H
#define TESTS_SUPPORT_AUDIT_H

#include "support/host.h"

struct acknowledged {
    char id[WF_REQUEST_ID_SIZE];
    char code[65];
    char note[48];
};

/*
 * The journal's chain holds; each dossier's events are 1..n; each six-step dossier is closed and
 * has had each step just once; each acknowledged one is there with its content, and there are no
 * others of that procedure.
 */
void audit(struct host *host, const struct acknowledged *acks, size_t n);

#endif
