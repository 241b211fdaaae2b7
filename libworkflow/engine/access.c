/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a party may see and do. The gate has proved who it is and written its name on the envelope;
 * an envelope without a name comes from a program of the same host, which the folder's permissions
 * let in, and may do all.
 *
 * What is not a party's business does not exist for it: "not found", never "not yours".
 */
#include "life.h"

int access_open(struct wf_turn *turn, struct wf_str name, struct wf_error *err)
{
    turn->party = NULL;
    if (name.len == 0)
        return 0;
    const struct wf_party *party = wf_party_by_name(turn->parties, name);
    if (party == NULL || party->revoked)
        return wf_fail(err, WF_E_DENIED, "this party is not registered here, or was revoked");
    turn->party = party;
    return 0;
}

/* Its sites' dossiers, those that are decided at one of its sites, and those that it submitted. */
bool access_sees(const struct wf_turn *turn, const struct wf_rec_dossier *dossier)
{
    const struct wf_party *p = turn->party;
    return p == NULL || wf_str_is(dossier->party, p->name) ||
           wf_party_has(&p->sites, dossier->site) || wf_party_has(&p->sites, dossier->agency);
}

int access_role(const struct wf_turn *turn, struct wf_str role, struct wf_error *err)
{
    const struct wf_party *p = turn->party;
    if (p == NULL || wf_party_has(&p->roles, role))
        return 0;
    return wf_fail_field(err, WF_E_DENIED, "body.role",
                         "party %s may not act in role %.*s: its registration names the roles of "
                         "its staff",
                         p->name, WF_STR_ARG(role));
}

int access_raise(const struct wf_turn *turn, struct wf_error *err)
{
    const struct wf_party *p = turn->party;
    if (p == NULL || p->submit)
        return 0;
    return wf_fail(err, WF_E_DENIED, "party %s may not file dossiers or raise events", p->name);
}

int access_submit(const struct wf_turn *turn, const struct wf_msg_dossier_submit *m,
                  struct wf_error *err)
{
    const struct wf_party *p = turn->party;
    int rc = access_raise(turn, err);
    if (rc == 0)
        rc = access_role(turn, m->role, err);
    if (rc != 0 || p == NULL)
        return rc;
    if (!wf_party_has(&p->sites, m->site))
        return wf_fail_field(err, WF_E_DENIED, "body.site",
                             "party %s does not receive at site %.*s", p->name,
                             WF_STR_ARG(m->site));
    if (!wf_party_has(&p->procedures, m->procedure))
        return wf_fail_field(err, WF_E_DENIED, "body.procedure",
                             "party %s does not receive procedure %.*s", p->name,
                             WF_STR_ARG(m->procedure));
    return 0;
}

static bool serves(const struct wf_party *p, struct wf_str address)
{
    return wf_party_has(&p->addresses, address) || wf_party_has(&p->sites, address);
}

int access_fetch(const struct wf_turn *turn, const struct wf_msg_task_fetch *m,
                 struct wf_error *err)
{
    const struct wf_party *p = turn->party;
    if (p == NULL)
        return 0;
    int rc = access_role(turn, m->role, err);
    if (rc != 0)
        return rc;
    if (!wf_party_has(&p->activities, m->activity))
        return wf_fail_field(err, WF_E_DENIED, "body.activity", "party %s does not do %.*s",
                             p->name, WF_STR_ARG(m->activity));
    for (size_t i = 0; i < wf_value_count(m->to); i++) {
        struct wf_str to = wf_value_str(wf_list_at(m->to, i));
        if (!serves(p, to))
            return wf_fail_field(err, WF_E_DENIED, "body.to",
                                 "party %s does not serve address %.*s", p->name, WF_STR_ARG(to));
    }
    return 0;
}

bool access_may_fetch(const struct wf_turn *turn, const struct wf_rec_task *task)
{
    const struct wf_party *p = turn->party;
    return p == NULL || (serves(p, task->to) && wf_party_has(&p->activities, task->activity) &&
                         (task->role.len == 0 || wf_party_has(&p->roles, task->role)));
}

bool access_holds(const struct wf_turn *turn, const struct wf_rec_task *task)
{
    return turn->party == NULL || wf_str_is(task->party, turn->party->name);
}

int access_journal(const struct wf_turn *turn, struct wf_error *err)
{
    const struct wf_party *p = turn->party;
    if (p == NULL || p->journal)
        return 0;
    return wf_fail(err, WF_E_DENIED, "party %s may not read the journal", p->name);
}
