/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/portal.h"

static int fetch(struct wf_client *client, struct wf_str code, uint64_t version,
                 struct wf_arena *arena, struct wf_procedure **out, struct wf_error *err)
{
    const struct wf_msg_procedure_get get = {.procedure = code, .version = version};
    struct wf_report report = {.is_installed = true};
    struct wf_envelope reply = {0};
    int rc = wf_client_call(client, WF_INTAKE, WF_MSG_procedure_get, &get, arena, &reply, err);
    if (rc != 0)
        return rc;
    const struct wf_msg_procedure_text *is = reply.body;
    rc = wf_procedure_parse("definition", is->text.ptr, is->text.len, NULL, &report, out, err);
    wf_report_fini(&report);
    /* The cell runs by it; that this program cannot read it is a matter of releases. */
    return rc == WF_E_CONFIG
               ? wf_fail(err, WF_E_VERSION, "definition %.*s cannot be read by this release",
                         WF_STR_ARG(code))
               : rc;
}

static int grow(struct portal_definitions *known, struct wf_error *err)
{
    if (known->n < known->cap)
        return 0;
    size_t cap = known->cap > 0 ? 2 * known->cap : 16;
    struct wf_procedure **list = wf_realloc(known->list, cap * sizeof(struct wf_procedure *));
    if (list == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    known->list = list;
    known->cap = cap;
    return 0;
}

int portal_definition(struct portal_definitions *known, struct wf_client *client,
                      struct wf_str code, uint64_t version, struct wf_arena *arena,
                      const struct wf_procedure **out, struct wf_error *err)
{
    struct wf_procedure *procedure = NULL;
    for (size_t i = 0; i < known->n; i++) {
        if (wf_str_is(code, known->list[i]->code) && (uint64_t)known->list[i]->version == version) {
            *out = known->list[i];
            return 0;
        }
    }
    int rc = grow(known, err);
    if (rc == 0)
        rc = fetch(client, code, version, arena, &procedure, err);
    if (rc != 0)
        return rc;
    known->list[known->n++] = procedure;
    *out = procedure;
    return 0;
}

void portal_definitions_free(struct portal_definitions *known)
{
    for (size_t i = 0; i < known->n; i++)
        wf_procedure_free(known->list[i]);
    wf_free(known->list);
    *known = (struct portal_definitions){0};
}
