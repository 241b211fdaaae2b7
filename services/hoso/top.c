/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top: reads what status reads, draws it, waits for a key, and again. Nothing is asked of a worker,
 * so it shows a cell that is stuck as well as one that is well; what cannot be read is said in the
 * last line, and the figures before it stay.
 */
#include "top.h"

#include <string.h>

static const int64_t intervals_ms[] = {1000, 2000, 5000, 10000, 30000, 60000};

/* ---- reading --------------------------------------------------------------------------------- */

/* The answer before lives in the other arena until the next but one. */
static void look(struct top *top)
{
    struct hoso one = *top->h;
    const struct wf_value *answer = NULL;
    int64_t now = wf_monotonic_ms();
    unsigned turn = 1 - top->turn;
    top->tried_ms = now;
    one.arena = top->arenas[turn];
    wf_arena_reset(one.arena);
    memset(&one.err, 0, sizeof(one.err));
    int rc = hoso_health(&one, &answer);
    const struct wf_value *figures =
        rc == 0 ? top_figures(&one, answer, top->answer, now - top->read_ms) : NULL;
    const struct wf_value *rows[TOP_PANES] = {NULL};
    for (unsigned i = 0; rc == 0 && i < TOP_PANES; i++)
        rows[i] = top_rows(&one, (enum top_pane)i, figures);
    if (rc == 0 && !wf_value_is_whole(figures))
        rc = wf_fail(&one.err, WF_E_NOMEM, "out of memory");
    top->why = one.err;
    if (rc != 0)
        return;
    top->why.code = 0;
    top->turn = turn;
    top->answer = figures;
    top->read_ms = now;
    memcpy(top->rows, rows, sizeof(top->rows));
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void change_interval(struct top *top, int step)
{
    int at = 0;
    while (at + 1 < (int)WF_COUNT(intervals_ms) && intervals_ms[at] < top->interval_ms)
        at++;
    at += step;
    if (at >= 0 && at < (int)WF_COUNT(intervals_ms))
        top->interval_ms = intervals_ms[at];
}

/* Panes without rows are not on the screen. */
static void choose(struct top *top, unsigned step)
{
    for (unsigned i = 0; i < TOP_PANES; i++) {
        top->chosen = (enum top_pane)(((unsigned)top->chosen + step) % TOP_PANES);
        if (wf_value_count(top->rows[top->chosen]) > 0)
            return;
    }
}

static void sort_on(struct top *top)
{
    unsigned *sorted = &top->sorted[top->chosen];
    *sorted = (*sorted + 1) % ((unsigned)top_tables[top->chosen].n + 1);
    top->first[top->chosen] = 0;
}

static void move(struct top *top, bool down)
{
    size_t *first = &top->first[top->chosen];
    if (down)
        *first += 1; /* drawing keeps it in bounds */
    else if (*first > 0)
        *first -= 1;
}

/* false: it is over. */
static bool obey(struct top *top, int word)
{
    bool was_help = top->shows_help;
    top->shows_help = was_help && word == SCREEN_RESIZED;
    switch (word) {
    case 'q':
    case 'Q':
        return was_help && word == 'q';
    case SCREEN_END:
        return false;
    case 'h':
    case '?':
        top->shows_help = !was_help;
        break;
    case 's':
        sort_on(top);
        break;
    case 'S':
        top->sorted[top->chosen] = 0;
        break;
    case 'p':
        top->is_paused = !top->is_paused;
        break;
    case '+':
        change_interval(top, 1);
        break;
    case '-':
        change_interval(top, -1);
        break;
    case ' ':
        look(top);
        break;
    case SCREEN_TAB:
    case SCREEN_RIGHT:
        choose(top, 1);
        break;
    case SCREEN_BACK_TAB:
    case SCREEN_LEFT:
        choose(top, TOP_PANES - 1);
        break;
    case SCREEN_UP:
    case SCREEN_DOWN:
        move(top, word == SCREEN_DOWN);
        break;
    default:
        break;
    }
    return true;
}

/* ---- the verb -------------------------------------------------------------------------------- */

static void watch(struct top *top)
{
    bool goes_on = true;
    look(top);
    while (goes_on) {
        top_draw(top);
        int64_t left = top->tried_ms + top->interval_ms - wf_monotonic_ms();
        int word = screen_wait(top->is_paused ? top->interval_ms : left > 0 ? left : 0);
        if (word != SCREEN_NOTHING)
            goes_on = obey(top, word);
        else if (!top->is_paused)
            look(top);
    }
}

int hoso_top(struct hoso *h)
{
    struct top top = {.h = h, .interval_ms = intervals_ms[1]};
    int rc = hoso_store(h, false);
    if (rc == 0)
        rc = screen_open(&h->err);
    if (rc != 0)
        return rc;
    top.arenas[0] = wf_arena_new(0);
    top.arenas[1] = wf_arena_new(0);
    top.drawing = wf_arena_new(0);
    if (top.arenas[0] == NULL || top.arenas[1] == NULL || top.drawing == NULL)
        rc = wf_fail(&h->err, WF_E_NOMEM, "top: out of memory");
    else
        watch(&top);
    screen_close();
    wf_arena_free(top.drawing);
    wf_arena_free(top.arenas[1]);
    wf_arena_free(top.arenas[0]);
    return rc;
}
