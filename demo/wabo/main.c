/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wabo-replay: sends a recorded event log through the queue endpoints of a running cell and
 * compares what is stored then with the log.
 *
 * With a training cell each event goes out when the cell's business clock comes to its recorded
 * time; --fast sends at once. Exit code 0: every recorded event was accepted and every figure
 * agrees; 1: not so, or something failed; 2: usage.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "process.h"
#include "replay.h"
#include "workflow/memory.h"
#include "workflow/store.h"

struct settings {
    const char *cell;
    const char *log;
    bool is_fast;
    bool is_shuffled;
    uint64_t seed;
};

/* ---- the course of the program ----------------------------------------------------------------
 */

/* The clock stands in the store and never changes: a short look. */
static int read_clock(const char *cell, struct wf_clock *out, struct wf_error *err)
{
    const struct wf_store_options options = {.read_only = true};
    struct wf_store *store = NULL;
    char path[4096];

    if ((size_t)snprintf(path, sizeof(path), "%s/store", cell) >= sizeof(path))
        return wf_fail(err, WF_E_CONFIG, "the cell's path is too long");
    int rc = wf_store_open(path, &options, &store, err);
    if (rc != 0)
        return rc;
    *out = wf_store_clock(store);
    wf_store_close(store);
    return 0;
}

static int begin(const struct log *log, struct course **out_courses, struct ending **out_endings,
                 struct wf_error *err)
{
    struct course *courses = wf_alloc(log->n_cases * sizeof(*courses));
    struct ending *endings = wf_alloc(log->n_cases * sizeof(*endings));

    if (courses == NULL || endings == NULL) {
        wf_free(courses);
        wf_free(endings);
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < log->n_cases; i++) {
        endings[i] = process_ending(&log->cases[i]);
        courses[i] = (struct course){.what = &log->cases[i], .ending = &endings[i]};
    }
    *out_courses = courses;
    *out_endings = endings;
    return 0;
}

static bool tell(const struct log *log, const struct replay_counts *counts, int64_t took_ms)
{
    (void)printf("%zu cases, %zu recorded events: %zu accepted, %zu refused; %zu cases closed, %zu "
                 "kept open, %zu against the log; %zu requests sent again; %.1f s\n",
                 log->n_cases, log->n_events, counts->accepted, counts->refused, counts->closed,
                 counts->kept_open, counts->wrong_close, counts->sent_again,
                 (double)took_ms / 1000);
    return counts->accepted == log->n_events && counts->wrong_close == 0;
}

static void tell_shuffled(const struct log *log, const struct course *courses,
                          const struct replay_counts *counts)
{
    size_t n = 0;
    size_t whole = 0;

    for (size_t i = 0; i < log->n_cases; i++) {
        bool has_order = log->cases[i].n_events > 2; /* the first stays the first */

        n += has_order ? 1 : 0;
        whole += has_order && courses[i].refused == 0 ? 1 : 0;
    }
    (void)printf("In an order of chance: %.1f %% of the events refused; %zu of the %zu cases with "
                 "three or more events were taken whole.\n",
                 100.0 * (double)counts->refused / (double)log->n_events, whole, n);
}

static int replay(const struct settings *settings, const struct log *log, struct course *courses,
                  bool *out_agree, struct wf_error *err)
{
    char run[4096];
    struct replay_options options = {
        .run = run, .is_fast = settings->is_fast, .is_shuffled = settings->is_shuffled};
    struct replay_counts counts = {0};
    int64_t start = wf_monotonic_ms();

    if ((size_t)snprintf(run, sizeof(run), "%s/run", settings->cell) >= sizeof(run))
        return wf_fail(err, WF_E_CONFIG, "the cell's path is too long");
    int rc = read_clock(settings->cell, &options.clock, err);
    if (rc == 0)
        rc = replay_run(&options, log, courses, &counts, err);
    if (rc != 0)
        return rc;
    bool agree = tell(log, &counts, wf_monotonic_ms() - start);
    if (settings->is_shuffled) {
        tell_shuffled(log, courses, &counts);
        *out_agree = counts.refused > 0; /* a chart that takes any order says nothing */
        return 0;
    }
    rc = replay_compare(&options, log, courses, out_agree, err);
    *out_agree = *out_agree && agree;
    return rc;
}

static int run(const struct settings *settings, bool *out_agree, struct wf_error *err)
{
    struct log log = {0};
    struct course *courses = NULL;
    struct ending *endings = NULL;
    int rc = log_read(settings->log, &log, err);

    if (rc == 0 && settings->is_shuffled)
        log_shuffle(&log, settings->seed);
    if (rc == 0)
        rc = begin(&log, &courses, &endings, err);
    if (rc == 0)
        rc = replay(settings, &log, courses, out_agree, err);
    wf_free(courses);
    wf_free(endings);
    log_fini(&log);
    return rc;
}

/* ---- options ----------------------------------------------------------------------------------
 */

static const struct argp_option option_rows[] = {
    {"cell", 'c', "DIR", 0, "the cell's folder; its workers are running", 0},
    {"fast", 'f', NULL, 0, "send at once, not at the recorded times", 0},
    {"shuffle", 's', "SEED", 0, "put each case into an order of chance: how much is refused?", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct settings *settings = state->input;

    switch (key) {
    case 'c':
        settings->cell = arg;
        return 0;
    case 'f':
        settings->is_fast = true;
        return 0;
    case 's':
        settings->is_shuffled = true;
        settings->seed = strtoull(arg, NULL, 10);
        return 0;
    case ARGP_KEY_ARG:
        if (settings->log != NULL)
            argp_usage(state);
        settings->log = arg;
        return 0;
    case ARGP_KEY_END:
        if (settings->cell == NULL || settings->log == NULL)
            argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp argp = {.options = option_rows,
                                     .parser = parse,
                                     .args_doc = "LOG.csv",
                                     .doc = "Sends a recorded event log through the queue "
                                            "endpoints and compares the store with it."};
    struct settings settings = {0};
    struct wf_error err;
    bool agree = false;

    argp_err_exit_status = 2;
    if (argp_parse(&argp, argc, argv, 0, NULL, &settings) != 0)
        return 2;
    int rc = run(&settings, &agree, &err);
    if (rc != 0) {
        (void)fprintf(stderr, "wabo: %s: %s\n", wf_code_word(rc), err.text);
        return 1;
    }
    if (!settings.is_shuffled)
        (void)printf("%s\n", agree ? "All figures agree." : "The figures DO NOT agree.");
    return agree ? 0 : 1;
}
