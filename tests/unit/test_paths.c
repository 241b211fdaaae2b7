/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every definition of procedures/ on the paths that dossiers take most: one table row a path. What
 * a row does not say is answered favourably.
 */
#include "support/test.h"

#include <glob.h>

#include "workflow/simulate.h"

#define START_MS   INT64_C(1795392000000) /* 2026-11-23 07:00 */
#define MOST_LINES 60
#define SEEDS      4 /* each makes up other fields */

/* Where the walk waits for this activity, these lines come first. */
struct rule {
    const char *activity;
    const char *id;     /* NULL = any but those of reception and withdrawal */
    const char *lines;  /* of the script */
    unsigned int times; /* 0 = always */
};

struct path {
    const char *name;
    const char *outcome;
    struct rule rules[4];
    int status;
};

#define REVIEW     "verification.review"
#define HANDOFF    "routing.handoff"
#define SUPPLEMENT "intake.supplement"
#define REFUSE     "verdict = \"refuse\"; reason = \"r\";"
#define MORE       "verdict = \"supplement\"; reason = \"r\"; items = ( \"x\" );"

static const struct path paths[] = {
    {"approved at once", "approved", {{0}}, 10},
    {"refused at reception",
     "refused",
     {{REVIEW, "accept", "{ event = \"done.invoke.accept\"; data = { " REFUSE " }; }", 0}},
     3},
    {"refused on substance",
     "refused",
     {{REVIEW, NULL, "{ event = \"done.invoke.%s\"; data = { " REFUSE " }; }", 0},
      {HANDOFF, NULL,
       "{ event = \"done.invoke.%s\"; data = { decision = \"refuse\"; reason = \"r\"; }; }", 0}},
     8},
    {"no supplement at reception",
     "lapsed",
     {{REVIEW, "accept", "{ event = \"done.invoke.accept\"; data = { " MORE " }; }", 0},
      {SUPPLEMENT, "completion", "{ event = \"deadline.incomplete\"; }", 0}},
     8},
    {"no supplement during examination",
     "lapsed",
     {{REVIEW, NULL, "{ event = \"done.invoke.%s\"; data = { " MORE " }; }", 0},
      {HANDOFF, NULL, "{ event = \"done.invoke.%s\"; data = { decision = \"supplement\"; }; }", 0},
      {SUPPLEMENT, "supplement", "{ event = \"deadline.supplement\"; }", 0}},
     8},
    {"supplemented twice",
     "approved",
     {{REVIEW, "accept", "{ event = \"done.invoke.accept\"; data = { " MORE " }; }", 1},
      {REVIEW, NULL, "{ event = \"done.invoke.%s\"; data = { " MORE " }; }", 1}},
     10},
    {"withdrawn", "withdrawn", {{REVIEW, "accept", "{ event = \"withdraw\"; }", 0}}, 8},
    {"withdrawn while examined",
     "withdrawn",
     {{REVIEW, NULL, "{ event = \"withdraw\"; }", 0},
      {HANDOFF, NULL, "{ event = \"withdraw\"; }", 0}},
     8},
    {"withdrawal dropped",
     "approved",
     {{REVIEW, "accept", "{ event = \"withdraw\"; }", 1},
      {REVIEW, "withdrawal", "{ event = \"done.invoke.withdrawal\"; data = { " REFUSE " }; }", 1}},
     10},
    {"not paid",
     "stopped",
     {{"return.collect_fee", "payment",
       "{ event = \"done.invoke.payment\"; data = { paid = false; }; }", 0}},
     8},
    {"payment forgotten",
     "stopped",
     {{"return.collect_fee", "payment", "{ event = \"deadline.payment\"; }", 0}},
     8},
    {"long overdue", "approved", {{REVIEW, "accept", "{ after = \"90 days\"; }", 1}}, 10},
    {"a task fails and a head has it done again",
     "approved",
     {{REVIEW, "accept",
       "{ event = \"error.communication\"; invoke = \"accept\"; }, { event = \"retry\"; }", 1}},
     10},
    {"the parcel is lost",
     "approved",
     {{"return.deliver", "deliver",
       "{ event = \"done.invoke.deliver\"; data = { outcome = \"lost\"; }; }", 1}},
     10},
};

