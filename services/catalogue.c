/* SPDX-License-Identifier: Apache-2.0 */
/* Gathered from the workers' own tables, so that an activity is written down once. */
#include "catalogue.h"

#include <assert.h>

#define MOST_ACTIVITIES 64

static const struct wf_service_spec *const services[WF_SERVICE_COUNT] = {
    [WF_INTAKE] = &hoso_intake,   [WF_VERIFICATION] = &hoso_verification,
    [WF_ROUTING] = &hoso_routing, [WF_NOTIFICATION] = &hoso_notification,
    [WF_RETURN] = &hoso_return,
};

const struct wf_service_spec *hoso_service(enum wf_service service)
{
    return services[service];
}

static size_t gather(const struct wf_activity_info **out)
{
    size_t n = 0;

    for (size_t s = 0; s < WF_SERVICE_COUNT; s++) {
        for (size_t i = 0; i < services[s]->n_activities; i++) {
            assert(n < MOST_ACTIVITIES);
            out[n++] = &services[s]->activities[i].info;
        }
    }
    return n;
}

const struct wf_catalogue *hoso_catalogue(void)
{
    static const struct wf_activity_info *activities[MOST_ACTIVITIES];
    static struct wf_catalogue catalogue;

    if (catalogue.n_activities == 0) {
        catalogue.activities = activities;
        catalogue.n_activities = gather(activities);
    }
    return &catalogue;
}
