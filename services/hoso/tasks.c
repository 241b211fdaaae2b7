/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task ...: the list is read from the store; everything else speaks to the worker that holds the
 * task, over the same queue endpoint that officials' desks and agencies use.
 */
#include "hoso.h"

#include <string.h>

#include "catalogue.h"

#define ACTIVITIES_MOST 64

static const struct hoso_column list_columns[] = {
    {"task", "Task", "Số", HOSO_NUMBER},
    {"activity", "Activity", "Công việc", HOSO_TEXT},
    {"to", "Address", "Nơi nhận", HOSO_TEXT},
    {"role", "Role", "Vai trò", HOSO_TEXT},
    {"params.subject", "To do", "Nội dung", HOSO_TEXT},
    {"dossier", "Dossier", "Hồ sơ", HOSO_TEXT},
    {"created", "Since", "Từ lúc", HOSO_TIME},
    {"holder", "Held by", "Người giữ", HOSO_TEXT},
    {"attempts", "Failures", "Số lần lỗi", HOSO_NUMBER},
    {"reason", "Last failure", "Lý do lỗi", HOSO_TEXT},
};

static const struct hoso_column claimed_columns[] = {
    {"task", "Task", "Số", HOSO_NUMBER},        {"token", "Token", "Mã giữ", HOSO_NUMBER},
    {"dossier", "Dossier", "Hồ sơ", HOSO_TEXT}, {"activity", "Activity", "Công việc", HOSO_TEXT},
    {"to", "Address", "Nơi nhận", HOSO_TEXT},   {"lease_until", "Until", "Giữ đến", HOSO_TIME},
    {"brief", "To do", "Nội dung", HOSO_TEXT},
};

/* ---- list -------------------------------------------------------------------------------------
 */

struct listing {
    struct hoso *h;
    struct wf_value *rows;
    int64_t max;
    int64_t now;
    int service;      /* -1 = all */
    uint64_t dossier; /* 0 = all */
};

static bool fits(const struct hoso *h, enum hoso_option option, struct wf_str value)
{
    return !hoso_has(h, option) || wf_str_is(hoso_text(h, option), "*") ||
           wf_str_equal(hoso_text(h, option), value);
}

static int add_task(void *context, const struct wf_rec_task *task)
{
    struct listing *l = context;
    struct hoso *h = l->h;
    if (!fits(h, OPT_ACTIVITY, task->activity) || !fits(h, OPT_TO, task->to) ||
        (l->service >= 0 && task->service != (uint64_t)l->service) ||
        (l->dossier != 0 && task->dossier != l->dossier))
        return 0;
    const struct wf_value *params = task->params != NULL ? task->params : &wf_null;
    bool held = task->leased && task->visible > l->now;
    /* clang-format off */
    const struct wf_value *row = hoso_map(h,
        "task", wf_int(h->arena, (int64_t)task->id),
        "service", wf_text(h->arena, wf_service_word((enum wf_service)task->service)),
        "activity", hoso_str(h, task->activity),
        "to", hoso_str(h, task->to),
        "role", hoso_str(h, task->role),
        "dossier", hoso_str(h, task->code),
        "created", wf_int(h->arena, task->created),
        "held", wf_bool(held),
        "on_hold", wf_bool(task->held != 0),
        "holder", held ? hoso_str(h, task->holder) : wf_text(h->arena, ""),
        "lease_until", wf_int(h->arena, held ? task->visible : 0),
        "attempts", wf_int(h->arena, (int64_t)task->attempts),
        "reason", hoso_str(h, task->reason),
        "params", hoso_has(h, OPT_UNMASK) ? wf_value_copy(h->arena, params)
                                          : hoso_masked(h, params),
        NULL);
    /* clang-format on */
    if (!wf_list_add(h->arena, l->rows, row))
        return WF_E_NOMEM;
    return l->max > 0 && (int64_t)wf_value_count(l->rows) >= l->max ? WF_NONE : 0;
}

static int read_tasks(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct listing *l = context;
    int rc = hoso_dossier_option(h, txn, &l->dossier);
    return rc == 0 ? wf_task_each(txn, h->arena, add_task, context, &h->err) : rc;
}

