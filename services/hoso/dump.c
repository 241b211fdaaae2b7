/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump and load: a store as lines of JSON, for machines on which the binary file cannot be read
 * (another page size or byte order) and for the far future.
 *
 *   {"hoso_dump": 1, "format": 3, "cell": "vi-thanh"}
 *   {"table": "dossiers", "key": "0000000000000001", "value": "dd01..."}     bytes as hex
 *   {"rows": 1234, "hash": "..."}
 *
 * The hash is a chain of BLAKE2b-256 over all lines before the last one, so that a line changed,
 * lost or moved shows. What is loaded is checked like every store before it is put in place.
 */
#include "keep.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools.h"
#include "workflow/archive.h"
#include "workflow/hash.h"

#define DUMP_FORMAT  1
#define ROWS_AT_ONCE 1000

struct dump {
    struct hoso *h;
    FILE *file;
    struct wf_buf line;
    uint64_t rows;
    uint8_t hash[WF_HASH_BYTES];
};

static void chain(struct dump *d, const void *line, size_t n)
{
    uint8_t next[WF_HASH_BYTES];
    wf_hash(d->hash, sizeof(d->hash), line, n, next);
    memcpy(d->hash, next, sizeof(next));
}

/* ---- dump ------------------------------------------------------------------------------------ */

static void add_hex(struct wf_buf *out, struct wf_slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        const char two[] = {digits[bytes.ptr[i] >> 4], digits[bytes.ptr[i] & 15]};
        wf_buf_add(out, two, sizeof(two));
    }
}

static int put_line(struct dump *d)
{
    if (d->line.failed)
        return wf_fail(&d->h->err, WF_E_NOMEM, "dump: out of memory");
    chain(d, d->line.ptr, d->line.len);
    wf_buf_text(&d->line, "\n");
    if (fwrite(d->line.ptr, 1, d->line.len, d->file) != d->line.len)
        return wf_fail(&d->h->err, WF_E_IO, "dump: %s", strerror(errno));
    wf_buf_clear(&d->line);
    return 0;
}

static int dump_row(void *context, const char *table, struct wf_slice key, struct wf_slice value)
{
    struct dump *d = context;
    d->rows++;
    wf_buf_printf(&d->line, "{\"table\": \"%s\", \"key\": \"", table);
    add_hex(&d->line, key);
    wf_buf_text(&d->line, "\", \"value\": \"");
    add_hex(&d->line, value);
    wf_buf_text(&d->line, "\"}");
    return put_line(d);
}

static int dump_all(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct dump *d = context;
    char hex[2 * WF_HASH_BYTES + 1];
    struct wf_str cell = wf_store_meta(h->store)->cell;
    wf_buf_printf(&d->line, "{\"hoso_dump\": %d, \"format\": %d, \"cell\": \"", DUMP_FORMAT,
                  WF_STORE_FORMAT);
    for (size_t i = 0; i < cell.len; i++) { /* a name of our own making: nothing to escape but */
        if (cell.ptr[i] == '"' || cell.ptr[i] == '\\')
            wf_buf_text(&d->line, "\\");
        wf_buf_add(&d->line, cell.ptr + i, 1);
    }
    wf_buf_text(&d->line, "\"}");
    int rc = put_line(d);
    if (rc == 0)
        rc = wf_dump_each(txn, dump_row, d, &h->err);
    wf_hex(d->hash, sizeof(d->hash), hex);
    wf_buf_printf(&d->line, "{\"rows\": %" PRIu64 ", \"hash\": \"%s\"}", d->rows, hex);
    return rc == 0 ? put_line(d) : rc;
}

int hoso_dump(struct hoso *h)
{
    struct output output;
    int rc = hoso_store(h, false);
    if (rc == 0)
        rc = tool_output_open(h, true, &output);
    if (rc != 0)
        return rc;
    struct dump d = {.h = h, .file = output.file};
    rc = hoso_read(h, dump_all, &d);
    wf_buf_fini(&d.line);
    return tool_output_close(h, &output, rc);
}

/* ---- load ------------------------------------------------------------------------------------ */

struct load {
    struct dump d;
    const char *name;
    uint64_t line_no;
    struct wf_store *store;
    struct wf_txn *txn;
    struct wf_arena *arena;
    char final[4096], aside[4096];
};

