/* SPDX-License-Identifier: Apache-2.0 */
/* By which channels a citizen can be reached, and in which order. */
#include "notification.h"

#include <string.h>

static const struct hoso_channel channels[HOSO_CHANNELS] = {
    {"zalo", "phone", false},
    {"sms", "phone", true},
    {"email", "email", false},
};

const struct hoso_channel *hoso_channel(struct wf_str name)
{
    for (size_t i = 0; i < HOSO_CHANNELS; i++) {
        if (wf_str_is(name, channels[i].name))
            return &channels[i];
    }
    return NULL;
}

static size_t add(const struct hoso_channel *channel, const struct wf_value *fields,
                  const struct hoso_channel **out, size_t n)
{
    if (channel == NULL || wf_value_str(wf_map_get(fields, channel->field)).len == 0)
        return n;
    for (size_t i = 0; i < n; i++) {
        if (out[i] == channel)
            return n;
    }
    out[n] = channel;
    return n + 1;
}

size_t hoso_channels(const char *wanted, const char *order, const struct wf_value *fields,
                     const struct hoso_channel *out[HOSO_CHANNELS])
{
    static const char gap[] = ", ";
    size_t n = add(hoso_channel(wf_str(wanted)), fields, out, 0);

    while (*order != '\0') {
        size_t length = strcspn(order, gap);

        n = add(hoso_channel((struct wf_str){order, length}), fields, out, n);
        order += length;
        order += strspn(order, gap);
    }
    return n;
}
