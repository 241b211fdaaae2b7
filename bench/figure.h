/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench/figure.h - what the programs of bench/ share: settings from the environment, medians, and
 * the line that sets a figure beside its goal.
 */
#ifndef BENCH_FIGURE_H
#define BENCH_FIGURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "workflow/clock.h"

static inline double now_s(void)
{
    return (double)wf_monotonic_us() / 1e6;
}

static inline uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t number = text != NULL ? strtoull(text, NULL, 10) : 0;
    return number != 0 ? number : otherwise;
}

static inline int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts them; of 100 values the 99th from below is the 0.99 quantile. */
static inline double quantile(double *values, size_t n, double part)
{
    qsort(values, n, sizeof(*values), by_size);
    size_t at = (size_t)((double)n * part);
    return values[at < n ? at : n - 1];
}

static inline double median(double *values, size_t n)
{
    return quantile(values, n, 0.5);
}

/* Of pairs taken one after the other: what disturbs both drops out. */
static inline double median_ratio(const double *a, const double *b, size_t n)
{
    double ratios[64];
    size_t most = n < 64 ? n : 64;
    for (size_t i = 0; i < most; i++)
        ratios[i] = a[i] / b[i];
    return median(ratios, most);
}

enum goal { AT_LEAST, AT_MOST };

/* Prints it; true where the goal is met. */
static inline bool figure(const char *what, double value, const char *unit, enum goal kind,
                          double goal)
{
    bool met = kind == AT_LEAST ? value >= goal : value <= goal;
    (void)printf("%-58s %8.2f %-4s goal %s %g%s\n", what, value, unit,
                 kind == AT_LEAST ? ">=" : "<=", goal, met ? "" : "   MISSED");
    return met;
}

#endif
