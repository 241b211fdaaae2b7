/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry as the gate needs it: rows by key. The list of the door (who may connect) and the
 * rows (who may ask) are made from one reading; connections are left alone by it.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/gate.h"

static int by_name(const void *a, const void *b)
{
    const struct visitor *const *x = a;
    const struct visitor *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int by_key(const void *a, const void *b)
{
    const struct key *x = a;
    const struct key *y = b;
    return strcmp(x->z85, y->z85);
}

static struct visitor *visitor_of(const struct gate *gate, size_t n, const char *name)
{
    struct visitor wanted;
    const struct visitor *key = &wanted;
    (void)snprintf(wanted.name, sizeof(wanted.name), "%s", name);
    struct visitor **found = n > 0 ? bsearch(&key, gate->visitors, n, sizeof(key), by_name) : NULL;
    return found != NULL ? *found : NULL;
}

/* Everybody in the table is a visitor, the old ones as they were. */
static int meet(struct gate *gate, const struct wf_parties *parties)
{
    size_t n = wf_parties_count(parties);
    size_t known = gate->n_visitors;
    struct visitor **grown = wf_realloc(gate->visitors, (known + n + 1) * sizeof(*grown));
    if (grown == NULL)
        return WF_E_NOMEM;
    gate->visitors = grown;
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        const char *name = wf_parties_at(parties, i)->name;
        if (visitor_of(gate, known, name) != NULL)
            continue;
        struct visitor *fresh = wf_alloc(sizeof(*fresh));
        if (fresh == NULL) {
            rc = WF_E_NOMEM;
            continue;
        }
        (void)snprintf(fresh->name, sizeof(fresh->name), "%s", name);
        gate->visitors[gate->n_visitors++] = fresh;
    }
    if (gate->n_visitors > known)
        qsort(gate->visitors, gate->n_visitors, sizeof(*gate->visitors), by_name);
    return rc;
}

static size_t count_keys(const struct wf_parties *parties)
{
    size_t n = 0;
    for (size_t i = 0; i < wf_parties_count(parties); i++)
        n += wf_parties_at(parties, i)->keys.n;
    return n;
}

static int add_keys(const struct gate *gate, const struct wf_parties *parties, struct key *keys)
{
    size_t n = 0;
    for (size_t i = 0; i < wf_parties_count(parties); i++) {
        const struct wf_party *party = wf_parties_at(parties, i);
        for (size_t k = 0; k < party->keys.n; k++) {
            struct key *key = &keys[n++];
            key->party = party;
            key->visitor = visitor_of(gate, gate->n_visitors, party->name);
            (void)snprintf(key->z85, sizeof(key->z85), "%s", party->keys.items[k]);
            if (!party->revoked && wf_key_is_printed(key->z85))
                wf_log(WF_LOG_ERROR, WF_LOG_PARTIES_EVENT, NULL,
                       "%s: its key stands in the manual of ZeroMQ and is refused", party->name);
        }
    }
    return 0;
}

/* Who may connect: all keys that are not revoked. */
static int allow(struct gate *gate, const struct key *keys, size_t n, struct wf_error *err)
{
    struct wf_door_key *list = wf_alloc((n > 0 ? n : 1) * sizeof(*list));
    size_t kept = 0;
    if (list == NULL)
        return wf_fail(err, WF_E_NOMEM, "list of keys: out of memory");
    for (size_t i = 0; i < n; i++) {
        if (!keys[i].party->revoked)
            list[kept++] = (struct wf_door_key){keys[i].z85, keys[i].party->name};
    }
    int rc = wf_door_allow(gate->door, list, kept, err);
    wf_free(list);
    return rc;
}

/* Takes the table over where all went well. */
static int take(struct gate *gate, struct wf_parties *parties, struct wf_error *err)
{
    size_t n = count_keys(parties);
    struct key *keys = wf_alloc((n > 0 ? n : 1) * sizeof(*keys));
    int rc = keys != NULL ? meet(gate, parties) : WF_E_NOMEM;
    if (rc == 0)
        rc = add_keys(gate, parties, keys);
    if (rc != 0) {
        wf_free(keys);
        return wf_fail(err, rc, "out of memory");
    }
    qsort(keys, n, sizeof(*keys), by_key);
    rc = allow(gate, keys, n, err);
    if (rc != 0) {
        wf_free(keys);
        return rc;
    }
    wf_free(gate->keys);
    wf_parties_free(gate->parties);
    gate->keys = keys;
    gate->n_keys = n;
    gate->parties = parties;
    gate->slot->parties = (int64_t)wf_parties_count(parties);
    return 0;
}

void registry_read(struct gate *gate, bool in_any_case)
{
    if (in_any_case)
        gate->watch = (struct wf_parties_watch){0};
    if (!wf_parties_due(&gate->watch, gate->folder))
        return;
    struct wf_report report = {0};
    struct wf_parties *fresh = NULL;
    struct wf_error err = {0};
    int rc = wf_parties_load(gate->folder, &report, &fresh, &err);
    if (rc == 0) {
        rc = take(gate, fresh, &err);
        if (rc != 0)
            wf_parties_free(fresh);
    }
    bool tells = wf_parties_read(&gate->watch, rc);
    wf_report_fini(&report);
    (void)malloc_trim(0); /* what reading all files took */
    if (rc == 0)
        wf_log(WF_LOG_INFO, WF_LOG_PARTIES_EVENT, NULL, "%zu parties are registered",
               wf_parties_count(fresh));
    else if (tells)
        wf_log(WF_LOG_ERROR, WF_LOG_PARTIES_EVENT, &(struct wf_log_fact){.rc = rc},
               "the parties stay as they were: %s", err.text);
}

const struct key *registry_find(const struct gate *gate, const char *z85)
{
    struct key wanted = {0};
    (void)snprintf(wanted.z85, sizeof(wanted.z85), "%s", z85);
    return gate->n_keys > 0 ? bsearch(&wanted, gate->keys, gate->n_keys, sizeof(wanted), by_key)
                            : NULL;
}

void registry_free(struct gate *gate)
{
    for (size_t i = 0; i < gate->n_visitors; i++)
        wf_free(gate->visitors[i]);
    wf_free(gate->visitors);
    wf_free(gate->keys);
    wf_parties_free(gate->parties);
}
