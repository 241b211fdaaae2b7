/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may ask, and how much. The registry is looked at once a second; what is wrong in it is told
 * in the log and leaves the table that was read before, so that a mistyped line shuts nobody out.
 */
#include <stdio.h>
#include <string.h>

#include "bridge.h"
#include "workflow/log.h"

#define LOOK_MS        500
#define UNDER_WAY_MOST 64 /* requests of one party that are with the workers */

void guard_look(struct guard *guard, int64_t now_ms)
{
    if (now_ms < guard->look_at_ms)
        return;
    guard->look_at_ms = now_ms + LOOK_MS;
    if (!wf_parties_due(&guard->watch, guard->folder))
        return;
    struct wf_report report = {0};
    struct wf_error err = {0};
    struct wf_parties *fresh = NULL;
    int rc = wf_parties_load(guard->folder, &report, &fresh, &err);
    bool tells = wf_parties_read(&guard->watch, rc);
    if (rc == 0) {
        wf_parties_free(guard->parties);
        guard->parties = fresh;
        wf_log(WF_LOG_INFO, WF_LOG_PARTIES_EVENT, NULL, "%zu parties", wf_parties_count(fresh));
    } else if (tells) {
        wf_log(WF_LOG_ERROR, WF_LOG_PARTIES_EVENT, &(struct wf_log_fact){.rc = rc}, "%s", err.text);
    }
    wf_report_fini(&report);
}

void guard_close(struct guard *guard)
{
    wf_parties_free(guard->parties);
    wf_free(guard->callers);
}

static struct caller *caller_of(struct guard *guard, const char *party)
{
    for (size_t i = 0; i < guard->n; i++) {
        if (strcmp(guard->callers[i].party, party) == 0)
            return &guard->callers[i];
    }
    return NULL;
}

static struct caller *caller_add(struct guard *guard, const char *party)
{
    if (guard->n == guard->cap) {
        size_t cap = guard->cap > 0 ? 2 * guard->cap : 16;
        struct caller *grown = wf_realloc(guard->callers, cap * sizeof(*grown));
        if (grown == NULL)
            return NULL;
        guard->callers = grown;
        guard->cap = cap;
    }
    struct caller *caller = &guard->callers[guard->n++];
    *caller = (struct caller){0};
    (void)snprintf(caller->party, sizeof(caller->party), "%s", party);
    return caller;
}

int guard_admit(struct guard *guard, const struct wf_party *party, int64_t now_ms,
                int64_t *out_wait_ms, struct wf_error *err)
{
    int64_t rate = party->requests_per_second > 0 ? party->requests_per_second : guard->rate;
    struct caller *caller = caller_of(guard, party->name);
    if (caller == NULL)
        caller = caller_add(guard, party->name);
    if (caller == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    if (!bucket_take(&caller->bucket, rate, now_ms, out_wait_ms))
        return wf_fail(err, WF_E_BUSY, "more than %lld requests a second", (long long)rate);
    return 0;
}

bool guard_begin(struct guard *guard, const char *party)
{
    struct caller *caller = caller_of(guard, party);
    if (caller == NULL || caller->under_way >= UNDER_WAY_MOST)
        return false;
    caller->under_way++;
    return true;
}

void guard_end(struct guard *guard, const char *party)
{
    struct caller *caller = caller_of(guard, party);
    if (caller != NULL && caller->under_way > 0)
        caller->under_way--;
}
