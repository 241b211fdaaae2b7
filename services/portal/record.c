/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two records. All values are texts, as the known systems send them; what a dossier does not
 * have is an empty text or list, so that every record has every field.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "portal/portal.h"

struct wf_str portal_field(const struct portal_dossier *d, const struct wf_texts *ids)
{
    const struct wf_value *fields = wf_map_get(d->state->content, "fields");
    for (size_t i = 0; i < ids->n; i++) {
        struct wf_str text = wf_value_str(wf_map_get(fields, ids->items[i]));
        if (text.len > 0)
            return text;
    }
    return wf_str("");
}

void portal_put(json_t *object, const char *name, struct wf_str text, bool *is_whole)
{
    json_t *value = json_stringn(text.len > 0 ? text.ptr : "", text.len);
    if (json_object_set_new(object, name, value) != 0)
        *is_whole = false;
}

static void put(json_t *object, const char *name, const char *text, bool *is_whole)
{
    portal_put(object, name, wf_str(text), is_whole);
}

static void put_date(json_t *object, const char *name, int64_t ms, bool *is_whole)
{
    char date[PORTAL_DATE];
    put(object, name, portal_date(ms, date), is_whole);
}

static void put_number(json_t *object, const char *name, int64_t number, bool *is_whole)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, number);
    put(object, name, text, is_whole);
}

/* `part` is taken; NULL where memory ran out. */
static void put_part(json_t *object, const char *name, json_t *part, bool *is_whole)
{
    if (json_object_set_new(object, name, part) != 0)
        *is_whole = false;
}

static void put_key(json_t *object, const struct portal_dossier *d, const struct portal_event *e,
                    bool *is_whole)
{
    char key[120];
    if (d->settings->key_field[0] == '\0')
        return;
    (void)snprintf(key, sizeof(key), "%.*s/%" PRId64 "/%" PRId64, WF_STR_ARG(d->state->dossier),
                   e->n, e->part);
    put(object, d->settings->key_field, key, is_whole);
}

