/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader. One pass over the bytes checks every rule and, where there is an arena, builds the
 * values on the way; without one it only checks. So there is one account of what is well formed,
 * whether it is asked by a gate, by a packer of its own work, or by whoever wants the values.
 *
 * `announced` counts the objects that headers promise; no promise may go beyond the bytes that are
 * left, so neither a five-byte frame that claims ten million elements nor a tower of brackets costs
 * more than its own bytes. Room for the elements is taken only after that.
 *
 * Texts are not copied one by one: the bytes go to the arena as they are, and a text is where it
 * lies in this copy. The NUL behind it falls on the head of the next object or on the end; heads
 * are read from the original, so nothing that is still wanted is lost.
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

enum form { NEVER, NIL, FALSE, TRUE, UINT, INT, FLOAT, TEXT, BIN, LIST, MAP };

struct token {
    enum form form;
    uint64_t size;        /* bytes that follow, or objects of LIST, pairs of MAP */
    const uint8_t *start; /* of what follows; of a small integer the head, which is the number */
};

struct reader {
    const uint8_t *begin;
    const uint8_t *at;
    const uint8_t *end;
    const struct limits *limits;
    size_t announced; /* objects promised so far, seen or not */
    size_t seen;
    size_t depth;
    size_t n_foreign; /* objects so far that have no place in a value */
    struct wf_str *keys;
    size_t n_keys;
    size_t cap_keys;
    struct wf_str few_keys[64];
    struct wf_arena *arena; /* NULL = only check */
    uint8_t *copy;          /* of the bytes, in the arena */
    struct wf_error *err;
};

/* Leads 0xc0 to 0xdf: what it is, bytes of its number, and whether that counts what follows. */
/* clang-format off */
static const struct {
    uint8_t form;
    uint8_t bytes;
    bool is_count;
} leads[32] = {
    {NIL,   0, false}, {NEVER, 0, false}, {FALSE, 0, false}, {TRUE,  0, false},
    {BIN,   1, true},  {BIN,   2, true},  {BIN,   4, true},
    {NEVER, 0, false}, {NEVER, 0, false}, {NEVER, 0, false},                    /* ext */
    {FLOAT, 4, false}, {FLOAT, 8, false},
    {UINT,  1, false}, {UINT,  2, false}, {UINT,  4, false}, {UINT,  8, false},
    {INT,   1, false}, {INT,   2, false}, {INT,   4, false}, {INT,   8, false},
    {NEVER, 0, false}, {NEVER, 0, false}, {NEVER, 0, false}, {NEVER, 0, false}, /* fixext */
    {NEVER, 0, false},
    {TEXT,  1, true},  {TEXT,  2, true},  {TEXT,  4, true},
    {LIST,  2, true},  {LIST,  4, true},
    {MAP,   2, true},  {MAP,   4, true},
};
/* clang-format on */

static int refuse(const struct reader *reader, const char *why)
{
    return wf_fail(reader->err, WF_E_INVALID, "byte %zu: %s", (size_t)(reader->at - reader->begin),
                   why);
}

