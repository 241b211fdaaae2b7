/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/listen.h - a listening TCP socket of our own, bound to the one address that is named.
 *
 * PURPOSE    libmicrohttpd left to itself listens on all interfaces.
 * ERRORS     WF_E_CONFIG: no address, the text names the setting; WF_E_IO: it cannot be had.
 */
#ifndef HOSO_SERVICES_LISTEN_H
#define HOSO_SERVICES_LISTEN_H

#include "workflow/error.h"

#define LISTEN_PLACE 64

/*
 * "127.0.0.1:8080" or "[::1]:8080"; port 0 is any that is free. Numbers only: a name could mean
 * more than one interface. *out_place becomes the address that was taken. `setting` is for errors.
 */
int listen_at(const char *setting, const char *place, int *out_fd, char out_place[LISTEN_PLACE],
              struct wf_error *err) WF_CHECKED;

#endif
