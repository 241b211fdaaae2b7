/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recording of changes. While it is on, a write transaction collects the row changes that it
 * makes and, at its commit, puts them as one row into the table CHANGES: there is no moment at which
 * a change is in the store and not in that table, and nobody but the archiver syncs anything more.
 *
 * Whether it is on stands in the store, not in a setting: each process of the cell, an operator's
 * command too, must record, or the archive would have a hole that nothing shows.
 *
 * The row that holds the head (number and hash of the last change) is itself in no change: it would
 * have to hold its own hash.
 */
#include "store/changes.h"

#include <inttypes.h>

#include "store/check.h"
#include "workflow/hash.h"

#define HEAD_KEY   "changes"
#define HEAD_BYTES 41 /* on u8 | seq u64 | hash, then the checksum */
#define ROW_HEAD   8
#define KEEP_BYTES ((size_t)4 << 20) /* a buffer that has grown beyond is given back */

static void put_sum(uint8_t *to, const uint8_t *bytes, size_t length)
{
    uint32_t sum = wf_checksum(bytes, length);
    for (unsigned i = 0; i < WF_CHANGE_SUM; i++)
        to[i] = (uint8_t)(sum >> (24 - 8 * i));
}

static bool sum_fits(struct wf_slice bytes)
{
    uint8_t sum[WF_CHANGE_SUM];
    put_sum(sum, bytes.ptr, bytes.len - WF_CHANGE_SUM);
    return memcmp(sum, bytes.ptr + bytes.len - WF_CHANGE_SUM, WF_CHANGE_SUM) == 0;
}

/* ---- the head -------------------------------------------------------------------------------- */

static void head_key(struct wf_key *key)
{
    wf_key_start(key);
    wf_key_text(key, wf_str(HEAD_KEY));
}

static int check_head(struct wf_slice value, struct wf_error *err)
{
    if (value.len != HEAD_BYTES + WF_CHANGE_SUM || !sum_fits(value) || value.ptr[0] > 1)
        return wf_fail(err, WF_E_CORRUPT, "the head of the changes is damaged");
    return 0;
}

int wf_changes_load(struct wf_txn *txn, struct wf_error *err)
{
    struct wf_key key;
    struct wf_slice value;
    txn->changes = (struct wf_changes_head){0};
    txn->change_kind = 0;
    head_key(&key);
    int rc = wf_txn_get(txn, WF_TABLE_META, &key, &value, err);
    if (rc == WF_NONE)
        return 0;
    if (rc == 0)
        rc = check_head(value, err);
    if (rc < 0)
        return rc;
    txn->changes.is_on = value.ptr[0] == 1;
    txn->changes.seq = wf_u64_load(value.ptr + 1);
    memcpy(txn->changes.hash, value.ptr + 9, WF_HASH_BYTES);
    txn->change_kind = txn->changes.is_on ? WF_CHANGE_ROWS : 0;
    wf_buf_clear(&txn->change);
    return 0;
}

int wf_changes_put_head(struct wf_txn *txn, const struct wf_changes_head *head,
                        struct wf_error *err)
{
    uint8_t bytes[HEAD_BYTES + WF_CHANGE_SUM];
    struct wf_key key;
    bytes[0] = head->is_on ? 1 : 0;
    wf_u64_store(bytes + 1, head->seq);
    memcpy(bytes + 9, head->hash, WF_HASH_BYTES);
    put_sum(bytes + HEAD_BYTES, bytes, HEAD_BYTES);
    head_key(&key);
    return wf_txn_put(txn, WF_TABLE_META, &key, (struct wf_slice){bytes, sizeof(bytes)}, WF_PUT_SET,
                      err);
}

/* ---- recording ------------------------------------------------------------------------------- */

void wf_changes_pause(struct wf_txn *txn)
{
    txn->change_kind = 0;
}

static void begin_change(struct wf_buf *buf)
{
    static const uint8_t head[WF_CHANGE_HEAD];
    if (buf->len == 0)
        wf_buf_add(buf, head, sizeof(head)); /* filled in at commit */
}

void wf_changes_note(struct wf_txn *txn, enum wf_table table, struct wf_slice key,
                     struct wf_slice value)
{
    const char *name = wf_table_names[table];
    uint8_t head[ROW_HEAD];
    uint64_t packed;
    if (txn->change_kind == 0)
        return;
    bool is_put = value.ptr != NULL;
    /* operation u8 | name u8 | key u16 | value u32 */
    packed = (uint64_t)(is_put ? WF_CHANGE_PUT : WF_CHANGE_DEL) << 56 |
             (uint64_t)strlen(name) << 48 | (uint64_t)key.len << 32 | value.len;
    wf_u64_store(head, packed);
    begin_change(&txn->change);
    wf_buf_add(&txn->change, head, sizeof(head));
    wf_buf_add(&txn->change, name, strlen(name));
    wf_buf_add(&txn->change, key.ptr, key.len);
    if (value.len > 0)
        wf_buf_add(&txn->change, value.ptr, value.len);
}

int wf_changes_start(struct wf_txn *txn, struct wf_error *err)
{
    const struct wf_rec_meta *meta = wf_store_meta(txn->store);
    txn->change_kind = WF_CHANGE_START;
    wf_buf_clear(&txn->change);
    begin_change(&txn->change);
    wf_buf_add(&txn->change, meta->cell.ptr, meta->cell.len);
    struct wf_changes_head head = txn->changes;
    head.is_on = true;
    txn->change_kind = 0; /* the head is in no change */
    int rc = wf_changes_put_head(txn, &head, err);
    txn->change_kind = WF_CHANGE_START;
    return rc;
}

