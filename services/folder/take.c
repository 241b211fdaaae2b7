/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking a file. It is ready when it was renamed in, or is unchanged for a while and nobody has it
 * open for writing. It is claimed by renaming it into .work, and only then looked at; a copy that
 * nobody else holds open is what is worked on, so that its hash and the ids made of it stay. What
 * cannot be copied (a link, a pipe, a giant) goes its way under its own name and is refused later.
 */
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workflow/log.h"

#define LABELS_MOST 100000

/* ---- what is ready --------------------------------------------------------------------------- */

static bool was_renamed_in(const struct drop *drop, const char *name)
{
    for (size_t i = 0; i < drop->n_whole; i++) {
        if (strcmp(drop->whole[i], name) == 0)
            return true;
    }
    return false;
}

/* A lease for reading is given only while nobody has the file open for writing; for files of other
 * accounts it is never given, and the time without change must do. */
static bool is_being_written(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool is = fcntl(fd, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
    if (!is)
        (void)fcntl(fd, F_SETLEASE, F_UNLCK);
    (void)close(fd);
    return is;
}

static bool is_ready(const struct drop *drop, const char *name, const struct stat *st)
{
    if (S_ISREG(st->st_mode) && st->st_nlink == 1 && is_being_written(drop->dirs[DIR_IN], name))
        return false;
    if (was_renamed_in(drop, name))
        return true;
    /* ctime cannot be set by whoever owns the file; one that lies ahead is of a clock set back. */
    int64_t changed = (int64_t)st->st_ctim.tv_sec * 1000 + st->st_ctim.tv_nsec / 1000000;
    int64_t age = wf_real_ms() - changed;
    return age >= drop->settings->stable_ms || age < -drop->settings->stable_ms;
}

static bool is_before(const struct ready *a, const struct ready *b)
{
    return a->changed_ns != b->changed_ns ? a->changed_ns < b->changed_ns
                                          : strcmp(a->name, b->name) < 0;
}

/* The oldest ones, in order. */
static bool consider(void *context, const char *name)
{
    struct drop *drop = context;
    struct stat st;
    if (!name_is_finished(name) || fstatat(drop->dirs[DIR_IN], name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return true;
    struct ready one = {.changed_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec};
    (void)snprintf(one.name, sizeof(one.name), "%s", name);
    bool is_full = drop->n_ready == READY_MAX;
    if ((is_full && !is_before(&one, &drop->ready[READY_MAX - 1])) || !is_ready(drop, name, &st))
        return true;
    size_t at = is_full ? READY_MAX - 1 : drop->n_ready++;
    for (; at > 0 && is_before(&one, &drop->ready[at - 1]); at--)
        drop->ready[at] = drop->ready[at - 1];
    drop->ready[at] = one;
    return true;
}

/* ---- claiming -------------------------------------------------------------------------------- */

/* Since it was found ready, another may have come in its place. */
static bool is_as_it_was(const struct drop *drop, const struct ready *one)
{
    struct stat st;
    return fstatat(drop->dirs[DIR_IN], one->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec == one->changed_ns;
}

/* What cannot be renamed (a folder of another account) stays, and is told once a minute. */
static bool claim(struct drop *drop, const char *name, struct wf_error *err)
{
    char safe[NAME_MAX_BYTES + 1];
    char work[LABEL_MAX_BYTES + 1];
    name_make_safe(name, safe);
    (void)snprintf(work, sizeof(work), "0+%s", safe);
    if (file_move(drop->dirs, DIR_IN, name, DIR_WORK, work, err) == 0)
        return true;
    int64_t now = wf_monotonic_ms();
    if (file_exists(drop->dirs[DIR_IN], name) && now >= drop->say_at_ms) {
        wf_log(WF_LOG_WARN, WF_LOG_FILE_EVENT, &(struct wf_log_fact){.rc = err->code},
               "party %s: something in its folder `in` cannot be taken: %s", drop->party->name,
               err->text);
        drop->say_at_ms = now + 60000;
    }
    return false;
}

/* Results that were not fetched are never written over. */
static int find_number(const struct drop *drop, const char *name, unsigned *out,
                       struct wf_error *err)
{
    for (unsigned n = 1; n < LABELS_MOST; n++) {
        char label[LABEL_MAX_BYTES + 1];
        char result[LABEL_MAX_BYTES + 16];
        name_of_label(name, n, label);
        (void)snprintf(result, sizeof(result), "%s.result.json", label);
        if (!file_exists(drop->dirs[DIR_OUT], result) &&
            !file_exists(drop->dirs[DIR_REJECTED], label)) {
            *out = n;
            return 0;
        }
    }
    return wf_fail(err, WF_E_FULL, "too many results of files of one name lie in out");
}

/* .work/0+NAME becomes .work/N+NAME. */
static int pin(struct drop *drop, const char *claimed, const char *name,
               char out_work[LABEL_MAX_BYTES + 1], struct wf_error *err)
{
    char work[LABEL_MAX_BYTES + 1];
    unsigned number = 0;
    char *bytes = NULL;
    size_t length = 0;
    int rc = find_number(drop, name, &number, err);
    if (rc != 0)
        return rc;
    (void)snprintf(work, sizeof(work), "%u+%s", number, name);
    rc = file_read(drop->dirs[DIR_WORK], claimed, (size_t)drop->settings->max_bytes, &bytes,
                   &length, err);
    if (rc == WF_E_INVALID)
        rc = file_move(drop->dirs, DIR_WORK, claimed, DIR_WORK, work, err);
    else if (rc == 0)
        rc = file_put(drop->dirs, DIR_WORK, work, bytes, length, err);
    wf_free(bytes);
    if (rc != 0)
        return rc;
    (void)unlinkat(drop->dirs[DIR_WORK], claimed, 0);
    (void)snprintf(out_work, LABEL_MAX_BYTES + 1, "%s", work);
    return 0;
}

/* ---- what was begun -------------------------------------------------------------------------- */

struct begun {
    char copied[LABEL_MAX_BYTES + 1];
    char claimed[LABEL_MAX_BYTES + 1];
};

static bool look_at_work(void *context, const char *name)
{
    struct begun *begun = context;
    unsigned number = 0;
    const char *plain = NULL;
    if (name_of_work(name, &number, &plain))
        (void)snprintf(number > 0 ? begun->copied : begun->claimed, LABEL_MAX_BYTES + 1, "%s",
                       name);
    return true;
}

/* WF_NONE: nothing was. Between copy and removal of the claimed one both are there: files are
 * claimed one by one, so it is the same file. */
static int resume(struct drop *drop, char out_work[LABEL_MAX_BYTES + 1], struct wf_error *err)
{
    struct begun begun = {"", ""};
    int rc = dir_each(drop->dirs[DIR_WORK], look_at_work, &begun, err);
    if (rc != 0)
        return rc;
    if (begun.copied[0] != '\0') {
        if (begun.claimed[0] != '\0' &&
            strcmp(strchr(begun.copied, '+'), strchr(begun.claimed, '+')) == 0)
            (void)unlinkat(drop->dirs[DIR_WORK], begun.claimed, 0);
        (void)snprintf(out_work, LABEL_MAX_BYTES + 1, "%s", begun.copied);
        return 0;
    }
    if (begun.claimed[0] != '\0')
        return pin(drop, begun.claimed, strchr(begun.claimed, '+') + 1, out_work, err);
    return WF_NONE;
}

int take_next(struct drop *drop, char out_work[LABEL_MAX_BYTES + 1], struct wf_error *err)
{
    int rc = resume(drop, out_work, err);
    if (rc != WF_NONE)
        return rc;
    if (drop->n_ready == 0) {
        rc = dir_each(drop->dirs[DIR_IN], consider, drop, err);
        drop->n_whole = 0;
        if (rc < 0)
            return rc;
    }
    while (drop->n_ready > 0) {
        struct ready one = drop->ready[0];
        memmove(drop->ready, drop->ready + 1, --drop->n_ready * sizeof(drop->ready[0]));
        if (is_as_it_was(drop, &one) && claim(drop, one.name, err))
            return resume(drop, out_work, err);
    }
    return WF_NONE;
}
