/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify: the whole check of a store, with what was found by name (docs/operations.md lists the
 * names). A running cell goes on meanwhile.
 */
#include "archive.h"
#include "keep.h"

static const struct hoso_column columns[] = {
    {"journal", "Journal events in an unbroken chain", "Sự kiện nối liền trong nhật ký",
     HOSO_NUMBER},
    {"dossiers", "Dossiers", "Hồ sơ", HOSO_NUMBER},
    {"tasks", "Tasks", "Việc mở", HOSO_NUMBER},
    {"queued", "Queue items", "Việc trong hàng đợi", HOSO_NUMBER},
    {"dead", "Dead letters", "Việc lỗi hẳn", HOSO_NUMBER},
    {"timers", "Timers", "Hẹn giờ", HOSO_NUMBER},
    {"procedures", "Procedure versions", "Bản thủ tục", HOSO_NUMBER},
    {"archived", "Changes in the archive", "Thay đổi đã lưu trữ", HOSO_NUMBER},
    {"rows", "Rows of all tables", "Dòng của mọi bảng", HOSO_NUMBER},
    {"papers", "Papers", "Bản quét", HOSO_NUMBER},
    {"papers_waiting", "Papers that no dossier names yet", "Bản quét chưa thuộc hồ sơ nào",
     HOSO_NUMBER},
};

static void print_findings(struct hoso *h, const struct wf_value *answer)
{
    const struct wf_value *findings = wf_map_get(answer, "findings");
    int64_t all = wf_value_int(wf_map_get(answer, "n_findings"), 0);
    (void)puts(h->vi ? "Dữ liệu bị hỏng:" : "Damaged:");
    for (size_t i = 0; i < wf_value_count(findings); i++) {
        const struct wf_value *finding = wf_list_at(findings, i);
        (void)printf("  %s: %s\n", wf_value_text(wf_map_get(finding, "name"), ""),
                     wf_value_text(wf_map_get(finding, "text"), ""));
    }
    if (all > (int64_t)wf_value_count(findings))
        (void)printf("  ... %lld\n", (long long)(all - (int64_t)wf_value_count(findings)));
    (void)puts(h->vi ? "Việc cần làm: dừng cụm, giữ lại thư mục này, khôi phục bản sao lưu cuối "
                       "(`hoso restore`)."
                     : "What to do: stop the cell, keep this folder as it is, restore the last "
                       "backup (`hoso restore`).");
}

int hoso_verify(struct hoso *h)
{
    const struct wf_value *answer = NULL;
    bool done = false;
    int rc = hoso_cell(h);
    if (rc == 0)
        rc = hoso_needs_cell(h);
    if (rc == 0)
        rc = hoso_calendar(h);
    if (rc == 0)
        rc = keep_check(h, h->settings.store, &answer);
    if (rc == 0 && wf_value_bool(wf_map_get(answer, "undamaged"), false)) {
        rc = hoso_store(h, false);
        if (rc == 0)
            rc = keep_check_papers(h, h->store, h->settings.papers, !hoso_has(h, OPT_QUICK), answer,
                                   &answer);
    }
    if (rc == 0 && !hoso_has(h, OPT_QUICK))
        rc = archive_check(h, &answer);
    if (rc != 0)
        return rc;
    bool sound = wf_value_bool(wf_map_get(answer, "undamaged"), false);
    rc = hoso_answer(h, answer, &done);
    if (rc == 0 && !done && sound) {
        (void)puts(h->vi ? "Dữ liệu nguyên vẹn." : "Undamaged.");
        rc = hoso_print_pairs(h, columns, WF_COUNT(columns), answer);
    } else if (rc == 0 && !done) {
        print_findings(h, answer);
    }
    return rc == 0 && !sound ? HOSO_FAILED : rc;
}
