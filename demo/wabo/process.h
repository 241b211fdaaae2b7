/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo/wabo/process.h - the words of the log in those of receipt.cfg, and what must come out.
 *
 * PURPOSE    The chart is one reading of the log; this table is another, made without it: from the
 *            last activities of a case it says where its dossier must be in the end. The replayer
 *            compares the two.
 */
#ifndef DEMO_WABO_PROCESS_H
#define DEMO_WABO_PROCESS_H

#include "log.h"

#define PROCESS_CODE  "3.900001"
#define PROCESS_SITE  "900.00.01.W00"
#define ENDING_STATES 3 /* at most in so many innermost states */

/* Where an activity is felt. A later one in the same place takes its place. */
enum place { PLACE_NONE, PLACE_LETTER, PLACE_STOP, PLACE_INSIDE, PLACE_OUTSIDE, PLACE_COUNT };

struct activity {
    const char *name;  /* in the log */
    const char *event; /* in the definition */
    enum place place;
    const char *state; /* innermost state that it leads to in its place */
};

extern const struct activity process_activities[];
extern const size_t process_n_activities;

/* NULL when the log knows an activity that the table does not. */
const struct activity *process_activity(const char *name);

/* A recorded channel, as Hoso's channel and as the role that may file over it. NULL = unknown. */
struct way {
    const char *recorded;
    const char *channel;
    const char *role;
};

extern const struct way process_ways[];
extern const size_t process_n_ways;
const struct way *process_way(const char *recorded);

struct ending {
    const char *states[ENDING_STATES]; /* NULL after the last */
    const char *outcome;               /* "" where the case may not be closed */
};

/* Where the dossier of this case must be after its last event, and `close` where it may. */
struct ending process_ending(const struct log_case *what);

#endif
