/* SPDX-License-Identifier: Apache-2.0 */
/* scripts/dev/constants.h - the tables of messages and errors as source text for the clients. */
#ifndef DEV_CONSTANTS_H
#define DEV_CONSTANTS_H

#include "workflow/text.h"

void print_python(struct wf_buf *out); /* clients/python/hoso_client/messages.py */
void print_node(struct wf_buf *out);   /* clients/node/lib/messages.js */

#endif