static int refuse(struct load *l, const char *why)
{
    return wf_fail(&l->d.h->err, WF_E_INVALID, "%s:%" PRIu64 ": %s", l->name, l->line_no, why);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int from_hex(struct load *l, const struct wf_value *text, struct wf_slice *out)
{
    struct wf_str hex = wf_value_str(text);
    uint8_t *bytes = wf_arena_alloc(l->arena, hex.len / 2 + 1);
    if (bytes == NULL)
        return wf_fail(&l->d.h->err, WF_E_NOMEM, "load: out of memory");
    if (text == NULL || hex.len % 2 != 0)
        return refuse(l, "bytes as hex are wanted");
    for (size_t i = 0; i < hex.len / 2; i++) {
        int high = hex_value(hex.ptr[2 * i]);
        int low = hex_value(hex.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return refuse(l, "bytes as hex are wanted");
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    *out = (struct wf_slice){bytes, hex.len / 2};
    return 0;
}

/* The next line, as a value; WF_NONE at the end of the file. Does not chain it. */
static int next_line(struct load *l, char **text, size_t *size, size_t *out_n,
                     const struct wf_value **out)
{
    struct hoso *h = l->d.h;
    ssize_t n = getline(text, size, l->d.file);
    if (n < 0)
        return ferror(l->d.file) ? wf_fail(&h->err, WF_E_IO, "%s: %s", l->name, strerror(errno))
                                 : WF_NONE;
    l->line_no++;
    *out_n = (size_t)n - ((*text)[n - 1] == '\n');
    wf_arena_reset(l->arena);
    int rc = hoso_json_parse(l->name, *text, *out_n, l->arena, out, &h->err);
    return rc < 0 ? refuse(l, "no JSON: the file is damaged") : 0;
}

static int read_head(struct load *l, const struct wf_value *head)
{
    struct hoso *h = l->d.h;
    const char *cell = wf_value_text(wf_map_get(head, "cell"), "");
    if (wf_value_int(wf_map_get(head, "hoso_dump"), 0) != DUMP_FORMAT)
        return refuse(l, "is no dump of this release");
    if (wf_value_int(wf_map_get(head, "format"), 0) > WF_STORE_FORMAT)
        return wf_fail(&h->err, WF_E_VERSION,
                       "%s: a store of a newer format: use the release of hoso that made it",
                       l->name);
    if (strcmp(cell, h->settings.cell) != 0)
        return wf_fail(&h->err, WF_E_STATE, "%s: is of cell \"%.60s\", hoso.cfg says \"%.60s\"",
                       l->name, cell, h->settings.cell);
    int rc = wf_store_create(l->aside, cell, NULL, NULL, &h->err);
    const struct wf_store_options options = {.map_bytes = (uint64_t)h->settings.map_mib << 20};
    return rc == 0 ? wf_store_open(l->aside, &options, &l->store, &h->err) : rc;
}

static int load_row(struct load *l, const struct wf_value *row)
{
    struct hoso *h = l->d.h;
    struct wf_slice key = {NULL, 0};
    struct wf_slice value = {NULL, 0};
    int rc = from_hex(l, wf_map_get(row, "key"), &key);
    if (rc == 0)
        rc = from_hex(l, wf_map_get(row, "value"), &value);
    if (rc == 0 && l->txn == NULL)
        rc = wf_txn_begin(l->store, true, &l->txn, &h->err);
    if (rc == 0)
        rc = wf_dump_put(l->txn, wf_value_str(wf_map_get(row, "table")), key, value, &h->err);
    if (rc != 0 || ++l->d.rows % ROWS_AT_ONCE != 0)
        return rc;
    rc = wf_txn_commit(l->txn, &h->err);
    l->txn = NULL;
    return rc;
}

static int read_foot(struct load *l, const struct wf_value *foot)
{
    char hex[2 * WF_HASH_BYTES + 1];
    wf_hex(l->d.hash, WF_HASH_BYTES, hex);
    if ((uint64_t)wf_value_int(wf_map_get(foot, "rows"), -1) != l->d.rows ||
        strcmp(hex, wf_value_text(wf_map_get(foot, "hash"), "")) != 0)
        return refuse(l, "rows are missing, or were changed");
    if (l->txn == NULL)
        return 0;
    int rc = wf_txn_commit(l->txn, &l->d.h->err);
    l->txn = NULL;
    return rc;
}

static int load_lines(struct load *l, char **text, size_t *size)
{
    const struct wf_value *line = NULL;
    size_t n = 0;
    int rc = next_line(l, text, size, &n, &line);
    if (rc != 0)
        return rc < 0 ? rc : refuse(l, "is empty");
    chain(&l->d, *text, n);
    rc = read_head(l, line);
    while (rc == 0) {
        rc = next_line(l, text, size, &n, &line);
        if (rc == WF_NONE)
            return refuse(l, "ends before its last line: it was cut");
        if (rc == 0 && wf_map_get(line, "rows") != NULL)
            return read_foot(l, line);
        if (rc == 0) {
            chain(&l->d, *text, n);
            rc = load_row(l, line);
        }
    }
    return rc;
}

/* An older release's rows have brought its format number along. */
static int upgrade(struct load *l)
{
    struct hoso *h = l->d.h;
    const struct wf_upgrade_options options = {.map_bytes = (uint64_t)h->settings.map_mib << 20,
                                               .no_copy = true};
    struct wf_upgrade upgraded;
    struct wf_store *store = NULL;
    int rc = wf_store_upgrade(l->aside, &options, NULL, NULL, &upgraded, &h->err);
    if (rc == 0)
        rc = wf_store_open(l->aside, NULL, &store, &h->err);
    if (rc == 0) /* the archive is that of the cell the dump came from */
        rc = wf_archive_switch_off(store, &h->err);
    wf_store_close(store);
    return rc;
}

static int load_file(struct load *l)
{
    struct hoso *h = l->d.h;
    const struct wf_value *check = NULL;
    char *text = NULL;
    size_t size = 0;
    char lock[4096];
    int rc = load_lines(l, &text, &size);
    free(text);
    wf_txn_abort(l->txn);
    wf_store_close(l->store);
    if (rc == 0)
        rc = upgrade(l);
    if (rc == 0)
        rc = keep_check_clean(h, l->aside, &check);
    if (hoso_path(lock, l->aside, "lock.mdb"))
        (void)unlink(lock);
    return rc == 0 ? keep_settle(h, l->aside, l->final) : rc;
}

static int load_into(struct hoso *h, struct load *l)
{
    int rc = keep_places(h, h->settings.store, l->final, l->aside);
    if (rc == 0)
        rc = keep_out_workers(h);
    if (rc == 0)
        rc = keep_is_free(h, l->final);
    if (rc != 0)
        return rc;
    keep_remove(l->aside);
    rc = load_file(l);
    if (rc != 0)
        keep_remove(l->aside);
    return rc;
}

int hoso_load(struct hoso *h)
{
    struct load *l = wf_arena_alloc(h->arena, sizeof(*l));
    bool done = false;
    int rc = hoso_calendar(h);
    if (rc != 0 || l == NULL)
        return rc != 0 ? rc : wf_fail(&h->err, WF_E_NOMEM, "load: out of memory");
    bool is_stdin = strcmp(h->args[0], "-") == 0;
    *l = (struct load){.d = {.h = h, .file = is_stdin ? stdin : fopen(h->args[0], "r")},
                       .name = h->args[0],
                       .arena = wf_arena_new(0)};
    if (l->d.file == NULL)
        rc = wf_fail(&h->err, WF_E_CONFIG, "%s: %s", h->args[0], strerror(errno));
    else
        rc = l->arena != NULL ? load_into(h, l) : wf_fail(&h->err, WF_E_NOMEM, "load");
    wf_arena_free(l->arena);
    if (l->d.file != NULL && !is_stdin)
        (void)fclose(l->d.file);
    if (rc == 0)
        rc = hoso_answer(h, hoso_map(h, "rows", wf_int(h->arena, (int64_t)l->d.rows), NULL), &done);
    if (rc == 0 && !done)
        (void)printf("%s: %" PRIu64 "\n",
                     h->vi ? "Số dòng đã nạp và kiểm tra" : "Rows loaded and checked", l->d.rows);
    return rc;
}
