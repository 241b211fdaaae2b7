/* SPDX-License-Identifier: Apache-2.0 */
#include "support/run_folder.h"

#include <unistd.h>

#include "workflow/clock.h"

char run[64];
struct wf_arena *arena;
struct wf_error err;

int make_folder(void **state)
{
    (void)state;
    (void)snprintf(run, sizeof(run), "/tmp/hoso-transport-XXXXXX");
    arena = wf_arena_new(0);
    return mkdtemp(run) != NULL && arena != NULL ? 0 : -1;
}

int remove_folder(void **state)
{
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", run);
    wf_arena_free(arena);
    return system(command);
}

struct wf_hub *open_hub(enum wf_service service, const struct wf_hub_options *options)
{
    struct wf_hub *hub = NULL;
    assert_ok(wf_hub_open(run, service, options, &hub, &err), err);
    return hub;
}

struct wf_client *open_client(int64_t timeout_ms, int64_t retry_ms)
{
    const struct wf_client_options options = {.timeout_ms = timeout_ms, .retry_ms = retry_ms};
    struct wf_client *client = NULL;
    assert_ok(wf_client_open(run, &options, &client, &err), err);
    return client;
}

int next_request(struct wf_hub *hub, struct wf_asker *asker, struct wf_slice *frame)
{
    int64_t until = wf_monotonic_ms() + SOON_MS;
    for (;;) {
        int rc = wf_hub_receive(hub, arena, asker, frame, &err);
        int64_t left = until - wf_monotonic_ms();
        int ready;
        if (rc != WF_NONE || left <= 0)
            return rc;
        assert_ok(wf_hub_wait(hub, NULL, 0, left, &ready, &err), err);
    }
}
