/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked for in each procedure stands in procedures/; this is how people answer. */
#include "forms.h"

#include "people.h"
#include "stand.h"

#include <stdio.h>
#include <string.h>

struct form;

struct filling {
    uint64_t seed, n;
    uint64_t random;
    struct wf_arena *arena;
    struct person person;
    struct wf_value *fields;
};

struct form {
    const char *procedure;
    unsigned share; /* of 100 dossiers */
    bool at_counter_only;
    const char *papers[6]; /* required ones, NULL at the end */
    void (*fill)(struct filling *f);
};

/* ---- papers -----------------------------------------------------------------------------------
 */

static const struct {
    const char *id, *kind;
    int64_t copies;
} paper_kinds[] = {
    {"declaration", "original", 1}, {"birth_notice", "original", 1},
    {"undertaking", "original", 1}, {"identity", "copy", 2},
    {"end_of_marriage", "copy", 1}, {"mandate", "certified", 1},
    {"change_form", "original", 1}, {"certificate", "original", 1},
    {"contract", "certified", 1},   {"original", "original", 1},
    {"copy", "photo", 1},
};

const struct wf_value *form_paper(struct wf_arena *arena, const char *id)
{
    struct wf_value *paper = wf_map(arena);

    for (size_t i = 0; i < WF_COUNT(paper_kinds); i++) {
        if (strcmp(paper_kinds[i].id, id) != 0)
            continue;
        (void)wf_map_put(arena, paper, "id", wf_text(arena, id));
        (void)wf_map_put(arena, paper, "kind", wf_text(arena, paper_kinds[i].kind));
        (void)wf_map_put(arena, paper, "copies", wf_int(arena, paper_kinds[i].copies));
    }
    return paper;
}

/* ---- fields of each procedure -----------------------------------------------------------------
 */

static void put(struct filling *f, const char *name, const char *text)
{
    (void)wf_map_put(f->arena, f->fields, name, wf_text(f->arena, text));
}

static void put_int(struct filling *f, const char *name, int64_t value)
{
    (void)wf_map_put(f->arena, f->fields, name, wf_int(f->arena, value));
}

static unsigned dice(struct filling *f, unsigned n)
{
    f->random = stand_random(f->random, "dice", n);
    return (unsigned)(f->random % n);
}

static const char *const commune_agencies[] = {"000.01.33.H30", "000.02.33.H30", "000.03.33.H30",
                                               "000.01.34.H30"};

static const char *a_commune(struct filling *f)
{
    return commune_agencies[dice(f, WF_COUNT(commune_agencies))];
}

static void fill_marital_status(struct filling *f)
{
    static const char *const purposes[] = {"marriage", "land", "loan", "other"};
    unsigned moves = dice(f, 10);

    put(f, "birth_date", f->person.birth_date);
    put(f, "purpose", purposes[dice(f, WF_COUNT(purposes))]);
    (void)wf_map_put(f->arena, f->fields, "was_married", wf_bool(dice(f, 5) == 0));
    if (moves < 4)
        put(f, "former_commune", commune_agencies[moves % 2]);
    if (moves < 2)
        put(f, "former_commune_2", commune_agencies[2 + moves % 2]);
}

static void fill_birth(struct filling *f)
{
    bool is_girl = dice(f, 2) == 0;
    char name[96];
    char date[11];

    child_name(f->seed, f->n, is_girl, &f->person, name);
    (void)snprintf(date, sizeof(date), "2026-%02u-%02u", 9 + dice(f, 2), 1 + dice(f, 28));
    put(f, "child_name", name);
    put(f, "child_sex", is_girl ? "female" : "male");
    put(f, "child_birth_date", date);
    (void)wf_map_put(f->arena, f->fields, "has_birth_notice", wf_bool(dice(f, 8) != 0));
    if (dice(f, 7) == 0)
        put_int(f, "late_fee", 8000);
}

static void fill_copy(struct filling *f)
{
    put_int(f, "pages", 1 + dice(f, 12));
    put_int(f, "copies", 1 + dice(f, 4));
}

static void fill_land(struct filling *f)
{
    char parcel[50];

    (void)snprintf(parcel, sizeof(parcel), "thửa %u, tờ %u", 1 + dice(f, 900), 1 + dice(f, 60));
    put(f, "parcel", parcel);
    put(f, "land_commune", a_commune(f));
    put_int(f, "area", 80 + dice(f, 4000));
    put_int(f, "price", (int64_t)(200 + dice(f, 1800)) * 1000000);
}

static const struct form forms[] = {
    {"1.004873", 35, false, {"declaration", "identity"}, fill_marital_status},
    {"1.001193", 25, false, {"declaration"}, fill_birth},
    {"2.000815", 25, true, {"original", "copy"}, fill_copy},
    {"1.013831", 15, false, {"change_form", "certificate", "contract", "identity"}, fill_land},
};

