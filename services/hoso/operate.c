/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operators' acts share: they write the store directly, as events with the operator's name;
 * workers find the rest of the work when they next sweep their queue.
 */
#include "hoso.h"

#include <string.h>

#include "catalogue.h"

/* Of all services: an act may end work of any of them. Which of it starts at once is decided by
 * the engine's own service. */
static int all_activities(struct hoso *h, const struct wf_activity **out, size_t *out_n)
{
    size_t n = 0;
    for (unsigned s = 0; s < WF_SERVICE_COUNT; s++)
        n += hoso_service((enum wf_service)s)->n_activities;
    struct wf_activity *all = wf_arena_alloc(h->arena, n * sizeof(*all));
    if (all == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "open the engine: out of memory");
    *out = all;
    *out_n = n;
    for (unsigned s = 0; s < WF_SERVICE_COUNT; s++) {
        const struct wf_service_spec *spec = hoso_service((enum wf_service)s);
        memcpy(all, spec->activities, spec->n_activities * sizeof(*all));
        all += spec->n_activities;
    }
    return 0;
}

int hoso_engine(struct hoso *h, struct wf_engine **out)
{
    /* The engine keeps the catalogue for as long as it lives. */
    struct wf_catalogue *catalogue = wf_arena_alloc(h->arena, sizeof(*catalogue));
    const struct wf_activity *activities = NULL;
    size_t n = 0;
    if (catalogue == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "open the engine: out of memory");
    int rc = hoso_store(h, true);
    if (rc == 0)
        rc = hoso_full_catalogue(h, catalogue);
    if (rc == 0)
        rc = all_activities(h, &activities, &n);
    if (rc != 0)
        return rc;
    const struct wf_engine_options options = {.self = WF_INTAKE,
                                              .activities = activities,
                                              .n_activities = n,
                                              .catalogue = catalogue,
                                              .registry = h->registry,
                                              .calendar = h->calendar,
                                              .setting = wf_settings_text,
                                              .context = &h->settings,
                                              .seed = (uint64_t)wf_real_ms()};
    rc = wf_engine_open(&options, out, &h->err);
    return rc == 0 ? wf_engine_refresh(*out, h->store, NULL, &h->err) : rc;
}

int hoso_turn(struct hoso *h, struct wf_engine *engine, struct wf_arena *arena, struct wf_turn *out)
{
    struct wf_clock clock = wf_store_clock(h->store);
    wf_arena_reset(arena);
    *out = (struct wf_turn){.engine = engine, .arena = arena, .real_ms = wf_real_ms()};
    out->now_ms = wf_business_ms(&clock, out->real_ms);
    for (;;) {
        int rc = wf_txn_begin(h->store, true, &out->txn, &h->err);
        if (rc != 0 || wf_engine_is_current(engine, out->txn))
            return rc;
        wf_txn_abort(out->txn); /* a procedure was installed meanwhile */
        rc = wf_engine_refresh(engine, h->store, NULL, &h->err);
        if (rc != 0)
            return rc;
    }
}
