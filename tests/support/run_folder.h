/* SPDX-License-Identifier: Apache-2.0 */
/* A run folder of a test's own, with the sockets of whoever opens them there. */
#ifndef TESTS_SUPPORT_RUN_FOLDER_H
#define TESTS_SUPPORT_RUN_FOLDER_H

#include "support/test.h"
#include "workflow/client.h"
#include "workflow/transport.h"

#define SOON_MS 3000

/* Of the test at hand: made anew for each by make_folder. */
extern char run[64];
extern struct wf_arena *arena;
extern struct wf_error err;

int make_folder(void **state);
int remove_folder(void **state);

struct wf_hub *open_hub(enum wf_service service, const struct wf_hub_options *options);
struct wf_client *open_client(int64_t timeout_ms, int64_t retry_ms);
/* Waits for the next request; WF_NONE when none comes. */
int next_request(struct wf_hub *hub, struct wf_asker *asker, struct wf_slice *frame);

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

#endif
