/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions by file or code, and where answers are written. */
#include "tools.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- definitions --------------------------------------------------------------------------- */

static bool is_file(const char *name)
{
    struct stat is;
    return stat(name, &is) == 0 && !S_ISDIR(is.st_mode);
}

static int load_file(struct hoso *h, const char *name, struct definition *out)
{
    struct wf_catalogue catalogue;
    struct wf_report report = {0};
    struct wf_procedure *p = NULL;
    int rc = hoso_full_catalogue(h, &catalogue);
    if (rc != 0)
        return rc;
    rc = wf_procedure_load(name, &catalogue, &report, &p, &h->err);
    int printed = rc < 0 ? hoso_print_report(&report) : 0;
    wf_report_fini(&report);
    if (rc < 0)
        return printed != 0 ? HOSO_FAILED : rc;
    *out = (struct definition){p, p};
    return 0;
}

struct search {
    struct wf_str code;
    uint64_t version; /* 0 = the newest */
    struct definition *out;
};

static int keep_newest(void *context, const struct wf_rec_procedure *record)
{
    struct search *s = context;
    if (wf_str_equal(record->code, s->code) && record->version > s->version)
        s->version = record->version;
    return 0;
}

static int find_installed(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct search *s = context;
    struct wf_rec_procedure record;
    int rc = 0;
    if (s->version == 0)
        rc = wf_procedure_each(txn, h->arena, keep_newest, s, &h->err);
    if (rc == 0)
        rc = s->version == 0
                 ? WF_NONE
                 : wf_procedure_get(txn, s->code, s->version, h->arena, &record, &h->err);
    if (rc == WF_NONE)
        return wf_fail(&h->err, WF_E_NOT_FOUND,
                       "%.*s is neither a file nor installed: `hoso procedure list` shows what is",
                       WF_STR_ARG(s->code));
    if (rc != 0)
        return rc;
    s->out->procedure = hoso_known_procedure(h, txn, s->code, s->version);
    if (s->out->procedure == NULL)
        return wf_fail(&h->err, WF_E_CONFIG,
                       "%.*s does not compile in this cell: look at `procedure show --source`",
                       WF_STR_ARG(s->code));
    return 0;
}

int tool_definition(struct hoso *h, const char *name, struct definition *out)
{
    *out = (struct definition){NULL, NULL};
    if (is_file(name) || strchr(name, '/') != NULL)
        return load_file(h, name, out);
    const char *at = strchr(name, '@');
    struct search search = {wf_str(name), 0, out};
    if (at != NULL) {
        char *end = NULL;
        errno = 0;
        search.code.len = (size_t)(at - name);
        search.version = strtoull(at + 1, &end, 10);
        if (errno != 0 || at[1] < '1' || at[1] > '9' || *end != '\0')
            return wf_fail(&h->err, WF_E_CONFIG, "\"%.40s\": a version is written 1.004873@2",
                           name);
    }
    return hoso_read(h, find_installed, &search);
}

void tool_definition_fini(struct definition *definition)
{
    wf_procedure_free(definition->own);
    definition->own = NULL;
}

/* ---- calendar and times -------------------------------------------------------------------- */

int tool_calendar(struct hoso *h)
{
    char folder[4096];
    char path[4096];
    if (h->calendar != NULL)
        return 0;
    if (hoso_has(h, OPT_CELL) || getenv("HOSO_CELL") != NULL || is_file("hoso.cfg"))
        return hoso_calendar(h);
    int rc = hoso_delivered(h, folder);
    if (rc != 0)
        return rc;
    if (!hoso_path(path, folder, "calendar.cfg"))
        return wf_fail(&h->err, WF_E_CONFIG, "--config-from: the name is too long");
    struct wf_report report = {0};
    rc = wf_calendar_load(path, &report, &h->calendar, &h->err);
    int printed = rc < 0 ? hoso_print_report(&report) : 0;
    wf_report_fini(&report);
    return rc < 0 && printed != 0 ? HOSO_FAILED : rc;
}

const char *tool_timestamp(const struct wf_calendar *calendar, int64_t ms, char buf[40])
{
    struct wf_civil c = wf_civil_of(calendar, ms);
    int64_t part = ((ms % 1000) + 1000) % 1000;
    /* read as UTC+7, the civil time tells how far the calendar's zone is from there */
    int64_t offset = (wf_civil_to_ms(NULL, &c) - (ms - part)) / 60000 + INT64_C(7) * 60;
    int64_t size = offset < 0 ? -offset : offset;
    (void)snprintf(buf, 40, "%04d-%02d-%02dT%02d:%02d:%02d.%03d%c%02d:%02d", c.year, c.month, c.day,
                   c.hour, c.minute, c.second, (int)part, offset < 0 ? '-' : '+', (int)(size / 60),
                   (int)(size % 60));
    return buf;
}

/* ---- output -------------------------------------------------------------------------------- */

int tool_output_open(struct hoso *h, bool is_private, struct output *out)
{
    *out = (struct output){stdout, NULL};
    if (!hoso_has(h, OPT_OUTPUT))
        return 0;
    int fd = open(h->opt[OPT_OUTPUT], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                  is_private ? 0600 : 0666);
    out->file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (out->file == NULL) {
        int rc =
            wf_fail(&h->err, WF_E_INVALID, "--output %s: %s", h->opt[OPT_OUTPUT], strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return rc;
    }
    out->name = h->opt[OPT_OUTPUT];
    return 0;
}

int tool_output_close(struct hoso *h, struct output *output, int rc)
{
    if (output->name == NULL)
        return rc;
    struct stat is;
    bool is_ours = fstat(fileno(output->file), &is) == 0 && S_ISREG(is.st_mode);
    bool is_whole = fflush(output->file) == 0 && (!is_ours || fsync(fileno(output->file)) == 0);
    int why = errno;
    if (fclose(output->file) != 0 && is_whole) {
        is_whole = false;
        why = errno;
    }
    output->file = NULL;
    if (rc == 0 && !is_whole)
        rc = wf_fail(&h->err, WF_E_INVALID, "--output %s: %s", output->name, strerror(why));
    if (rc != 0 && is_ours) /* never a device */
        (void)unlink(output->name);
    return rc;
}

int tool_write(struct hoso *h, const struct output *output, struct wf_buf *text)
{
    if (text->failed)
        return wf_fail(&h->err, WF_E_NOMEM, "make the answer: out of memory");
    size_t written = text->len > 0 ? fwrite(text->ptr, 1, text->len, output->file) : 0;
    if (written < text->len)
        return wf_fail(&h->err, WF_E_IO, "write the answer: %s", strerror(errno));
    wf_buf_clear(text);
    return 0;
}

int tool_give(struct hoso *h, struct wf_buf *take_text)
{
    struct output output;
    bool done = false;
    int rc = 0;
    if (h->json && !hoso_has(h, OPT_OUTPUT)) {
        const struct wf_str text = {(const char *)take_text->ptr, take_text->len};
        rc = hoso_answer(h, hoso_map(h, "text", take_text->failed ? NULL : hoso_str(h, text), NULL),
                         &done);
    } else {
        rc = tool_output_open(h, false, &output);
        if (rc == 0) {
            rc = tool_write(h, &output, take_text);
            rc = tool_output_close(h, &output, rc);
        }
    }
    wf_buf_fini(take_text);
    return rc;
}