struct desk {
    struct wf_report report;
    struct wf_calendar *calendar;
    struct wf_arena *arena;
    struct wf_arena *own; /* given fields: the trace borrows from them */
    struct wf_procedure *p;
    struct wf_error err;
    struct wf_walk_options options;
    struct wf_walk walk;
};

static int set_up(void **state)
{
    static struct desk d;
    memset(&d, 0, sizeof(d));
    d.arena = wf_arena_new(0);
    d.own = wf_arena_new(0);
    *state = &d;
    return wf_calendar_load(SOURCE_ROOT "/config/calendar.cfg", &d.report, &d.calendar, &d.err);
}

static int tear_down(void **state)
{
    struct desk *d = *state;
    wf_procedure_free(d->p);
    wf_calendar_free(d->calendar);
    wf_report_fini(&d->report);
    wf_arena_free(d->arena);
    wf_arena_free(d->own);
    return 0;
}

static void load(struct desk *d, const char *path)
{
    wf_procedure_free(d->p);
    d->p = NULL;
    assert_ok(wf_procedure_load(path, NULL, &d->report, &d->p, &d->err), d->err);
}

static const char *text_of(const struct wf_value *map, const char *key)
{
    return wf_value_text(wf_map_get(map, key), "");
}

/* ---- a path -----------------------------------------------------------------------------------
 */

static bool decides(const char *id)
{
    return strcmp(id, "accept") != 0 && strcmp(id, "withdrawal") != 0;
}

static const struct rule *rule_for(const struct path *path, const struct wf_value *row,
                                   const unsigned int used[4])
{
    const char *id = text_of(row, "id");
    for (size_t i = 0; i < WF_COUNT(path->rules) && path->rules[i].activity != NULL; i++) {
        const struct rule *rule = &path->rules[i];
        if (strcmp(rule->activity, text_of(row, "activity")) == 0 &&
            (rule->id != NULL ? strcmp(rule->id, id) == 0 : decides(id)) &&
            (rule->times == 0 || used[i] < rule->times))
            return rule;
    }
    return NULL;
}

/* An activity that is waited for; where there is none, the next timer. */
static const struct wf_value *next_of(const struct wf_walk *walk)
{
    const struct wf_value *row = wf_list_at(walk->waits_for, 0);
    assert_non_null(row);
    assert_string_not_equal(text_of(row, "kind"), "event");
    return row;
}

/* Adds `lines` with each %s replaced by `id`: a script is a list of groups. */
static void add_lines(char *script, size_t size, const char *lines, const char *id)
{
    size_t used = strlen(script);
    if (used > 0)
        used += (size_t)snprintf(script + used, size - used, ",\n");
    for (const char *at = lines; *at != '\0' && used + 1 < size;) {
        bool is_id = strncmp(at, "%s", 2) == 0;
        used +=
            (size_t)snprintf(script + used, size - used, is_id ? "%s" : "%.1s", is_id ? id : at);
        at += is_id ? 2 : 1;
    }
    assert_true(used + 1 < size);
}

static void simulate(struct desk *d, const char *script)
{
    char text[8192];
    struct wf_config *config = NULL;
    wf_arena_reset(d->arena);
    snprintf(text, sizeof(text), "lines = ( %s );", script);
    assert_ok(wf_config_parse("script", text, strlen(text), &d->report, &config, &d->err), d->err);
    const struct wf_value *lines =
        wf_node_value(wf_node_child(wf_config_root(config), "lines"), d->arena);
    d->options.script = wf_value_copy(d->arena, lines);
    wf_config_free(config);
    assert_ok(wf_simulate(d->p, &d->options, d->arena, &d->walk, &d->err), d->err);
}

/* Walks until the end; was any rule of the path of use? */
static bool walk(struct desk *d, const struct path *path)
{
    unsigned int used[4] = {0};
    char script[8000] = "";
    size_t n_lines = 0;
    bool any = false;
    for (simulate(d, script); !d->walk.done; simulate(d, script)) {
        const struct wf_value *row = next_of(&d->walk);
        const char *id = text_of(row, "id");
        const struct rule *rule = rule_for(path, row, used);
        const char *line = strcmp(text_of(row, "kind"), "timer") == 0
                               ? "{ event = \"%s\"; }"
                               : "{ event = \"done.invoke.%s\"; }";
        if (++n_lines > MOST_LINES)
            fail_msg("%s, %s: no end; last waits for %s", d->p->code, path->name, id);
        if (rule != NULL) {
            used[rule - path->rules]++;
            any = true;
        }
        add_lines(script, sizeof(script), rule != NULL ? rule->lines : line, id);
    }
    return any;
}

