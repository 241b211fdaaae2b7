/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refused connections in the log: a line for each address and minute, and no more lines than there
 * are places in the table, so that a flood of knocks is no flood of lines. All are counted
 * (unknown_keys, crowded, unproved of the gate's board).
 */
#include <string.h>

#include "gate/gate.h"

#define QUIET_MS 60000

static const char *const reasons[WF_REFUSED_REASONS] = {
    [WF_REFUSED_KEY] = "its key is not registered here, or was revoked",
    [WF_REFUSED_CROWD] = "its party has as many connections as gate_party_connections allows",
    [WF_REFUSED_SHAKE] = "it proved no key: no CURVE, another gate's key, or silence"};

/* Places are taken again when their minute is over; while all are taken, nothing new is told. */
bool strangers_is_new(struct gate *gate, const char *address, int64_t now_ms)
{
    struct stranger *place = NULL;
    for (size_t i = 0; i < gate->n_strangers; i++) {
        struct stranger *one = &gate->strangers[i];
        bool is_over = now_ms >= one->quiet_ms;
        if (!is_over && strcmp(one->address, address) == 0)
            return false;
        if (is_over)
            place = one;
    }
    if (place == NULL && gate->n_strangers < STRANGERS_MAX)
        place = &gate->strangers[gate->n_strangers++];
    if (place == NULL || !wf_str_copy(wf_str(address), place->address, sizeof(place->address)))
        return false;
    place->quiet_ms = now_ms + QUIET_MS;
    return true;
}

void strangers_note(struct gate *gate, int64_t now_ms)
{
    struct wf_refusal refusal;
    while (wf_door_refusal(gate->door, &refusal) == 0) {
        if (strangers_is_new(gate, refusal.address, now_ms))
            wf_log(WF_LOG_WARN, WF_LOG_STRANGER_EVENT, NULL, "a connection from %s was refused: %s",
                   refusal.address[0] != '\0' ? refusal.address : "this host",
                   reasons[refusal.why]);
    }
}
