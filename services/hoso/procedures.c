/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procedure ...: check, install, list and show definitions. What is installed is kept as it was
 * written; the compiled form is made anew by whoever needs it.
 */
#include "versions.h"

#include <inttypes.h>
#include <string.h>

static const struct hoso_column list_columns[] = {
    {"procedure", "Procedure", "Thủ tục", HOSO_TEXT},
    {"version", "Version", "Bản", HOSO_NUMBER},
    {"title", "Title", "Tên", HOSO_TEXT},
    {"active", "Active", "Được dùng", HOSO_YESNO},
    {"valid_from", "From", "Từ ngày", HOSO_TEXT},
    {"valid_until", "Until", "Đến ngày", HOSO_TEXT},
    {"in_force", "New take it", "Hồ sơ mới", HOSO_YESNO},
    {"open", "Open on it", "Đang mở", HOSO_NUMBER},
    {"installed", "Installed", "Cài đặt lúc", HOSO_TIME},
    {"by", "By", "Người cài", HOSO_TEXT},
};

static const struct hoso_column act_columns[] = {
    {"ms", "When", "Lúc", HOSO_TIME},
    {"act", "Act", "Việc", HOSO_TEXT},
    {"by", "By", "Người thực hiện", HOSO_TEXT},
    {"reason", "Reason", "Lý do", HOSO_TEXT},
};

static const struct hoso_column show_columns[] = {
    {"procedure", "Procedure", "Thủ tục", HOSO_TEXT},
    {"version", "Version", "Bản", HOSO_NUMBER},
    {"title", "Title", "Tên", HOSO_TEXT},
    {"level", "Level", "Cấp", HOSO_TERM},
    {"channels", "Channels", "Kênh", HOSO_TERM},
    {"fee", "Fee, VND", "Lệ phí, đồng", HOSO_NUMBER},
    {"authority", "Authority", "Cơ quan giải quyết", HOSO_TEXT},
    {"agent_allowed", "By an agent", "Ủy quyền nộp", HOSO_YESNO},
    {"presence_required", "In person only", "Phải có mặt", HOSO_YESNO},
    {"retention_years", "Kept, years", "Lưu trữ, năm", HOSO_NUMBER},
    {"active", "Active", "Được dùng", HOSO_YESNO},
    {"valid_from", "Valid from", "Có hiệu lực từ", HOSO_TEXT},
    {"valid_until", "Valid until", "Hết hiệu lực sau", HOSO_TEXT},
    {"file", "File", "Tệp", HOSO_TEXT},
    {"installed", "Installed", "Cài đặt lúc", HOSO_TIME},
};

static const struct hoso_column part_columns[] = {
    {"id", "Id", "Mã", HOSO_TEXT},
    {"title", "Title", "Tên", HOSO_TEXT},
    {"required", "Required", "Bắt buộc", HOSO_YESNO},
    {"personal", "Personal", "Cá nhân", HOSO_YESNO},
};

static const struct wf_value *title_of(struct hoso *h, const struct wf_bilingual *title)
{
    const char *text = h->vi || title->en == NULL ? title->vi : title->en;
    return wf_text(h->arena, text != NULL ? text : "");
}

/* ---- check ------------------------------------------------------------------------------------
 */

/* Loads one file; every message goes to standard error. HOSO_FAILED where it is not sound. */
static int load(struct hoso *h, const char *file, const struct wf_catalogue *catalogue,
                struct wf_procedure **out)
{
    struct wf_report report = {0};
    int rc = wf_procedure_load(file, catalogue, &report, out, &h->err);
    int printed = hoso_print_report(&report);
    wf_report_fini(&report);
    return rc < 0 && printed != 0 ? HOSO_FAILED : rc;
}

