/* SPDX-License-Identifier: Apache-2.0 */
/* services/notification/notification.h - word to the citizen, through the gateways. */
#ifndef HOSO_NOTIFICATION_H
#define HOSO_NOTIFICATION_H

#include "common.h"

int hoso_send_start(struct wf_work *work, struct wf_error *err) WF_CHECKED;
int hoso_send_done(struct wf_work *work, const struct wf_rec_task *task,
                   const struct wf_value *result, struct wf_error *err) WF_CHECKED;
int hoso_send_failed(struct wf_work *work, const struct wf_rec_task *task, const char *reason,
                     struct wf_error *err) WF_CHECKED;

/*
 * The channels by which this citizen can be reached, in the order in which they are tried: the
 * wanted one first, then those of the setting ("zalo, sms, email"); each once. Gives how many.
 * Out: pointers into the table of known channels. Pure.
 */
struct hoso_channel {
    const char *name;  /* address of the gateway's tasks */
    const char *field; /* of the dossier, which holds the number or address */
    bool is_plain;     /* takes the unaccented text */
};

#define HOSO_CHANNELS 3

size_t hoso_channels(const char *wanted, const char *order, const struct wf_value *fields,
                     const struct hoso_channel *out[HOSO_CHANNELS]);

/* The known channel of that name, or NULL. */
const struct hoso_channel *hoso_channel(struct wf_str name);

#endif
