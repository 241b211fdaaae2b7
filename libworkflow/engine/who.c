/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what: roles, sites, channels and the models M1 to M4 of the pilot (workflow/registry.h). A
 * refusal says who could do it instead, so that the counter can send the citizen to the right one.
 */
#include "life.h"

#include <stdio.h>
#include <string.h>

#define TEXT_BYTES 240

static bool has_text(const struct wf_texts *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->items[i], text) == 0)
            return true;
    }
    return false;
}

/* Appends as much as there is room for. */
static void add(char *text, size_t size, const char *before, const char *word)
{
    size_t at = strlen(text);
    if (at + strlen(before) + strlen(word) < size)
        (void)snprintf(text + at, size - at, "%s%s", before, word);
}

static void add_list(char *text, size_t size, const char *before, const char *const *words,
                     size_t n)
{
    for (size_t i = 0; i < n; i++)
        add(text, size, i == 0 ? before : ", ", words[i]);
}

/* ---- receiving ------------------------------------------------------------------------------- */

enum where { ANYWHERE, AT_MANDATED_SITES };

/* A citizen files at a distance; a civil servant receives anywhere; a postal worker where the
 * province gave its mandate (M2, M4), and carries everywhere (M3). "" = any channel. */
/* clang-format off */
static const struct {
    const char *role;
    const char *channel;
    enum where where;
} receivers[] = {
    {"civil_servant", "",       ANYWHERE},
    {"head",          "",       ANYWHERE},
    {"system",        "",       ANYWHERE},
    {"citizen",       "online", ANYWHERE},
    {"agent",         "online", ANYWHERE},
    {"postal_worker", "post",   ANYWHERE},
    {"postal_worker", "",       AT_MANDATED_SITES},
};
/* clang-format on */

static bool may_receive(size_t row, const struct wf_site *site, struct wf_str channel)
{
    const char *over = receivers[row].channel;
    return (over[0] == '\0' || wf_str_is(channel, over)) &&
           (receivers[row].where == ANYWHERE || site->mandated);
}

static int refuse_receiver(const struct wf_site *site, const struct wf_msg_dossier_submit *m,
                           struct wf_error *err)
{
    char who[TEXT_BYTES] = "";
    char how[TEXT_BYTES] = "";
    for (size_t i = 0; i < WF_COUNT(receivers); i++) {
        if (strcmp(receivers[i].role, "system") != 0 && may_receive(i, site, m->channel))
            add(who, sizeof(who), who[0] != '\0' ? ", " : "", receivers[i].role);
        if (!wf_str_is(m->role, receivers[i].role))
            continue;
        if (receivers[i].channel[0] != '\0')
            add(how, sizeof(how), how[0] != '\0' ? " or over channel " : " over channel ",
                receivers[i].channel);
        else
            add(how, sizeof(how), how[0] != '\0' ? " or " : " ",
                "at sites with a mandate (M2, M4)");
    }
    return wf_fail_field(err, WF_E_DENIED, "role",
                         "role %.*s may not receive dossiers at site %s (model %s) over channel "
                         "%.*s; who may: %s%s%s",
                         WF_STR_ARG(m->role), site->code, wf_site_model_name(site->model),
                         WF_STR_ARG(m->channel), who, how[0] != '\0' ? "; this role may" : "", how);
}

static int check_receiver(const struct wf_site *site, const struct wf_msg_dossier_submit *m,
                          struct wf_error *err)
{
    for (size_t i = 0; i < WF_COUNT(receivers); i++) {
        if (wf_str_is(m->role, receivers[i].role) && may_receive(i, site, m->channel))
            return 0;
    }
    return refuse_receiver(site, m, err);
}

