/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "portal/portal.h"

struct wf_str portal_map(const struct wf_texts *map, struct wf_str ours, const char *fallback)
{
    for (size_t i = 0; i < map->n; i++) {
        const char *cut = strrchr(map->items[i], '=');
        if (cut != NULL &&
            wf_str_equal((struct wf_str){map->items[i], (size_t)(cut - map->items[i])}, ours))
            return wf_str(cut + 1);
    }
    return wf_str(fallback);
}

/* Breadth first: the shortest way, and of equal ones that over the lower statuses. */
static bool search(const struct portal_settings *s, int from, int to, int before[STATUS_MAX + 1])
{
    int queue[STATUS_MAX + 1] = {from};
    bool seen[STATUS_MAX + 1] = {false};
    size_t head = 0;
    size_t tail = 1;
    seen[from] = true;
    while (head < tail) {
        int at = queue[head++];
        if (at == to)
            return true;
        for (int next = 1; next <= STATUS_MAX; next++) {
            if (!s->allowed[at][next] || seen[next])
                continue;
            seen[next] = true;
            before[next] = at;
            queue[tail++] = next;
        }
    }
    return false;
}

size_t portal_path(const struct portal_settings *s, int from, int to, int out[STATUS_MAX])
{
    int before[STATUS_MAX + 1] = {0};
    if (to < 1 || to > STATUS_MAX || from < 0 || from > STATUS_MAX || from == to)
        return 0;
    bool is_found = search(s, from, to, before);
    if (!is_found && to == 3 && s->late_refusal != 0) {
        to = (int)s->late_refusal;
        is_found = to != from && search(s, from, to, before);
    }
    if (!is_found)
        return 0;
    size_t n = 0;
    for (int at = to; at != from; at = before[at])
        n++;
    size_t i = n;
    for (int at = to; at != from; at = before[at])
        out[--i] = at;
    return n;
}

const char *portal_date(int64_t ms, char buf[PORTAL_DATE])
{
    buf[0] = '\0';
    if (ms == 0)
        return buf;
    /* The zone has no daylight saving: UTC+7 is the whole of it. */
    struct wf_civil t = wf_civil_of(NULL, ms);
    char text[80];
    (void)snprintf(text, sizeof(text), "%04d%02d%02d%02d%02d%02d", t.year, t.month, t.day, t.hour,
                   t.minute, t.second);
    memcpy(buf, text, PORTAL_DATE - 1);
    buf[PORTAL_DATE - 1] = '\0';
    return buf;
}

static size_t digits(struct wf_str text, size_t from)
{
    size_t n = 0;
    while (from + n < text.len && text.ptr[from + n] >= '0' && text.ptr[from + n] <= '9')
        n++;
    return n;
}

void portal_mask(struct wf_str text, char *out, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < text.len && at + 4 < size;) {
        size_t n = digits(text, i);
        if (n >= 9) {
            memcpy(out + at, "***", 3);
            at += 3;
            i += n;
            continue;
        }
        out[at++] = (unsigned char)text.ptr[i] < ' ' ? ' ' : text.ptr[i];
        i++;
    }
    while (at > 0 && !wf_is_utf8(out, at))
        at--; /* a letter was cut in two */
    out[at] = '\0';
}
