/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything known about the process outside its definition stands in the three tables below.
 */
#include "process.h"

#include <string.h>

#include "workflow/text.h"

/* clang-format off */
const struct activity process_activities[] = {
    {"Confirmation of receipt",                             "confirm_receipt",  PLACE_NONE,    NULL},
    {"T02 Check confirmation of receipt",                   "check_letter",     PLACE_LETTER,  "letter_checked"},
    {"T03 Adjust confirmation of receipt",                  "adjust_letter",    PLACE_LETTER,  "letter_adjusted"},
    {"T04 Determine confirmation of receipt",               "determine_letter", PLACE_LETTER,  "letter_determined"},
    {"T05 Print and send confirmation of receipt",          "send_letter",      PLACE_LETTER,  "letter_sent"},
    {"T06 Determine necessity of stop advice",              "weigh_advice",     PLACE_STOP,    "advice_weighed"},
    {"T07-1 Draft intern advice aspect 1",                  "draft_advice.1",   PLACE_INSIDE,  "advice_drafted"},
    {"T07-2 Draft intern advice aspect 2",                  "draft_advice.2",   PLACE_INSIDE,  "advice_drafted"},
    {"T07-3 Draft intern advice hold for aspect 3",         "draft_advice.3",   PLACE_INSIDE,  "advice_drafted"},
    {"T07-4 Draft internal advice to hold for type 4",      "draft_advice.4",   PLACE_INSIDE,  "advice_drafted"},
    {"T07-5 Draft intern advice aspect 5",                  "draft_advice.5",   PLACE_INSIDE,  "advice_drafted"},
    {"T08 Draft and send request for advice",               "request_advice",   PLACE_OUTSIDE, "advice_requested"},
    {"T09-1 Process or receive external advice from party 1", "receive_advice.1", PLACE_OUTSIDE, "advice_received"},
    {"T09-2 Process or receive external advice from party 2", "receive_advice.2", PLACE_OUTSIDE, "advice_received"},
    {"T09-3 Process or receive external advice from party 3", "receive_advice.3", PLACE_OUTSIDE, "advice_received"},
    {"T09-4 Process or receive external advice from party 4", "receive_advice.4", PLACE_OUTSIDE, "advice_received"},
    {"T10 Determine necessity to stop indication",          "decide_stop",      PLACE_STOP,    "stop_decided"},
    {"T11 Create document X request unlicensed",            "create_x",         PLACE_STOP,    "x_created"},
    {"T12 Check document X request unlicensed",             "check_x",          PLACE_STOP,    "x_checked"},
    {"T13 Adjust document X request unlicensed",            "adjust_x",         PLACE_STOP,    "x_adjusted"},
    {"T14 Determine document X request unlicensed",         "determine_x",      PLACE_STOP,    "x_determined"},
    {"T15 Print document X request unlicensed",             "print_x",          PLACE_STOP,    "x_printed"},
    {"T16 Report reasons to hold request",                  "report_y",         PLACE_STOP,    "y_reported"},
    {"T17 Check report Y to stop indication",               "check_y",          PLACE_STOP,    "y_checked"},
    {"T18 Adjust report Y to stop indicition",              "adjust_y",         PLACE_STOP,    "y_adjusted"},
    {"T19 Determine report Y to stop indication",           "determine_y",      PLACE_STOP,    "y_determined"},
    {"T20 Print report Y to stop indication",               "print_y",          PLACE_STOP,    "y_printed"},
};

/* Who writes an e-mail has filed online; what comes from inside is entered at the desk. */
const struct way process_ways[] = {
    {"Internet", "online",   "citizen"},
    {"Desk",     "one_stop", "civil_servant"},
    {"Post",     "post",     "civil_servant"},
    {"e-mail",   "online",   "citizen"},
    {"Intern",   "one_stop", "civil_servant"},
};

/* With the letter sent, a case is at its end where the question of stopping has come to this. */
static const struct {
    const char *stop;
    const char *closed;
    const char *outcome;
} endings[] = {
    {"stop_decided", "passed_on",  "approved"},
    {"x_printed",    "unlicensed", "refused"},
    {"y_printed",    "held",       "stopped"},
};
/* clang-format on */

const size_t process_n_activities = WF_COUNT(process_activities);
const size_t process_n_ways = WF_COUNT(process_ways);

const struct activity *process_activity(const char *name)
{
    for (size_t i = 0; i < process_n_activities; i++) {
        if (strcmp(process_activities[i].name, name) == 0)
            return &process_activities[i];
    }
    return NULL;
}

const struct way *process_way(const char *recorded)
{
    for (size_t i = 0; i < process_n_ways; i++) {
        if (strcmp(process_ways[i].recorded, recorded) == 0)
            return &process_ways[i];
    }
    return NULL;
}

/* A draft or a request begins a round of advice; weighing and all after it ends the round. */
static void feel(const char *at[PLACE_COUNT], const struct activity *what)
{
    bool in_round = what->place == PLACE_INSIDE || what->place == PLACE_OUTSIDE;

    if (what->place == PLACE_STOP || (in_round && at[PLACE_STOP] != NULL)) {
        at[PLACE_STOP] = NULL;
        at[PLACE_INSIDE] = "no_draft";
        at[PLACE_OUTSIDE] = "not_requested";
    }
    at[what->place] = what->state;
}

struct ending process_ending(const struct log_case *what)
{
    const char *at[PLACE_COUNT] = {
        [PLACE_LETTER] = "letter_drafted",
        [PLACE_STOP] = "not_weighed",
    };

    for (size_t i = 0; i < what->n_events; i++)
        feel(at, what->events[i].what);
    for (size_t i = 0; i < WF_COUNT(endings) && at[PLACE_STOP] != NULL; i++) {
        if (strcmp(at[PLACE_LETTER], "letter_sent") == 0 &&
            strcmp(at[PLACE_STOP], endings[i].stop) == 0)
            return (struct ending){{endings[i].closed}, endings[i].outcome};
    }
    if (at[PLACE_STOP] != NULL)
        return (struct ending){{at[PLACE_LETTER], at[PLACE_STOP]}, ""};
    return (struct ending){{at[PLACE_LETTER], at[PLACE_INSIDE], at[PLACE_OUTSIDE]}, ""};
}
