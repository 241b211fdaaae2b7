/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before a receipt is given: the checks of intake, as far as they can be made without its store. What
 * passes here is refused there only for what a station cannot know.
 */
#include <string.h>

#include "relay/relay.h"

/* As the cell does it: the newest version in force on the day of receipt. */
static const struct wf_procedure *definition_of(const struct relay *relay, struct wf_str code,
                                                int64_t received)
{
    const struct wf_procedure *best = NULL;
    for (size_t i = 0; i < relay->n_definitions; i++) {
        const struct definition *d = &relay->definitions[i];
        if (wf_str_is(code, d->procedure->code) && received >= d->from_ms &&
            received < d->until_ms && (best == NULL || d->procedure->version > best->version))
            best = d->procedure;
    }
    return best;
}

static int check_registration(const struct relay *relay, const struct wf_msg_dossier_submit *m,
                              struct wf_error *err)
{
    const struct relay_settings *s = &relay->settings;
    if (s->sites.n > 0 && !wf_party_has(&s->sites, m->site))
        return wf_fail_field(err, WF_E_DENIED, "body.site",
                             "this station does not receive at site %.*s", WF_STR_ARG(m->site));
    if (s->roles.n > 0 && !wf_party_has(&s->roles, m->role))
        return wf_fail_field(err, WF_E_DENIED, "body.role",
                             "nobody at this station acts in role %.*s", WF_STR_ARG(m->role));
    return 0;
}

int relay_check_submit(const struct relay *relay, const struct wf_msg_dossier_submit *m,
                       int64_t received, const struct wf_procedure **out, struct wf_error *err)
{
    *out = NULL;
    if (m->provisional.len > 0 || m->received != 0)
        return wf_fail_field(err, WF_E_DENIED,
                             m->provisional.len > 0 ? "body.provisional" : "body.received",
                             "the station itself says this: leave it out");
    int rc = check_registration(relay, m, err);
    if (rc != 0 || relay->n_definitions == 0)
        return rc;
    const struct wf_procedure *p = definition_of(relay, m->procedure, received);
    const struct wf_site *site = wf_registry_site(relay->registry, m->site);
    if (p == NULL)
        return wf_fail_field(err, WF_E_INVALID, "body.procedure",
                             "procedure %.*s is not among the definitions of this station, or not "
                             "in force today: copy the cell's into its folder procedures",
                             WF_STR_ARG(m->procedure));
    if (m->site.len == 0)
        return wf_fail_field(err, WF_E_INVALID, "body.site",
                             "no site is given: the code of the office that receives the dossier");
    if (site == NULL)
        return wf_fail_field(err, WF_E_INVALID, "body.site", "site %.*s is not in sites.cfg",
                             WF_STR_ARG(m->site));
    *out = p;
    return wf_submission_check(p, site, m, relay->arena, err);
}

static bool takes(const struct wf_procedure *p, struct wf_str event)
{
    const struct wf_chart_transition *table = NULL;
    size_t n = wf_chart_transitions(p->chart, &table);
    for (size_t i = 0; i < n; i++) {
        const char *at = table[i].event;
        while (at != NULL && *at != '\0') { /* descriptors, which may be prefixes or "*" */
            size_t length = strcspn(at, " ");
            size_t bare = length > 0 && at[length - 1] == '*' ? length - 1 : length;
            if (event.len >= bare && memcmp(at, event.ptr, bare) == 0)
                return true;
            at += length + strspn(at + length, " ");
        }
    }
    return false;
}

int relay_check_event(const struct relay *relay, const struct handoff *dossier,
                      const struct wf_msg_dossier_event *m, struct wf_error *err)
{
    const char *event = wf_arena_strndup(relay->arena, m->event.ptr, m->event.len);
    if (event == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    if (wf_event_is_reserved(event))
        return wf_fail_field(err, WF_E_DENIED, "body.event",
                             "event %s is the engine's own: choose another name", event);
    const struct relay_settings *s = &relay->settings;
    if (s->roles.n > 0 && !wf_party_has(&s->roles, m->role))
        return wf_fail_field(err, WF_E_DENIED, "body.role",
                             "nobody at this station acts in role %.*s", WF_STR_ARG(m->role));
    const struct wf_procedure *p =
        dossier != NULL ? definition_of(relay, dossier->procedure, dossier->received) : NULL;
    if (p != NULL && !takes(p, m->event))
        return wf_fail_field(err, WF_E_STATE, "body.event",
                             "no state of procedure %s takes event %s", p->code, event);
    return 0;
}
