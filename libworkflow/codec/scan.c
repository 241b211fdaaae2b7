/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the bytes without recursion. `announced` counts the objects that headers promise;
 * no promise may go beyond the bytes that are left, so neither a five-byte frame that claims ten
 * million elements nor a tower of brackets costs more than its own bytes.
 *
 * Unique keys: each open map reserves room for its keys, which are compared when the map ends; a
 * few with each other, many after sorting, so that the cost stays near linear.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define FEW_KEYS 12 /* up to here, comparing each with each is quicker than sorting */

const struct limits codec_party_limits = {WF_FRAME_MAX, 16, 4096};
const struct limits codec_reply_limits = {WF_REPLY_MAX, MAX_DEPTH, 65536};
const struct limits codec_store_limits = {0, MAX_DEPTH, 65536};

enum form { NEVER, PLAIN, FLOAT, TEXT, BIN, LIST, MAP };

struct token {
    enum form form;
    uint64_t size; /* bytes that follow, or objects of LIST, pairs of MAP */
    const uint8_t *start;
};

struct level {
    size_t left; /* objects still to come */
    size_t n_keys;
    size_t first_key;
    bool is_map;
};

struct scan {
    const uint8_t *begin;
    const uint8_t *at;
    const uint8_t *end;
    const struct limits *limits;
    size_t announced; /* objects promised so far, seen or not */
    size_t pending;   /* objects promised and not yet seen */
    size_t depth;
    struct level levels[MAX_DEPTH];
    struct wf_str *keys;
    size_t n_keys;
    size_t cap_keys;
    struct wf_str few_keys[64];
    struct wf_error *err;
};

/* Leads 0xc0 to 0xdf: what it is, bytes of its number, and whether that counts what follows. */
/* clang-format off */
static const struct {
    uint8_t form;
    uint8_t bytes;
    bool is_count;
} leads[32] = {
    {PLAIN, 0, false}, {NEVER, 0, false}, {PLAIN, 0, false}, {PLAIN, 0, false}, /* nil - F T */
    {BIN,   1, true},  {BIN,   2, true},  {BIN,   4, true},                     /* bin */
    {NEVER, 0, false}, {NEVER, 0, false}, {NEVER, 0, false},                    /* ext */
    {FLOAT, 4, false}, {FLOAT, 8, false},
    {PLAIN, 1, false}, {PLAIN, 2, false}, {PLAIN, 4, false}, {PLAIN, 8, false}, /* uint */
    {PLAIN, 1, false}, {PLAIN, 2, false}, {PLAIN, 4, false}, {PLAIN, 8, false}, /* int */
    {NEVER, 0, false}, {NEVER, 0, false}, {NEVER, 0, false}, {NEVER, 0, false}, /* fixext */
    {NEVER, 0, false},
    {TEXT,  1, true},  {TEXT,  2, true},  {TEXT,  4, true},
    {LIST,  2, true},  {LIST,  4, true},
    {MAP,   2, true},  {MAP,   4, true},
};
/* clang-format on */

static int refuse(const struct scan *scan, const char *why)
{
    return wf_fail(scan->err, WF_E_INVALID, "byte %zu: %s", (size_t)(scan->at - scan->begin), why);
}

static size_t bytes_left(const struct scan *scan)
{
    return (size_t)(scan->end - scan->at);
}

static uint64_t big_endian(const uint8_t *from, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; i++)
        number = number << 8 | from[i];
    return number;
}

/* Takes the head of the next object; its payload, if any, lies at token->start. The most frequent
 * come first: small integers and short texts, whose head is one byte. */
static int read_head(struct scan *scan, struct token *token)
{
    if (bytes_left(scan) == 0)
        return refuse(scan, "cut short");
    uint8_t lead = *scan->at++;
    token->form = PLAIN;
    token->size = 0;
    token->start = scan->at;
    if (lead < 0x80 || lead >= 0xe0)
        return 0;
    if (lead >= 0xa0 && lead <= 0xbf) {
        token->form = TEXT;
        token->size = lead & 0x1f;
    } else if (lead >= 0xc0) {
        size_t bytes = leads[lead - 0xc0].bytes;
        token->form = (enum form)leads[lead - 0xc0].form;
        if (bytes_left(scan) < bytes)
            return refuse(scan, "cut short");
        token->size = leads[lead - 0xc0].is_count ? big_endian(scan->at, bytes) : bytes;
        scan->at += leads[lead - 0xc0].is_count ? bytes : 0;
        token->start = scan->at;
    } else {
        token->form = lead >= 0x90 ? LIST : MAP;
        token->size = lead & 0x0f;
    }
    return 0;
}

static bool is_finite(const struct token *token)
{
    if (token->size == 8) {
        uint64_t bits = big_endian(token->start, 8);
        return (bits >> 52 & 0x7ff) != 0x7ff;
    }
    uint64_t bits = big_endian(token->start, 4);
    return (bits >> 23 & 0xff) != 0xff;
}

/* Eight plain bytes at a time, then each; the careful check begins at the first that is not. */
static bool is_text(const uint8_t *text, size_t length)
{
    const uint64_t ones = 0x0101010101010101U;
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, text + i, sizeof(word));
        if (((word | (word - ones)) & ones << 7) != 0)
            break;
    }
    while (i < length && text[i] >= 0x01 && text[i] <= 0x7f)
        i++;
    return i == length || wf_is_utf8((const char *)text + i, length - i);
}

