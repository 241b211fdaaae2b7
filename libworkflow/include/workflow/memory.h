/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/memory.h - heap and arenas.
 *
 * PURPOSE    All heap use of the library goes through wf_alloc, so that tests can make the n-th
 *            allocation fail. Everything that lives as long as one message or one batch comes
 *            from an arena, which is emptied in one go.
 * CONCEPTS   arena    blocks of memory that only grow until wf_arena_reset
 * LIFE CYCLE wf_arena_new -> wf_arena_alloc ... -> wf_arena_reset -> ... -> wf_arena_free
 * OWNERSHIP  arena memory belongs to the arena; never free it by itself.
 * ERRORS     NULL when memory is out or the arena's limit is reached; nothing is logged.
 * DANGERS    pointers into an arena die at reset: copy what must live longer. Not thread safe.
 */
#ifndef WORKFLOW_MEMORY_H
#define WORKFLOW_MEMORY_H

#include <stddef.h>

void *wf_alloc(size_t bytes);              /* zeroed; NULL when out of memory */
void *wf_realloc(void *old, size_t bytes); /* as realloc; new bytes are not zeroed */
void wf_free(void *memory);                /* NULL is fine */
char *wf_strdup(const char *text);         /* heap copy, free with wf_free */

/* Test seam: allocation number n (1 = the next) fails, and with `all` every later one; 0 = off. */
void wf_alloc_fail_at(unsigned long n, int all);

struct wf_arena;

/* An arena that refuses to grow above limit_bytes (0 = no limit). */
struct wf_arena *wf_arena_new(size_t limit_bytes);
void wf_arena_free(struct wf_arena *arena);
void wf_arena_reset(struct wf_arena *arena);        /* keeps the first block for re-use */
size_t wf_arena_used(const struct wf_arena *arena); /* bytes handed out since the reset */

void *wf_arena_alloc(struct wf_arena *arena, size_t bytes); /* zeroed, aligned to 16 */
void *wf_arena_take(struct wf_arena *arena, size_t bytes);  /* aligned too, but not zeroed */
char *wf_arena_strndup(struct wf_arena *arena, const char *text, size_t length); /* + NUL */
char *wf_arena_strdup(struct wf_arena *arena, const char *text);
char *wf_arena_printf(struct wf_arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