int hoso_procedure_check(struct hoso *h)
{
    struct wf_catalogue catalogue;
    struct wf_value *rows = wf_list(h->arena);
    bool done = false;
    bool all_sound = true;
    int rc = hoso_full_catalogue(h, &catalogue);
    for (int i = 0; i < h->n_args && rc == 0; i++) {
        struct wf_procedure *p = NULL;
        int loaded = load(h, h->args[i], &catalogue, &p);
        if (loaded < 0 && loaded != HOSO_FAILED)
            (void)fprintf(stderr, "%s: %s\n", h->args[i], h->err.text);
        all_sound = all_sound && loaded == 0;
        /* clang-format off */
        (void)wf_list_add(h->arena, rows, hoso_map(h,
            "file", wf_text(h->arena, h->args[i]),
            "sound", wf_bool(loaded == 0),
            "procedure", wf_text(h->arena, p != NULL ? p->code : NULL),
            "version", p != NULL ? wf_int(h->arena, p->version) : &wf_null,
            NULL));
        /* clang-format on */
        if (p != NULL && !h->json)
            (void)printf("%s: sound: %s version %" PRId64 "\n", h->args[i], p->code, p->version);
        wf_procedure_free(p);
    }
    if (rc == 0 && h->json)
        rc = hoso_answer(h, hoso_map(h, "files", rows, NULL), &done);
    if (rc == 0 && !all_sound) {
        h->err.code = WF_E_CONFIG;
        rc = HOSO_FAILED;
    }
    return rc;
}

/* ---- install ----------------------------------------------------------------------------------
 */

/* Puts one compiled definition; *out_fresh tells whether it was not there yet. */
static int put(struct hoso *h, struct wf_txn *txn, const char *file, const struct wf_procedure *p,
               bool *out_fresh)
{
    struct wf_rec_procedure known;
    const char *slash = strrchr(file, '/');
    struct wf_rec_procedure record = {.code = wf_str(p->code),
                                      .version = (uint64_t)p->version,
                                      .source = {(const uint8_t *)p->source.ptr, p->source.len},
                                      .installed = wf_real_ms(),
                                      .by = wf_str(hoso_operator(h)),
                                      .active = true,
                                      .file = wf_str(slash != NULL ? slash + 1 : file)};
    int rc = wf_procedure_get(txn, record.code, record.version, h->arena, &known, &h->err);
    *out_fresh = rc == WF_NONE;
    if (rc == WF_NONE)
        return wf_procedure_put(txn, &record, &h->err);
    if (rc < 0)
        return rc;
    bool same = known.source.len == record.source.len &&
                memcmp(known.source.ptr, record.source.ptr, record.source.len) == 0;
    if (same)
        return 0;
    return wf_fail(&h->err, WF_E_CONFLICT,
                   "%s: version %" PRId64 " of %s is installed with another text, and an installed "
                   "version never changes: raise `version`",
                   file, p->version, p->code);
}

/* All in one transaction, which a trial undoes at its end. */
static int put_all(struct hoso *h, char **files, struct wf_procedure **compiled, size_t n,
                   struct wf_value *out_list)
{
    struct wf_txn *txn = NULL;
    int rc = wf_txn_begin(h->store, true, &txn, &h->err);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < n && rc == 0; i++) {
        bool fresh = false;
        rc = put(h, txn, files[i], compiled[i], &fresh);
        /* clang-format off */
        (void)wf_list_add(h->arena, out_list, hoso_map(h,
            "procedure", wf_text(h->arena, compiled[i]->code),
            "version", wf_int(h->arena, compiled[i]->version),
            "title", title_of(h, &compiled[i]->title),
            "fresh", wf_bool(fresh),
            NULL));
        /* clang-format on */
    }
    if (rc == 0 && !hoso_has(h, OPT_DRY_RUN))
        return wf_txn_commit(txn, &h->err);
    wf_txn_abort(txn);
    return rc;
}

/* Before a new version is there: whom it will not concern. */
static int preview(struct hoso *h, struct wf_procedure **compiled, size_t n, struct wf_value *out)
{
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct wf_value *census = wf_list(h->arena);
        rc = version_census(h, compiled[i]->code, census);
        (void)wf_list_add(h->arena, out, census);
    }
    return rc;
}

