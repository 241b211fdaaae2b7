/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine/migrate.h - how one dossier would stand in another version. Internal to the engine.
 *
 * A plan only reads, so that a dry run is the whole test of a real one.
 */
#ifndef WF_ENGINE_MIGRATE_H
#define WF_ENGINE_MIGRATE_H

#include "life.h"

struct plan {
    struct life *life;
    const struct wf_migration *order;
    const struct wf_procedure *to;
    const struct wf_chart_state *old_states, *new_states; /* of the charts, by index */
    const struct wf_value *states;                        /* configuration in the new chart */
    const struct wf_value *history;
    const struct wf_value *data;
};

/* WF_E_STATE or WF_E_INVALID where the new version cannot go on with this dossier. */
int plan_make(struct life *life, const struct wf_migration *order, const struct wf_procedure *to,
              struct plan *out, struct wf_error *err) WF_CHECKED;

/* The name that a state or history of the old chart has in the new one. */
const char *plan_new_name(const struct plan *plan, const char *old);
bool plan_is_active(const struct plan *plan, const char *new_state);
/* The i-th active state of the old chart, or NULL behind the last one. */
const struct wf_chart_state *plan_old_state(const struct plan *plan, size_t i);
/* The new chart's invoke of that id in an active state, or NULL. */
const struct wf_chart_invoke *plan_invoke(const struct plan *plan, struct wf_str id);

#endif
