/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fault.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workflow/error.h"
#include "workflow/text.h"

#define EXIT_FAULT   99
#define EXIT_UNKNOWN 98

#define DIES_BY_EXIT 1
#define DIES_BY_KILL 2

static const struct {
    const char *word;
    int what; /* a code to return, or DIES_* */
} actions[] = {
    {"exit", DIES_BY_EXIT}, {"kill", DIES_BY_KILL}, {"io", WF_E_IO},
    {"full", WF_E_FULL},    {"nomem", WF_E_NOMEM},
};

static struct point {
    const char *name;
    unsigned long at; /* 0 = not armed */
    unsigned long passed;
    int what;
} points[] = {
#define X(name) {name, 0, 0, 0},
    WF_FAULT_POINTS(X)
#undef X
};

static bool loaded;

static void stop(const char *what, const char *word)
{
    (void)fprintf(stderr, "WF_FAULTS: %s \"%s\" is not known\n", what, word);
    _exit(EXIT_UNKNOWN);
}

static struct point *find_point(const char *name)
{
    for (size_t i = 0; i < WF_COUNT(points); i++) {
        if (strcmp(points[i].name, name) == 0)
            return &points[i];
    }
    stop("point", name);
    return NULL;
}

static int find_action(const char *word)
{
    for (size_t i = 0; i < WF_COUNT(actions); i++) {
        if (strcmp(actions[i].word, word) == 0)
            return actions[i].what;
    }
    stop("action", word);
    return 0;
}

/* One entry: name:n=action */
static void arm(char *entry)
{
    char *colon = strchr(entry, ':');
    char *equal = strchr(entry, '=');
    if (colon == NULL || equal == NULL || colon > equal)
        stop("entry", entry);
    else {
        *colon = '\0';
        *equal = '\0';
        struct point *point = find_point(entry);
        point->at = strtoul(colon + 1, NULL, 10);
        point->what = find_action(equal + 1);
    }
}

void wf_fault_set(const char *spec)
{
    loaded = true;
    for (size_t i = 0; i < WF_COUNT(points); i++)
        points[i].at = points[i].passed = 0;
    char text[512];
    if (!wf_str_copy(wf_str(spec), text, sizeof(text)))
        stop("list", "(too long)");
    char *place = NULL;
    for (char *entry = strtok_r(text, ",", &place); entry != NULL;
         entry = strtok_r(NULL, ",", &place))
        arm(entry);
}

int wf_fault(const char *name)
{
    if (!loaded) {
        const char *spec = getenv("WF_FAULTS");
        wf_fault_set(spec != NULL ? spec : "");
    }
    struct point *point = find_point(name);
    if (point == NULL || ++point->passed != point->at)
        return 0;
    if (point->what == DIES_BY_EXIT)
        _exit(EXIT_FAULT);
    if (point->what == DIES_BY_KILL)
        (void)kill(getpid(), SIGKILL);
    return point->what;
}
