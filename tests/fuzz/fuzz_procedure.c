/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a definition of a procedure. What is refused must say why; what passes must be whole,
 * and its chart must start. Seeds: fuzz_procedure NEW tests/procedures/good tests/procedures/bad
 * procedures
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/procedure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct wf_parameter any[] = {
    {"to", WF_T_ANY, false},        {"mode", WF_T_TEXT, false},     {"items", WF_T_ANY, false},
    {"subject", WF_T_TEXT, false},  {"reason", WF_T_TEXT, false},   {"by", WF_T_TEXT, false},
    {"template", WF_T_TEXT, false}, {"question", WF_T_TEXT, false}, {"data", WF_T_MAP, false},
    {"amount", WF_T_INT, false},
};
static const struct wf_activity_info infos[] = {
    {"intake.register", NULL, 0, false, false},
    {"intake.supplement", any, WF_COUNT(any), true, false},
    {"verification.check", NULL, 0, false, false},
    {"verification.review", any, WF_COUNT(any), true, false},
    {"routing.handoff", any, WF_COUNT(any), true, false},
    {"routing.consult", any, WF_COUNT(any), true, false},
    {"routing.escalate", any, WF_COUNT(any), true, true},
    {"notification.send", any, WF_COUNT(any), true, true},
    {"return.deliver", any, WF_COUNT(any), true, false},
    {"return.collect_fee", any, WF_COUNT(any), true, false},
    {"return.archive", NULL, 0, false, false},
};
static const struct wf_activity_info *const activities[] = {
    &infos[0], &infos[1], &infos[2], &infos[3], &infos[4],  &infos[5],
    &infos[6], &infos[7], &infos[8], &infos[9], &infos[10],
};
static const char *const channels[] = {"one_stop", "post", "online"};
static const struct wf_catalogue catalogue = {.activities = activities,
                                              .n_activities = WF_COUNT(activities),
                                              .channels = channels,
                                              .n_channels = WF_COUNT(channels)};

static void promise(bool kept)
{
    if (!kept)
        abort();
}

static void check_procedure(const struct wf_procedure *p)
{
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_step step;
    struct wf_error err;
    promise(p->code != NULL && p->chart != NULL && p->source.len > 0);
    for (size_t i = 0; i < p->n_fields; i++)
        promise(wf_procedure_field(p, wf_str(p->fields[i].id)) == &p->fields[i]);
    promise(wf_procedure_missing(p, NULL, NULL, arena) != NULL);
    int rc = wf_chart_start(p->chart, NULL, arena, &step, &err);
    promise(rc == 0 || rc == WF_E_STATE); /* a loop on conditions is only warned of */
    wf_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wf_report report = {0};
    struct wf_procedure *p = NULL;
    struct wf_error err = {0};
    int rc =
        wf_procedure_parse("fuzz.cfg", (const char *)data, size, &catalogue, &report, &p, &err);
    promise((rc == 0) == (p != NULL));
    if (rc == 0)
        check_procedure(p);
    else
        promise(rc == WF_E_CONFIG && report.errors > 0 && err.text[0] != '\0');
    for (size_t i = 0; i < report.n; i++)
        promise(strlen(report.messages[i].text) > 0 && report.messages[i].line >= 0);
    wf_procedure_free(p);
    wf_report_fini(&report);
    return 0;
}
