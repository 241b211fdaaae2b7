/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one step of the interpreter costs, without I/O: a review that ends in a procedure of the
 * folder, and a step in the middle of a chart of ten states. Goal: 2 microseconds.
 *
 *     ninja -C build bench/step && build/bench/step
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/clock.h"
#include "workflow/procedure.h"

#define ROUNDS  301
#define STEPS   500 /* of one round: the clock tells microseconds only */
#define GOAL_US 2.0

static const char marital_status[] = SOURCE_ROOT "/procedures/1.004873-marital-status.cfg";

/* One answer that takes every activity of the procedure to its good end. */
static const struct wf_value *answer(struct wf_arena *arena)
{
    struct wf_value *map = wf_map(arena);
    (void)wf_map_put(arena, map, "complete", wf_bool(true));
    (void)wf_map_put(arena, map, "paid", wf_bool(true));
    (void)wf_map_put(arena, map, "verdict", wf_text(arena, "approve"));
    (void)wf_map_put(arena, map, "answers", wf_list(arena));
    return map;
}

static const struct wf_value *citizen(struct wf_arena *arena)
{
    struct wf_value *dossier = wf_map(arena);
    struct wf_value *map = wf_map(arena);
    (void)wf_map_put(arena, dossier, "fee", wf_int(arena, 15000));
    (void)wf_map_put(arena, map, "_dossier", dossier);
    (void)wf_map_put(arena, map, "full_name", wf_text(arena, "Bench"));
    (void)wf_map_put(arena, map, "former_commune", wf_text(arena, "H01.1"));
    (void)wf_map_put(arena, map, "return_by", wf_text(arena, "post"));
    return map;
}

static int take(const struct wf_chart *chart, const struct wf_snapshot *from, const char *invoke,
                const struct wf_value *data, struct wf_arena *arena, struct wf_step *out)
{
    char name[64];
    struct wf_error err;
    (void)snprintf(name, sizeof(name), "done.invoke.%s", invoke);
    struct wf_chart_event event = {.name = name, .data = data, .invoke_id = invoke};
    int rc = wf_chart_step(chart, from, &event, arena, out, &err);
    if (rc < 0)
        fprintf(stderr, "%s: %s\n", name, err.text);
    return rc == 0 && out->taken && out->error == NULL ? 0 : -1;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Microseconds of one such step, median of the rounds; negative where it cannot be taken. */
static double cost_of(const struct wf_chart *chart, const struct wf_snapshot *from,
                      const char *invoke, const struct wf_value *data)
{
    double costs[ROUNDS];
    struct wf_step step;
    struct wf_arena *arena = wf_arena_new(0);
    int failed = arena == NULL;
    for (int round = 0; failed == 0 && round < ROUNDS; round++) {
        int64_t started = wf_monotonic_us();
        for (int i = 0; i < STEPS; i++) {
            wf_arena_reset(arena);
            failed |= take(chart, from, invoke, data, arena, &step);
        }
        costs[round] = (double)(wf_monotonic_us() - started) / STEPS;
    }
    wf_arena_free(arena);
    if (failed != 0)
        return -1.0;
    qsort(costs, ROUNDS, sizeof(*costs), by_size);
    return costs[ROUNDS / 2];
}

/* The cost of the last of these invocations, after all before it were answered. */
static double cost_after(const struct wf_procedure *p, const char *const *invokes)
{
    struct wf_step step;
    struct wf_error err;
    struct wf_arena *arena = wf_arena_new(0);
    double cost = -1.0;
    int rc = arena == NULL ? -1 : wf_chart_start(p->chart, citizen(arena), arena, &step, &err);
    for (; rc == 0 && invokes[1] != NULL; invokes++)
        rc = take(p->chart, &step.snapshot, invokes[0], answer(arena), arena, &step);
    if (rc == 0)
        cost = cost_of(p->chart, &step.snapshot, invokes[0], answer(arena));
    wf_arena_free(arena);
    return cost;
}

static double cost_in_folder(void)
{
    static const char *const invokes[] = {"register", "check",   "accept", "payment",
                                          "consult",  "examine", NULL};
    struct wf_report report = {0};
    struct wf_procedure *p = NULL;
    struct wf_error err;
    double cost = -1.0;
    if (wf_procedure_load(marital_status, NULL, &report, &p, &err) == 0)
        cost = cost_after(p, invokes);
    wf_procedure_free(p);
    wf_report_fini(&report);
    return cost;
}

static double cost_of_ten(void)
{
    static const char *const invokes[] = {"w0", "w1", "w2", "w3", "w4", NULL};
    struct wf_report report = {0};
    struct wf_procedure *p = NULL;
    struct wf_error err;
    struct wf_buf text = {0};
    double cost = -1.0;
    wf_buf_text(&text, "procedure: { code = \"1.000001\"; version = 1; level = \"commune\";"
                       "title = { vi = \"A\"; en = \"A\"; }; channels = [ \"post\" ];"
                       "time_limit = \"1 day\"; initial = \"s0\"; states: {\n");
    for (int i = 0; i < 9; i++)
        wf_buf_printf(&text,
                      "s%d: { status = 4; invoke = ( { activity = \"a.b\"; id = \"w%d\"; } );"
                      " on = ( { event = \"done.invoke.w%d\"; target = \"s%d\"; } ); };\n",
                      i, i, i, i + 1);
    wf_buf_text(&text, "s9: { type = \"final\"; status = 10; outcome = \"approved\"; }; }; };\n");
    if (!text.failed && wf_procedure_parse("ten states", (const char *)text.ptr, text.len, NULL,
                                           &report, &p, &err) == 0)
        cost = cost_after(p, invokes);
    wf_procedure_free(p);
    wf_report_fini(&report);
    wf_buf_fini(&text);
    return cost;
}

static int line(const char *what, double cost)
{
    (void)printf("%-58s %8.2f us   goal <= %g%s\n", what, cost, GOAL_US,
                 cost >= 0.0 && cost <= GOAL_US ? "" : "   MISSED");
    return cost >= 0.0 ? 0 : 1;
}

int main(void)
{
    int failed = line("step: the review of 1.004873 ends", cost_in_folder());
    return line("step: in the middle of ten states", cost_of_ten()) | failed;
}
