/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of paths, and the one table of HTTP statuses. */
#include <stdio.h>
#include <string.h>

#include "bridge.h"

/* clang-format off */
#define VERB(method, path, type, key, answer, status)                                              \
    {method, path, ROUTE_VERB, WF_MSG_##type, key, WF_MSG_##answer, status, NULL}
#define OWN(path, kind, help) {"GET", path, kind, 0, KEY_NONE, 0, 200, help}

const struct route bridge_routes[] = {
    VERB("POST", "/v1/dossiers",                  dossier_submit, KEY_MUST, dossier_state, 201),
    VERB("GET",  "/v1/dossiers",                  dossier_list,   KEY_NONE, dossier_page,  200),
    VERB("GET",  "/v1/dossiers/{dossier}",        dossier_get,    KEY_NONE, dossier_state, 200),
    VERB("POST", "/v1/dossiers/{dossier}/events", dossier_event,  KEY_MUST, dossier_state, 200),
    VERB("GET",  "/v1/procedures/{procedure}",    procedure_get,  KEY_NONE, procedure_text, 200),
    VERB("PUT",  "/v1/papers/{paper}",            paper_put,      KEY_NONE, paper_state,   200),
    VERB("GET",  "/v1/dossiers/{dossier}/papers/{paper}", paper_get, KEY_NONE, paper_chunk, 200),
    VERB("POST", "/v1/tasks/fetch",               task_fetch,     KEY_MAY,  tasks,         200),
    VERB("POST", "/v1/tasks/{task}/extend",       task_extend,    KEY_MUST, done,          200),
    VERB("POST", "/v1/tasks/{task}/complete",     task_complete,  KEY_MUST, done,          200),
    VERB("POST", "/v1/tasks/{task}/fail",         task_fail,      KEY_MUST, done,          200),
    VERB("POST", "/v1/tasks/{task}/progress",     task_progress,  KEY_MUST, done,          200),
    VERB("GET",  "/v1/journal",                   journal_fetch,  KEY_NONE, journal_page,  200),
    VERB("POST", "/v1/journal/ack",               journal_ack,    KEY_MUST, done,          200),
    VERB("GET",  "/v1/health",                    health,         KEY_NONE, health_report, 200),
    OWN("/health",          ROUTE_HEALTH,  "does the bridge itself live?"),
    OWN("/ready",           ROUTE_READY,   "do all workers answer? 503 and their names when not"),
    OWN("/v1/openapi.json", ROUTE_OPENAPI, "this description"),
};

static const struct {
    int code;
    unsigned status;
} statuses[] = {
    {WF_E_NOMEM,       503}, {WF_E_BUSY,      429}, {WF_E_IO,       503}, {WF_E_CORRUPT,  500},
    {WF_E_INVALID,     400}, {WF_E_UNSUPPORTED, 400}, {WF_E_DENIED, 403}, {WF_E_NOT_FOUND, 404},
    {WF_E_STATE,       409}, {WF_E_STALE,     409}, {WF_E_CONFLICT, 409}, {WF_E_FULL,     507},
    {WF_E_TIMEOUT,     503}, {WF_E_CONFIG,    500}, {WF_E_VERSION,  500}, {WF_E_INTERNAL, 500},
    {WF_E_HELD,        409},
};
/* clang-format on */

const size_t bridge_n_routes = WF_COUNT(bridge_routes);

unsigned status_of(int code)
{
    for (size_t i = 0; i < WF_COUNT(statuses); i++) {
        if (statuses[i].code == code)
            return statuses[i].status;
    }
    return 500;
}

/* The length of the part up to the next slash. */
static size_t part(const char *path)
{
    return strcspn(path, "/");
}

static bool fits(const char *pattern, const char *path, struct match *out)
{
    size_t fields = 0;
    while (*pattern != '\0' && *path != '\0') {
        size_t n = part(path);
        size_t m = part(pattern);
        if (*pattern == '{') {
            struct path_field *field = &out->fields[fields++];
            if (n == 0 || fields > PATH_FIELDS ||
                !wf_str_copy((struct wf_str){path, n}, field->value, sizeof(field->value)) ||
                !wf_str_copy((struct wf_str){pattern + 1, m - 2}, field->name, sizeof(field->name)))
                return false;
        } else if (n != m || memcmp(pattern, path, n) != 0) {
            return false;
        }
        pattern += m;
        path += n;
        if (*pattern == '/' && *path == '/') {
            pattern++;
            path++;
        }
    }
    return *pattern == *path; /* both at their end */
}

void route_find(const char *method, const char *path, struct match *out)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < bridge_n_routes; i++) {
        const struct route *route = &bridge_routes[i];
        struct match is = {0};
        if (!fits(route->path, path, &is))
            continue;
        if (strcmp(route->method, method) == 0) {
            *out = is;
            out->route = route;
            return;
        }
        size_t used = strlen(out->allow);
        (void)snprintf(out->allow + used, sizeof(out->allow) - used, "%s%s", used > 0 ? ", " : "",
                       route->method);
    }
}
