/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few pages of shared memory with a slot per process. They hold nothing that a restart would
 * miss; they let the supervisor see a stuck write lock, and status see the processes, without
 * asking them.
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
#define X(process) struct wf_board_##process process;
    WF_BOARD_PROCESSES(X)
#undef X
};

/* From a step in memory to a disk that is in trouble. */
const int64_t wf_board_bounds_us[WF_BOARD_BUCKETS - 1] = {
    10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000};

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

#define X(process)                                                                                 \
    struct wf_board_##process *wf_board_##process(struct wf_board *board)                          \
    {                                                                                              \
        return &board->process;                                                                    \
    }
WF_BOARD_PROCESSES(X)
#undef X

/* ---- counting -------------------------------------------------------------------------------- */

void wf_board_note(struct wf_board_times *times, int64_t us)
{
    size_t i = 0;
    while (i + 1 < WF_BOARD_BUCKETS && us > wf_board_bounds_us[i])
        i++;
    times->counts[i]++;
    times->sum_us += us;
}

void wf_board_error(struct wf_board_slot *slot, int code)
{
    if (code < 0 && code >= -WF_BOARD_ERRORS)
        slot->errors[-code - 1]++;
}

/* ---- the processes that open no store -------------------------------------------------------- */

#define FIGURE_gate(name, kind, help)                                                              \
    {#name, WF_BOARD_##kind, help, offsetof(struct wf_board_gate, name)},
#define FIGURE_bridge(name, kind, help)                                                            \
    {#name, WF_BOARD_##kind, help, offsetof(struct wf_board_bridge, name)},
#define FIGURE_portal(name, kind, help)                                                            \
    {#name, WF_BOARD_##kind, help, offsetof(struct wf_board_portal, name)},
#define FIGURE_folder(name, kind, help)                                                            \
    {#name, WF_BOARD_##kind, help, offsetof(struct wf_board_folder, name)},
#define FIGURE_courier(name, kind, help)                                                           \
    {#name, WF_BOARD_##kind, help, offsetof(struct wf_board_courier, name)},
#define FIGURE_relay(name, kind, help)                                                             \
    {#name, WF_BOARD_##kind, help, offsetof(struct wf_board_relay, name)},

#define X(process)                                                                                 \
    static const struct wf_board_figure process##_figures[] = {                                    \
        WF_BOARD_FIGURES_##process(FIGURE_##process)};
WF_BOARD_PROCESSES(X)
#undef X

static const struct {
    const char *name;
    size_t at, size;
    const struct wf_board_figure *figures;
    size_t n;
} processes[WF_BOARD_PROCESS_COUNT] = {
#define X(process)                                                                                 \
    {#process, offsetof(struct wf_board, process), sizeof(struct wf_board_##process),              \
     process##_figures, WF_COUNT(process##_figures)},
    WF_BOARD_PROCESSES(X)
#undef X
};

const char *wf_board_process_name(enum wf_board_process process)
{
    return processes[process].name;
}

enum wf_board_process wf_board_process_of(const char *name)
{
    unsigned i = 0;
    while (i < WF_BOARD_PROCESS_COUNT && strcmp(processes[i].name, name) != 0)
        i++;
    return (enum wf_board_process)i;
}

void *wf_board_process_begin(struct wf_board *board, enum wf_board_process process)
{
    return memset((char *)board + processes[process].at, 0, processes[process].size);
}

const void *wf_board_process_slot(const struct wf_board *board, enum wf_board_process process)
{
    return (const char *)board + processes[process].at;
}

const struct wf_board_figure *wf_board_figures(enum wf_board_process process, size_t *out_n)
{
    *out_n = processes[process].n;
    return processes[process].figures;
}