/* ---- who receives, where ----------------------------------------------------------------------
 */

static const struct {
    const char *code;
    const char *desk; /* who receives there */
    const char *role; /* postal workers only where the province has given the mandate */
} sites[] = {
    {"000.00.13.H30", "cc.longmy", "civil_servant"},     /* M1 */
    {"000.00.11.H30", "cc.vithanh", "civil_servant"},    /* M1 */
    {"000.01.13.H30", "cc.longtri", "civil_servant"},    /* M1 */
    {"000.02.13.H30", "cc.longphu", "civil_servant"},    /* M1 */
    {"000.00.14.H30", "bd.chauthanh", "postal_worker"},  /* M2 */
    {"000.00.15.H30", "bd.chauthanha", "postal_worker"}, /* M2 */
    {"000.00.17.H30", "bd.vithuy", "postal_worker"},     /* M2 */
    {"000.01.14.H30", "bd.dongphuoca", "postal_worker"}, /* M4 */
};

static void choose_channel(struct filling *f, const struct form *form,
                           struct wf_msg_dossier_submit *out)
{
    size_t site = dice(f, WF_COUNT(sites));
    unsigned way = form->at_counter_only ? 0 : dice(f, 10);

    out->site = wf_str(sites[site].code);
    out->channel = wf_str("one_stop");
    out->by = wf_str(sites[site].desk);
    out->role = wf_str(sites[site].role);
    if (way >= 8) {
        out->channel = wf_str("online");
        out->by = wf_str("portal");
        out->role = wf_str("citizen");
    } else if (way == 7) {
        out->channel = wf_str("post");
        out->by = wf_str("bd.buucuc");
        out->role = wf_str("postal_worker");
    }
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static void fill_person(struct filling *f)
{
    bool by_post = dice(f, 10) < 4;

    put(f, "full_name", f->person.full_name);
    put(f, "citizen_id", f->person.citizen_id);
    put(f, "phone", f->person.phone);
    put(f, "address", f->person.address);
    put(f, "return_by", by_post ? "post" : "counter");
    if (f->person.email[0] != '\0')
        put(f, "email", f->person.email);
}

static const struct wf_value *agent_of(struct filling *f)
{
    struct person agent = person_of(f->seed, f->n + 1000000);
    struct wf_value *map = wf_map(f->arena);

    (void)wf_map_put(f->arena, map, "full_name", wf_text(f->arena, agent.full_name));
    (void)wf_map_put(f->arena, map, "citizen_id", wf_text(f->arena, agent.citizen_id));
    (void)wf_map_put(f->arena, map, "phone", wf_text(f->arena, agent.phone));
    (void)wf_map_put(f->arena, map, "mandate", wf_text(f->arena, "certified"));
    return map;
}

/* Papers that depend on what was said in the fields. */
static void add_conditional(struct filling *f, struct wf_value *papers)
{
    const struct wf_value *notice = wf_map_get(f->fields, "has_birth_notice");

    if (notice != NULL)
        (void)wf_list_add(
            f->arena, papers,
            form_paper(f->arena, wf_value_bool(notice, false) ? "birth_notice" : "undertaking"));
    if (wf_value_bool(wf_map_get(f->fields, "was_married"), false))
        (void)wf_list_add(f->arena, papers, form_paper(f->arena, "end_of_marriage"));
}

static const struct form *choose_form(uint64_t random)
{
    unsigned at = (unsigned)(random % 100);
    size_t i = 0;

    while (i + 1 < WF_COUNT(forms) && at >= forms[i].share)
        at -= forms[i++].share;
    return &forms[i];
}

bool form_fill(uint64_t seed, uint64_t n, struct wf_arena *arena, struct wf_msg_dossier_submit *out)
{
    struct filling f = {.seed = seed,
                        .n = n,
                        .random = stand_random(seed, "dossier", n),
                        .arena = arena,
                        .person = person_of(seed, n),
                        .fields = wf_map(arena)};
    const struct form *form = choose_form(f.random >> 8);
    struct wf_value *papers = wf_list(arena);

    *out = (struct wf_msg_dossier_submit){.procedure = wf_str(form->procedure), .fields = f.fields};
    choose_channel(&f, form, out);
    fill_person(&f);
    form->fill(&f);
    out->partial = dice(&f, 12) == 0;
    for (size_t i = out->partial ? 1 : 0; form->papers[i] != NULL; i++)
        (void)wf_list_add(arena, papers, form_paper(arena, form->papers[i]));
    add_conditional(&f, papers);
    if (dice(&f, 10) == 0 && !form->at_counter_only) {
        out->agent = agent_of(&f);
        (void)wf_list_add(arena, papers, form_paper(arena, "mandate"));
    }
    out->papers = papers;
    return wf_value_is_whole(f.fields) && wf_value_is_whole(papers);
}
