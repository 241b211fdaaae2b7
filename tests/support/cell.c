/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cell does what service/batch.c does, without sockets: one turn for each request, item or
 * timer, aborted where it fails after a write, then put aside as the runtime would.
 */
#include "support/cell.h"

#include <dirent.h>
#include <unistd.h>

#define MOST_ROUNDS 10000
#define AHEAD_EVERY 5 /* turns */
#define AHEAD_MOST  16

static const enum wf_service all[] = {WF_INTAKE, WF_VERIFICATION, WF_ROUTING, WF_NOTIFICATION,
                                      WF_RETURN};

uint64_t cell_seed(void)
{
    const char *text = getenv("SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : 1;
    return seed != 0 ? seed : 1;
}

uint64_t cell_random(struct cell *cell, uint64_t below)
{
    /* splitmix64 */
    uint64_t z = (cell->random += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % below;
}

/* ---- opening ----------------------------------------------------------------------------------
 */

static void write_settings(struct cell *cell)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/hoso.cfg", cell->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, "cell = \"scenario\";\nregistry = \"%s/config\";\n", SOURCE_ROOT);
    assert_int_equal(fclose(file), 0);
    struct wf_report report = {0};
    struct wf_error err = {0};
    assert_ok(wf_settings_load(path, &report, &cell->settings, &err), err);
    wf_report_fini(&report);
}

static void load_config(struct cell *cell)
{
    struct wf_report report = {0};
    struct wf_error err = {0};
    const char *folder = SOURCE_ROOT "/config";
    assert_ok(wf_registry_load(folder, &report, &cell->registry, &err), err);
    assert_ok(wf_calendar_load(SOURCE_ROOT "/config/calendar.cfg", &report, &cell->calendar, &err),
              err);
    wf_report_fini(&report);
    cell->catalogue = *hoso_catalogue();
    wf_registry_catalogue(cell->registry, &cell->catalogue);
}

static void install(struct cell *cell, struct wf_txn *txn, const char *path)
{
    struct wf_report report = {0};
    struct wf_procedure *p = NULL;
    struct wf_error err = {0};
    char line[512] = "";
    int rc = wf_procedure_load(path, &cell->catalogue, &report, &p, &err);
    if (rc != 0)
        fail_msg("%s: %s; %s", path, err.text,
                 report.n > 0 ? wf_report_line(&report, 0, line, sizeof(line)) : "");
    struct wf_rec_procedure record = {
        .code = wf_str(p->code),
        .version = (uint64_t)p->version,
        .source = {(const uint8_t *)p->source.ptr, p->source.len},
        .installed = cell->now,
        .by = wf_str("test"),
        .active = true,
        .file = wf_str(path),
    };
    assert_ok(wf_procedure_put(txn, &record, &err), err);
    wf_procedure_free(p);
    wf_report_fini(&report);
}

static void install_all(struct cell *cell)
{
    struct wf_txn *txn = NULL;
    struct wf_error err = {0};
    struct dirent *entry = NULL;
    DIR *folder = opendir(SOURCE_ROOT "/procedures");
    assert_non_null(folder);
    assert_ok(wf_txn_begin(cell->store, true, &txn, &err), err);
    while ((entry = readdir(folder)) != NULL) {
        char path[512];
        if (strstr(entry->d_name, ".cfg") == NULL)
            continue;
        (void)snprintf(path, sizeof(path), "%s/procedures/%s", SOURCE_ROOT, entry->d_name);
        install(cell, txn, path);
    }
    (void)closedir(folder);
    assert_ok(wf_txn_commit(txn, &err), err);
}

static void open_store(struct cell *cell)
{
    char path[96];
    struct wf_clock clock = {0};
    struct wf_store_options options = {.map_bytes = (uint64_t)1 << 30, .min_free_bytes = 1};
    struct wf_error err = {0};
    (void)snprintf(path, sizeof(path), "%s/store", cell->folder);
    assert_ok(wf_store_create(path, "scenario", &clock, &options, &err), err);
    assert_ok(wf_store_open(path, &options, &cell->store, &err), err);
}

