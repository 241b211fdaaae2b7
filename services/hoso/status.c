/* SPDX-License-Identifier: Apache-2.0 */
/* status: is all well? What needs a person comes first, and makes the exit code 1. */
#include "health.h"
#include "station.h"

static const struct hoso_column cell_columns[] = {
    {"cell", "Cell", "Cụm", HOSO_TEXT},
    {"now", "Time of the cell", "Giờ của cụm", HOSO_TIME},
    {"rate", "Training, times as fast", "Tập huấn, nhanh gấp", HOSO_NUMBER},
    {"dossiers.open", "Dossiers open", "Hồ sơ đang xử lý", HOSO_NUMBER},
    {"dossiers.overdue", "  of them overdue", "  trong đó quá hạn", HOSO_NUMBER},
    {"dossiers.due_soon", "  due within 24 hours", "  đến hạn trong 24 giờ", HOSO_NUMBER},
    {"dossiers.closed", "Dossiers closed", "Hồ sơ đã kết thúc", HOSO_NUMBER},
    {"journal", "Events in the journal", "Sự kiện trong nhật ký", HOSO_NUMBER},
    {"timers", "Timers armed", "Hẹn giờ", HOSO_NUMBER},
    {"holds.in_force", "Holds in force", "Đang tạm giữ", HOSO_NUMBER0},
    {"holds.items", "  items put aside", "  việc chờ", HOSO_NUMBER0},
    {"holds.timers", "  timers put aside", "  hẹn giờ chờ", HOSO_NUMBER0},
    {"holds.tasks", "  tasks put aside", "  việc mở chờ", HOSO_NUMBER0},
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
    {"oldest_ms", "Oldest", "Lâu nhất", HOSO_SPAN},
    {"in_1m", "In/min", "Vào/phút", HOSO_NUMBER},
    {"out_1m", "Out/min", "Ra/phút", HOSO_NUMBER},
    {"retrying", "Retried", "Thử lại", HOSO_NUMBER},
    {"dead", "Dead", "Lỗi hẳn", HOSO_NUMBER},
    {"tasks", "Tasks", "Việc mở", HOSO_NUMBER},
    {"leased", "Leased", "Đang giao", HOSO_NUMBER},
    {"commit_us", "Commit, us", "Ghi, us", HOSO_NUMBER0},
};

static const struct hoso_column process_columns[] = {
    {"name", "Process", "Tiến trình", HOSO_TEXT},
    {"state", "State", "Trạng thái", HOSO_TERM},
    {"pid", "Pid", "Pid", HOSO_NUMBER0},
    {"figures.connections", "Connections", "Kết nối", HOSO_NUMBER},
    {"figures.requests", "Requests", "Yêu cầu", HOSO_NUMBER},
    {"figures.refused", "Refused", "Từ chối", HOSO_NUMBER},
    {"figures.busy", "Too fast", "Quá nhanh", HOSO_NUMBER},
};

static const struct hoso_column subscriber_columns[] = {
    {"name", "Subscriber", "Bên nhận", HOSO_TEXT},
    {"lag", "Behind, events", "Chậm, sự kiện", HOSO_NUMBER},
    {"age_ms", "Since", "Từ", HOSO_SPAN},
};

/* Left out where there is nothing to show. */
static int print_more(struct hoso *h, const struct hoso_column *columns, size_t n,
                      const struct wf_value *rows)
{
    if (wf_value_count(rows) == 0)
        return 0;
    (void)puts("");
    return hoso_print_table(h, columns, n, rows);
}

static int print_status(struct hoso *h, const struct wf_value *answer)
{
    hoso_print_troubles(h, wf_map_get(answer, "troubles"));
    int rc = hoso_print_pairs(h, cell_columns, WF_COUNT(cell_columns), answer);
    (void)puts("");
    if (rc == 0)
        rc = hoso_print_table(h, worker_columns, WF_COUNT(worker_columns),
                              wf_map_get(answer, "workers"));
    if (rc == 0)
        rc = print_more(h, process_columns, WF_COUNT(process_columns),
                        wf_map_get(answer, "processes"));
    if (rc == 0)
        rc = print_more(h, subscriber_columns, WF_COUNT(subscriber_columns),
                        wf_map_get(answer, "subscribers"));
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
        rc = hoso_is_station(h) ? station_print(h, answer) : print_status(h, answer);
    return rc == 0 && !wf_value_bool(wf_map_get(answer, "well"), false) ? HOSO_FAILED : rc;
}