static size_t bytes_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at);
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
static int read_head(struct reader *reader, struct token *token)
{
    *token = (struct token){NEVER, 0, reader->at};
    if (bytes_left(reader) == 0)
        return refuse(reader, "cut short");
    uint8_t lead = *reader->at++;
    if (lead < 0x80 || lead >= 0xe0) {
        token->form = lead < 0x80 ? UINT : INT;
        return 0;
    }
    token->start++;
    if (lead >= 0xa0 && lead <= 0xbf) {
        token->form = TEXT;
        token->size = lead & 0x1f;
    } else if (lead >= 0xc0) {
        size_t bytes = leads[lead - 0xc0].bytes;
        token->form = (enum form)leads[lead - 0xc0].form;
        if (bytes_left(reader) < bytes)
            return refuse(reader, "cut short");
        token->size = leads[lead - 0xc0].is_count ? big_endian(reader->at, bytes) : bytes;
        reader->at += leads[lead - 0xc0].is_count ? bytes : 0;
        token->start = reader->at;
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

/* No NUL and none above 0x7f among eight bytes. */
static bool is_plain(const uint8_t *bytes)
{
    const uint64_t ones = 0x0101010101010101U;
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return ((word | (word - ones)) & ones << 7) == 0;
}

/* Eight plain bytes at a time, the last eight once more; the careful check begins at the first that
 * is not plain. */
static bool is_text(const uint8_t *text, size_t length)
{
    size_t i = 0;
    while (i + 8 <= length && is_plain(text + i))
        i += 8;
    if (length >= 8 && i + 8 > length && is_plain(text + length - 8))
        return true;
    while (i < length && text[i] >= 0x01 && text[i] <= 0x7f)
        i++;
    return i == length || wf_is_utf8((const char *)text + i, length - i);
}

static int read_payload(struct reader *reader, const struct token *token)
{
    if (token->size > bytes_left(reader))
        return refuse(reader, "cut short");
    if (token->form == FLOAT && !is_finite(token))
        return refuse(reader, "no finite number");
    if (token->form == TEXT && !is_text(token->start, token->size))
        return refuse(reader, "text is not UTF-8 without NUL");
    reader->at += token->size;
    return 0;
}

/* ---- single objects ------------------------------------------------------------------------- */

/* The payload where it stays: in the arena's copy, if there is one. */
static struct wf_str kept_bytes(const struct reader *reader, const struct token *token)
{
    const uint8_t *bytes = token->start;
    if (reader->copy != NULL)
        bytes = reader->copy + (token->start - reader->begin);
    return (struct wf_str){(const char *)bytes, (size_t)token->size};
}

static struct wf_str kept_text(const struct reader *reader, const struct token *token)
{
    if (reader->copy != NULL)
        reader->copy[token->start - reader->begin + (ptrdiff_t)token->size] = '\0';
    return kept_bytes(reader, token);
}

static uint64_t number_of(const struct token *token)
{
    return big_endian(token->start, token->size > 0 ? (size_t)token->size : 1);
}

static int64_t signed_number(const struct token *token)
{
    uint64_t sign = UINT64_C(0x80) << (token->size > 0 ? 8 * (token->size - 1) : 0);
    return (int64_t)((number_of(token) ^ sign) - sign);
}

/* Adding 0.0 makes -0.0 plain. */
static double float_number(const struct token *token)
{
    uint64_t bits = number_of(token);
    uint32_t short_bits = (uint32_t)bits;
    double number = 0.0;
    float shorter = 0.0F;
    memcpy(&number, &bits, sizeof(number));
    memcpy(&shorter, &short_bits, sizeof(shorter));
    return (token->size == sizeof(shorter) ? (double)shorter : number) + 0.0;
}

/* Member by member: a whole struct would first be put together elsewhere, at twice the time. */
static void set_type(struct wf_value *out, enum wf_type type)
{
    out->type = type;
    out->broken = false;
}

static void set_foreign(struct reader *reader, struct wf_value *out, enum wf_type type)
{
    set_type(out, type);
    reader->n_foreign++;
}

static void set_single(struct reader *reader, const struct token *token, struct wf_value *out)
{
    set_type(out, WF_NULL);
    switch (token->form) {
    case FALSE:
    case TRUE:
        out->type = WF_BOOL;
        out->u.boolean = token->form == TRUE;
        break;
    case UINT:
        out->type = WF_INT;
        out->u.integer = (int64_t)number_of(token);
        if (out->u.integer < 0)
            set_foreign(reader, out, CODEC_BIG);
        break;
    case INT:
        out->type = WF_INT;
        out->u.integer = signed_number(token);
        break;
    case FLOAT:
        out->type = WF_NUMBER;
        out->u.number = float_number(token);
        break;
    case TEXT:
        out->type = WF_TEXT;
        out->u.text = kept_text(reader, token);
        break;
    case BIN:
        set_foreign(reader, out, CODEC_BIN);
        out->u.text = kept_bytes(reader, token);
        break;
    case NIL:
    case NEVER:
    case LIST:
    case MAP:
        break;
    }
}

/* ---- containers ----------------------------------------------------------------------------- */

/* Believes what a header promises only as far as bytes and limits go. */
static int enter(struct reader *reader, uint64_t size, size_t objects_each)
{
    if (reader->depth == reader->limits->depth)
        return refuse(reader, "nested too deep");
    if (size > bytes_left(reader))
        return refuse(reader, "holds more than the bytes that are left");
    size_t n = (size_t)size * objects_each;
    reader->announced += n;
    if (reader->announced - reader->seen > bytes_left(reader))
        return refuse(reader, "holds more than the bytes that are left");
    if (reader->announced > reader->limits->objects)
        return refuse(reader, "too many objects");
    reader->depth++;
    return 0;
}

/* One piece of the arena for a container: its elements, and behind them what links to each. */
static int make_room(struct reader *reader, size_t n, size_t link_bytes, struct wf_value **elements,
                     void **links)
{
    struct wf_value *room = wf_arena_take(reader->arena, n * (sizeof(*room) + link_bytes));
    if (room == NULL)
        return wf_fail(reader->err, WF_E_NOMEM, "no memory to unpack in");
    *elements = room;
    *links = room + n;
    return 0;
}

static int read_object(struct reader *reader, struct wf_value *out);

static int read_list(struct reader *reader, uint64_t size, struct wf_value *out)
{
    struct wf_value *elements = NULL;
    void *links = NULL;
    size_t n_foreign = reader->n_foreign;
    size_t n = (size_t)size;
    int rc = enter(reader, size, 1);
    if (rc == 0 && out != NULL)
        rc = make_room(reader, n, sizeof(*out->u.list.items), &elements, &links);
    const struct wf_value **items = links;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = read_object(reader, out != NULL ? &elements[i] : NULL);
        if (out != NULL)
            items[i] = &elements[i];
    }
    if (rc < 0)
        return rc;
    reader->depth--;
    if (out != NULL)
        *out = (struct wf_value){
            .type = WF_LIST, .broken = reader->n_foreign > n_foreign, .u.list = {items, n, n}};
    return 0;
}

static int reserve_keys(struct reader *reader, size_t n)
{
    size_t wanted = reader->n_keys + n;
    if (wanted > reader->cap_keys) {
        bool on_heap = reader->keys != reader->few_keys;
        size_t cap = reader->cap_keys * 2 > wanted ? reader->cap_keys * 2 : wanted;
        struct wf_str *grown =
            wf_realloc(on_heap ? reader->keys : NULL, cap * sizeof(struct wf_str));
        if (grown == NULL)
            return wf_fail(reader->err, WF_E_NOMEM, "no memory for %zu keys", cap);
        if (!on_heap)
            memcpy(grown, reader->few_keys, reader->n_keys * sizeof(struct wf_str));
        reader->keys = grown;
        reader->cap_keys = cap;
    }
    reader->n_keys = wanted;
    return 0;
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
            if (compare_keys(&keys[i], &keys[k]) == 0)
                return false;
        }
    }
    return true;
}