static void walk_path(struct desk *d, const struct path *path)
{
    bool any = walk(d, path);
    const char *outcome = any ? path->outcome : "approved";
    int status = any ? path->status : 10;
    if (d->walk.outcome == NULL || strcmp(d->walk.outcome, outcome) != 0 ||
        d->walk.status != status || d->walk.n_errors > 0 || d->walk.problem != NULL)
        fail_msg("%s, %s: outcome %s, status %d, %zu errors, %s", d->p->code, path->name,
                 d->walk.outcome != NULL ? d->walk.outcome : "none", d->walk.status,
                 d->walk.n_errors, d->walk.problem != NULL ? d->walk.problem : "");
}

static void every_definition_ends_on_every_path(void **state)
{
    static const char *const channels[] = {"one_stop", "online"};
    struct desk *d = *state;
    glob_t files;
    assert_int_equal(glob(SOURCE_ROOT "/procedures/*.cfg", 0, NULL, &files), 0);
    for (size_t f = 0; f < files.gl_pathc; f++) {
        load(d, files.gl_pathv[f]);
        for (size_t i = 0; i < WF_COUNT(paths) * WF_COUNT(channels) * SEEDS; i++) {
            d->options = (struct wf_walk_options){.calendar = d->calendar,
                                                  .start_ms = START_MS,
                                                  .channel = channels[i % WF_COUNT(channels)],
                                                  .seed = 1 + i / WF_COUNT(channels) % SEEDS};
            walk_path(d, &paths[i / WF_COUNT(channels) / SEEDS]);
        }
    }
    globfree(&files);
}

/* ---- what the paths must say on the way ---------------------------------------------------------
 */

static size_t count_events(const struct desk *d, const char *event)
{
    size_t n = 0;
    for (size_t i = 0; i < wf_value_count(d->walk.trace); i++)
        n += strcmp(text_of(wf_list_at(d->walk.trace, i), "event"), event) == 0;
    return n;
}

static size_t count_messages(const struct desk *d, const char *template)
{
    size_t n = 0;
    for (size_t i = 0; i < wf_value_count(d->walk.trace); i++) {
        const struct wf_value *does = wf_map_get(wf_list_at(d->walk.trace, i), "does");
        for (size_t k = 0; k < wf_value_count(does); k++) {
            const struct wf_value *data = wf_map_get(wf_list_at(does, k), "data");
            n += strcmp(text_of(data, "template"), template) == 0;
        }
    }
    return n;
}

static const struct path *path_named(const char *name)
{
    size_t i = 0;
    while (i < WF_COUNT(paths) && strcmp(paths[i].name, name) != 0)
        i++;
    assert_true(i < WF_COUNT(paths));
    return &paths[i];
}

static void on_path(struct desk *d, const char *file, const char *channel, const char *fields,
                    const char *path)
{
    char text[1024];
    struct wf_config *config = NULL;
    wf_arena_reset(d->own);
    snprintf(text, sizeof(text), "%s/procedures/%s.cfg", SOURCE_ROOT, file);
    load(d, text);
    assert_ok(wf_config_parse("f", fields, strlen(fields), &d->report, &config, &d->err), d->err);
    d->options = (struct wf_walk_options){
        .calendar = d->calendar,
        .start_ms = START_MS,
        .channel = channel,
        .fields = wf_value_copy(d->own, wf_node_value(wf_config_root(config), d->own))};
    (void)walk(d, path_named(path));
    wf_config_free(config);
}

static void whoever_is_late_apologises_once_and_tells_the_head_each_time(void **state)
{
    struct desk *d = *state;
    glob_t files;
    assert_int_equal(glob(SOURCE_ROOT "/procedures/*.cfg", 0, NULL, &files), 0);
    for (size_t f = 0; f < files.gl_pathc; f++) {
        load(d, files.gl_pathv[f]);
        d->options = (struct wf_walk_options){.calendar = d->calendar, .start_ms = START_MS};
        (void)walk(d, path_named("long overdue"));
        if (count_events(d, "overdue") < 2 || count_messages(d, "apology") != 1)
            fail_msg("%s: %zu times overdue, %zu apologies", d->p->code, count_events(d, "overdue"),
                     count_messages(d, "apology"));
    }
    globfree(&files);
}