int hoso_install_files(struct hoso *h, char **files, size_t n, struct wf_value *out_list,
                       struct wf_value *out_effect)
{
    struct wf_catalogue catalogue;
    struct wf_procedure **compiled =
        wf_arena_alloc(h->arena, (n + 1) * sizeof(struct wf_procedure *));
    if (compiled == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "install: out of memory");
    bool all_sound = true;
    int rc = hoso_store(h, true);
    if (rc == 0)
        rc = hoso_full_catalogue(h, &catalogue);
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = load(h, files[i], &catalogue, &compiled[i]);
        all_sound = all_sound && rc == 0;
        rc = rc == HOSO_FAILED ? 0 : rc; /* show what is wrong with the others too */
    }
    if (rc == 0 && !all_sound)
        rc = wf_fail(&h->err, WF_E_CONFIG, "nothing was installed: mend what is named above");
    if (rc == 0 && out_effect != NULL)
        rc = preview(h, compiled, n, out_effect);
    if (rc == 0)
        rc = put_all(h, files, compiled, n, out_list);
    for (size_t i = 0; i < n; i++)
        wf_procedure_free(compiled[i]);
    return rc;
}

static void print_installed(const struct hoso *h, const struct wf_value *row)
{
    bool fresh = wf_value_bool(wf_map_get(row, "fresh"), false);
    bool dry = hoso_has(h, OPT_DRY_RUN);
    (void)printf("%s version %" PRId64 ": %s\n", wf_value_text(wf_map_get(row, "procedure"), ""),
                 wf_value_int(wf_map_get(row, "version"), 0),
                 !fresh ? "was installed already" : (dry ? "would be installed" : "installed"));
    if (fresh)
        version_print_census(h, wf_map_get(row, "stay"));
}

int hoso_procedure_install(struct hoso *h)
{
    struct wf_value *list = wf_list(h->arena);
    struct wf_value *effect = wf_list(h->arena);
    struct wf_value *rows = wf_list(h->arena);
    bool done = false;
    int rc = hoso_install_files(h, h->args, (size_t)h->n_args, list, effect);
    for (size_t i = 0; rc == 0 && i < wf_value_count(list); i++) {
        struct wf_value *row = wf_map_copy(h->arena, wf_list_at(list, i));
        (void)wf_map_put(h->arena, row, "stay", wf_list_at(effect, i));
        (void)wf_list_add(h->arena, rows, row);
    }
    if (rc == 0)
        rc = hoso_answer(
            h, hoso_map(h, "procedures", rows, "dry_run", wf_bool(hoso_has(h, OPT_DRY_RUN)), NULL),
            &done);
    for (size_t i = 0; rc == 0 && !done && i < wf_value_count(rows); i++)
        print_installed(h, wf_list_at(rows, i));
    return rc;
}

/* ---- list and show ----------------------------------------------------------------------------
 */

struct listing {
    struct hoso *h;
    struct wf_value *rows;
    struct wf_rec_procedure found; /* of show */
};

static int add_row(void *context, const struct wf_rec_procedure *record)
{
    struct listing *l = context;
    struct hoso *h = l->h;
    /* clang-format off */
    const struct wf_value *row = hoso_map(h,
        "procedure", hoso_str(h, record->code),
        "version", wf_int(h->arena, (int64_t)record->version),
        "active", wf_bool(record->active),
        "installed", wf_int(h->arena, record->installed),
        "by", hoso_str(h, record->by),
        "file", hoso_str(h, record->file),
        NULL);
    /* clang-format on */
    return wf_list_add(h->arena, l->rows, row) ? 0 : WF_E_NOMEM;
}