static int read_key(struct reader *reader, struct wf_str *out)
{
    struct token token;
    int rc = read_head(reader, &token);
    if (rc < 0)
        return rc;
    reader->seen++;
    if (token.form == NEVER)
        return refuse(reader, "a kind of object that is not in use here");
    if (token.form != TEXT)
        return refuse(reader, "the key of a map is no text");
    rc = read_payload(reader, &token);
    if (rc == 0)
        *out = kept_text(reader, &token);
    return rc;
}

static int read_map(struct reader *reader, uint64_t size, struct wf_value *out)
{
    struct wf_value *elements = NULL;
    void *links = NULL;
    size_t n_foreign = reader->n_foreign;
    size_t first_key = reader->n_keys;
    size_t n = (size_t)size;
    int rc = enter(reader, size, 2);
    if (rc == 0)
        rc = reserve_keys(reader, n);
    if (rc == 0 && out != NULL)
        rc = make_room(reader, n, sizeof(*out->u.map.pairs), &elements, &links);
    struct wf_pair *pairs = links;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct wf_str key;
        rc = read_key(reader, &key);
        if (rc < 0)
            return rc;
        reader->keys[first_key + i] = key;
        rc = read_object(reader, out != NULL ? &elements[i] : NULL);
        if (out != NULL)
            pairs[i] = (struct wf_pair){key, &elements[i]};
    }
    if (rc < 0)
        return rc;
    if (!are_unique(reader->keys + first_key, n))
        return refuse(reader, "a map that ends here has a key twice");
    reader->n_keys = first_key;
    reader->depth--;
    if (out != NULL)
        *out = (struct wf_value){
            .type = WF_MAP, .broken = reader->n_foreign > n_foreign, .u.map = {pairs, n, n}};
    return 0;
}

