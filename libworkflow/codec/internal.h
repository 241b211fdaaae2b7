/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec/internal.h - what the files of this folder share. The only folder that knows msgpack-c.
 *
 * Packing goes through msgpack-c, reading does not: its unpacker trusts the counts of a header and
 * knows none of our rules. Our reader checks the bytes and makes them one tree of values in a single
 * pass; fields are then taken from the tree by table.
 */
#ifndef CODEC_INTERNAL_H
#define CODEC_INTERNAL_H

#include <msgpack.h>

#include "workflow/records.h"

#define MAX_DEPTH 24 /* the deepest of all limits */

struct limits {
    size_t bytes; /* 0 = no limit */
    size_t depth;
    size_t objects;
};

extern const struct limits codec_party_limits; /* for what a party sends */
extern const struct limits codec_reply_limits; /* for frames of our own processes */
extern const struct limits codec_store_limits; /* for records */

/* Checks: exactly one object, within the limits, and every rule of workflow/messages.h. */
int codec_scan(struct wf_slice bytes, const struct limits *limits, struct wf_error *err) WF_CHECKED;

/*
 * Checks the same and builds the tree, all of it in the arena: nothing points into the bytes, and
 * a NUL follows each text. For fields only, the tree may hold what has no place in a value: these
 * two types, and containers of theirs, which are `broken`.
 */
#define CODEC_BIG ((enum wf_type)(WF_MAP + 1)) /* above INT64_MAX; its bits in u.integer */
#define CODEC_BIN ((enum wf_type)(WF_MAP + 2)) /* bytes, in u.text without a NUL */

int codec_read(struct wf_slice bytes, const struct limits *limits, struct wf_arena *arena,
               const struct wf_value **out, struct wf_error *err) WF_CHECKED;

/* Why what codec_read built may not be handed on as a value; NULL where it may. */
const char *codec_not_a_value(const struct wf_value *read);

/* A packer that appends to the buffer. */
void codec_packer(msgpack_packer *packer, struct wf_buf *out);

/*
 * Ends packing what began at `start`: checks that it can be read back under the limits. On failure
 * the buffer is cut back to the start and usable again.
 */
int codec_finish(struct wf_buf *out, size_t start, const struct limits *limits,
                 struct wf_error *err) WF_CHECKED;

void codec_put_text(msgpack_packer *packer, struct wf_str text);
void codec_put_value(msgpack_packer *packer, const struct wf_value *value);

/* A field that may be left out: zero, empty or NULL. */
bool codec_is_empty(const struct wf_wire_field *field, const void *record);

/*
 * One field of a message or record by its row of the table. Errors name the field as prefix + name
 * ("body." + "fields"); what was there before stays when reading fails.
 */
int codec_put_field(msgpack_packer *packer, const struct wf_wire_field *field, const void *record,
                    const char *prefix, struct wf_error *err) WF_CHECKED;
int codec_get_field(const struct wf_value *from, const struct wf_wire_field *field, void *record,
                    const char *prefix, struct wf_error *err) WF_CHECKED;

/* What an absent field reads as: zero, false, "" or NULL. */
void codec_clear_field(const struct wf_wire_field *field, void *record);

/* Fails with the field's full name, which is prefix + name. */
int codec_refuse(struct wf_error *err, int code, const char *prefix, const char *name,
                 const char *why);

struct record_info {
    const char *name;
    size_t size; /* of struct wf_rec_<name> */
    const struct wf_wire_field *fields;
    size_t n_fields;
};

const struct record_info *codec_record(enum wf_record kind);

#endif
