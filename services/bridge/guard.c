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
#define ONE            1000

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
    wf_free(guard->buckets);
}

static struct bucket *bucket_of(struct guard *guard, const char *party)
{
    for (size_t i = 0; i < guard->n; i++) {
        if (strcmp(guard->buckets[i].party, party) == 0)
            return &guard->buckets[i];
    }
    return NULL;
}

static struct bucket *bucket_add(struct guard *guard, const char *party, int64_t rate)
{
    if (guard->n == guard->cap) {
        size_t cap = guard->cap > 0 ? 2 * guard->cap : 16;
        struct bucket *grown = wf_realloc(guard->buckets, cap * sizeof(*grown));
        if (grown == NULL)
            return NULL;
        guard->buckets = grown;
        guard->cap = cap;
    }
    struct bucket *bucket = &guard->buckets[guard->n++];
    *bucket = (struct bucket){.milli = rate * ONE};
    (void)snprintf(bucket->party, sizeof(bucket->party), "%s", party);
    return bucket;
}

/* A thousandth of a request a millisecond is one request a second; it holds one second's worth. */
int64_t bucket_take(struct bucket *bucket, int64_t rate, int64_t now_ms)
{
    int64_t passed = now_ms - bucket->at_ms;
    if (passed < 0 || passed > ONE)
        passed = passed < 0 ? 0 : ONE;
    bucket->at_ms = now_ms;
    bucket->milli += passed * rate;
    if (bucket->milli > rate * ONE)
        bucket->milli = rate * ONE;
    if (bucket->milli < ONE)
        return (ONE - bucket->milli + rate - 1) / rate;
    bucket->milli -= ONE;
    return 0;
}

int guard_admit(struct guard *guard, const struct wf_party *party, int64_t now_ms,
                int64_t *out_wait_ms, struct wf_error *err)
{
    int64_t rate = party->requests_per_second > 0 ? party->requests_per_second : guard->rate;
    struct bucket *bucket = bucket_of(guard, party->name);
    if (bucket == NULL)
        bucket = bucket_add(guard, party->name, rate);
    if (bucket == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    *out_wait_ms = bucket_take(bucket, rate, now_ms);
    if (*out_wait_ms > 0)
        return wf_fail(err, WF_E_BUSY, "more than %lld requests a second", (long long)rate);
    return 0;
}

bool guard_begin(struct guard *guard, const char *party)
{
    struct bucket *bucket = bucket_of(guard, party);
    if (bucket == NULL || bucket->under_way >= UNDER_WAY_MOST)
        return false;
    bucket->under_way++;
    return true;
}

void guard_end(struct guard *guard, const char *party)
{
    struct bucket *bucket = bucket_of(guard, party);
    if (bucket != NULL && bucket->under_way > 0)
        bucket->under_way--;
}
