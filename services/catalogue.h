/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/catalogue.h - everything the five workers offer.
 *
 * PURPOSE    The one list of services. Procedures are compiled against its catalogue of
 *            activities, whichever worker or command compiles them.
 */
#ifndef HOSO_CATALOGUE_H
#define HOSO_CATALOGUE_H

#include "workflow/service.h"

extern const struct wf_service_spec hoso_intake;
extern const struct wf_service_spec hoso_verification;
extern const struct wf_service_spec hoso_routing;
extern const struct wf_service_spec hoso_notification;
extern const struct wf_service_spec hoso_return;

/* Activities only: roles, channels and templates come from the cell's registry. */
const struct wf_catalogue *hoso_catalogue(void);

/* The spec of a service. */
const struct wf_service_spec *hoso_service(enum wf_service service);

#endif