static int read_payload(struct scan *scan, const struct token *token)
{
    if (token->size == 0)
        return 0;
    if (token->size > bytes_left(scan))
        return refuse(scan, "cut short");
    if (token->form == FLOAT && !is_finite(token))
        return refuse(scan, "no finite number");
    if (token->form == TEXT && !is_text(token->start, token->size))
        return refuse(scan, "text is not UTF-8 without NUL");
    scan->at += token->size;
    return 0;
}

static int reserve_keys(struct scan *scan, size_t n)
{
    size_t wanted = scan->n_keys + n;
    if (wanted > scan->cap_keys) {
        bool on_heap = scan->keys != scan->few_keys;
        size_t cap = scan->cap_keys * 2 > wanted ? scan->cap_keys * 2 : wanted;
        struct wf_str *grown = wf_realloc(on_heap ? scan->keys : NULL, cap * sizeof(struct wf_str));
        if (grown == NULL)
            return wf_fail(scan->err, WF_E_NOMEM, "no memory for %zu keys", cap);
        if (!on_heap)
            memcpy(grown, scan->few_keys, scan->n_keys * sizeof(struct wf_str));
        scan->keys = grown;
        scan->cap_keys = cap;
    }
    scan->n_keys = wanted;
    return 0;
}

static int open_level(struct scan *scan, const struct token *token)
{
    bool is_map = token->form == MAP;
    if (scan->depth == scan->limits->depth)
        return refuse(scan, "nested too deep");
    if (token->size > bytes_left(scan))
        return refuse(scan, "holds more than the bytes that are left");
    size_t n = (size_t)token->size * (is_map ? 2 : 1);
    scan->announced += n;
    scan->pending += n;
    if (scan->pending > bytes_left(scan))
        return refuse(scan, "holds more than the bytes that are left");
    if (scan->announced > scan->limits->objects)
        return refuse(scan, "too many objects");
    scan->levels[scan->depth++] = (struct level){n, 0, scan->n_keys, is_map};
    return is_map ? reserve_keys(scan, (size_t)token->size) : 0;
}

/* Any fixed order will do for finding equals; lengths first spares most comparisons. */
static int compare_keys(const void *a, const void *b)
{
    const struct wf_str *left = a;
    const struct wf_str *right = b;
    if (left->len != right->len)
        return left->len < right->len ? -1 : 1;
    return left->len == 0 ? 0 : memcmp(left->ptr, right->ptr, left->len);
}

static bool are_unique(struct wf_str *keys, size_t n)
{
    bool is_sorted = n > FEW_KEYS;
    if (is_sorted)
        qsort(keys, n, sizeof(*keys), compare_keys);
    for (size_t i = 1; i < n; i++) {
        for (size_t k = is_sorted ? i - 1 : 0; k < i; k++) {
            if (wf_str_equal(keys[i], keys[k]))
                return false;
        }
    }
    return true;
}

/* Ends every container whose last object has just been read. */
static int close_levels(struct scan *scan)
{
    while (scan->depth > 0 && scan->levels[scan->depth - 1].left == 0) {
        struct level *level = &scan->levels[--scan->depth];
        if (level->is_map && !are_unique(scan->keys + level->first_key, level->n_keys))
            return refuse(scan, "a map that ends here has a key twice");
        scan->n_keys = level->first_key;
    }
    return 0;
}

static int read_key(struct scan *scan, struct level *level, const struct token *token)
{
    if (token->form != TEXT)
        return refuse(scan, "the key of a map is no text");
    int rc = read_payload(scan, token);
    if (rc == 0)
        scan->keys[level->first_key + level->n_keys++] =
            (struct wf_str){(const char *)token->start, (size_t)token->size};
    return rc;
}

static int read_object(struct scan *scan)
{
    struct token token;
    int rc = read_head(scan, &token);
    if (rc < 0)
        return rc;
    struct level *level = scan->depth > 0 ? &scan->levels[scan->depth - 1] : NULL;
    bool is_key = level != NULL && level->is_map && level->left % 2 == 0;
    scan->pending--;
    if (level != NULL)
        level->left--;
    if (token.form == NEVER)
        return refuse(scan, "a kind of object that is not in use here");
    if (is_key)
        return read_key(scan, level, &token);
    bool is_container = token.form == LIST || token.form == MAP;
    rc = is_container ? open_level(scan, &token) : read_payload(scan, &token);
    if (rc < 0 || !(is_container || (level != NULL && level->left == 0)))
        return rc;
    return close_levels(scan);
}

int codec_scan(struct wf_slice bytes, const struct limits *limits, struct wf_error *err)
{
    if (limits->bytes > 0 && bytes.len > limits->bytes)
        return wf_fail(err, WF_E_INVALID, "longer than %zu bytes", limits->bytes);
    if (bytes.len == 0)
        return wf_fail(err, WF_E_INVALID, "empty");
    struct scan scan;
    scan.begin = scan.at = bytes.ptr;
    scan.end = bytes.ptr + bytes.len;
    scan.limits = limits;
    scan.announced = scan.pending = 1;
    scan.depth = 0;
    scan.keys = scan.few_keys;
    scan.n_keys = 0;
    scan.cap_keys = WF_COUNT(scan.few_keys);
    scan.err = err;

    int rc = 0;
    while (rc == 0 && scan.pending > 0)
        rc = read_object(&scan);
    if (rc == 0 && bytes_left(&scan) > 0)
        rc = refuse(&scan, "more bytes than one object");
    if (scan.keys != scan.few_keys)
        wf_free(scan.keys);
    return rc;
}

int wf_scan(struct wf_slice bytes, struct wf_error *err)
{
    return codec_scan(bytes, &codec_party_limits, err);
}
