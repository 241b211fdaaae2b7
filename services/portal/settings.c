/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CELL/portal.cfg. What differs between portals, or was never confirmed, is a row here with the
 * value that the known systems use; docs/portal.md says how sure each is.
 */
#include <stdlib.h>
#include <string.h>

#include "portal/portal.h"

#define AT(member) offsetof(struct portal_settings, member)
#define TEXT(name, most, fallback, help)                                                           \
    {                                                                                              \
#name, WF_KEY_TEXT, AT(name), false, 0, most, fallback, help                               \
    }
#define TEXTS(name, fallback, help)                                                                \
    {                                                                                              \
#name, WF_KEY_TEXTS, AT(name), false, 0, 0, fallback, help                                 \
    }

/* clang-format off */
/* Defaults with blanks in them; the file's own list takes their place. */
static const char *const fields_of_work[] = {"G15-TP07=Hộ tịch", "G15-TP08=Chứng thực"};
static const char *const roles[] = {
    "postal_worker=Nhân viên bưu chính", "civil_servant=Công chức một cửa",
    "specialist=Chuyên viên",            "head=Trưởng bộ phận",
    "signing_authority=Người ký duyệt",  "agency=Cơ quan giải quyết",
    "official=Công chức",                "clerk=Nhân viên một cửa",
    "courier=Nhân viên chuyển phát",
};

static const struct wf_key keys[] = {
    ADAPTER_KEYS(struct portal_settings, common, "portal"),
    {"login_url",   WF_KEY_TEXT, AT(login_url),   true, 1, 500, NULL, "where a session is asked for"},
    {"service_url", WF_KEY_TEXT, AT(service_url), true, 1, 500, NULL, "where services are called"},
    {"unit",        WF_KEY_TEXT, AT(unit),        true, 1, 50,  NULL, "code of the unit that speaks (madonvi)"},
    {"user",        WF_KEY_TEXT, AT(user),        true, 1, 200, NULL, "user of the portal"},
    {"password_file", WF_KEY_TEXT, AT(password_file), false, 1, 1024, "portal.password",
     "its first line is the password; mode 0600"},
    TEXT(ca, 1024, "", "file of certificates to trust; empty = the system's"),
    TEXTS(headers, "", "sent with every request, such as \"dstcode: VN:GOV:...\""),
    {"http_timeout_ms", WF_KEY_DURATION, AT(http_timeout_ms), false, 100, 600000, "30 seconds",
     "how long an answer of the portal is waited for"},
    {"batch",       WF_KEY_INT,  AT(batch), false, 1, 500, "50", "most records in one call"},
    {"outbox_most", WF_KEY_INT,  AT(outbox_most), false, 100, 100000000, "1000000",
     "records that may wait; then the rest stays in the journal"},
    {"keep_ms",     WF_KEY_DURATION, AT(keep_ms), false, 0, 315360000000.0, "30 days",
     "how long keys of records that the portal has are kept"},
    {"cursor",      WF_KEY_TEXT, AT(cursor), false, 1, 64, "portal", "its name at the journal"},
    TEXTS(session_codes, "100", "answers that ask for a new session"),
    TEXTS(again_codes, "101 106 500", "answers after which all wait and try again"),
    TEXTS(known_codes, "", "answers that say: this record is here already"),
    TEXT(key_field, 64, "MaBanTin", "field of each record with its key; empty = none"),
    TEXTS(transitions, "0>1/2 1>2/3/5/7 2>4/5/6/7/8 4>5/6/7/8/9 5>2/4/7/8 6>4/7/8 7>2/4/8 9>4/10",
          "which status the portal lets follow which; 0 = a new dossier"),
    {"late_refusal", WF_KEY_INT, AT(late_refusal), false, 0, STATUS_MAX, "8",
     "told in place of 3 where 3 may not follow; 0 = nothing"},
    TEXTS(channels, "one_stop=1 online=2 post=3", "KenhThucHien"),
    TEXTS(filed_at, "online=1 one_stop=2 post=2", "NoiNopHoSo, by channel"),
    TEXTS(returns, "counter=0 post=1", "HinhThuc, by the field return_by"),
    TEXTS(paper_kinds, "original=0 copy=1 certified=1 photo=1 any=1 electronic=2", "LoaiGiayTo"),
    TEXTS(papers, "", "MaThanhPhanHoSo: \"1.004873/declaration=000.00.00.G15-KQ004389\""),
    TEXTS(results, "", "MaThanhPhanHoSo of results: \"1.004873/certificate=...\""),
    TEXTS(fields_of_work, NULL, "TenLinhVuc, by field of work; in place of the list in settings.c"),
    TEXTS(roles, NULL, "ChucDanh, by role; likewise"),
    TEXTS(verified, "one_stop=0 online=1 post=0", "TaiKhoanDuocXacThucVoiVNeID, by channel"),
    TEXTS(businesses, "1.001612", "procedures whose owner is a business"),
    TEXT(person, 20, "1", "LoaiDoiTuong of a person"),
    TEXT(business, 20, "2", "LoaiDoiTuong of a business"),
    TEXT(fee_name, 100, "Lệ phí", "TenPhiLePhi"),
    TEXT(fee_code, 50, "", "MaPhiLePhi"),
    TEXT(fee_kind, 20, "2", "LoaiPhiLePhi"),
    TEXT(fee_when, 20, "1", "HinhThucThu: 1 at reception, 2 at supplement, 4 at return"),
    TEXT(pay_online, 20, "0", "DuocThanhToanTrucTuyen: 0 no, 1 national, 2 provincial gateway"),
    TEXT(files_url, 300, "", "put before the name of a file (DuongDanTaiTepTin)"),
    TEXTS(owner_name, "full_name", "fields that name the owner, the best first"),
    TEXTS(owner_id, "citizen_id", "likewise the owner's number"),
    TEXTS(owner_phone, "phone", "and phone"),
    TEXTS(owner_email, "email", "and e-mail"),
    TEXTS(owner_address, "address", "and address for the result"),
    TEXTS(owner_tax, "tax_number", "and tax number, of a business"),
};
/* clang-format on */

