/* SPDX-License-Identifier: Apache-2.0 */
/* Charts: whatever compiles can be started and stepped, with clean errors at worst. */
#include <string.h>

#include "workflow/chart.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void run(const struct wf_chart *chart, struct wf_arena *arena)
{
    static const char *const names[] = {"e", "go", "done.invoke.i", "deadline.a", "error.x"};
    struct wf_step step;
    struct wf_error err;
    if (wf_chart_start(chart, NULL, arena, &step, &err) != 0)
        return;
    for (size_t i = 0; i < 2 * WF_COUNT(names); i++) {
        struct wf_chart_event event = {.name = names[i % WF_COUNT(names)], .invoke_id = "i"};
        struct wf_snapshot from = step.snapshot;
        if (wf_chart_step(chart, &from, &event, arena, &step, &err) != 0)
            return;
        if (!step.snapshot.done && wf_value_count(step.snapshot.states) == 0)
            __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct wf_report report = {0};
    struct wf_config *config = NULL;
    struct wf_chart *chart = NULL;
    struct wf_error err = {0};
    int rc = wf_config_parse("f", (const char *)bytes, size, &report, &config, &err);
    if (rc == 0)
        rc = wf_chart_compile(wf_config_root(config), NULL, &report, &chart, &err);
    if (rc == 0) {
        struct wf_arena *arena = wf_arena_new((size_t)8 << 20);
        run(chart, arena);
        wf_arena_free(arena);
    } else if (err.text[0] == '\0') {
        __builtin_trap();
    }
    wf_chart_free(chart);
    wf_config_free(config);
    wf_report_fini(&report);
    return 0;
}
