/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/hoso/screen.h - a whole terminal to draw on, for verbs that stay.
 *
 * PURPOSE    Text at a place, keys, and the terminal as it was when all is over. Nothing else of
 *            the command knows how a terminal is steered.
 * CONCEPTS   mark   what a text means; how it looks depends on what the terminal can do
 *            word   what came: a key, a new size, the end, or nothing within the time
 * LIFE CYCLE screen_open -> clear, put ..., show, wait -> screen_close. One screen a process.
 * ERRORS     WF_E_CONFIG where there is no terminal that can be drawn on.
 * DANGERS    nothing may write to standard output or error while the screen is open. SIGINT,
 *            SIGTERM and SIGHUP come as SCREEN_END.
 */
#ifndef HOSO_SCREEN_H
#define HOSO_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "workflow/error.h"

enum screen_mark {
    SCREEN_PLAIN,
    SCREEN_GOOD,
    SCREEN_WARN,
    SCREEN_BAD,
    SCREEN_HEAD,   /* of a pane */
    SCREEN_CHOSEN, /* of the pane that keys work on */
    SCREEN_SORTED, /* of the column that its rows are sorted by */
    SCREEN_BAR,
    SCREEN_MARKS
};

/* Other keys come as their letter. */
enum screen_word {
    SCREEN_NOTHING = 0,
    SCREEN_END = 0x1000,
    SCREEN_RESIZED,
    SCREEN_UP,
    SCREEN_DOWN,
    SCREEN_LEFT,
    SCREEN_RIGHT,
    SCREEN_TAB,
    SCREEN_BACK_TAB,
    SCREEN_OTHER
};

int screen_open(struct wf_error *err) WF_CHECKED;
/* May be called when it is not open. */
void screen_close(void);
/* Gives the terminal back from a signal handler of a process that is about to end. */
void screen_abandon(void);

int screen_rows(void);
int screen_columns(void);

void screen_clear(void);
/* The text, cut or filled with blanks to `width` columns, of which only those on the screen. */
void screen_put(int row, int column, int width, const char *text, bool right,
                enum screen_mark mark);
void screen_show(void);

/* What comes first within timeout_ms. */
int screen_wait(int64_t timeout_ms);

#endif
