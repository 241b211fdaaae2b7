/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intake.register: number and due date, as they stand on the receipt slip.
 *
 * The code is agency-YYMMDD-NNNN: place of reception, local day, a sequence per place and day that
 * is never used twice. A dossier that comes here again keeps the code and the date it was promised.
 */
#include "intake.h"

#include <inttypes.h>

#include "workflow/identifiers.h"

#define LEAST_DIGITS 4
#define MOST_DIGITS  7

static int next_code(struct wf_work *work, const char **out, struct wf_error *err)
{
    const char *site = hoso_site(work);
    const char *code_date = wf_work_setting(work, "code_date");
    const struct wf_civil today = wf_civil_of(wf_work_calendar(work), wf_work_now(work));
    int digits = (int)hoso_number_setting(work, "code_digits", LEAST_DIGITS, MOST_DIGITS);
    char series[WF_SERIES];
    char day[16];
    uint64_t number;
    int rc;

    if (site == NULL)
        return wf_fail(err, WF_E_NOMEM, "dossier code: out of memory");
    wf_code_day(&today, code_date, day);
    wf_code_series(wf_str(site), &today, code_date, series);
    rc = wf_work_number(work, series, wf_code_most(digits), &number, err);
    if (rc < 0)
        return wf_wrap(err, "dossier code");
    *out = wf_arena_printf(wf_work_arena(work), "%s-%s-%0*" PRIu64, site, day, digits, number);
    return *out ? 0 : wf_fail(err, WF_E_NOMEM, "dossier code: out of memory");
}

static int give_code(struct wf_work *work, struct wf_error *err)
{
    const char *code = NULL;
    int rc;

    if (wf_work_dossier(work)->code.len > 0)
        return 0;
    rc = next_code(work, &code, err);
    if (rc == 0)
        wf_work_dossier(work)->code = wf_str(code);
    return rc;
}

/* A station's dossier is due by the day on which the citizen handed it in, however long the line was
 * cut; unless its clock has stood since then. */
static int64_t counted_from(struct wf_work *work)
{
    const struct wf_rec_dossier *dossier = wf_work_dossier(work);

    return dossier->provisional.len > 0 && dossier->waited == 0 ? dossier->received
                                                                : wf_work_now(work);
}

static int give_due(struct wf_work *work, struct wf_error *err)
{
    struct wf_limit limit =
        wf_procedure_limit(wf_work_procedure(work), wf_work_dossier(work)->channel);

    if (wf_work_dossier(work)->due != 0 || limit.unit == WF_LIMIT_NONE)
        return 0;
    return wf_work_set_due(work, wf_calendar_due(wf_work_calendar(work), counted_from(work), limit),
                           err);
}

int hoso_register_start(struct wf_work *work, struct wf_error *err)
{
    struct wf_arena *arena = wf_work_arena(work);
    const struct wf_rec_dossier *dossier = wf_work_dossier(work);
    struct wf_value *data;
    int rc = give_code(work, err);

    if (rc == 0)
        rc = give_due(work, err);
    if (rc != 0)
        return rc;
    data = wf_map(arena);
    (void)wf_map_put(arena, data, "code", wf_text_n(arena, dossier->code.ptr, dossier->code.len));
    (void)wf_map_put(arena, data, "due", wf_int(arena, dossier->due));
    return hoso_done(work, data, err);
}