static void fill_head(const struct wf_txn *txn, uint8_t *to, uint64_t seq)
{
    wf_u64_store(to, seq);
    wf_u64_store(to + 8, (uint64_t)wf_real_ms());
    wf_u64_store(to + 16, txn->counts.journal_seq);
    to[24] = txn->change_kind;
    memcpy(to + 25, txn->changes.hash, WF_HASH_BYTES);
}

int wf_changes_flush(struct wf_txn *txn, struct wf_error *err)
{
    struct wf_buf *buf = &txn->change;
    struct wf_changes_head head = {.is_on = true, .seq = txn->changes.seq + 1};
    uint8_t sum[WF_CHANGE_SUM];
    struct wf_key key;
    if (txn->change_kind == 0 || (buf->len == 0 && !buf->failed))
        return 0;
    if (buf->failed)
        return wf_fail(err, WF_E_NOMEM, "record the changes");
    if (buf->len > UINT32_MAX - WF_CHANGE_SUM)
        return wf_fail(err, WF_E_FULL, "more than 4 GiB of changes in one transaction");
    fill_head(txn, buf->ptr, head.seq);
    wf_hash(buf->ptr, buf->len, NULL, 0, head.hash);
    put_sum(sum, buf->ptr, buf->len);
    wf_buf_add(buf, sum, sizeof(sum));
    if (buf->failed)
        return wf_fail(err, WF_E_NOMEM, "record the changes");
    txn->change_kind = 0;
    wf_key_start(&key);
    wf_key_u64(&key, head.seq);
    int rc = wf_txn_put(txn, WF_TABLE_CHANGES, &key, (struct wf_slice){buf->ptr, buf->len},
                        WF_PUT_APPEND, err);
    if (rc == 0)
        rc = wf_changes_put_head(txn, &head, err);
    if (buf->cap > KEEP_BYTES)
        wf_buf_fini(buf);
    return rc;
}

/* ---- reading --------------------------------------------------------------------------------- */

int wf_change_read(struct wf_slice bytes, struct wf_change *out, struct wf_error *err)
{
    if (bytes.len < WF_CHANGE_LEAST || !sum_fits(bytes))
        return wf_fail(err, WF_E_CORRUPT, "its checksum does not fit");
    const uint8_t *at = bytes.ptr;
    size_t whole = bytes.len - WF_CHANGE_SUM;
    *out = (struct wf_change){.seq = wf_u64_load(at),
                              .real_ms = (int64_t)wf_u64_load(at + 8),
                              .journal_seq = wf_u64_load(at + 16),
                              .kind = at[24],
                              .before = at + 25,
                              .rows = {at + WF_CHANGE_HEAD, whole - WF_CHANGE_HEAD}};
    wf_hash(at, whole, NULL, 0, out->hash);
    return 0;
}

static int table_of(const uint8_t *name, size_t length)
{
    for (int i = 0; i < WF_TABLE_COUNT; i++) {
        if (strlen(wf_table_names[i]) == length && memcmp(wf_table_names[i], name, length) == 0)
            return i;
    }
    return -1;
}

/* Takes one row change off *rows and makes it. */
static int apply_row(struct wf_txn *txn, struct wf_slice *rows, struct wf_error *err)
{
    struct wf_key key;
    if (rows->len < ROW_HEAD)
        return wf_fail(err, WF_E_CORRUPT, "a row change is cut short");
    uint64_t packed = wf_u64_load(rows->ptr);
    size_t name_len = packed >> 48 & 0xff;
    size_t key_len = packed >> 32 & 0xffff;
    size_t value_len = packed & 0xffffffff;
    const uint8_t *name = rows->ptr + ROW_HEAD;
    size_t whole = ROW_HEAD + name_len + key_len + value_len;
    int table = rows->len >= whole ? table_of(name, name_len) : -1;
    if (table < 0 || key_len == 0 || key_len > WF_KEY_MAX)
        return wf_fail(err, WF_E_CORRUPT, "a row change is not understood");
    wf_key_start(&key);
    wf_key_bytes(&key, name + name_len, key_len);
    struct wf_slice value = {name + name_len + key_len, value_len};
    *rows = (struct wf_slice){rows->ptr + whole, rows->len - whole};
    if (packed >> 56 == WF_CHANGE_PUT)
        return wf_txn_put(txn, (enum wf_table)table, &key, value, WF_PUT_SET, err);
    return wf_txn_must_del(txn, (enum wf_table)table, &key, err);
}

int wf_change_apply(struct wf_txn *txn, const struct wf_change *change, struct wf_error *err)
{
    struct wf_slice rows = change->rows;
    int rc = 0;
    while (change->kind == WF_CHANGE_ROWS && rows.len > 0 && rc == 0)
        rc = apply_row(txn, &rows, err);
    return rc;
}

/* ---- the check ------------------------------------------------------------------------------- */

int check_changes_head(struct check *c, struct wf_slice value)
{
    return check_damage(c, check_head(value, c->err), "changes");
}

/* They are deleted from the front only, so that those which are seen at one time have no gap. */
int check_changes_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    struct wf_change change;
    int rc = wf_change_read(value, &change, c->err);
    if (rc < 0)
        return check_damage(c, rc, "changes");
    if (key->len != sizeof(change.seq) || wf_u64_load(key->bytes) != change.seq)
        check_find(c, "keys", "changes: %" PRIu64 " lies under a key not its own", change.seq);
    if (c->last_change != 0 && change.seq != c->last_change + 1)
        check_find(c, "changes", "change %" PRIu64 " is missing", c->last_change + 1);
    c->last_change = change.seq;
    return 0;
}