static int read_list(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct listing *l = context;
    struct wf_value *bare = wf_list(h->arena);
    struct wf_value *rows = l->rows;
    l->rows = bare;
    int rc = wf_procedure_each(txn, h->arena, add_row, l, &h->err);
    l->rows = rows;
    for (size_t i = 0; rc == 0 && i < wf_value_count(bare); i++) {
        struct wf_value *row = wf_map_copy(h->arena, wf_list_at(bare, i));
        const struct wf_procedure *p =
            hoso_known_procedure(h, txn, wf_value_str(wf_map_get(row, "procedure")),
                                 (uint64_t)wf_value_int(wf_map_get(row, "version"), 0));
        (void)wf_map_put(h->arena, row, "title",
                         p != NULL ? title_of(h, &p->title)
                                   : wf_text(h->arena, "(does not compile here)"));
        (void)wf_map_put(h->arena, row, "valid_from",
                         wf_text(h->arena, p != NULL ? p->valid_from : NULL));
        (void)wf_map_put(h->arena, row, "valid_until",
                         wf_text(h->arena, p != NULL ? p->valid_until : NULL));
        (void)wf_list_add(h->arena, rows, row);
    }
    return rc;
}

/* Adds to each row what is not in its record; versions of one procedure follow each other. */
static int complete_rows(struct hoso *h, const struct wf_value *bare, struct wf_value *rows)
{
    const char *last = "";
    struct wf_value *census = NULL;
    uint64_t in_force = 0;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < wf_value_count(bare); i++) {
        struct wf_value *row = wf_map_copy(h->arena, wf_list_at(bare, i));
        const char *code = wf_value_text(wf_map_get(row, "procedure"), "");
        int64_t version = wf_value_int(wf_map_get(row, "version"), 0);
        if (strcmp(code, last) != 0) {
            last = code;
            in_force = 0;
            census = wf_list(h->arena);
            rc = version_in_force(h, code, &in_force);
            rc = rc >= 0 ? version_census(h, code, census) : rc;
        }
        (void)wf_map_put(h->arena, row, "in_force", wf_bool((uint64_t)version == in_force));
        (void)wf_map_put(h->arena, row, "open", wf_int(h->arena, version_sum(census, version)));
        (void)wf_list_add(h->arena, rows, row);
    }
    return rc;
}

int hoso_procedure_list(struct hoso *h)
{
    struct listing l = {.h = h, .rows = wf_list(h->arena)};
    struct wf_value *rows = wf_list(h->arena);
    bool done = false;
    int rc = hoso_read(h, read_list, &l);
    if (rc == 0)
        rc = complete_rows(h, l.rows, rows);
    if (rc == 0)
        rc = hoso_answer(h, hoso_map(h, "procedures", rows, NULL), &done);
    if (rc != 0 || done)
        return rc;
    return hoso_print_table(h, list_columns, WF_COUNT(list_columns), rows);
}

static int keep_newest(void *context, const struct wf_rec_procedure *record)
{
    struct listing *l = context;
    if (wf_str_is(record->code, l->h->args[0]) && record->version >= l->found.version)
        l->found.version = record->version;
    return 0;
}

