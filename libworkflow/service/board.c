/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of shared memory with a slot per worker. It holds nothing that a restart would miss; it
 * lets the supervisor see a stuck write lock, and status see the workers, without asking them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "workflow/service.h"

struct wf_board {
    struct wf_board_slot slots[WF_SERVICE_COUNT];
    struct wf_board_gate gate;
};

int wf_board_open(const char *run, struct wf_board **out, struct wf_error *err)
{
    char path[1100];
    (void)snprintf(path, sizeof(path), "%s/board", run);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660); /* the gate has a user of its own */
    if (fd < 0)
        return wf_fail(err, WF_E_IO, "%s: %s", path, strerror(errno));
    void *page = MAP_FAILED;
    if (ftruncate(fd, (off_t)sizeof(struct wf_board)) == 0)
        page = mmap(NULL, sizeof(struct wf_board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    int failure = errno;
    (void)close(fd);
    if (page == MAP_FAILED)
        return wf_fail(err, WF_E_IO, "%s: %s", path, strerror(failure));
    *out = page;
    return 0;
}

void wf_board_close(struct wf_board *board)
{
    if (board != NULL)
        (void)munmap(board, sizeof(*board));
}

struct wf_board_slot *wf_board_slot(struct wf_board *board, enum wf_service service)
{
    return &board->slots[service];
}

struct wf_board_gate *wf_board_gate(struct wf_board *board)
{
    return &board->gate;
}
