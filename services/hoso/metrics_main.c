/* SPDX-License-Identifier: Apache-2.0 */
/* hoso-metrics: `hoso metrics --listen` as a child of `hoso run`, where metrics_listen says so. */
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "health.h"
#include "workflow/log.h"

static int find_cell(struct hoso *h, const char *config)
{
    char path[PATH_MAX];
    if (realpath(config, path) == NULL)
        return wf_fail(&h->err, WF_E_CONFIG, "%s: cannot be found", config);
    (void)snprintf(h->folder, sizeof(h->folder), "%s", dirname(path));
    return hoso_cell(h);
}

int main(int argc, char **argv)
{
    static struct hoso h;
    struct wf_options options;
    wf_log_open("metrics", WF_LOG_INFO);
    if (!wf_options_read(argc, argv, "The figures of a Hoso cell over HTTP.\v", &options))
        return EXIT_USAGE;
    h.arena = wf_arena_new(0);
    int rc = h.arena != NULL ? find_cell(&h, options.config)
                             : wf_fail(&h.err, WF_E_NOMEM, "out of memory");
    if (rc == 0 && h.settings.metrics_listen[0] == '\0')
        rc = wf_fail(&h.err, WF_E_CONFIG,
                     "metrics_listen is empty: say in hoso.cfg where to listen");
    if (rc == 0 && !options.check_only)
        rc = metrics_listen(&h, h.settings.metrics_listen, &options);
    if (rc != 0)
        wf_log(WF_LOG_FATAL, WF_LOG_STOP_EVENT, &(struct wf_log_fact){.rc = rc}, "%s", h.err.text);
    hoso_close(&h);
    wf_arena_free(h.arena);
    return rc == 0 ? EXIT_DONE : rc == WF_E_CONFIG || rc == HOSO_FAILED ? EXIT_USAGE : EXIT_REFUSED;
}
