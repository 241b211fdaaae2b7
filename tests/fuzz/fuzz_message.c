/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a message from any sender to any receiver. What is taken must pack again, and what
 * was packed must read back to the same bytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool promise)
{
    if (!promise)
        abort();
}

static void pack_and_read_again(const struct wf_envelope *in, enum wf_end sender,
                                enum wf_end receiver, struct wf_arena *arena)
{
    static struct wf_buf first;
    static struct wf_buf second;
    struct wf_envelope out;
    wf_buf_clear(&first);
    wf_buf_clear(&second);
    must(wf_message_pack(in, &first, NULL) == 0);
    must(wf_message_unpack((struct wf_slice){first.ptr, first.len}, sender, receiver, arena, &out,
                           NULL) == 0);
    must(wf_message_pack(&out, &second, NULL) == 0);
    must(first.len == second.len && memcmp(first.ptr, second.ptr, first.len) == 0);
}

/* The first two bytes choose who speaks and listens. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct wf_arena *arena;
    struct wf_envelope message;
    struct wf_error err = {0};
    if (size < 2)
        return 0;
    arena = arena != NULL ? arena : wf_arena_new((size_t)32 << 20);
    wf_arena_reset(arena);
    enum wf_end sender = (enum wf_end)(data[0] % (WF_END_PARTY + 1));
    enum wf_end receiver = (enum wf_end)(data[1] % (WF_END_PARTY + 1));
    struct wf_slice frame = {data + 2, size - 2};
    int rc = wf_message_unpack(frame, sender, receiver, arena, &message, &err);
    must(rc == 0 || rc == WF_E_INVALID || rc == WF_E_UNSUPPORTED);
    must((rc == 0) == (err.text[0] == '\0'));
    must(sender != WF_END_PARTY || wf_arena_used(arena) < (size_t)1 << 20);
    if (rc == 0)
        pack_and_read_again(&message, sender, receiver, arena);
    return 0;
}
