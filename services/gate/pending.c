/* SPDX-License-Identifier: Apache-2.0 */
/* A table of fixed size with chains by the first bytes of the proof, which is a hash already. */
#include <string.h>

#include "gate/gate.h"

int pending_open(struct pendings *pendings, int64_t most, struct wf_error *err)
{
    struct pendings fresh = {.n_rows = (size_t)most + 1, .n_heads = (size_t)most * 2, .free = 1};
    fresh.rows = wf_alloc(fresh.n_rows * sizeof(*fresh.rows));
    fresh.heads = wf_alloc(fresh.n_heads * sizeof(*fresh.heads));
    if (fresh.rows == NULL || fresh.heads == NULL) {
        pending_close(&fresh);
        return wf_fail(err, WF_E_NOMEM, "gate_pending: out of memory");
    }
    for (size_t i = 1; i + 1 < fresh.n_rows; i++)
        fresh.rows[i].next = i + 1;
    *pendings = fresh;
    return 0;
}

void pending_close(struct pendings *pendings)
{
    wf_free(pendings->rows);
    wf_free(pendings->heads);
    *pendings = (struct pendings){0};
}

static size_t *head_of(const struct pendings *pendings, const uint8_t proof[PROOF_LEN])
{
    uint32_t start;
    memcpy(&start, proof, sizeof(start));
    return &pendings->heads[start % pendings->n_heads];
}

struct pending *pending_find(const struct pendings *pendings, const uint8_t proof[PROOF_LEN])
{
    for (size_t i = *head_of(pendings, proof); i != 0; i = pendings->rows[i].next) {
        if (memcmp(pendings->rows[i].proof, proof, PROOF_LEN) == 0)
            return &pendings->rows[i];
    }
    return NULL;
}

struct pending *pending_add(struct pendings *pendings, const uint8_t proof[PROOF_LEN],
                            struct visitor *visitor)
{
    size_t i = pendings->free;
    if (i == 0)
        return NULL;
    struct pending *row = &pendings->rows[i];
    size_t *head = head_of(pendings, proof);
    pendings->free = row->next;
    *row = (struct pending){.visitor = visitor, .next = *head, .used = true};
    memcpy(row->proof, proof, PROOF_LEN);
    *head = i;
    visitor->waiting++;
    return row;
}

void pending_drop(struct pendings *pendings, struct pending *row)
{
    size_t at = (size_t)(row - pendings->rows);
    size_t *link = head_of(pendings, row->proof);
    while (*link != at)
        link = &pendings->rows[*link].next;
    *link = row->next;
    row->visitor->waiting--;
    *row = (struct pending){.next = pendings->free};
    pendings->free = at;
}

int64_t pending_expire(struct pendings *pendings, int64_t now_ms)
{
    int64_t n = 0;
    for (size_t i = 1; i < pendings->n_rows; i++) {
        struct pending *row = &pendings->rows[i];
        if (row->used && now_ms >= row->until_ms) {
            pending_drop(pendings, row);
            n++;
        }
    }
    return n;
}