static void open_papers(struct cell *cell)
{
    char path[96];
    const struct wf_papers_options options = {
        .max_bytes = 1 << 20, .max_open = 4, .max_unnamed = 3};
    struct wf_error err = {0};
    (void)snprintf(path, sizeof(path), "%s/papers", cell->folder);
    assert_ok(wf_papers_open(path, &options, &cell->papers, &err), err);
}

static void open_engine(struct cell *cell, enum wf_service service)
{
    const struct wf_service_spec *spec = hoso_service(service);
    struct wf_error err = {0};
    struct wf_engine_options options = {
        .self = service,
        .activities = spec->activities,
        .n_activities = spec->n_activities,
        .catalogue = &cell->catalogue,
        .registry = cell->registry,
        .calendar = cell->calendar,
        .setting = wf_settings_text,
        .context = &cell->settings,
        .papers = cell->papers,
        .seed = cell_seed(),
    };
    assert_ok(wf_engine_open(&options, &cell->engines[service], &err), err);
    assert_ok(wf_engine_refresh(cell->engines[service], cell->store, NULL, &err), err);
}

/* In memory where that can be: scenarios prove logic, not disks. */
static const char *scratch_folder(void)
{
    if (getenv("TMPDIR") != NULL)
        return getenv("TMPDIR");
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

struct cell *cell_new(const char *moment)
{
    struct cell *cell = calloc(1, sizeof(*cell));
    assert_non_null(cell);
    (void)snprintf(cell->folder, sizeof(cell->folder), "%.40s/hoso-XXXXXX", scratch_folder());
    assert_non_null(mkdtemp(cell->folder));
    cell->random = cell_seed();
    cell->arena = wf_arena_new(0);
    cell->turn_arena = wf_arena_new(0);
    for (size_t i = 0; i < WF_COUNT(all); i++)
        cell->ahead_arenas[i] = wf_arena_new(0);
    write_settings(cell);
    load_config(cell);
    cell->now = cell_moment(cell, moment);
    open_store(cell);
    open_papers(cell);
    install_all(cell);
    for (size_t i = 0; i < WF_COUNT(all); i++)
        open_engine(cell, all[i]);
    return cell;
}

static void remove_folder(const char *path)
{
    struct dirent *entry = NULL;
    DIR *folder = opendir(path);
    if (folder == NULL) {
        (void)unlink(path);
        return;
    }
    while ((entry = readdir(folder)) != NULL) {
        char inner[512];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        (void)snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
        remove_folder(inner);
    }
    (void)closedir(folder);
    (void)rmdir(path);
}

void cell_close(struct cell *cell)
{
    cell_verify(cell);
    for (size_t i = 0; i < WF_COUNT(all); i++)
        wf_engine_close(cell->engines[i]);
    for (size_t i = 0; i < WF_COUNT(all); i++)
        wf_arena_free(cell->ahead_arenas[i]);
    wf_papers_close(cell->papers);
    wf_store_close(cell->store);
    wf_calendar_free(cell->calendar);
    wf_registry_free(cell->registry);
    wf_settings_free(&cell->settings);
    wf_arena_free(cell->arena);
    wf_arena_free(cell->turn_arena);
    remove_folder(cell->folder);
    free(cell);
}

/* ---- turns ------------------------------------------------------------------------------------
 */

static struct wf_turn begin(struct cell *cell, enum wf_service service)
{
    struct wf_turn turn = {.engine = cell->engines[service],
                           .arena = cell->turn_arena,
                           .now_ms = cell->now,
                           .real_ms = cell->now,
                           .parties = cell->parties};
    struct wf_error err = {0};
    wf_arena_reset(cell->turn_arena);
    assert_ok(wf_txn_begin(cell->store, true, &turn.txn, &err), err);
    assert_true(wf_engine_is_current(turn.engine, turn.txn));
    cell->turns++;
    return turn;
}

/* A nudge may be lost, doubled or late: here it only decides who looks next. */
static void commit(struct cell *cell, struct wf_turn *turn)
{
    struct wf_error err = {0};
    if (turn->txn != NULL) /* a paper's request has ended it */
        assert_ok(wf_txn_commit(turn->txn, &err), err);
    cell->transitions += turn->steps;
    for (const struct wf_nudge *nudge = turn->nudges; nudge != NULL; nudge = nudge->next) {
        if (cell_random(cell, 4) > 0)
            cell->awake[nudge->to] = true;
        else
            cell->nudges_lost++;
    }
}

static void answer_of(struct cell *cell, enum wf_service service, struct wf_slice frame,
                      struct wf_envelope *out)
{
    struct wf_error err = {0};
    assert_true(frame.len > 0);
    assert_ok(wf_message_unpack(frame, (enum wf_end)service, WF_END_PARTY, cell->arena, out, &err),
              err);
}

int cell_request(struct cell *cell, enum wf_service service, const char *id, enum wf_message type,
                 const void *body, struct wf_envelope *out, struct wf_error *err)
{
    struct wf_envelope ask = {.type = type,
                              .id = wf_str(id),
                              .party = wf_str(cell->party),
                              .body = body,
                              .seq = cell->seq};
    struct wf_envelope request = {0};
    struct wf_buf packed = {0};
    struct wf_slice answer = {0};
    assert_ok(wf_message_pack(&ask, &packed, err), *err);
    struct wf_slice frame = {packed.ptr, packed.len};
    struct wf_turn turn = begin(cell, service);
    assert_ok(wf_message_unpack(frame, WF_END_PARTY, (enum wf_end)service, cell->turn_arena,
                                &request, err),
              *err);
    int rc = wf_engine_request(&turn, &request, frame, &answer, err);
    if (rc != WF_NONE)
        answer_of(cell, service, answer, out);
    if (rc >= 0) /* a fetch that found nothing may have put tasks aside */
        commit(cell, &turn);
    else
        wf_txn_abort(turn.txn);
    wf_buf_fini(&packed);
    if (rc < 0) {
        const struct wf_msg_error *why = out->body;
        assert_int_equal(out->type, WF_MSG_error);
        assert_int_equal(wf_code_of_word(why->code.ptr), rc);
        assert_true(wf_str_equal(out->re, wf_str(id)));
        assert_true(why->message.len > 0);
    }
    return rc;
}

/* ---- pumping ----------------------------------------------------------------------------------
 */

/* Turns go by between one reading and the next, in which others change the same rows. */
static void read_ahead(struct cell *cell, enum wf_service service)
{
    const struct wf_ahead_scope scope = {service, cell->now, cell->now, AHEAD_MOST};
    if (cell->reads_nothing_ahead || cell->turns % AHEAD_EVERY != 0)
        return;
    struct wf_txn *txn = cell_read(cell);
    wf_arena_reset(cell->ahead_arenas[service]);
    cell->aheads[service] = wf_ahead_read(txn, &scope, cell->ahead_arenas[service]);
    wf_txn_abort(txn);
}

static int item_once(struct cell *cell, enum wf_service service, struct wf_rec_queue *item,
                     struct wf_error *err)
{
    read_ahead(cell, service);
    struct wf_turn turn = begin(cell, service);
    wf_txn_use_ahead(turn.txn, cell->aheads[service]);
    memset(item, 0, sizeof(*item));
    int rc = wf_queue_first(turn.txn, service, turn.real_ms, cell->arena, item, err);
    if (rc == 0)
        rc = wf_engine_item(&turn, item, err);
    if (rc == 0)
        commit(cell, &turn);
    else
        wf_txn_abort(turn.txn);
    return rc;
}

static int timer_once(struct cell *cell, enum wf_service service, struct wf_error *err)
{
    struct wf_turn turn = begin(cell, service);
    wf_txn_use_ahead(turn.txn, cell->aheads[service]);
    int rc = wf_engine_timer(&turn, err);
    if (rc == 0)
        commit(cell, &turn);
    else
        wf_txn_abort(turn.txn);
    return rc;
}

static void put_aside(struct cell *cell, enum wf_service service, const struct wf_rec_queue *item,
                      const struct wf_error *why)
{
    struct wf_error err = {0};
    struct wf_turn turn = begin(cell, service);
    if (!cell->dead_letters_are_expected)
        fail_msg("%s: %s: %s (SEED=%llu)", wf_service_word(service),
                 item != NULL ? item->activity.ptr : "timer", why->text,
                 (unsigned long long)cell_seed());
    int rc = item != NULL ? wf_engine_item_failed(&turn, item, why, &err)
                          : wf_engine_timer_failed(&turn, why, &err);
    assert_ok(rc, err);
    commit(cell, &turn);
}

/* Settles one thing of the service; false when nothing was due. */
static bool work_once(struct cell *cell, enum wf_service service)
{
    struct wf_error err = {0};
    struct wf_rec_queue item;
    int rc = item_once(cell, service, &item, &err);
    if (rc < 0)
        put_aside(cell, service, &item, &err);
    if (rc != WF_NONE)
        return true;
    rc = timer_once(cell, service, &err);
    if (rc < 0)
        put_aside(cell, service, NULL, &err);
    return rc != WF_NONE;
}

/* Those that heard a nudge first, one of them at random; else a sweep from a random one on. */
static bool pump_once(struct cell *cell)
{
    uint64_t from = cell_random(cell, WF_SERVICE_COUNT);
    for (int sweep = 0; sweep < 2; sweep++) {
        for (uint64_t i = 0; i < WF_SERVICE_COUNT; i++) {
            enum wf_service service = all[(from + i) % WF_SERVICE_COUNT];
            if (sweep == 0 && !cell->awake[service])
                continue;
            if (work_once(cell, service))
                return true;
            cell->awake[service] = false;
        }
    }
    return false;
}

void cell_pump(struct cell *cell)
{
    for (int rounds = 0; pump_once(cell); rounds++)
        assert_in_range(rounds, 0, MOST_ROUNDS);
}

/* ---- time -------------------------------------------------------------------------------------
 */

int64_t cell_moment(struct cell *cell, const char *moment)
{
    struct wf_civil at = {0};
    assert_int_equal(
        sscanf(moment, "%d-%d-%d %d:%d", &at.year, &at.month, &at.day, &at.hour, &at.minute), 5);
    return wf_civil_to_ms(cell->calendar, &at);
}

struct wf_txn *cell_read(struct cell *cell)
{
    struct wf_txn *txn = NULL;
    struct wf_error err = {0};
    assert_ok(wf_txn_begin(cell->store, false, &txn, &err), err);
    return txn;
}

static int64_t next_due(struct cell *cell)
{
    struct wf_error err = {0};
    struct wf_txn *txn = cell_read(cell);
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < WF_COUNT(all); i++) {
        int64_t item = 0;
        int64_t timer = 0;
        assert_ok(wf_queue_next_due(txn, all[i], &item, &err), err);
        assert_ok(wf_timer_next_due(txn, all[i], &timer, &err), err);
        first = item < first ? item : first;
        first = timer < first ? timer : first;
    }
    wf_txn_abort(txn);
    return first;
}

