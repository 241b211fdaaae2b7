/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a stored record of any kind, with a checksum that fits: as if a hostile hand had
 * written the file. What is taken must pack again and read back to the same bytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/hash.h"
#include "workflow/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

union any_record {
#define X(name) struct wf_rec_##name name;
    WF_RECORDS(X)
#undef X
};

static void must(bool promise)
{
    if (!promise)
        abort();
}

static struct wf_slice seal(enum wf_record kind, const uint8_t *data, size_t size)
{
    static struct wf_buf sealed;
    uint32_t sum = wf_checksum(data, size);
    const uint8_t bytes[] = {(uint8_t)sum, (uint8_t)(sum >> 8), (uint8_t)(sum >> 16),
                             (uint8_t)(sum >> 24)};
    wf_buf_clear(&sealed);
    wf_buf_add(&sealed, data, size);
    if (kind != WF_REC_event)
        wf_buf_add(&sealed, bytes, sizeof(bytes));
    return (struct wf_slice){sealed.ptr, sealed.len};
}

static void pack_and_read_again(enum wf_record kind, const union any_record *in,
                                struct wf_arena *arena)
{
    static struct wf_buf first;
    static struct wf_buf second;
    union any_record out;
    wf_buf_clear(&first);
    wf_buf_clear(&second);
    must(wf_record_pack(kind, in, &first, NULL) == 0);
    must(wf_record_unpack(kind, (struct wf_slice){first.ptr, first.len}, arena, &out, NULL) == 0);
    must(wf_record_pack(kind, &out, &second, NULL) == 0);
    must(first.len == second.len && memcmp(first.ptr, second.ptr, first.len) == 0);
}

/* The first byte chooses the kind. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct wf_arena *arena;
    union any_record record;
    if (size < 1)
        return 0;
    arena = arena != NULL ? arena : wf_arena_new((size_t)64 << 20);
    wf_arena_reset(arena);
    enum wf_record kind = (enum wf_record)(data[0] % WF_RECORD_COUNT);
    struct wf_slice bytes = seal(kind, data + 1, size - 1);
    int rc = wf_record_unpack(kind, bytes, arena, &record, NULL);
    must(rc == 0 || rc == WF_E_CORRUPT || rc == WF_E_VERSION);
    if (rc == 0)
        pack_and_read_again(kind, &record, arena);
    return 0;
}