/* "1>2/3/5/7": a status, and those that may follow it. */
static bool read_transition(struct portal_settings *s, const char *text)
{
    char *end = NULL;
    long from = strtol(text, &end, 10);
    if (end == text || *end != '>' || from < 0 || from > STATUS_MAX)
        return false;
    for (const char *at = end + 1; *at != '\0'; at = end) {
        long to = strtol(at, &end, 10);
        if (end == at || to < 1 || to > STATUS_MAX)
            return false;
        s->allowed[from][to] = true;
        end += *end == '/';
    }
    return true;
}

static void check_map(const struct adapter *a, const char *name, const struct wf_texts *map,
                      struct wf_report *report)
{
    const struct wf_node *node = wf_node_child(a->root, name);
    for (size_t i = 0; i < map->n; i++) {
        if (strchr(map->items[i], '=') == NULL)
            wf_report_error(report, node != NULL ? node->file : a->spec->name,
                            node != NULL ? node->line : 0,
                            "%s: \"%s\" has no \"=\": write \"ours=theirs\"", name, map->items[i]);
    }
}

static void fill_in(struct portal_settings *s)
{
    if (s->fields_of_work.n == 0)
        s->fields_of_work = (struct wf_texts){fields_of_work, WF_COUNT(fields_of_work)};
    if (s->roles.n == 0)
        s->roles = (struct wf_texts){roles, WF_COUNT(roles)};
}

static int check(struct adapter *a, struct wf_report *report, struct wf_error *err)
{
    struct portal_settings *s = a->settings;
    fill_in(s);
    const struct {
        const char *name;
        const struct wf_texts *map;
    } maps[] = {{"channels", &s->channels}, {"filed_at", &s->filed_at},
                {"returns", &s->returns},   {"paper_kinds", &s->paper_kinds},
                {"papers", &s->papers},     {"results", &s->results},
                {"roles", &s->roles},       {"fields_of_work", &s->fields_of_work},
                {"verified", &s->verified}};
    for (size_t i = 0; i < WF_COUNT(maps); i++)
        check_map(a, maps[i].name, maps[i].map, report);
    adapter_check_url(a, "login_url", s->login_url, report);
    adapter_check_url(a, "service_url", s->service_url, report);
    const struct wf_node *node = wf_node_child(a->root, "transitions");
    for (size_t i = 0; i < s->transitions.n; i++) {
        if (!read_transition(s, s->transitions.items[i]))
            wf_report_error(report, node != NULL ? node->file : "", node != NULL ? node->line : 0,
                            "transitions: \"%s\" is none: write \"1>2/3/5/7\"",
                            s->transitions.items[i]);
    }
    if (s->password_file[0] != '/')
        s->password_file = wf_arena_printf(a->texts, "%s/%s", a->folder, s->password_file);
    return s->password_file != NULL ? 0 : wf_fail(err, WF_E_NOMEM, "out of memory");
}

static int open_all(struct adapter *a, struct wf_error *err)
{
    const struct portal_settings *s = a->settings;
    struct portal *p = wf_alloc(sizeof(*p));
    if (p == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    a->self = p;
    p->acked = -1;
    p->cell.work.name = "the cell";
    p->outside.work.name = "the portal";
    int rc = outbox_open(s->common.database, &p->db, err);
    return rc == 0 ? portal_link_open(&p->link, a, err) : rc;
}

static void close_all(struct adapter *a)
{
    struct portal *p = a->self;
    if (p == NULL)
        return;
    portal_link_close(&p->link);
    portal_definitions_free(&p->definitions);
    db_close(p->db);
    wf_free(p);
    a->self = NULL;
}

static int work(struct adapter *a, struct portal_side *side,
                int (*fn)(struct adapter *a, struct wf_error *err), int64_t *wait_ms,
                struct wf_error *err)
{
    struct portal *p = a->self;
    const struct wf_error *last = &side->work.last;
    int rc = adapter_work(a, &side->work, fn, wait_ms, err);
    if (rc != 0 || (side->has_noted && side->noted.code == last->code &&
                    strcmp(side->noted.text, last->text) == 0))
        return rc;
    rc = last->code != 0 ? outbox_side_fails(p->db, side->work.name, last, wf_real_ms(), err)
                         : outbox_side_works(p->db, side->work.name, err);
    if (rc == 0) {
        side->noted = *last;
        side->has_noted = true;
    }
    return rc;
}

static int turn(struct adapter *a, int64_t *wait_ms, struct wf_error *err)
{
    struct portal *p = a->self;
    int rc = work(a, &p->cell, portal_feed, wait_ms, err);
    return rc == 0 ? work(a, &p->outside, portal_send, wait_ms, err) : rc;
}

const struct adapter_spec portal_spec = {
    .name = "portal",
    .doc = "Brings a cell's dossiers to the national portal: docs/portal.md.\v",
    .keys = keys,
    .n_keys = WF_COUNT(keys),
    .settings_size = sizeof(struct portal_settings),
    .check = check,
    .open = open_all,
    .turn = turn,
    .close = close_all,
};
