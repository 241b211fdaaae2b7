/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to read and check definitions: each file of procedures/, all of them together, and
 * one as large as a file can be. Goals: 50 ms for one, 500 ms for all.
 *
 *     ninja -C build bench/check && build/bench/check [FOLDER]
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/clock.h"
#include "workflow/procedure.h"

#define ROUNDS 20

static double milliseconds_since(int64_t from_us)
{
    return (double)(wf_monotonic_us() - from_us) / 1000.0;
}

/* The least of some rounds; negative where the file is refused. */
static double cost_of(const char *name, const char *text, size_t length)
{
    double least = -1.0;
    for (int i = 0; i < ROUNDS; i++) {
        struct wf_report report = {0};
        struct wf_procedure *p = NULL;
        struct wf_error err;
        int64_t from = wf_monotonic_us();
        int rc = wf_procedure_parse(name, text, length, NULL, &report, &p, &err);
        wf_procedure_free(p);
        double ms = milliseconds_since(from);
        wf_report_fini(&report);
        if (rc < 0) {
            fprintf(stderr, "%s: %s\n", name, err.text);
            return -1.0;
        }
        least = least < 0.0 || ms < least ? ms : least;
    }
    return least;
}

static double cost_of_file(const char *path)
{
    char text[64 * 1024];
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return -1.0;
    size_t length = fread(text, 1, sizeof(text), file);
    fclose(file);
    return cost_of(path, text, length);
}

static double cost_of_largest(void)
{
    struct wf_buf text = {0};
    wf_buf_text(&text, "procedure: { code = \"1.000001\"; version = 1; level = \"commune\";"
                       "title = { vi = \"A\"; en = \"A\"; }; channels = [ \"post\" ];"
                       "time_limit = \"1 day\"; initial = \"s0\"; states: {\n");
    for (int i = 0; i < 850; i++)
        wf_buf_printf(
            &text, "s%d: { status = 4; on = ( { event = \"overdue\"; target = \"s%d\"; } ); };\n",
            i, i + 1);
    wf_buf_text(&text, "s850: { type = \"final\"; status = 10; outcome = \"approved\"; }; }; };\n");
    double ms = text.failed ? -1.0 : cost_of("largest", (const char *)text.ptr, text.len);
    wf_buf_fini(&text);
    return ms;
}

static void line(const char *what, double ms, double goal)
{
    printf("%-58s %8.2f ms   goal <= %g%s\n", what, ms, goal,
           ms >= 0.0 && ms <= goal ? "" : "   MISSED");
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : SOURCE_ROOT "/procedures";
    struct dirent **names = NULL;
    double all = 0.0;
    double most = 0.0;
    int failed = 0;
    int n = scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char path[1024];
        const char *dot = strrchr(names[i]->d_name, '.');
        (void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
        double ms = dot != NULL && strcmp(dot, ".cfg") == 0 ? cost_of_file(path) : 0.0;
        failed += ms < 0.0;
        if (ms > 0.0)
            printf("check: %-51s %8.2f ms\n", names[i]->d_name, ms);
        all += ms > 0.0 ? ms : 0.0;
        most = ms > most ? ms : most;
        free(names[i]);
    }
    free(names);
    double largest = cost_of_largest();
    line("check: a chain of 851 states", largest, 50);
    line("check: the longest of the folder", most, 50);
    line("check: the whole folder", all, 500);
    return failed > 0 || n < 0 || largest < 0.0 ? 1 : 0;
}
