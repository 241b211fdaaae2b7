/* SPDX-License-Identifier: Apache-2.0 */
/* hoso-folder: an adapter of many parties. Each turn gives each of them a piece of work. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"

struct folder {
    struct drop *drops;
    size_t n;
    int lock;
    int notify; /* -1: the system has none, the poll must do */
};

static int open_folder(struct adapter *a, struct wf_error *err)
{
    const struct folder_settings *settings = a->settings;
    struct folder *folder = wf_arena_alloc(a->texts, sizeof(*folder));
    if (folder == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    folder->lock = folder->notify = -1;
    a->self = folder;
    (void)umask(007); /* the parties' accounts share a group with the cell's */
    int rc = folder_lock(settings->folder, &folder->lock, err);
    if (rc != 0)
        return rc;
    folder->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    a->wake_fd = folder->notify;
    folder->drops = wf_alloc(settings->n_parties * sizeof(*folder->drops));
    if (folder->drops == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    (void)signal(SIGIO, SIG_IGN); /* who breaks a lease (take.c) says so by it */
    for (size_t i = 0; i < settings->n_parties; i++) {
        rc = drop_open(&folder->drops[i], settings, &settings->parties[i], a->run, err);
        folder->drops[i].notify = folder->notify;
        folder->n++;
        if (rc != 0)
            return rc;
    }
    return 0;
}

static void close_folder(struct adapter *a)
{
    struct folder *folder = a->self;
    if (folder == NULL)
        return;
    for (size_t i = 0; i < folder->n; i++)
        drop_close(&folder->drops[i]);
    wf_free(folder->drops);
    if (folder->notify >= 0)
        (void)close(folder->notify);
    if (folder->lock >= 0)
        (void)close(folder->lock);
}

/* ---- what the system tells ------------------------------------------------------------------- */

static void take_news(struct folder *folder, const struct inotify_event *event)
{
    for (size_t i = 0; i < folder->n; i++) {
        struct drop *drop = &folder->drops[i];
        if (drop->watch != event->wd && (event->mask & IN_Q_OVERFLOW) == 0)
            continue;
        drop->stirred = true;
        if ((event->mask & IN_MOVED_TO) != 0 && event->len > 0 && drop->n_whole < WHOLE_MAX &&
            strlen(event->name) <= NAME_MAX_BYTES)
            (void)snprintf(drop->whole[drop->n_whole++], sizeof(drop->whole[0]), "%.*s",
                           NAME_MAX_BYTES, event->name);
    }
}

static void hear(struct folder *folder)
{
    union {
        struct inotify_event event; /* for its alignment */
        char bytes[4096];
    } buffer;
    ssize_t n;
    while (folder->notify >= 0 && (n = read(folder->notify, &buffer, sizeof(buffer))) > 0) {
        for (ssize_t at = 0; at + (ssize_t)sizeof(buffer.event) <= n;) {
            struct inotify_event event;
            memcpy(&event, buffer.bytes + at, sizeof(event));
            take_news(folder, (const void *)(buffer.bytes + at));
            at += (ssize_t)(sizeof(event) + event.len);
        }
    }
}

/* ---- figures --------------------------------------------------------------------------------- */

static void add_figures(struct wf_board_folder *slot, const struct drop *drop)
{
    slot->away += drop->trouble != 0;
    slot->files += drop->figures.files;
    slot->files_refused += drop->figures.files_refused;
    slot->rows += drop->figures.rows;
    slot->rows_refused += drop->figures.rows_refused;
    slot->news += drop->figures.news;
}

/* Reckoned aside: who reads the board meanwhile must see no counter fall. */
static void tell_figures(const struct adapter *a)
{
    const struct folder *folder = a->self;
    struct wf_board_folder sum = {0};
    for (size_t i = 0; i < folder->n; i++)
        add_figures(&sum, &folder->drops[i]);
    if (a->board == NULL)
        return;
    struct wf_board_folder *slot = wf_board_folder(a->board);
    adapter_note_away(a->slot, sum.away);
    slot->files = sum.files;
    slot->files_refused = sum.files_refused;
    slot->rows = sum.rows;
    slot->rows_refused = sum.rows_refused;
    slot->news = sum.news;
}

/* ---- turns ----------------------------------------------------------------------------------- */

static int turn(struct adapter *a, int64_t *wait_ms, struct wf_error *err)
{
    struct folder *folder = a->self;
    const struct folder_settings *settings = a->settings;
    int64_t due = wf_monotonic_ms() + settings->common.poll_ms;
    (void)err; /* what goes wrong is one party's, and told there */
    hear(folder);
    for (size_t i = 0; i < folder->n && !a->stopping; i++) {
        struct drop *drop = &folder->drops[i];
        adapter_beat(a, settings->common.timeout_ms);
        int64_t again = drop_run(drop, wf_monotonic_ms());
        due = again < due ? again : due;
    }
    tell_figures(a);
    int64_t now = wf_monotonic_ms();
    *wait_ms = due > now ? due - now : 0;
    return 0;
}

int main(int argc, char **argv)
{
    static const char doc[] = "Dossiers and events by files: docs/folder.md.";
    const struct adapter_spec spec = {.name = "folder",
                                      .doc = doc,
                                      .is_local = true,
                                      .keys = folder_keys,
                                      .n_keys = folder_n_keys,
                                      .settings_size = sizeof(struct folder_settings),
                                      .check = folder_check,
                                      .open = open_folder,
                                      .turn = turn,
                                      .close = close_folder};
    return adapter_main(&spec, argc, argv);
}
