/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of a DongBoHoSoMC record: files, papers, supplements, results. */
#include <inttypes.h>
#include <stdio.h>

#include "portal/portal.h"

/* "1.004873/declaration", or only "declaration": the code of a paper in the national catalogue. */
static struct wf_str code_of(const struct portal_dossier *d, const struct wf_texts *map,
                             struct wf_str id)
{
    char name[160];
    (void)snprintf(name, sizeof(name), "%.*s/%.*s", WF_STR_ARG(d->state->procedure),
                   WF_STR_ARG(id));
    struct wf_str code = portal_map(map, wf_str(name), "");
    return code.len > 0 ? code : portal_map(map, id, "");
}

static const char *title_of(const struct portal_dossier *d, struct wf_str id)
{
    const struct wf_paper *paper = wf_procedure_paper(d->procedure, id);
    return paper != NULL ? paper->title.vi : "";
}

/* Adds the object, which is taken. NULL in, or out of memory: NULL out. */
static json_t *append(json_t *list, json_t *object, bool is_whole)
{
    if (list != NULL && is_whole && json_array_append_new(list, object) == 0)
        return list;
    if (!is_whole || list == NULL)
        json_decref(object);
    json_decref(list);
    return NULL;
}

static void put(json_t *object, const char *name, const char *text, bool *is_whole)
{
    portal_put(object, name, wf_str(text), is_whole);
}

static json_t *file_of(const struct portal_dossier *d, struct wf_str id, struct wf_str file,
                       bool *is_whole)
{
    char url[800];
    json_t *o = json_object();
    (void)snprintf(url, sizeof(url), "%s%.*s", d->settings->files_url, WF_STR_ARG(file));
    portal_put(o, "TepDinhKemId", file, is_whole);
    put(o, "TenTepDinhKem", title_of(d, id), is_whole);
    put(o, "IsDeleted", "False", is_whole);
    portal_put(o, "MaThanhPhanHoSo", code_of(d, &d->settings->papers, id), is_whole);
    put(o, "DuongDanTaiTepTin", url, is_whole);
    put(o, "DuocSoHoa", "1", is_whole);
    put(o, "DuocTaiSuDung", "0", is_whole);
    put(o, "DuocLayTuKhoDMQG", "0", is_whole);
    put(o, "MaKetQuaThayThe", "", is_whole);
    return o;
}

json_t *portal_files(const struct portal_dossier *d)
{
    const struct wf_value *papers = wf_map_get(d->state->content, "papers");
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < wf_value_count(papers); i++) {
        const struct wf_value *paper = wf_list_at(papers, i);
        struct wf_str file = wf_value_str(wf_map_get(paper, "file"));
        bool is_whole = true;
        if (file.len == 0)
            continue;
        json_t *o = file_of(d, wf_value_str(wf_map_get(paper, "id")), file, &is_whole);
        list = append(list, o, is_whole);
    }
    return list;
}

json_t *portal_papers(const struct portal_dossier *d)
{
    const struct wf_value *papers = wf_map_get(d->state->content, "papers");
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < wf_value_count(papers); i++) {
        const struct wf_value *paper = wf_list_at(papers, i);
        struct wf_str kind = wf_value_str(wf_map_get(paper, "kind"));
        char copies[24];
        bool is_whole = true;
        json_t *o = json_object();
        (void)snprintf(copies, sizeof(copies), "%" PRId64,
                       wf_value_int(wf_map_get(paper, "copies"), 1));
        put(o, "TenGiayTo", title_of(d, wf_value_str(wf_map_get(paper, "id"))), &is_whole);
        put(o, "SoLuong", copies, &is_whole);
        portal_put(o, "LoaiGiayTo", portal_map(&d->settings->paper_kinds, kind, ""), &is_whole);
        list = append(list, o, is_whole);
    }
    return list;
}

static json_t *supplement_of(const struct portal_dossier *d, const struct portal_event *e,
                             const struct wf_value *span, size_t number, bool *is_whole)
{
    int64_t to = wf_value_int(wf_list_at(span, 2), 0);
    bool is_over = to != 0 && to <= e->ms;
    char id[100];
    char date[PORTAL_DATE];
    json_t *o = json_object();
    (void)snprintf(id, sizeof(id), "%.*s-BS%zu", WF_STR_ARG(d->state->dossier), number);
    put(o, "HoSoBoSungId", id, is_whole);
    put(o, "NguoiYeuCauBoSung", "", is_whole);
    portal_put(o, "NoiDungBoSung", is_over ? wf_str("") : e->note, is_whole);
    put(o, "NgayBoSung", portal_date(wf_value_int(wf_list_at(span, 1), 0), date), is_whole);
    put(o, "NguoiTiepNhanBoSung", "", is_whole);
    put(o, "ThongTinTiepNhan", "", is_whole);
    put(o, "NgayTiepNhanBoSung", portal_date(is_over ? to : 0, date), is_whole);
    put(o, "TrangThaiBoSung", is_over ? "1" : "0", is_whole);
    if (json_object_set_new(o, "DanhSachGiayToBoSung", json_array()) != 0 ||
        json_object_set_new(o, "DanhSachLePhiBoSung", json_array()) != 0)
        *is_whole = false;
    put(o, "NgayHenTraTruoc", "", is_whole);
    put(o, "NgayHenTraMoi", portal_date(is_over ? d->state->due : 0, date), is_whole);
    return o;
}

/* Spans in which the clock stood for papers, as they were when the event happened. */
json_t *portal_supplements(const struct portal_dossier *d, const struct portal_event *e)
{
    json_t *list = json_array();
    size_t number = 0;
    for (size_t i = 0; list != NULL && i < wf_value_count(d->state->stops); i++) {
        const struct wf_value *span = wf_list_at(d->state->stops, i);
        bool is_whole = true;
        if (!wf_str_is(wf_value_str(wf_list_at(span, 0)), "supplement") ||
            wf_value_int(wf_list_at(span, 1), 0) > e->ms)
            continue;
        json_t *o = supplement_of(d, e, span, ++number, &is_whole);
        list = append(list, o, is_whole);
    }
    return list;
}

json_t *portal_results(const struct portal_dossier *d, const struct portal_event *e)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && e->status >= 9 && i < d->procedure->n_results; i++) {
        const struct wf_result *result = &d->procedure->results[i];
        bool is_whole = true;
        json_t *o = json_object();
        put(o, "TenGiayTo", result->title.vi, &is_whole);
        portal_put(o, "MaThanhPhanHoSo", code_of(d, &d->settings->results, wf_str(result->id)),
                   &is_whole);
        put(o, "GiayToId", result->id, &is_whole);
        put(o, "DuongDanTepTinKetQua", "", &is_whole);
        put(o, "MaGiayToKetQua", "", &is_whole);
        list = append(list, o, is_whole);
    }
    return list;
}
