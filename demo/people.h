/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo/people.h - invented citizens of Hau Giang. Any likeness to living persons is by chance.
 */
#ifndef DEMO_PEOPLE_H
#define DEMO_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

struct person {
    char full_name[96];
    char citizen_id[13]; /* 093..., in agreement with birth date and sex */
    char birth_date[11]; /* YYYY-MM-DD */
    bool is_female;
    char phone[11];
    char email[64]; /* "" for those without */
    char address[160];
};

/* The same person for the same seed and number. */
struct person person_of(uint64_t seed, uint64_t n);

/* A child's name that goes with the parent's. */
void child_name(uint64_t seed, uint64_t n, bool is_girl, const struct person *parent, char out[96]);

#endif
