/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive: how far the archive has come; what waits is moved now where no archiver runs. And what
 * status, verify and restore need of it.
 */
#include "archive.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "keep.h"
#include "workflow/hash.h"

static const struct hoso_column columns[] = {
    {"folder", "Folder", "Thư mục", HOSO_TEXT},
    {"on", "Recording", "Đang ghi", HOSO_YESNO},
    {"seq", "Changes so far", "Số thay đổi", HOSO_NUMBER},
    {"waiting", "Not archived yet", "Chưa lưu trữ", HOSO_NUMBER},
    {"lag_ms", "The oldest waits", "Chờ lâu nhất", HOSO_SPAN},
    {"file", "Last file", "Tệp cuối", HOSO_TEXT},
};

static const struct wf_value *number(struct hoso *h, uint64_t n)
{
    return wf_int(h->arena, n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

/* ---- state ----------------------------------------------------------------------------------- */

int archive_state(struct hoso *h, struct wf_txn *txn, void *context)
{
    return wf_archive_state(txn, context, &h->err);
}

static const char *last_file(struct hoso *h)
{
    char name[40] = "";
    uint64_t last = 0;
    if (h->settings.archive[0] != '\0' && wf_archive_last(h->settings.archive, &last, NULL) == 0)
        (void)snprintf(name, sizeof(name), "%020" PRIu64 ".changes", last);
    return wf_arena_strdup(h->arena, name);
}

const struct wf_value *archive_value(struct hoso *h, const struct wf_archive_state *state)
{
    int64_t lag = state->waiting > 0 ? wf_real_ms() - state->since_ms : 0;
    const char *file = last_file(h);
    /* clang-format off */
    return hoso_map(h,
        "folder", wf_text(h->arena, h->settings.archive),
        "on", wf_bool(state->is_on),
        "seq", number(h, state->seq),
        "waiting", number(h, state->waiting),
        "lag_ms", wf_int(h->arena, lag > 0 ? lag : 0),
        "file", wf_text(h->arena, file != NULL ? file : ""),
        NULL);
    /* clang-format on */
}

int archive_fit_setting(struct hoso *h, bool *out_dropped)
{
    struct wf_archive_state state;
    int rc = hoso_read(h, archive_state, &state);
    *out_dropped = rc == 0 && state.is_on && h->settings.archive[0] == '\0';
    if (rc != 0 || !*out_dropped)
        return rc;
    wf_store_close(h->store);
    h->store = NULL;
    rc = hoso_store(h, true);
    return rc == 0 ? wf_archive_switch_off(h->store, &h->err) : rc;
}

/* ---- the folder ------------------------------------------------------------------------------ */

static bool lies_in(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* Of a folder that is not there yet: where it would be made. */
static const char *real_place(const char *folder, char out[PATH_MAX])
{
    char parent[PATH_MAX];
    const char *slash = strrchr(folder, '/');
    if (realpath(folder, out) != NULL)
        return out;
    if (slash == NULL)
        return folder;
    (void)snprintf(parent, sizeof(parent), "%.*s/", (int)(slash - folder), folder);
    return realpath(parent, out) != NULL ? out : folder;
}

/* In the cell's folder it would be lost with the cell. */
int archive_check_folder(struct hoso *h)
{
    char real[PATH_MAX];
    const char *folder = h->settings.archive;
    if (folder[0] == '\0' || !lies_in(real_place(folder, real), h->settings.folder))
        return 0;
    return wf_fail(&h->err, WF_E_CONFIG,
                   "archive = \"%s\" lies in the cell's own folder: name one on another disk",
                   folder);
}

static void add_finding(struct hoso *h, struct wf_value *answer, const char *text)
{
    struct wf_value *findings = wf_list(h->arena);
    const struct wf_value *before = wf_map_get(answer, "findings");
    for (size_t i = 0; i < wf_value_count(before); i++)
        (void)wf_list_add(h->arena, findings, wf_list_at(before, i));
    (void)wf_list_add(
        h->arena, findings,
        hoso_map(h, "name", wf_text(h->arena, "archive"), "text", wf_text(h->arena, text), NULL));
    (void)wf_map_put(h->arena, answer, "findings", findings);
    (void)wf_map_put(h->arena, answer, "n_findings",
                     wf_int(h->arena, wf_value_int(wf_map_get(answer, "n_findings"), 0) + 1));
    (void)wf_map_put(h->arena, answer, "undamaged", &wf_false);
}

int archive_check(struct hoso *h, const struct wf_value **answer)
{
    struct wf_archive_reached reached = {0};
    struct wf_error why = {0};
    uint64_t seq = (uint64_t)wf_value_int(wf_map_get(*answer, "changes"), 0);
    uint64_t waiting = (uint64_t)wf_value_int(wf_map_get(*answer, "changes_waiting"), 0);
    if (h->settings.archive[0] == '\0' || waiting > seq)
        return 0;
    int rc = wf_archive_check(h->settings.archive, &reached, &why);
    if (rc < 0 && rc != WF_E_CORRUPT && rc != WF_E_VERSION) {
        h->err = why;
        return rc;
    }
    if (rc == 0 && reached.seq < seq - waiting)
        rc = wf_fail(&why, WF_E_CORRUPT, "changes %" PRIu64 " to %" PRIu64 " are missing",
                     reached.seq + 1, seq - waiting);
    struct wf_value *now = wf_map_copy(h->arena, *answer);
    (void)wf_map_put(h->arena, now, "archived", number(h, reached.seq));
    if (rc < 0)
        add_finding(h, now, why.text);
    *answer = now;
    return 0;
}

/* ---- restore --------------------------------------------------------------------------------- */

int archive_until(struct hoso *h, struct wf_archive_until *out)
{
    *out = (struct wf_archive_until){INT64_MAX, UINT64_MAX};
    if (!hoso_has(h, OPT_UNTIL))
        return 0;
    const char *text = h->opt[OPT_UNTIL];
    if (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0' && strlen(text) < 19) {
        out->journal_seq = strtoull(text, NULL, 10);
        return 0;
    }
    return hoso_moment(h, text, &out->real_ms);
}

int archive_bring_forward(struct hoso *h, struct wf_archive_reached *out)
{
    struct wf_archive_until until;
    struct wf_store *store = NULL;
    const struct wf_store_options options = {.map_bytes = (uint64_t)h->settings.map_mib << 20};
    int rc = archive_until(h, &until);
    if (rc == 0)
        rc = wf_store_open(h->settings.store, &options, &store, &h->err);
    if (rc == 0 && hoso_has(h, OPT_ARCHIVE))
        rc = wf_archive_replay(store, h->opt[OPT_ARCHIVE], &until, out, &h->err);
    else if (rc == 0)
        rc = wf_archive_switch_off(store, &h->err);
    wf_store_close(store);
    return rc;
}

/* ---- the verb -------------------------------------------------------------------------------- */

/* Refused where the archiver runs: it does the same a second later. */
static int move_now(struct hoso *h)
{
    struct wf_archive *archive = NULL;
    size_t moved = 1;
    int rc = wf_archive_open(h->store, h->settings.archive, &archive, &h->err);
    while (rc == 0 && moved > 0)
        rc = wf_archive_move(archive, &moved, &h->err);
    wf_archive_close(archive);
    return rc;
}

static int act(struct hoso *h)
{
    bool is_set = h->settings.archive[0] != '\0';
    if (hoso_has(h, OPT_OFF))
        return wf_archive_switch_off(h->store, &h->err);
    if (hoso_has(h, OPT_MOVE) && !is_set)
        return wf_fail(&h->err, WF_E_CONFIG, "hoso.cfg names no folder: archive = \"\"");
    return hoso_has(h, OPT_MOVE) ? move_now(h) : 0;
}

int hoso_archive(struct hoso *h)
{
    struct wf_archive_state state;
    bool done = false;
    int rc = hoso_store(h, hoso_has(h, OPT_MOVE) || hoso_has(h, OPT_OFF));
    if (rc == 0)
        rc = archive_check_folder(h);
    if (rc == 0)
        rc = act(h);
    if (rc == 0)
        rc = hoso_read(h, archive_state, &state);
    if (rc != 0)
        return rc;
    const struct wf_value *answer = archive_value(h, &state);
    rc = hoso_answer(h, answer, &done);
    return rc != 0 || done ? rc : hoso_print_pairs(h, columns, WF_COUNT(columns), answer);
}
