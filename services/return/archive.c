/* SPDX-License-Identifier: Apache-2.0 */
/* return.archive: seals the history and says until when the file must be kept. */
#include "return.h"
#include "workflow/hash.h"

#include <stdio.h>

const char *hoso_archive_until(const struct wf_calendar *calendar, int64_t ms, int64_t years,
                               char out[16])
{
    struct wf_civil day = wf_civil_of(calendar, ms);
    int64_t year = day.year + years;

    out[0] = '\0';
    if (years <= 0 || year > 9999)
        return out;
    if (!wf_date_is_valid((int)year, day.month, day.day))
        day.day = 28; /* of 29 February */
    (void)snprintf(out, 16, "%04d-%02d-%02d", (int)year, day.month, day.day);
    return out;
}

int hoso_archive_start(struct wf_work *work, struct wf_error *err)
{
    struct wf_arena *arena = wf_work_arena(work);
    struct wf_value *data = wf_map(arena);
    uint8_t seal[WF_HASH_BYTES];
    char hex[2 * WF_HASH_BYTES + 1];
    char until[16];
    int rc = wf_work_history_hash(work, seal, err);

    if (rc != 0)
        return wf_wrap(err, "seal of the history");
    wf_hex(seal, sizeof(seal), hex);
    (void)hoso_archive_until(wf_work_calendar(work), wf_work_now(work),
                             wf_work_procedure(work)->retention_years, until);
    (void)wf_map_put(arena, data, "seal", wf_text(arena, hex));
    (void)wf_map_put(arena, data, "until", wf_text(arena, until));
    return hoso_done(work, data, err);
}