void cell_advance_to(struct cell *cell, int64_t ms)
{
    cell_pump(cell);
    for (int64_t due = next_due(cell); due <= ms; due = next_due(cell)) {
        assert_true(due > cell->now);
        cell->now = due;
        cell_pump(cell);
    }
    cell->now = ms > cell->now ? ms : cell->now;
}

void cell_advance(struct cell *cell, const char *limit)
{
    struct wf_limit length;
    assert_true(wf_limit_parse(wf_str(limit), &length));
    cell_advance_to(cell, wf_calendar_due(cell->calendar, cell->now, length));
}

struct wf_counts cell_counts(struct cell *cell)
{
    struct wf_txn *txn = cell_read(cell);
    struct wf_counts counts = *wf_txn_counts(txn);
    wf_txn_abort(txn);
    return counts;
}

/* ---- dead letters -----------------------------------------------------------------------------
 */

static int take_first(void *context, const struct wf_rec_queue *item)
{
    *(struct wf_rec_queue *)context = *item;
    return 7; /* stop */
}

bool cell_first_dead(struct cell *cell, struct wf_rec_queue *out)
{
    struct wf_txn *txn = cell_read(cell);
    struct wf_error err = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < WF_COUNT(all); i++)
        rc = wf_queue_each(txn, all[i], true, cell->arena, take_first, out, &err);
    wf_txn_abort(txn);
    assert_true(rc == 0 || rc == 7);
    return rc == 7;
}

