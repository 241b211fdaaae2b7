/* SPDX-License-Identifier: Apache-2.0 */
/* status: is all well? What needs a person comes first, and makes the exit code 1. */
#include "health.h"

static const struct hoso_column cell_columns[] = {
    {"cell", "Cell", "Cụm", HOSO_TEXT},
    {"now", "Time of the cell", "Giờ của cụm", HOSO_TIME},
    {"rate", "Training, times as fast", "Tập huấn, nhanh gấp", HOSO_NUMBER},
    {"dossiers.open", "Dossiers open", "Hồ sơ đang xử lý", HOSO_NUMBER},
    {"dossiers.overdue", "  of them overdue", "  trong đó quá hạn", HOSO_NUMBER},
    {"dossiers.closed", "Dossiers closed", "Hồ sơ đã kết thúc", HOSO_NUMBER},
    {"journal", "Events in the journal", "Sự kiện trong nhật ký", HOSO_NUMBER},
    {"timers", "Timers armed", "Hẹn giờ", HOSO_NUMBER},
    {"store.used_bytes", "Store, in use", "Kho dữ liệu, đang dùng", HOSO_BYTES},
    {"store.map_bytes", "Store, limit", "Kho dữ liệu, giới hạn", HOSO_BYTES},
    {"store.disk_free_bytes", "Disk, free", "Đĩa còn trống", HOSO_BYTES},
    {"archive.file", "Archive, last file", "Lưu trữ, tệp cuối", HOSO_TEXT},
    {"archive.waiting", "Archive, changes waiting", "Lưu trữ, còn chờ", HOSO_NUMBER0},
};

static const struct hoso_column worker_columns[] = {
    {"service", "Service", "Dịch vụ", HOSO_TEXT},
    {"state", "Worker", "Tiến trình", HOSO_TERM},
    {"pid", "Pid", "Pid", HOSO_NUMBER0},
    {"queued", "Queued", "Hàng đợi", HOSO_NUMBER},
    {"tasks", "Tasks", "Việc mở", HOSO_NUMBER},
    {"dead", "Dead", "Lỗi hẳn", HOSO_NUMBER},
    {"done", "Done", "Đã xong", HOSO_NUMBER},
    {"commits", "Commits", "Lần ghi", HOSO_NUMBER},
    {"refused", "Refused", "Từ chối", HOSO_NUMBER},
    {"commit_us", "Last commit, us", "Lần ghi cuối, us", HOSO_NUMBER0},
    {"last_commit", "At", "Lúc", HOSO_TIME},
};

static int print_status(struct hoso *h, const struct wf_value *answer)
{
    const struct wf_value *troubles = wf_map_get(answer, "troubles");
    bool well = wf_value_count(troubles) == 0;
    (void)puts(well ? (h->vi ? "Mọi việc bình thường." : "All is well.")
                    : (h->vi ? "Cần người xem xét:" : "Needs a person:"));
    for (size_t i = 0; i < wf_value_count(troubles); i++)
        (void)printf("  %s\n", wf_value_text(wf_list_at(troubles, i), ""));
    (void)puts("");
    int rc = hoso_print_pairs(h, cell_columns, WF_COUNT(cell_columns), answer);
    (void)puts("");
    if (rc == 0)
        rc = hoso_print_table(h, worker_columns, WF_COUNT(worker_columns),
                              wf_map_get(answer, "workers"));
    return rc;
}

int hoso_status(struct hoso *h)
{
    const struct wf_value *answer = NULL;
    bool done = false;
    int rc = hoso_health(h, &answer);
    if (rc != 0)
        return rc;
    rc = hoso_answer(h, answer, &done);
    if (rc == 0 && !done)
        rc = print_status(h, answer);
    return rc == 0 && !wf_value_bool(wf_map_get(answer, "well"), false) ? HOSO_FAILED : rc;
}
