/* SPDX-License-Identifier: Apache-2.0 */
#include "support/versions.h"

/* clang-format off */
static const char frame[] =
    "procedure: { code = '" VERSIONED "'; version = %d; %s\n"
    "  title = { vi = 'Thử'; en = 'Trial'; }; level = 'commune'; channels = [ 'one_stop' ];\n"
    "  time_limit = '3 working days'; fee = 0; papers = ();\n"
    "  fields = ( { id = 'full_name'; type = 'text'; required = true; personal = true; max = 100;\n"
    "               title = { vi = 'Họ và tên'; en = 'Full name'; }; } %s );\n"
    "  data: { %s };\n"
    "  initial = 'register';\n"
    "  states: {\n"
    "    register: { status = 1; invoke = ( { activity = 'intake.register'; id = 'register'; } );\n"
    "                on = ( { event = 'done.invoke.register'; target = '%s'; } ); };\n"
    "    %s\n"
    "    closed: { type = 'final'; status = 10; outcome = 'approved'; };\n"
    "  };\n"
    "};\n";
/* clang-format on */

static const char *text_of(struct cell *cell, const struct edition *e)
{
    char *text = wf_arena_printf(cell->arena, frame, e->version, e->settings, e->fields, e->data,
                                 e->first, e->states);
    for (char *at = text; at != NULL && *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    return text;
}

static void refresh_all(struct cell *cell)
{
    struct wf_error err = {0};
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++)
        assert_ok(wf_engine_refresh(cell->engines[i], cell->store, NULL, &err), err);
}

static int compile(struct cell *cell, const struct edition *e, bool is_installed,
                   struct wf_procedure **out, char line[512])
{
    struct wf_report report = {.is_installed = is_installed};
    struct wf_error err = {0};
    const char *text = text_of(cell, e);
    int rc =
        wf_procedure_parse("edition", text, strlen(text), &cell->catalogue, &report, out, &err);
    if (rc != 0 && report.n > 0)
        (void)wf_report_line(&report, 0, line, 512);
    wf_report_fini(&report);
    return rc;
}

static void put(struct cell *cell, const struct wf_rec_procedure *record)
{
    struct wf_txn *txn = NULL;
    struct wf_error err = {0};
    assert_ok(wf_txn_begin(cell->store, true, &txn, &err), err);
    assert_ok(wf_procedure_put(txn, record, &err), err);
    assert_ok(wf_txn_commit(txn, &err), err);
    refresh_all(cell);
}

static void install(struct cell *cell, const struct edition *edition, bool is_old)
{
    struct wf_procedure *p = NULL;
    char line[512] = "";
    if (compile(cell, edition, is_old, &p, line) != 0)
        fail_msg("version %d: %s", edition->version, line);
    struct wf_rec_procedure record = {
        .code = wf_str(p->code),
        .version = (uint64_t)p->version,
        .source = {(const uint8_t *)p->source.ptr, p->source.len},
        .installed = cell->now,
        .by = wf_str("test"),
        .active = true,
        .file = wf_str("edition"),
    };
    put(cell, &record);
    wf_procedure_free(p);
}

void install_edition(struct cell *cell, const struct edition *edition)
{
    install(cell, edition, false);
}

void install_old_edition(struct cell *cell, const struct edition *edition)
{
    install(cell, edition, true);
}

bool is_refused_edition(struct cell *cell, const struct edition *edition)
{
    struct wf_procedure *p = NULL;
    char line[512] = "";
    int rc = compile(cell, edition, false, &p, line);
    wf_procedure_free(p);
    return rc == WF_E_CONFIG && strstr(line, "edition:") == line;
}

void set_active(struct cell *cell, const char *code, uint64_t version, bool active)
{
    struct wf_rec_procedure record;
    struct wf_error err = {0};
    struct wf_txn *txn = cell_read(cell);
    assert_ok(wf_procedure_get(txn, wf_str(code), version, cell->arena, &record, &err), err);
    wf_txn_abort(txn);
    record.active = active;
    put(cell, &record);
}

const char *submit_versioned(struct cell *cell)
{
    struct wf_msg_dossier_submit message = {
        .procedure = wf_str(VERSIONED),
        .channel = wf_str("one_stop"),
        .site = wf_str(SITE),
        .by = wf_str("counter-2"),
        .role = wf_str("civil_servant"),
        .fields = json(cell->arena, "{'full_name': 'Nguyễn Thị Thử'}"),
    };
    return submit_message(cell, &message);
}

static uint64_t id_of(struct wf_txn *txn, const char *code)
{
    struct wf_error err = {0};
    uint64_t id = 0;
    assert_ok(wf_dossier_find(txn, wf_str(code), &id, &err), err);
    return id;
}

int migrate(struct cell *cell, const char *code, const struct wf_migration *order,
            struct wf_error *err)
{
    struct wf_turn turn = {.engine = cell->engines[WF_INTAKE],
                           .arena = cell->turn_arena,
                           .now_ms = cell->now,
                           .real_ms = cell->now};
    wf_arena_reset(cell->turn_arena);
    assert_ok(wf_txn_begin(cell->store, !order->dry_run, &turn.txn, err), *err);
    int rc = wf_engine_migrate(&turn, id_of(turn.txn, code), order, err);
    if (rc != 0 || order->dry_run) {
        assert_int_equal(wf_txn_writes(turn.txn), 0);
        wf_txn_abort(turn.txn);
        return rc;
    }
    assert_ok(wf_txn_commit(turn.txn, err), *err);
    cell_verify(cell);
    cell_pump(cell);
    return 0;
}

struct wf_rec_dossier stored(struct cell *cell, const char *code)
{
    struct wf_rec_dossier dossier = {0};
    struct wf_error err = {0};
    struct wf_txn *txn = cell_read(cell);
    assert_ok(wf_dossier_get(txn, id_of(txn, code), cell->arena, &dossier, &err), err);
    wf_txn_abort(txn);
    return dossier;
}

void assert_version(struct cell *cell, const char *code, unsigned version)
{
    assert_int_equal(stored(cell, code).version, version);
}