static enum wf_service service_of_dead(struct cell *cell, uint64_t seq)
{
    struct wf_txn *txn = cell_read(cell);
    struct wf_rec_queue item = {0};
    struct wf_error err = {0};
    assert_ok(wf_dead_get(txn, seq, cell->arena, &item, &err), err);
    wf_txn_abort(txn);
    return (enum wf_service)item.service;
}

void cell_retry_dead(struct cell *cell, uint64_t seq)
{
    struct wf_error err = {0};
    struct wf_turn turn = begin(cell, service_of_dead(cell, seq));
    assert_ok(wf_engine_dead_retry(&turn, seq, "operator", &err), err);
    commit(cell, &turn);
    cell_pump(cell);
}

void cell_drop_dead(struct cell *cell, uint64_t seq)
{
    struct wf_error err = {0};
    struct wf_turn turn = begin(cell, service_of_dead(cell, seq));
    assert_ok(wf_engine_dead_drop(&turn, seq, "operator", "no longer wanted", &err), err);
    commit(cell, &turn);
    cell_pump(cell);
}

static int end_act(struct cell *cell, struct wf_turn *turn, int rc)
{
    if (rc != 0) {
        wf_txn_abort(turn->txn);
        return rc;
    }
    commit(cell, turn);
    cell_pump(cell);
    return 0;
}