static char *text_of(json_t *object, bool is_whole)
{
    char *text = is_whole ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

/* ---- DongBoHoSoMC ---------------------------------------------------------------------------- */

static void put_identity(json_t *o, const struct portal_dossier *d, bool *is_whole)
{
    const struct portal_settings *s = d->settings;
    const char *field = d->procedure->field_of_work != NULL ? d->procedure->field_of_work : "";
    portal_put(o, "MaHoSo", d->state->dossier, is_whole);
    portal_put(o, "MaTTHC", d->state->procedure, is_whole);
    put(o, "TenTTHC", d->procedure->title.vi, is_whole);
    put(o, "MaLinhVuc", field, is_whole);
    portal_put(o, "TenLinhVuc", portal_map(&s->fields_of_work, wf_str(field), ""), is_whole);
    portal_put(o, "KenhThucHien", portal_map(&s->channels, d->state->channel, "1"), is_whole);
    portal_put(o, "NoiNopHoSo", portal_map(&s->filed_at, d->state->channel, ""), is_whole);
}

/* Twelve digits are a citizen card (1), nine the old card (2). */
static json_t *identities(struct wf_str number)
{
    bool is_whole = true;
    json_t *list = json_array();
    json_t *one = json_object();
    if (number.len == 0) {
        json_decref(one);
        return list;
    }
    put(one, "LoaiDinhDanh", number.len == 9 ? "2" : "1", &is_whole);
    portal_put(one, "SoDinhDanh", number, &is_whole);
    if (json_array_append_new(list, one) == 0 && is_whole)
        return list;
    json_decref(list);
    return NULL;
}

static void put_owner(json_t *o, const struct portal_dossier *d, bool *is_whole)
{
    const struct portal_settings *s = d->settings;
    bool is_business = wf_party_has(&s->businesses, d->state->procedure);
    struct wf_str number = portal_field(d, &s->owner_id);
    struct wf_str tax = portal_field(d, &s->owner_tax);
    portal_put(o, "ChuHoSo", portal_field(d, &s->owner_name), is_whole);
    put(o, "LoaiDoiTuong", is_business ? s->business : s->person, is_whole);
    portal_put(o, "MaDoiTuong", is_business && tax.len > 0 ? tax : number, is_whole);
    portal_put(o, "SoGiayToChuHoSo", number, is_whole);
    put_part(o, "DinhDanhCHS", identities(number), is_whole);
    portal_put(o, "Email", portal_field(d, &s->owner_email), is_whole);
    put(o, "Fax", "", is_whole);
    portal_put(o, "SoDienThoai", portal_field(d, &s->owner_phone), is_whole);
    put(o, "ThongTinKhac", "", is_whole);
    portal_put(o, "TaiKhoanDuocXacThucVoiVNeID", portal_map(&s->verified, d->state->channel, "0"),
               is_whole);
}

static void put_course(json_t *o, const struct portal_dossier *d, const struct portal_event *e,
                       bool *is_whole)
{
    const struct portal_settings *s = d->settings;
    const struct wf_value *fields = wf_map_get(d->state->content, "fields");
    struct wf_str by = wf_value_str(wf_map_get(fields, "return_by"));
    bool is_by_post = wf_str_is(by, "post");
    const char *office = d->procedure->authority != NULL ? d->procedure->authority : "";
    put(o, "TrichYeuHoSo", d->procedure->title.vi, is_whole);
    put_date(o, "NgayNopHoSo", d->state->received, is_whole);
    put_date(o, "NgayTiepNhan", d->course.accepted, is_whole);
    put_date(o, "NgayHenTra", d->state->due, is_whole);
    put_date(o, "NgayKetThucXuLy", d->course.finished, is_whole);
    put_date(o, "NgayTra", d->course.returned, is_whole);
    put_date(o, "NgayTuChoi", d->course.refused, is_whole);
    put_number(o, "TrangThaiHoSo", e->status, is_whole);
    put(o, "DonViXuLy", office, is_whole);
    portal_put(o, "GhiChu", e->note, is_whole);
    portal_put(o, "HinhThuc", portal_map(&s->returns, by, "0"), is_whole);
    portal_put(o, "ThongTinTra", is_by_post ? portal_field(d, &s->owner_address) : wf_str(""),
               is_whole);
}

static void put_papers(json_t *o, const struct portal_dossier *d, bool *is_whole)
{
    json_t *files = portal_files(d);
    put(o, "HoSoCoThanhPhanSoHoa", json_array_size(files) > 0 ? "1" : "0", is_whole);
    put_part(o, "TaiLieuNop", files, is_whole);
    put_part(o, "DanhSachTepDinhKemKhac", portal_papers(d), is_whole);
    put_part(o, "DSKetNoiCSDL", json_array(), is_whole);
}

static json_t *fees(const struct portal_dossier *d)
{
    const struct portal_settings *s = d->settings;
    bool is_whole = true;
    json_t *list = json_array();
    if (d->procedure->fee == 0)
        return list;
    json_t *fee = json_object();
    put(fee, "TenPhiLePhi", s->fee_name, &is_whole);
    put(fee, "MaPhiLePhi", s->fee_code, &is_whole);
    put(fee, "HinhThucThu", s->fee_when, &is_whole);
    put_number(fee, "Gia", d->procedure->fee, &is_whole);
    put(fee, "LoaiPhiLePhi", s->fee_kind, &is_whole);
    if (json_array_append_new(list, fee) == 0 && is_whole)
        return list;
    json_decref(list);
    return NULL;
}

char *portal_sync_record(const struct portal_dossier *d, const struct portal_event *e)
{
    bool is_whole = true;
    json_t *o = json_object();
    put_key(o, d, e, &is_whole);
    put_identity(o, d, &is_whole);
    put_owner(o, d, &is_whole);
    put_course(o, d, e, &is_whole);
    put_papers(o, d, &is_whole);
    put_part(o, "DanhSachLePhi", fees(d), &is_whole);
    put(o, "DuocThanhToanTrucTuyen", d->settings->pay_online, &is_whole);
    put_part(o, "DanhSachHoSoBoSung", portal_supplements(d, e), &is_whole);
    put_part(o, "DanhSachGiayToKetQua", portal_results(d, e), &is_whole);
    return text_of(o, is_whole);
}

/* ---- CapNhatTienDoHoSoMC --------------------------------------------------------------------- */

/* The titles of the states, as clerks read them. */
static void put_content(json_t *o, const struct portal_dossier *d, const struct portal_event *e,
                        bool *is_whole)
{
    const struct wf_chart_state *states = NULL;
    struct wf_buf text = {0};
    (void)wf_chart_states(d->procedure->chart, &states);
    for (size_t i = 0; i < wf_value_count(e->states); i++) {
        int at = wf_chart_find(d->procedure->chart, wf_value_text(wf_list_at(e->states, i), ""));
        while (at >= 0 && states[at].title_vi == NULL)
            at = states[at].parent;
        if (at >= 0)
            wf_buf_printf(&text, "%s%s", text.len > 0 ? "; " : "", states[at].title_vi);
    }
    if (text.failed)
        *is_whole = false;
    portal_put(o, "NoiDungXuLy", (struct wf_str){(const char *)text.ptr, text.len}, is_whole);
    wf_buf_fini(&text);
}

char *portal_progress_record(const struct portal_dossier *d, const struct portal_event *e)
{
    /* A citizen's account may be the citizen's own; officials sign with theirs. */
    bool is_official = !wf_str_is(e->role, "citizen") && !wf_str_is(e->role, "agent");
    const char *office = d->procedure->authority != NULL ? d->procedure->authority : "";
    bool is_whole = true;
    json_t *o = json_object();
    put_key(o, d, e, &is_whole);
    portal_put(o, "MaHoSo", d->state->dossier, &is_whole);
    portal_put(o, "NguoiXuLy", is_official ? e->by : wf_str(""), &is_whole);
    portal_put(o, "ChucDanh", portal_map(&d->settings->roles, e->role, ""), &is_whole);
    put_date(o, "ThoiDiemXuLy", e->ms, &is_whole);
    put(o, "PhongBanXuLy", office, &is_whole);
    put_content(o, d, e, &is_whole);
    put_number(o, "TrangThai", e->status, &is_whole);
    put_date(o, "NgayBatDau", e->ms, &is_whole);
    put_date(o, "NgayKetThucTheoQuyDinh", d->state->due, &is_whole);
    return text_of(o, is_whole);
}