static int check_channel(const struct wf_procedure *p, const struct wf_msg_dossier_submit *m,
                         struct wf_error *err)
{
    char open[TEXT_BYTES] = "";
    for (size_t i = 0; i < p->channels.n; i++) {
        bool by_post = strcmp(p->channels.items[i], "post") == 0;
        if (wf_str_is(m->channel, p->channels.items[i]) && !(by_post && p->presence_required))
            return 0;
        if (!(by_post && p->presence_required))
            add(open, sizeof(open), open[0] != '\0' ? ", " : "", p->channels.items[i]);
    }
    if (p->presence_required && wf_str_is(m->channel, "post"))
        return wf_fail_field(err, WF_E_INVALID, "body.channel",
                             "procedure %s asks for the citizen's presence: not by post; open: %s",
                             p->code, open);
    return wf_fail_field(err, WF_E_INVALID, "body.channel",
                         "procedure %s is not open to channel %.*s; open: %s", p->code,
                         WF_STR_ARG(m->channel), open);
}

static int check_model(const struct wf_procedure *p, const struct wf_site *site,
                       struct wf_error *err)
{
    char open[TEXT_BYTES] = "";
    const char *model = wf_site_model_name(site->model);
    if (p->models.n == 0 || has_text(&p->models, model))
        return 0;
    add_list(open, sizeof(open), "", p->models.items, p->models.n);
    return wf_fail_field(err, WF_E_DENIED, "body.site",
                         "procedure %s is not received at site %s of model %s; sites of these "
                         "models receive it: %s",
                         p->code, site->code, model[0] != '\0' ? model : "none", open);
}

/* R20 to R22. What a mandate must hold is for verification.check. */
static int check_agent(const struct wf_procedure *p, const struct wf_msg_dossier_submit *m,
                       struct wf_error *err)
{
    bool has_agent = wf_value_count(m->agent) > 0;
    bool by_agent = wf_str_is(m->role, "agent");
    if ((has_agent || by_agent) && (!p->agent_allowed || p->presence_required))
        return wf_fail_field(err, WF_E_DENIED, has_agent ? "body.agent" : "body.role",
                             "procedure %s takes no agent: %s", p->code,
                             p->presence_required ? "the citizen must appear in person"
                                                  : "the citizen must file it");
    if (by_agent && !has_agent)
        return wf_fail_field(err, WF_E_INVALID, "body.agent",
                             "missing: an agent files with full_name, citizen_id and mandate");
    return 0;
}

int who_receives(const struct wf_procedure *p, const struct wf_site *site,
                 const struct wf_msg_dossier_submit *m, struct wf_error *err)
{
    int rc = check_channel(p, m, err);
    if (rc == 0)
        rc = check_model(p, site, err);
    if (rc == 0)
        rc = check_receiver(site, m, err);
    return rc == 0 ? check_agent(p, m, err) : rc;
}

/* ---- raising events -------------------------------------------------------------------------- */

/* "head", or "postal_worker (channel post; model M2, M4)". */
static void describe(const struct wf_chart_transition *t, char *text, size_t size)
{
    text[0] = '\0';
    add_list(text, size, "", t->roles, t->n_roles);
    if (t->n_roles == 0)
        add(text, size, "", "anyone");
    if (t->n_channels == 0 && t->n_models == 0)
        return;
    add_list(text, size, " (channel ", t->channels, t->n_channels);
    add_list(text, size, t->n_channels > 0 ? "; model " : " (model ", t->models, t->n_models);
    add(text, size, ")", "");
}

int who_raises(const struct life *life, const size_t *offers, size_t n,
               const struct wf_chart_raiser *who, struct wf_error *err)
{
    const struct wf_chart_transition *table = NULL;
    (void)wf_chart_transitions(life->procedure->chart, &table);
    char others[TEXT_BYTES] = "";
    for (size_t i = 0; i < n; i++) {
        char one[TEXT_BYTES];
        if (wf_chart_lets(&table[offers[i]], who))
            return 0;
        describe(&table[offers[i]], one, sizeof(one));
        if (strstr(others, one) == NULL)
            add(others, sizeof(others), others[0] != '\0' ? ", or " : "", one);
    }
    return wf_fail_field(err, WF_E_DENIED, "body.role",
                         "role %.*s may not raise this event here (channel %.*s, model %.*s); who "
                         "may: %s",
                         WF_STR_ARG(who->role), WF_STR_ARG(who->channel), WF_STR_ARG(who->model),
                         others);
}