int hoso_task_list(struct hoso *h)
{
    struct listing l = {.h = h, .rows = wf_list(h->arena), .now = wf_real_ms(), .service = -1};
    bool done = false;
    int rc = hoso_number(h, OPT_MAX, 100, INT32_MAX, &l.max);
    if (rc == 0)
        rc = hoso_service_option(h, &l.service);
    if (rc == 0)
        rc = hoso_read(h, read_tasks, &l);
    if (rc < 0)
        return rc;
    if (wf_value_count(l.rows) == 0)
        hoso_hint_words(h);
    rc = hoso_answer(h, hoso_map(h, "tasks", l.rows, NULL), &done);
    if (rc != 0 || done)
        return rc;
    rc = hoso_print_table(h, list_columns, WF_COUNT(list_columns), l.rows);
    if (rc == 0 && l.max > 0 && (int64_t)wf_value_count(l.rows) >= l.max)
        hoso_print_cut(h);
    return rc;
}

/* ---- claim ------------------------------------------------------------------------------------
 */

static int print_claimed(struct hoso *h, const struct wf_value *tasks)
{
    struct wf_value *rows = wf_list(h->arena);
    bool done = false;
    int rc = hoso_answer(h, hoso_map(h, "tasks", tasks, NULL), &done);
    if (rc == 0 && !done)
        rc = hoso_calendar(h);
    if (rc != 0 || done)
        return rc;
    for (size_t i = 0; i < wf_value_count(tasks); i++) {
        struct wf_value *row = wf_map_copy(h->arena, wf_list_at(tasks, i));
        const struct wf_value *params = wf_map_get(row, "params");
        if (!hoso_has(h, OPT_UNMASK))
            params = hoso_masked(h, params);
        (void)wf_map_put(h->arena, row, "brief", hoso_brief(h, params, 200));
        (void)wf_list_add(h->arena, rows, row);
    }
    return hoso_print_table(h, claimed_columns, WF_COUNT(claimed_columns), rows);
}

/* A slip of the pen is told here, with what may have been meant. */
static int check_activity(struct hoso *h, const char *activity)
{
    const struct wf_catalogue *all = hoso_catalogue();
    const char *names[ACTIVITIES_MOST];
    size_t n = 0;
    for (size_t i = 0; i < all->n_activities; i++) {
        if (strcmp(all->activities[i]->name, activity) == 0)
            return 0;
        if (n < ACTIVITIES_MOST)
            names[n++] = all->activities[i]->name;
    }
    const char *nearest = wf_nearest(activity, names, n);
    return wf_fail(&h->err, WF_E_NOT_FOUND, "no service offers \"%.64s\": %s%s%s", activity,
                   nearest != NULL ? "did you mean " : "activities read service.work, such as ",
                   nearest != NULL ? nearest : "verification.review", nearest != NULL ? "?" : "");
}

int hoso_task_claim(struct hoso *h)
{
    const char *activity = h->args[0];
    struct wf_msg_task_fetch fetch = {.activity = wf_str(activity)};
    struct wf_value *to = wf_list(h->arena);
    struct wf_envelope reply;
    int64_t lease = 0;
    int64_t wait = 0;
    int64_t max = 0;
    int service = wf_service_of_activity(activity);
    int rc = check_activity(h, activity);
    if (rc == 0)
        rc = hoso_actor(h, &fetch.by, &fetch.role);
    if (rc == 0)
        rc = hoso_number(h, OPT_LEASE, 600, 86400, &lease);
    if (rc == 0)
        rc = hoso_number(h, OPT_WAIT, 0, 60, &wait);
    if (rc == 0)
        rc = hoso_number(h, OPT_MAX, 1, 100, &max);
    if (rc == 0)
        rc = hoso_client(h);
    if (rc != 0)
        return rc;
    (void)wf_list_add(h->arena, to,
                      hoso_str(h, hoso_has(h, OPT_TO) ? hoso_text(h, OPT_TO) : wf_str("*")));
    fetch.to = to;
    fetch.lease_ms = (uint64_t)lease * 1000;
    fetch.wait_ms = (uint64_t)wait * 1000;
    fetch.max = (uint64_t)max;
    rc = wf_client_call(h->client, (enum wf_service)service, WF_MSG_task_fetch, &fetch, h->arena,
                        &reply, &h->err);
    if (rc != 0)
        return rc;
    if (reply.type != WF_MSG_tasks)
        return wf_fail(&h->err, WF_E_INTERNAL, "the worker gave an answer of another type");
    return print_claimed(h, ((const struct wf_msg_tasks *)reply.body)->tasks);
}

/* ---- complete, extend, progress, fail ----------------------------------------------------------
 */

