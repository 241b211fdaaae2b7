/* SPDX-License-Identifier: Apache-2.0 */
/* upgrade: a store of an older format brought to this release's; only while nobody has it open. */
#include "keep.h"

#include <unistd.h>

static const struct hoso_column columns[] = {
    {"from", "Format before", "Định dạng cũ", HOSO_NUMBER},
    {"to", "Format now", "Định dạng mới", HOSO_NUMBER},
    {"before", "File before", "Tệp trước", HOSO_BYTES},
    {"after", "File after", "Tệp sau", HOSO_BYTES},
    {"kept", "The old file stays as", "Tệp cũ giữ lại tại", HOSO_TEXT},
};

static void say_step(void *context, const char *step)
{
    const struct hoso *h = context;
    if (!h->json && isatty(STDERR_FILENO))
        (void)fprintf(stderr, "upgrade: %s\n", step);
}

static const struct wf_value *answer_of(struct hoso *h, const struct wf_upgrade *done)
{
    char kept[4200] = "";
    if (done->from != done->to && !hoso_has(h, OPT_DRY_RUN) && !hoso_has(h, OPT_NO_COPY))
        (void)snprintf(kept, sizeof(kept), "%s/data.mdb.format-%d", h->settings.store,
                       (int)done->from);
    /* clang-format off */
    return hoso_map(h,
        "from", wf_int(h->arena, (int64_t)done->from),
        "to", wf_int(h->arena, (int64_t)done->to),
        "before", wf_int(h->arena, (int64_t)done->before_bytes),
        "after", wf_int(h->arena, (int64_t)done->after_bytes),
        "kept", wf_text(h->arena, kept),
        "dry_run", wf_bool(hoso_has(h, OPT_DRY_RUN)),
        NULL);
    /* clang-format on */
}

static void say(const struct hoso *h, const struct wf_upgrade *done)
{
    if (done->from == done->to)
        (void)puts(h->vi ? "Dữ liệu đã ở định dạng mới." : "Nothing to do: the store is current.");
    else if (hoso_has(h, OPT_DRY_RUN))
        (void)puts(h->vi ? "Nâng cấp được; chưa thay đổi gì."
                         : "It can be upgraded; nothing was "
                           "changed.");
    else
        (void)puts(h->vi ? "Đã nâng cấp và kiểm tra." : "Upgraded and checked.");
}

int hoso_upgrade(struct hoso *h)
{
    struct wf_upgrade done = {0};
    bool answered = false;
    int rc = hoso_cell(h);
    if (rc == 0)
        rc = keep_out_workers(h);
    if (rc != 0)
        return rc;
    const struct wf_upgrade_options options = {.map_bytes = (uint64_t)h->settings.map_mib << 20,
                                               .dry_run = hoso_has(h, OPT_DRY_RUN),
                                               .no_copy = hoso_has(h, OPT_NO_COPY)};
    rc = wf_store_upgrade(h->settings.store, &options, say_step, h, &done, &h->err);
    if (rc != 0)
        return rc;
    const struct wf_value *answer = answer_of(h, &done);
    rc = hoso_answer(h, answer, &answered);
    if (rc != 0 || answered)
        return rc;
    say(h, &done);
    return done.from == done.to ? 0 : hoso_print_pairs(h, columns, WF_COUNT(columns), answer);
}
