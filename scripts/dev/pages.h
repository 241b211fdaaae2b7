/* SPDX-License-Identifier: Apache-2.0 */
/* scripts/dev/pages.h - pages of docs/ that are made from tables of the code. */
#ifndef DEV_PAGES_H
#define DEV_PAGES_H

#include "workflow/text.h"

void print_log_events(struct wf_buf *out); /* docs/log-events.md */
void print_codes(struct wf_buf *out);      /* docs/codes.md */

#endif
