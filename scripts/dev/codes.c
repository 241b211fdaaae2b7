/* SPDX-License-Identifier: Apache-2.0 */
/* The page of codes: what errors are called, and with what programs end. */
#include "pages.h"

#include "hoso.h"

/* clang-format off */
static const struct {
    int number;
    enum wf_action action;
    const char *word, *meaning;
} errors[] = {
#define X(name, number, action, word, meaning) {number, WF_##action, word, meaning},
    WF_ERRORS(X)
#undef X
};

static const char *const advice[] = {
    [WF_RETRY]  = "the same again, later",
    [WF_REFUSE] = "not done: mend it, or wait until the reason is gone",
    [WF_STOP]   = "the process ends and is started again: then the same again",
};

static const char *const exits[] = {
#define X(name, meaning) meaning,
    HOSO_EXITS(X)
#undef X
};

static const struct {
    const char *program, *code, *meaning;
} programs[] = {
    {"workers, `hoso-gate`, `hoso-bridge`, `hoso-archive`, `hoso-metrics`, `hoso-folder`, `hoso-portal`, `hoso-courier`, `hoso-relay`",
     "0", "stopped in good order; with `--check`: all is well"},
    {"", "1", "failed while running: may be started again"},
    {"", "2", "usage, settings or place are wrong: starting it again does not help"},
    {"`check_hoso`", "0, 1, 2, 3", "OK, WARNING, CRITICAL, UNKNOWN"},
};
/* clang-format on */

void print_codes(struct wf_buf *out)
{
    wf_buf_text(out, "# Error codes and exit codes\n\n"
                     "Made by `protocol-table --codes` from `workflow/error.h` and "
                     "`services/hoso/hoso.h`; do not edit.\n\n"
                     "## Error codes\n\n"
                     "The same words in answers of the queue endpoints (`code`), in the log "
                     "(`rc`), in figures, and in the JSON\nof `hoso --json`. The number is of the "
                     "library. Words and numbers are never changed or used again.\n\n"
                     "| code | number | means | what follows |\n|---|---|---|---|\n");
    for (size_t i = 0; i < WF_COUNT(errors); i++)
        wf_buf_printf(out, "| `%s` | %d | %s | %s |\n", errors[i].word, errors[i].number,
                      errors[i].meaning, advice[errors[i].action]);
    wf_buf_text(out, "\n## Exit codes\n\n"
                     "| program | exit code | meaning |\n|---|---|---|\n");
    for (size_t i = 0; i < WF_COUNT(exits); i++)
        wf_buf_printf(out, "| %s | %zu | %s |\n", i == 0 ? "`hoso`" : "", i, exits[i]);
    for (size_t i = 0; i < WF_COUNT(programs); i++)
        wf_buf_printf(out, "| %s | %s | %s |\n", programs[i].program, programs[i].code,
                      programs[i].meaning);
    wf_buf_text(out, "\nOf `status`, `relay status`, `portal status`, `courier status`, `verify`, "
                     "`drain` and of comparisons\n(`procedure diff`, `replay`, `migrate`, `portal "
                     "reconcile`) 1 is an answer: something needs a person, or differs.\n");
}