static const struct wf_value *describe(struct hoso *h, const struct wf_procedure *p,
                                       const struct wf_rec_procedure *record)
{
    struct wf_value *papers = wf_list(h->arena);
    struct wf_value *fields = wf_list(h->arena);
    struct wf_value *channels = wf_list(h->arena);
    for (size_t i = 0; i < p->n_papers; i++) {
        const struct wf_paper *paper = &p->papers[i];
        (void)wf_list_add(h->arena, papers,
                          hoso_map(h, "id", wf_text(h->arena, paper->id), "title",
                                   title_of(h, &paper->title), "required", wf_bool(paper->required),
                                   NULL));
    }
    for (size_t i = 0; i < p->n_fields; i++) {
        const struct wf_field *field = &p->fields[i];
        (void)wf_list_add(h->arena, fields,
                          hoso_map(h, "id", wf_text(h->arena, field->id), "title",
                                   title_of(h, &field->title), "required", wf_bool(field->required),
                                   "personal", wf_bool(field->personal), NULL));
    }
    for (size_t i = 0; i < p->channels.n; i++)
        (void)wf_list_add(h->arena, channels, wf_text(h->arena, p->channels.items[i]));
    /* clang-format off */
    return hoso_map(h,
        "procedure", wf_text(h->arena, p->code),
        "version", wf_int(h->arena, p->version),
        "title", title_of(h, &p->title),
        "level", wf_text(h->arena, p->level),
        "channels", channels,
        "fee", wf_int(h->arena, p->fee),
        "authority", wf_text(h->arena, p->authority),
        "agent_allowed", wf_bool(p->agent_allowed),
        "presence_required", wf_bool(p->presence_required),
        "retention_years", wf_int(h->arena, p->retention_years),
        "papers", papers,
        "fields", fields,
        "active", wf_bool(record->active),
        "valid_from", wf_text(h->arena, p->valid_from),
        "valid_until", wf_text(h->arena, p->valid_until),
        "file", hoso_str(h, record->file),
        "installed", wf_int(h->arena, record->installed),
        "by", hoso_str(h, record->by),
        "acts", record->acts != NULL ? wf_value_copy(h->arena, record->acts) : wf_list(h->arena),
        NULL);
    /* clang-format on */
}

static int read_one(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct listing *l = context;
    int rc = 0;
    if (h->n_args == 2)
        rc = hoso_number_arg(h, 1, "VERSION", &l->found.version);
    else
        rc = wf_procedure_each(txn, h->arena, keep_newest, l, &h->err);
    if (rc == 0)
        rc = wf_procedure_get(txn, wf_str(h->args[0]), l->found.version, h->arena, &l->found,
                              &h->err);
    if (rc == WF_NONE)
        return wf_fail(&h->err, WF_E_NOT_FOUND,
                       "%.64s is not installed%s: `hoso procedure list` shows what is", h->args[0],
                       h->n_args == 2 ? " in this version" : "");
    if (rc != 0 || hoso_has(h, OPT_SOURCE))
        return rc;
    const struct wf_procedure *p = hoso_known_procedure(h, txn, l->found.code, l->found.version);
    if (p == NULL)
        return wf_fail(&h->err, WF_E_CONFIG,
                       "%s does not compile in this cell: look at --source, and at sites.cfg, "
                       "roles.cfg and templates.cfg",
                       h->args[0]);
    (void)wf_list_add(h->arena, l->rows, describe(h, p, &l->found));
    return 0;
}

int hoso_procedure_show(struct hoso *h)
{
    struct listing l = {.h = h, .rows = wf_list(h->arena)};
    bool done = false;
    int rc = hoso_read(h, read_one, &l);
    if (rc != 0)
        return rc;
    if (hoso_has(h, OPT_SOURCE)) {
        const struct wf_str source = {(const char *)l.found.source.ptr, l.found.source.len};
        if (h->json)
            return hoso_answer(h, hoso_map(h, "source", hoso_str(h, source), NULL), &done);
        (void)fwrite(source.ptr, 1, source.len, stdout);
        return 0;
    }
    const struct wf_value *answer = wf_list_at(l.rows, 0);
    rc = hoso_answer(h, answer, &done);
    if (rc != 0 || done)
        return rc;
    rc = hoso_print_pairs(h, show_columns, WF_COUNT(show_columns), answer);
    if (rc == 0) {
        hoso_print_heading(h, "Papers", "Giấy tờ");
        rc = hoso_print_table(h, part_columns, 3, wf_map_get(answer, "papers"));
    }
    if (rc == 0) {
        hoso_print_heading(h, "Fields", "Thông tin");
        rc =
            hoso_print_table(h, part_columns, WF_COUNT(part_columns), wf_map_get(answer, "fields"));
    }
    const struct wf_value *acts = wf_map_get(answer, "acts");
    if (rc == 0 && wf_value_count(acts) > 0) {
        hoso_print_heading(h, "Retired and activated", "Ngừng và dùng lại");
        rc = hoso_print_table(h, act_columns, WF_COUNT(act_columns), acts);
    }
    return rc;
}
