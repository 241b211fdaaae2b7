/* SPDX-License-Identifier: Apache-2.0 */
/* store/check.h - what check.c (walks and totals) and check_*.c (rows and links) share. */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "store/txn.h"

/* How often a key was met, by its hash: open addressing, hash 0 = free. */
struct check_tallies {
    struct check_tally {
        uint64_t hash, n;
    } * rows;
    size_t n, room;
    bool failed;
};

struct check {
    struct wf_store *store;
    struct wf_check_part part;
    struct wf_txn *txn; /* of the rows under way */
    struct wf_arena *arena;
    wf_finding_fn *fn;
    void *context;
    struct wf_check sum;
    uint64_t snapshot; /* at the beginning */
    uint64_t counted[WF_TABLE_COUNT];
    uint64_t open, closed;
    uint64_t chain_seq; /* event of the journal seen last in this transaction, 0 = none */
    uint8_t chain_hash[WF_HASH_BYTES]; /* and its hash */
    uint64_t last_change;              /* seen in this transaction, 0 = none */
    int64_t now_ms;                    /* business time */
    uint64_t *waiting; /* numbers of all queue items, sorted; made when first needed */
    size_t n_waiting, cap_waiting;
    bool has_waiting;
    struct check_tallies tallies; /* of the dossiers walked over */
    struct wf_error *err;
};

void check_find(struct check *c, const char *name, const char *fmt, ...) WF_PRINTF(3, 4);

/*
 * What an error of the store's own functions means: damage is a finding (0 comes back), all else
 * ends the check.
 */
int check_damage(struct check *c, int rc, const char *name);

/* Looks at one row. 0, or an error that ends the check. */
typedef int check_row_fn(struct check *c, const struct wf_key *key, struct wf_slice value);

/* Finding where the key's length is not the table's; true where the row can be looked at. */
bool check_has_length(struct check *c, enum wf_table table, const struct wf_key *key,
                      size_t length);
/* The dossier that a row names; false (and a finding) where there is none. */
bool check_dossier_of(struct check *c, enum wf_table table, uint64_t id, struct wf_rec_dossier *out,
                      int *out_rc);
int check_unpack(struct check *c, enum wf_table table, enum wf_record kind, struct wf_slice value,
                 void *out, bool *out_whole);
/* Small helps: the number that a key ends with; the key of a number; is there such a row?; a finding
 * where a row of an index has a value; a row that holds one checked number. */
uint64_t check_last_u64(const struct wf_key *key);
void check_id_key(struct wf_key *key, uint64_t id);
bool check_has_row(struct check *c, enum wf_table table, const struct wf_key *key);

/*
 * A link has two ends: a row that calls for another, and the other that stands there. Where they are
 * looked up, check_calls says whether it stands; where they are summed it is always true, and both
 * ends are added up with opposite signs (`times` of them), so that the sum over all parts is 0 if and,
 * but for a chance of 2^-64, only if every end has its other. Each kind of link has a table's name.
 */
bool check_calls(struct check *c, enum wf_table table, const struct wf_key *key);
void check_stands(struct check *c, enum wf_table table, const struct wf_key *key, uint64_t times);
void check_no_value(struct check *c, enum wf_table table, struct wf_slice value);
int check_number(struct check *c, enum wf_table table, const struct wf_key *key, uint64_t *out);
/* A queue item, wherever it lies. */
int check_item(struct check *c, enum wf_table table, const struct wf_key *key,
               const struct wf_rec_queue *item);

/* check_dossiers.c */
check_row_fn check_dossiers_row;
check_row_fn check_contents_row;
check_row_fn check_codes_row;
check_row_fn check_by_procedure_row;
check_row_fn check_by_state_row;
check_row_fn check_by_site_row;
check_row_fn check_by_due_row;
check_row_fn check_papers_row;
/* check_holds.c */
check_row_fn check_holds_row;
check_row_fn check_held_row;
bool check_timer_is_held(struct check *c, const struct wf_rec_dossier *dossier, int64_t due,
                         uint64_t seq);
/* Of the table of changes, and of the meta row with their head (changes.c). */
check_row_fn check_changes_row;
int check_changes_head(struct check *c, struct wf_slice value);

/* One for each table, by enum wf_table. */
extern check_row_fn *const check_rows[WF_TABLE_COUNT];

/* check_tallies.c: counts a dossier; sums in one snapshot; each tally, where nobody wrote since. */
void check_tallies_add(struct check *c, const struct wf_rec_dossier *dossier);
int check_tallies_sums(struct check *c, const struct wf_counts *counts);
int check_tallies_each(struct check *c);

#endif
