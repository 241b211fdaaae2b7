/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue shape: what waits, by activity and age, after Postfix's qshape. Each column's limit is twice
 * the one before; a queue that works is heavy on the left. Waiting items and tasks count from when
 * they were made, dead letters from when they were given up.
 */
#include "hoso.h"

#include <string.h>

#define AGES       10
#define FIRST_MS   (INT64_C(5) * 60 * 1000)
#define ROWS_MOST  256
#define WHERE_MOST 3

static const char *const wheres[WHERE_MOST] = {"queue", "task", "dead"};

struct row {
    int where;
    unsigned service;
    const char *activity;
    int64_t total, ages[AGES];
};

struct shape {
    struct hoso *h;
    struct wf_arena *arena; /* of one row of the store */
    int only;               /* service, -1 = all */
    int where;
    int64_t now_ms, real_ms;
    struct row rows[ROWS_MOST];
    size_t n;
    bool failed;
};

static const struct hoso_column columns[] = {
    {"where", "In", "Nằm ở", HOSO_TERM},        {"activity", "Activity", "Công việc", HOSO_TEXT},
    {"total", "Total", "Tổng", HOSO_NUMBER},    {"ages.m5", "<5 min", "<5 phút", HOSO_NUMBER0},
    {"ages.m10", "10", "10", HOSO_NUMBER0},     {"ages.m20", "20", "20", HOSO_NUMBER0},
    {"ages.m40", "40", "40", HOSO_NUMBER0},     {"ages.m80", "80", "80", HOSO_NUMBER0},
    {"ages.m160", "160", "160", HOSO_NUMBER0},  {"ages.m320", "320", "320", HOSO_NUMBER0},
    {"ages.m640", "640", "640", HOSO_NUMBER0},  {"ages.m1280", "1280", "1280", HOSO_NUMBER0},
    {"ages.more", "more", "hơn", HOSO_NUMBER0},
};

static const char *const age_names[AGES] = {"m5",   "m10",  "m20",  "m40",   "m80",
                                            "m160", "m320", "m640", "m1280", "more"};

static struct row *row_of(struct shape *s, unsigned service, struct wf_str activity)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->rows[i].where == s->where && s->rows[i].service == service &&
            wf_str_is(activity, s->rows[i].activity))
            return &s->rows[i];
    }
    if (s->n == ROWS_MOST)
        return NULL;
    struct row *row = &s->rows[s->n];
    *row = (struct row){.where = s->where,
                        .service = service,
                        .activity = wf_arena_strndup(s->h->arena, activity.ptr, activity.len)};
    if (row->activity == NULL)
        return NULL;
    s->n++;
    return row;
}

static void count(struct shape *s, uint64_t service, struct wf_str activity, int64_t age_ms)
{
    size_t age = 0;
    if (service >= WF_SERVICE_COUNT || (s->only >= 0 && (int)service != s->only))
        return;
    struct row *row = row_of(s, (unsigned)service, activity.len > 0 ? activity : wf_str("(part)"));
    for (int64_t limit = FIRST_MS; age + 1 < AGES && age_ms >= limit; limit *= 2)
        age++;
    if (row == NULL) {
        s->failed = true;
        return;
    }
    row->total++;
    row->ages[age]++;
}

static int count_item(void *context, const struct wf_rec_queue *item)
{
    struct shape *s = context;
    count(s, item->service, item->activity,
          s->real_ms - (s->where == 2 ? item->since : item->created));
    wf_arena_reset(s->arena);
    return 0;
}

static int count_task(void *context, const struct wf_rec_task *task)
{
    struct shape *s = context;
    count(s, task->service, task->activity, s->now_ms - task->created);
    wf_arena_reset(s->arena);
    return 0;
}

static int read_shape(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct shape *s = context;
    struct wf_clock clock = wf_store_clock(h->store);
    int rc = 0;
    s->real_ms = wf_real_ms();
    s->now_ms = wf_business_ms(&clock, s->real_ms);
    for (unsigned i = 0; i < WF_SERVICE_COUNT && rc == 0; i++) {
        s->where = 0;
        rc = wf_queue_each(txn, (enum wf_service)i, false, s->arena, count_item, s, &h->err);
        s->where = 2;
        if (rc == 0)
            rc = wf_queue_each(txn, (enum wf_service)i, true, s->arena, count_item, s, &h->err);
    }
    s->where = 1;
    return rc == 0 ? wf_task_each(txn, s->arena, count_task, s, &h->err) : rc;
}

static const struct wf_value *answer_of(struct shape *s)
{
    struct hoso *h = s->h;
    struct wf_value *rows = wf_list(h->arena);
    for (int where = 0; where < WHERE_MOST; where++) {
        for (size_t i = 0; i < s->n; i++) {
            const struct row *row = &s->rows[i];
            struct wf_value *ages = wf_map(h->arena);
            if (row->where != where)
                continue;
            for (size_t a = 0; a < AGES; a++)
                (void)wf_map_put(h->arena, ages, age_names[a], wf_int(h->arena, row->ages[a]));
            (void)wf_list_add(
                h->arena, rows,
                hoso_map(h, "where", wf_text(h->arena, wheres[where]), "service",
                         wf_text(h->arena, wf_service_word((enum wf_service)row->service)),
                         "activity", wf_text(h->arena, row->activity), "total",
                         wf_int(h->arena, row->total), "ages", ages, NULL));
        }
    }
    return hoso_map(h, "rows", rows, NULL);
}

int hoso_queue_shape(struct hoso *h)
{
    struct shape *s = wf_arena_alloc(h->arena, sizeof(*s));
    bool done = false;
    if (s == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "queue shape: out of memory");
    *s = (struct shape){.h = h, .only = -1, .arena = wf_arena_new(0)};
    int rc = s->arena != NULL ? hoso_service_option(h, &s->only)
                              : wf_fail(&h->err, WF_E_NOMEM, "queue shape: out of memory");
    if (rc == 0)
        rc = hoso_read(h, read_shape, s);
    wf_arena_free(s->arena);
    if (rc == 0 && s->failed)
        rc = wf_fail(&h->err, WF_E_FULL, "queue shape: more than %d activities", ROWS_MOST);
    if (rc != 0)
        return rc;
    const struct wf_value *answer = answer_of(s);
    rc = hoso_answer(h, answer, &done);
    return rc != 0 || done
               ? rc
               : hoso_print_table(h, columns, WF_COUNT(columns), wf_map_get(answer, "rows"));
}