/* The amount asked for at the counter; -1 where none was. */
static int64_t amount_asked(const struct desk *d)
{
    for (size_t i = 0; i < wf_value_count(d->walk.trace); i++) {
        const struct wf_value *does = wf_map_get(wf_list_at(d->walk.trace, i), "does");
        for (size_t k = 0; k < wf_value_count(does); k++) {
            const struct wf_value *row = wf_list_at(does, k);
            if (strcmp(text_of(row, "activity"), "return.collect_fee") == 0)
                return wf_value_int(wf_map_get(wf_map_get(row, "data"), "amount"), -1);
        }
    }
    return -1;
}

static void fees_follow_channel_and_kind(void **state)
{
    static const struct {
        const char *file, *channel, *fields;
        int64_t amount;
    } cases[] = {
        {"2.000635-civil-status-extract", "post", "copies = 3;", 24000},
        {"1.000656-death-registration", "post", "", -1},
        {"1.000656-death-registration", "post", "late_fee = 8000;", 8000},
        {"1.009994-house-building-permit", "post", "works = \"house\";", 50000},
        {"1.009994-house-building-permit", "post", "works = \"level_3_4\";", 100000},
        {"3.000333-criminal-record", "post", "reduced = false; lived_elsewhere = false;", 200000},
        {"3.000333-criminal-record", "post", "reduced = true; lived_elsewhere = false;", 100000},
        {"3.000347-driving-licence-exchange", "one_stop", "has_photo_data = true;", 135000},
        {"3.000347-driving-licence-exchange", "online", "has_photo_data = true;", 115000},
        {"1.004222-permanent-residence", "one_stop", "", 20000},
        {"1.004222-permanent-residence", "online", "", 10000},
        {"1.004194-temporary-residence", "online", "", 7000},
        {"1.001612-household-business", "post", "", 100000},
        {"2.000908-master-register-copy", "post", "", -1},
    };
    struct desk *d = *state;
    for (size_t i = 0; i < WF_COUNT(cases); i++) {
        on_path(d, cases[i].file, cases[i].channel, cases[i].fields, "approved at once");
        if (amount_asked(d) != cases[i].amount)
            fail_msg("%s, %s %s: %lld", cases[i].file, cases[i].channel, cases[i].fields,
                     (long long)amount_asked(d));
    }
}

static void what_is_filed_online_shows_a_draft_and_silence_agrees(void **state)
{
    struct desk *d = *state;
    on_path(d, "2.000635-civil-status-extract", "online", "copies = 1;", "approved at once");
    assert_int_equal(count_messages(d, "draft"), 1);
    on_path(d, "2.000635-civil-status-extract", "one_stop", "copies = 1;", "approved at once");
    assert_int_equal(count_messages(d, "draft"), 0);
}

static void marriage_and_passport_are_barred_from_the_post(void **state)
{
    static const char *const files[] = {"1.000894-marriage-registration", "1.001456-passport"};
    struct desk *d = *state;
    for (size_t i = 0; i < WF_COUNT(files); i++) {
        on_path(d, files[i], "one_stop", "", "approved at once");
        assert_false(d->p->agent_allowed);
        for (size_t k = 0; k < d->p->channels.n; k++)
            assert_string_not_equal(d->p->channels.items[k], "post");
    }
    load(d, SOURCE_ROOT "/procedures/1.000894-marriage-registration.cfg");
    assert_true(d->p->presence_required);
    assert_int_equal(wf_procedure_field(d->p, wf_str("groom_age"))->min, 20);
    assert_int_equal(wf_procedure_field(d->p, wf_str("bride_age"))->min, 18);
}

static void the_list_of_procedures_names_every_definition(void **state)
{
    struct desk *d = *state;
    static char list[65536];
    glob_t files;
    FILE *file = fopen(SOURCE_ROOT "/docs/procedures-list.md", "r");
    assert_non_null(file);
    size_t length = fread(list, 1, sizeof(list) - 1, file);
    list[length] = '\0';
    (void)fclose(file);
    assert_int_equal(glob(SOURCE_ROOT "/procedures/*.cfg", 0, NULL, &files), 0);
    for (size_t f = 0; f < files.gl_pathc; f++) {
        char cell[64];
        load(d, files.gl_pathv[f]);
        snprintf(cell, sizeof(cell), "| %s ", d->p->code);
        if (strstr(list, cell) == NULL)
            fail_msg("%s is not in docs/procedures-list.md", d->p->code);
    }
    globfree(&files);
}