static int read_service(struct hoso *h, struct wf_txn *txn, void *context)
{
    enum wf_service *out = context;
    struct wf_rec_task task;
    uint64_t id;
    int rc = hoso_number_arg(h, 0, "TASK", &id);
    if (rc == 0)
        rc = wf_task_get(txn, id, h->arena, &task, &h->err);
    if (rc == WF_NONE)
        return wf_fail(&h->err, WF_E_NOT_FOUND,
                       "there is no open task %s: it is done, or was withdrawn", h->args[0]);
    if (rc == 0)
        *out = (enum wf_service)task.service;
    return rc;
}

/* TASK and TOKEN of the command line, and the worker that holds the task. */
static int which(struct hoso *h, uint64_t *task, uint64_t *token, enum wf_service *service)
{
    int rc = hoso_number_arg(h, 0, "TASK", task);
    if (rc == 0)
        rc = hoso_number_arg(h, 1, "TOKEN", token);
    if (rc == 0)
        rc = hoso_read(h, read_service, service);
    return rc;
}

static int tell(struct hoso *h, enum wf_service to, enum wf_message type, const void *body)
{
    char id[WF_REQUEST_ID_SIZE];
    struct wf_envelope reply;
    bool done = false;
    int rc = hoso_client(h);
    if (rc != 0)
        return rc;
    wf_client_new_id(h->client, id);
    rc = wf_client_again(h->client, to, type, body, hoso_has(h, OPT_ID) ? h->opt[OPT_ID] : id,
                         h->arena, &reply, &h->err);
    if (rc != 0)
        return rc;
    if (reply.type != WF_MSG_done)
        return wf_fail(&h->err, WF_E_INTERNAL, "the worker gave an answer of another type");
    const struct wf_msg_done *said = reply.body;
    const struct wf_value *answer = hoso_map(h, "dossier", hoso_str(h, said->dossier), "until",
                                             wf_int(h->arena, said->until), NULL);
    rc = hoso_answer(h, answer, &done);
    if (rc == 0 && !done)
        (void)printf(h->vi ? "xong: hồ sơ %.*s\n" : "done: dossier %.*s\n",
                     WF_STR_ARG(said->dossier));
    return rc;
}

int hoso_task_complete(struct hoso *h)
{
    struct wf_msg_task_complete body = {0};
    enum wf_service to = WF_INTAKE;
    int rc = hoso_json_object("RESULT", h->args[2], h->arena, &body.result, &h->err);
    if (rc == 0)
        rc = hoso_actor(h, &body.by, NULL);
    if (rc == 0)
        rc = which(h, &body.task, &body.token, &to);
    return rc == 0 ? tell(h, to, WF_MSG_task_complete, &body) : rc;
}

int hoso_task_progress(struct hoso *h)
{
    struct wf_msg_task_progress body = {0};
    enum wf_service to = WF_INTAKE;
    int rc = hoso_json_object("DATA", h->args[2], h->arena, &body.data, &h->err);
    if (rc == 0)
        rc = hoso_actor(h, &body.by, NULL);
    if (rc == 0)
        rc = which(h, &body.task, &body.token, &to);
    return rc == 0 ? tell(h, to, WF_MSG_task_progress, &body) : rc;
}

int hoso_task_extend(struct hoso *h)
{
    struct wf_msg_task_extend body = {0};
    enum wf_service to = WF_INTAKE;
    int64_t lease = 0;
    int rc = hoso_number(h, OPT_LEASE, 600, 86400, &lease);
    body.lease_ms = (uint64_t)lease * 1000;
    if (rc == 0)
        rc = which(h, &body.task, &body.token, &to);
    return rc == 0 ? tell(h, to, WF_MSG_task_extend, &body) : rc;
}

int hoso_task_fail(struct hoso *h)
{
    struct wf_msg_task_fail body = {.reason = wf_str(h->args[2]), .final = hoso_has(h, OPT_FINAL)};
    enum wf_service to = WF_INTAKE;
    int64_t retry = 0;
    int rc = hoso_number(h, OPT_RETRY, 0, 86400, &retry);
    body.retry_ms = (uint64_t)retry * 1000;
    if (rc == 0)
        rc = hoso_actor(h, &body.by, NULL);
    if (rc == 0)
        rc = which(h, &body.task, &body.token, &to);
    return rc == 0 ? tell(h, to, WF_MSG_task_fail, &body) : rc;
}
