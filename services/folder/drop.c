/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to do for one party, piece by piece, so that nobody's giant file keeps the others waiting.
 * Whatever goes wrong here is this party's: it is told once, and tried again later.
 */
#include "folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workflow/log.h"

#define TIDY_MS   60000
#define DENIED_MS 600000

int drop_open(struct drop *drop, const struct folder_settings *settings,
              const struct folder_party *party, const char *run, struct wf_error *err)
{
    const struct wf_client_options options = {.timeout_ms = settings->common.timeout_ms,
                                              .party = party->name};
    *drop = (struct drop){.settings = settings,
                          .party = party,
                          .notify = -1,
                          .watch = -1,
                          .dirs = {-1, -1, -1, -1, -1},
                          .stirred = true};
    drop->arena = wf_arena_new(0);
    if (drop->arena == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    return wf_client_open(run, &options, &drop->client, err);
}

void drop_close(struct drop *drop)
{
    job_drop(&drop->job);
    wf_client_close(drop->client);
    wf_arena_free(drop->arena);
    dirs_close(drop->dirs);
}

/* Before the look, so that nothing slips in between. The folder may have been made anew; the same
 * one gives the same number again. */
static void watch(struct drop *drop)
{
    char path[32];
    if (drop->notify < 0)
        return;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", drop->dirs[DIR_IN]);
    drop->watch = inotify_add_watch(drop->notify, path, IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR);
}

/* ---- out and done ---------------------------------------------------------------------------- */

static bool count_name(void *context, const char *name)
{
    (void)name;
    --*(int64_t *)context;
    return *(int64_t *)context > 0;
}

/* Nobody fetches: more results would only fill the disk. */
static bool is_out_full(struct drop *drop)
{
    int64_t left = drop->settings->max_out;
    return dir_each(drop->dirs[DIR_OUT], count_name, &left, NULL) == 0 && left <= 0;
}

static bool remove_old(void *context, const char *name)
{
    const struct drop *drop = context;
    struct stat st;
    int dir = drop->dirs[DIR_DONE];
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
        wf_real_ms() - (int64_t)st.st_ctim.tv_sec * 1000 > drop->settings->keep_done_ms)
        (void)unlinkat(dir, name, 0);
    return true;
}

/* ---- one piece ------------------------------------------------------------------------------- */

/* That a party may not read the journal does not keep its files waiting. */
static int give_news(struct drop *drop, int64_t now_ms, struct wf_error *err)
{
    int rc = news_write(drop, err);
    if (rc == WF_E_DENIED) {
        wf_log(WF_LOG_WARN, WF_LOG_REFUSED_EVENT, &(struct wf_log_fact){.rc = rc}, "news: %s",
               err->text);
        drop->news_at_ms = now_ms + DENIED_MS;
        return WF_NONE;
    }
    if (rc == WF_NONE)
        drop->news_at_ms = now_ms + drop->settings->common.poll_ms;
    return rc;
}

/* News first, then files. 0 = there is more to do at once; WF_NONE = not now. */
static int look(struct drop *drop, int64_t now_ms, struct wf_error *err)
{
    char work[LABEL_MAX_BYTES + 1];
    int rc = dirs_open(drop->settings->folder, drop->party->name, drop->dirs, err);
    if (rc != 0)
        return rc;
    watch(drop);
    if (now_ms >= drop->tidy_at_ms) {
        drop->tidy_at_ms = now_ms + TIDY_MS;
        (void)!dir_each(drop->dirs[DIR_DONE], remove_old, drop, NULL);
    }
    if (is_out_full(drop))
        return wf_fail(err, WF_E_BUSY,
                       "%lld files lie in out: nothing is taken until they are fetched",
                       (long long)drop->settings->max_out);
    if (drop->party->events && now_ms >= drop->news_at_ms) {
        rc = give_news(drop, now_ms, err);
        if (rc <= 0)
            return rc;
    }
    if (now_ms >= drop->look_at_ms)
        drop->look_at_ms = now_ms + drop->settings->common.poll_ms;
    drop->stirred = false;
    rc = take_next(drop, work, err);
    if (rc == 0)
        rc = job_begin(drop, work, err);
    else
        return rc;
    drop->stirred = true; /* another file may wait */
    return rc == WF_NONE ? 0 : rc;
}

static int step(struct drop *drop, int64_t now_ms, struct wf_error *err)
{
    if (!drop->job.is_open)
        return look(drop, now_ms, err);
    int rc = job_step(drop, err);
    drop->stirred = true;
    return rc == WF_NONE ? 0 : rc;
}

static void say_trouble(struct drop *drop, const struct wf_error *err)
{
    if (drop->trouble == err->code)
        return;
    drop->trouble = err->code;
    wf_log(WF_LOG_WARN, WF_LOG_RETRY_EVENT, &(struct wf_log_fact){.rc = err->code}, "party %s: %s",
           drop->party->name, err->text);
}

static void say_recovery(struct drop *drop)
{
    if (drop->trouble != 0)
        wf_log(WF_LOG_INFO, WF_LOG_NOTE_EVENT, NULL, "party %s: works again", drop->party->name);
    drop->trouble = 0;
    adapter_backoff_reset(&drop->backoff);
}

int64_t drop_run(struct drop *drop, int64_t now_ms)
{
    struct wf_error err = {0};
    bool is_due = drop->job.is_open || drop->stirred || now_ms >= drop->look_at_ms;
    if (now_ms < drop->backoff.until_ms)
        return drop->backoff.until_ms;
    if (!is_due)
        return drop->look_at_ms;
    int rc = step(drop, now_ms, &err);
    if (rc < 0) {
        say_trouble(drop, &err);
        adapter_backoff_grow(&drop->backoff, &drop->settings->common, now_ms);
        return drop->backoff.until_ms;
    }
    say_recovery(drop);
    return rc == 0 ? now_ms : drop->look_at_ms;
}