/* Into *out, or nowhere. Goes down no deeper than the limits let it. */
static int read_object(struct reader *reader, struct wf_value *out)
{
    struct token token;
    int rc = read_head(reader, &token);
    if (rc < 0)
        return rc;
    reader->seen++;
    if (token.form == NEVER)
        return refuse(reader, "a kind of object that is not in use here");
    if (token.form == LIST)
        return read_list(reader, token.size, out);
    if (token.form == MAP)
        return read_map(reader, token.size, out);
    rc = read_payload(reader, &token);
    if (rc == 0 && out != NULL)
        set_single(reader, &token, out);
    return rc;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static int read_whole(struct wf_slice bytes, const struct limits *limits, struct reader *reader,
                      struct wf_value *out)
{
    reader->begin = reader->at = bytes.ptr;
    reader->end = bytes.ptr + bytes.len;
    reader->limits = limits;
    reader->announced = 1;
    reader->seen = reader->depth = reader->n_foreign = reader->n_keys = 0;
    reader->keys = reader->few_keys;
    reader->cap_keys = WF_COUNT(reader->few_keys);
    int rc = read_object(reader, out);
    if (rc == 0 && bytes_left(reader) > 0)
        rc = refuse(reader, "more bytes than one object");
    if (reader->keys != reader->few_keys)
        wf_free(reader->keys);
    return rc;
}

static int check_size(struct wf_slice bytes, const struct limits *limits, struct wf_error *err)
{
    if (limits->bytes > 0 && bytes.len > limits->bytes)
        return wf_fail(err, WF_E_INVALID, "longer than %zu bytes", limits->bytes);
    return bytes.len == 0 ? wf_fail(err, WF_E_INVALID, "empty") : 0;
}

int codec_scan(struct wf_slice bytes, const struct limits *limits, struct wf_error *err)
{
    struct reader reader;
    int rc = check_size(bytes, limits, err);
    if (rc < 0)
        return rc;
    reader.arena = NULL;
    reader.copy = NULL;
    reader.err = err;
    return read_whole(bytes, limits, &reader, NULL);
}

int codec_read(struct wf_slice bytes, const struct limits *limits, struct wf_arena *arena,
               const struct wf_value **out, struct wf_error *err)
{
    struct reader reader;
    int rc = check_size(bytes, limits, err);
    if (rc < 0)
        return rc;
    struct wf_value *root = wf_arena_take(arena, sizeof(*root) + bytes.len + 1);
    if (root == NULL)
        return wf_fail(err, WF_E_NOMEM, "no memory to unpack in");
    reader.arena = arena;
    reader.copy = memcpy(root + 1, bytes.ptr, bytes.len);
    reader.err = err;
    rc = read_whole(bytes, limits, &reader, root);
    if (rc == 0)
        *out = root;
    return rc;
}

int wf_scan(struct wf_slice bytes, struct wf_error *err)
{
    return codec_scan(bytes, &codec_party_limits, err);
}
