/* SPDX-License-Identifier: Apache-2.0 */
/* services/hoso/restore.h - parts of the verb restore. */
#ifndef HOSO_RESTORE_H
#define HOSO_RESTORE_H

#include "hoso.h"

#define RESTORE_SKIP 1000 /* numbers, where --skip-numbers says nothing else */

/* Passes over `count` numbers of each series of the restored store; 0 = none at all. */
int restore_skip_numbers(struct hoso *h, uint64_t count) WF_CHECKED;
/* And of the courier's pool in the restored book, which may have fewer. */
int restore_skip_items(struct hoso *h, int64_t count, int64_t *out) WF_CHECKED;

#endif
