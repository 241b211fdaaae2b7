/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heap seam and arena. The arena is a chain of blocks, newest first; a reset keeps the oldest one,
 * so that a worker in steady state allocates nothing.
 */
#include "workflow/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)64 * 1024)
#define ALIGN       16U
#define SHORT_TEXT  128

static unsigned long fail_in;
static int fail_all;

void wf_alloc_fail_at(unsigned long n, int all)
{
    fail_in = n;
    fail_all = all;
}

static int must_fail(void)
{
    if (fail_in == 0)
        return 0;
    if (fail_in > 1) {
        fail_in--;
        return 0;
    }
    if (!fail_all)
        fail_in = 0;
    return 1;
}

void *wf_alloc(size_t bytes)
{
    return must_fail() ? NULL : calloc(1, bytes > 0 ? bytes : 1);
}

void *wf_realloc(void *old, size_t bytes)
{
    return must_fail() ? NULL : realloc(old, bytes > 0 ? bytes : 1);
}

void wf_free(void *memory)
{
    free(memory);
}

char *wf_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = wf_alloc(bytes);
    if (copy != NULL)
        memcpy(copy, text, bytes);
    return copy;
}

struct block {
    struct block *older;
    size_t size;
    size_t used;
    _Alignas(ALIGN) uint8_t bytes[];
};

struct wf_arena {
    struct block *newest;
    size_t limit;
    size_t used;
};

struct wf_arena *wf_arena_new(size_t limit_bytes)
{
    struct wf_arena *arena = wf_alloc(sizeof(*arena));
    if (arena != NULL)
        arena->limit = limit_bytes;
    return arena;
}

static void drop_blocks(struct wf_arena *arena, struct block *keep)
{
    while (arena->newest != NULL && arena->newest != keep) {
        struct block *older = arena->newest->older;
        wf_free(arena->newest);
        arena->newest = older;
    }
}

void wf_arena_free(struct wf_arena *arena)
{
    if (arena == NULL)
        return;
    drop_blocks(arena, NULL);
    wf_free(arena);
}

void wf_arena_reset(struct wf_arena *arena)
{
    struct block *oldest = arena->newest;
    while (oldest != NULL && oldest->older != NULL)
        oldest = oldest->older;
    if (oldest != NULL && oldest->size > BLOCK_BYTES)
        oldest = NULL; /* an unusually large first block is not kept for ever */
    drop_blocks(arena, oldest);
    if (oldest != NULL)
        oldest->used = 0;
    arena->used = 0;
}

size_t wf_arena_used(const struct wf_arena *arena)
{
    return arena->used;
}

void *wf_arena_take(struct wf_arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 4)
        return NULL;
    size_t size = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (size == 0)
        size = ALIGN;
    if (arena->limit != 0 && (size > arena->limit || arena->used > arena->limit - size))
        return NULL;
    struct block *block = arena->newest;
    if (block == NULL || block->size - block->used < size) {
        size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        block = wf_realloc(NULL, sizeof(*block) + room);
        if (block == NULL)
            return NULL;
        block->older = arena->newest;
        block->size = room;
        block->used = 0;
        arena->newest = block;
    }
    void *memory = block->bytes + block->used;
    block->used += size;
    arena->used += size;
    return memory;
}

void *wf_arena_alloc(struct wf_arena *arena, size_t bytes)
{
    void *memory = wf_arena_take(arena, bytes);
    return memory != NULL ? memset(memory, 0, bytes) : NULL;
}

char *wf_arena_strndup(struct wf_arena *arena, const char *text, size_t length)
{
    char *copy = wf_arena_take(arena, length + 1);
    if (copy == NULL)
        return NULL;
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *wf_arena_strdup(struct wf_arena *arena, const char *text)
{
    return wf_arena_strndup(arena, text, strlen(text));
}

char *wf_arena_printf(struct wf_arena *arena, const char *fmt, ...)
{
    char first[SHORT_TEXT]; /* one pass is enough for most */
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(first, sizeof(first), fmt, args);
    va_end(args);
    if (length < 0)
        return NULL;
    if ((size_t)length < sizeof(first))
        return wf_arena_strndup(arena, first, (size_t)length);
    char *text = wf_arena_alloc(arena, (size_t)length + 1);
    if (text == NULL)
        return NULL;
    va_start(args, fmt);
    (void)vsnprintf(text, (size_t)length + 1, fmt, args);
    va_end(args);
    return text;
}
