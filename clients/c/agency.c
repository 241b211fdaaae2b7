/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agency: takes dossiers over, decides, and gives each decision one number.
 *
 *     agency AGENCY BOOK [TASKS]   ends after so many tasks; 0 = never
 *
 * BOOK, a file with a line for each decision, stands for the agency's own database. The task's
 * number is the key in it: when the answer was lost, or the program died after deciding, the next
 * attempt finds the decision and gives no second number.
 */
#include "party.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The number of the decision on a task, taken now where there is none; 0 = cannot be written. */
static int number_of(FILE *book, uint64_t task)
{
    uint64_t known = 0;
    int line = 1;
    rewind(book);
    for (; fscanf(book, "%" SCNu64, &known) == 1; line++) {
        if (known == task)
            return line;
    }
    (void)fseek(book, 0, SEEK_END);
    bool kept = fprintf(book, "%" PRIu64 "\n", task) > 0 && fflush(book) == 0;
    return kept && fsync(fileno(book)) == 0 ? line : 0;
}

static const struct wf_value *decide(struct party_task *task, void *context)
{
    struct wf_value *result = wf_map(task->arena);
    int number = number_of(context, task->task);
    task->failure = "the book cannot be written";
    task->retry_ms = 5000;
    if (number == 0)
        return NULL;
    (void)printf("%s %d\n", task->dossier, number);
    (void)wf_map_put(task->arena, result, "decision", wf_text(task->arena, "approve"));
    (void)wf_map_put(task->arena, result, "number",
                     wf_text(task->arena, wf_arena_printf(task->arena, "%d/QĐ-UBND", number)));
    return result;
}

int main(int argc, char **argv)
{
    FILE *book = argc > 2 ? fopen(argv[2], "a+") : NULL;
    if (book == NULL)
        return 2;
    struct party_work work = {.service = WF_ROUTING,
                              .activity = "routing.handoff",
                              .to = argv[1],
                              .by = "agency-system",
                              .role = "agency",
                              .limit = argc > 3 ? atoll(argv[3]) : 0,
                              .handle = decide,
                              .context = book};
    int rc = party_run(&work);
    (void)fclose(book);
    return rc;
}