/* The state reached when the papers are complete, for a dossier that an agent has filed or not. */
static const char *after_check(struct desk *d, const char *form, bool has_agent)
{
    static const struct wf_chart_event events[] = {{"done.invoke.register", NULL, "register"},
                                                   {"done.invoke.check", NULL, "check"}};
    struct wf_value *variables = wf_map(d->arena);
    struct wf_value *dossier = wf_map(d->arena);
    struct wf_value *result = wf_map(d->arena);
    struct wf_step step = {0};
    wf_map_put(d->arena, dossier, "has_agent", wf_bool(has_agent));
    wf_map_put(d->arena, variables, "_dossier", dossier);
    wf_map_put(d->arena, variables, "form", wf_text(d->arena, form));
    wf_map_put(d->arena, result, "complete", wf_bool(true));
    assert_ok(wf_chart_start(d->p->chart, variables, d->arena, &step, &d->err), d->err);
    for (size_t i = 0; i < WF_COUNT(events); i++) {
        struct wf_snapshot from = step.snapshot;
        struct wf_chart_event event = events[i];
        event.data = result;
        assert_ok(wf_chart_step(d->p->chart, &from, &event, d->arena, &step, &d->err), d->err);
    }
    size_t n = wf_value_count(step.snapshot.states);
    return wf_value_text(wf_list_at(step.snapshot.states, n - 1), "");
}

static void form_two_of_the_criminal_record_takes_no_agent(void **state)
{
    struct desk *d = *state;
    load(d, SOURCE_ROOT "/procedures/3.000333-criminal-record.cfg");
    assert_string_equal(after_check(d, "no_2", true), "refusal");
    assert_string_equal(after_check(d, "no_2", false), "accept");
    assert_string_equal(after_check(d, "no_1", true), "accept");
}

/* ---- the linked set ---------------------------------------------------------------------------
 */

static void compare_part(const struct wf_procedure *whole, const struct wf_procedure *part)
{
    for (size_t i = 0; i < part->n_fields; i++) {
        const struct wf_field *theirs = &part->fields[i];
        const struct wf_field *ours = wf_procedure_field(whole, wf_str(theirs->id));
        if (theirs->required && (ours == NULL || !ours->required))
            fail_msg("part %s needs field %s", part->code, theirs->id);
        if (ours != NULL && ours->type != theirs->type)
            fail_msg("field %s has another type in part %s", theirs->id, part->code);
    }
    for (size_t i = 0; i < part->n_papers; i++) {
        const struct wf_paper *theirs = &part->papers[i];
        const struct wf_paper *ours = wf_procedure_paper(whole, wf_str(theirs->id));
        bool needed = theirs->required || theirs->needed_if != NULL;
        if (needed && (ours == NULL || ours->kind != theirs->kind))
            fail_msg("part %s needs paper %s", part->code, theirs->id);
    }
}

static void the_linked_set_has_what_its_parts_require(void **state)
{
    static const char *const parts[] = {"1.001193-birth-registration",
                                        "1.004222-permanent-residence",
                                        "3.999001-child-health-card"};
    struct desk *d = *state;
    struct wf_procedure *whole = NULL;
    assert_ok(wf_procedure_load(SOURCE_ROOT "/procedures/2.000986-linked-birth.cfg", NULL,
                                &d->report, &whole, &d->err),
              d->err);
    for (size_t i = 0; i < WF_COUNT(parts); i++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/procedures/%s.cfg", SOURCE_ROOT, parts[i]);
        load(d, path);
        compare_part(whole, d->p);
    }
    wf_procedure_free(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_definition_ends_on_every_path),
        cmocka_unit_test(whoever_is_late_apologises_once_and_tells_the_head_each_time),
        cmocka_unit_test(fees_follow_channel_and_kind),
        cmocka_unit_test(what_is_filed_online_shows_a_draft_and_silence_agrees),
        cmocka_unit_test(marriage_and_passport_are_barred_from_the_post),
        cmocka_unit_test(form_two_of_the_criminal_record_takes_no_agent),
        cmocka_unit_test(the_list_of_procedures_names_every_definition),
        cmocka_unit_test(the_linked_set_has_what_its_parts_require),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