int cell_skip_dead(struct cell *cell, uint64_t seq, const char *result, struct wf_error *err)
{
    const struct wf_value *data = result != NULL ? json(cell->arena, result) : NULL;
    struct wf_turn turn = begin(cell, service_of_dead(cell, seq));
    return end_act(cell, &turn,
                   wf_engine_dead_skip(&turn, seq, data, "operator", "told by letter", err));
}

int cell_edit_dead(struct cell *cell, uint64_t seq, const char *changes, struct wf_error *err)
{
    const struct wf_value *data = json(cell->arena, changes);
    struct wf_turn turn = begin(cell, service_of_dead(cell, seq));
    return end_act(cell, &turn,
                   wf_engine_dead_edit(&turn, seq, data, "operator", "wrong address", err));
}

void cell_bury_first(struct cell *cell, enum wf_service service)
{
    const struct wf_error why = {.code = WF_E_INTERNAL, .text = "out of paper"};
    struct wf_rec_queue dead = {0};
    struct wf_error err = {0};
    while (!cell_first_dead(cell, &dead)) {
        struct wf_rec_queue item = {0};
        struct wf_turn turn = begin(cell, service);
        if (wf_queue_first(turn.txn, service, INT64_MAX, cell->arena, &item, &err) != 0)
            fail_msg("nothing waits for %s", wf_service_word(service));
        assert_ok(wf_engine_item_failed(&turn, &item, &why, &err), err);
        commit(cell, &turn);
    }
}

/* ---- holds ------------------------------------------------------------------------------------
 */

static int hold_act(struct cell *cell, enum wf_hold_kind kind, const char *name, bool release,
                    struct wf_error *err)
{
    const struct wf_hold_order order = {kind, wf_str(name), "operator", "audit of the stamps"};
    struct wf_turn turn = begin(cell, WF_INTAKE);
    int rc = release ? wf_engine_release(&turn, &order, err) : wf_engine_hold(&turn, &order, err);
    if (rc == 0)
        commit(cell, &turn);
    else
        wf_txn_abort(turn.txn);
    return rc;
}

int cell_try_hold(struct cell *cell, enum wf_hold_kind kind, const char *name, struct wf_error *err)
{
    return hold_act(cell, kind, name, false, err);
}

void cell_hold(struct cell *cell, enum wf_hold_kind kind, const char *name)
{
    struct wf_error err = {0};
    assert_ok(hold_act(cell, kind, name, false, &err), err);
}

void cell_lift(struct cell *cell, enum wf_hold_kind kind, const char *name)
{
    struct wf_error err = {0};
    assert_ok(hold_act(cell, kind, name, true, &err), err);
}

bool cell_put_back(struct cell *cell, size_t most)
{
    struct wf_error err = {0};
    struct wf_turn turn = begin(cell, WF_INTAKE);
    size_t moved = 0;
    size_t damaged = 0;
    int rc = wf_engine_put_back(&turn, most, &moved, &damaged, &err);
    if (rc < 0)
        fail_msg("%s", err.text);
    commit(cell, &turn);
    return rc == 0;
}

void cell_release(struct cell *cell, enum wf_hold_kind kind, const char *name)
{
    cell_lift(cell, kind, name);
    while (cell_put_back(cell, 3))
        ;
}
