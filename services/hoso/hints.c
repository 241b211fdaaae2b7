/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list may be empty because nothing fits or because a word was misspelt. The words that stand
 * nowhere are named on standard error; the answer and the exit code stay as they are, since a place
 * or a state may have been given up.
 */
#include "hoso.h"

#include <string.h>

#include "catalogue.h"

#define WORDS_MAX 1024

struct words {
    const char *list[WORDS_MAX];
    size_t n;
};

struct known {
    struct hoso *h;
    struct wf_txn *txn;
    struct words procedures, states, sites, activities;
};

static void add(struct words *words, const char *word)
{
    for (size_t i = 0; i < words->n; i++) {
        if (strcmp(words->list[i], word) == 0)
            return;
    }
    if (words->n < WORDS_MAX)
        words->list[words->n++] = word;
}

static int add_procedure(void *context, const struct wf_rec_procedure *record)
{
    struct known *known = context;
    const struct wf_procedure *p =
        hoso_known_procedure(known->h, known->txn, record->code, record->version);
    const struct wf_chart_state *states = NULL;
    size_t n = p != NULL ? wf_chart_states(p->chart, &states) : 0;
    if (p != NULL)
        add(&known->procedures, p->code);
    for (size_t i = 0; i < n; i++)
        add(&known->states, states[i].id);
    return 0;
}

static void hint(struct hoso *h, enum hoso_option option, const struct words *words,
                 const char *where)
{
    const char *word = h->opt[option];
    if (word == NULL || words->n == 0 || words->n == WORDS_MAX)
        return;
    for (size_t i = 0; i < words->n; i++) {
        if (strcmp(words->list[i], word) == 0)
            return;
    }
    const char *nearest = wf_nearest(word, words->list, words->n);
    const char *perhaps = h->vi ? ", có lẽ là " : ", perhaps ";
    (void)fprintf(stderr, "hoso: note: \"%.64s\" %s%s%s\n", word, where,
                  nearest != NULL ? perhaps : "", nearest != NULL ? nearest : "");
}

static int read_known(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct known *known = context;
    known->txn = txn;
    return wf_procedure_each(txn, h->arena, add_procedure, known, &h->err);
}

void hoso_hint_words(struct hoso *h)
{
    struct known *known = wf_arena_alloc(h->arena, sizeof(*known));
    if (known == NULL || hoso_registry(h) != 0)
        return;
    *known = (struct known){.h = h};
    for (size_t i = 0; i < h->registry->n_sites; i++)
        add(&known->sites, h->registry->sites[i].code);
    for (size_t i = 0; i < hoso_catalogue()->n_activities; i++)
        add(&known->activities, hoso_catalogue()->activities[i]->name);
    if (hoso_read(h, read_known, known) != 0)
        return;
    hint(h, OPT_PROCEDURE, &known->procedures, h->vi ? "chưa được cài đặt" : "is not installed");
    hint(h, OPT_STATE, &known->states,
         h->vi ? "không phải là bước của thủ tục nào" : "is no state of any installed procedure");
    hint(h, OPT_ACTIVITY, &known->activities,
         h->vi ? "không phải là công việc của dịch vụ nào" : "is offered by no service");
    hint(h, OPT_SITE, &known->sites, h->vi ? "không có trong sites.cfg" : "is not in sites.cfg");
}
