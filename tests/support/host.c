/* SPDX-License-Identifier: Apache-2.0 */
#include "support/host.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY_MS 15000
#define STOP_MS  10000

void sleep_ms(int64_t ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&time, NULL);
}

unsigned host_free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    (void)close(fd);
    return ntohs(at.sin_port);
}

/* ---- processes --------------------------------------------------------------------------------
 */

static int exit_code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The worker's log goes to CELL/log, so that a failed test can be looked into. */
static void become(const struct host *host, const char *faults, const char *const argv[])
{
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/log", host->folder);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (log >= 0)
        (void)dup2(log, STDERR_FILENO);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
    if (faults != NULL)
        (void)setenv("WF_FAULTS", faults, 1);
    else
        (void)unsetenv("WF_FAULTS");
    (void)execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static pid_t spawn(const struct host *host, const char *faults, const char *const argv[])
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        become(host, faults, argv);
    return pid;
}

static void run_hoso(const struct host *host, const char *const argv[])
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)!freopen("/dev/null", "w", stdout);
        become(host, NULL, argv);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (exit_code(status) != 0)
        fail_msg("%s %s gave %d; see %s/log", argv[0], argv[1], exit_code(status), host->folder);
}

#define WORDS_MOST 32

void host_hoso(const struct host *host, const char *const words[])
{
    const char *argv[WORDS_MOST + 4] = {BUILD_ROOT "/services/hoso"};
    size_t n = 1;
    for (; words[n - 1] != NULL; n++) {
        assert_true(n < WORDS_MOST);
        argv[n] = words[n - 1];
    }
    argv[n++] = "--cell";
    argv[n++] = host->folder;
    argv[n] = NULL;
    run_hoso(host, argv);
}

/* ---- the cell ---------------------------------------------------------------------------------
 */

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void init_cell(struct host *host)
{
    const char *const init[] = {
        BUILD_ROOT "/services/hoso", "init",          host->folder,          "--procedures",
        SOURCE_ROOT "/procedures",   "--config-from", SOURCE_ROOT "/config", NULL};
    const char *const install[] = {BUILD_ROOT "/services/hoso",
                                   "procedure",
                                   "install",
                                   SOURCE_ROOT "/bench/six-steps.cfg",
                                   "--cell",
                                   host->folder,
                                   "--by",
                                   "test",
                                   NULL};
    run_hoso(host, init);
    run_hoso(host, install);
}

void host_new(struct host *host, const char *base, const char *settings)
{
    char path[160];
    memset(host, 0, sizeof(*host));
    if (base == NULL)
        base = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    (void)snprintf(host->folder, sizeof(host->folder), "%.60s/hoso-XXXXXX", base);
    assert_non_null(mkdtemp(host->folder));
    (void)snprintf(host->run, sizeof(host->run), "%s/run", host->folder);
    (void)snprintf(host->store, sizeof(host->store), "%s/store", host->folder);
    (void)snprintf(path, sizeof(path), "%s/hoso.cfg", host->folder);
    write_file(path, settings);
    init_cell(host);
}

static void remove_folder(const char *path)
{
    struct dirent *entry = NULL;
    DIR *folder = opendir(path);
    if (folder == NULL) {
        (void)unlink(path);
        return;
    }
    while ((entry = readdir(folder)) != NULL) {
        char inner[512];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        (void)snprintf(inner, sizeof(inner), "%.240s/%s", path, entry->d_name);
        remove_folder(inner);
    }
    (void)closedir(folder);
    (void)rmdir(path);
}

void host_close(struct host *host)
{
    for (int s = 0; s < WF_SERVICE_COUNT; s++) {
        if (host->pids[s] > 0)
            (void)host_stop(host, (enum wf_service)s, SIGKILL);
    }
    if (host->gate > 0)
        (void)host_stop_gate(host, SIGKILL);
    if (getenv("KEEP") == NULL)
        remove_folder(host->folder);
    else
        print_message("kept: %s\n", host->folder);
}

/* ---- workers ----------------------------------------------------------------------------------
 */

static bool wait_ready(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    char line[8];
    if (poll(&wait, 1, READY_MS) != 1)
        fail_msg("a worker was not ready within %d ms", READY_MS);
    return read(fd, line, sizeof(line)) > 0;
}

static bool start(const struct host *host, const char *name, const char *faults, pid_t *out_pid,
                  int *out_exit)
{
    char program[512];
    char config[160];
    char number[16];
    int ready[2];
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    int given = fcntl(ready[1], F_DUPFD, 3); /* without close-on-exec */
    (void)snprintf(program, sizeof(program), "%s/services/hoso-%s", BUILD_ROOT, name);
    (void)snprintf(config, sizeof(config), "%s/hoso.cfg", host->folder);
    (void)snprintf(number, sizeof(number), "%d", given);
    const char *const argv[] = {program, "--config", config, "--ready-fd", number, NULL};
    pid_t pid = spawn(host, faults, argv);
    (void)close(given);
    (void)close(ready[1]);
    bool is_ready = wait_ready(ready[0]);
    (void)close(ready[0]);
    if (is_ready) {
        *out_pid = pid;
        return true;
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (out_exit != NULL)
        *out_exit = exit_code(status);
    return false;
}

bool host_start(struct host *host, enum wf_service service, const char *faults, int *out_exit)
{
    return start(host, wf_service_word(service), faults, &host->pids[service], out_exit);
}

bool host_start_gate(struct host *host, int *out_exit)
{
    return start(host, "gate", NULL, &host->gate, out_exit);
}

void host_start_all(struct host *host)
{
    for (int s = 0; s < WF_SERVICE_COUNT; s++) {
        if (host->pids[s] == 0 && !host_start(host, (enum wf_service)s, NULL, NULL))
            fail_msg("%s does not start; see %s/log", wf_service_word((enum wf_service)s),
                     host->folder);
    }
}

static bool has_ended(pid_t *pid, int *out_exit)
{
    int status = 0;
    if (*pid == 0 || waitpid(*pid, &status, WNOHANG) == 0)
        return false;
    *pid = 0;
    *out_exit = exit_code(status);
    return true;
}

static int stop(pid_t *pid, const char *name, int signal)
{
    int code = -1;
    assert_true(*pid > 0);
    (void)kill(*pid, signal);
    for (int waited = 0; waited < STOP_MS; waited++) {
        if (has_ended(pid, &code))
            return code;
        sleep_ms(1);
    }
    (void)kill(*pid, SIGKILL);
    fail_msg("%s did not stop within %d ms", name, STOP_MS);
    return -1;
}

bool host_has_ended(struct host *host, enum wf_service service, int *out_exit)
{
    return has_ended(&host->pids[service], out_exit);
}

int host_stop(struct host *host, enum wf_service service, int signal)
{
    return stop(&host->pids[service], wf_service_word(service), signal);
}

int host_stop_gate(struct host *host, int signal)
{
    return stop(&host->gate, "gate", signal);
}

void host_stop_all(struct host *host)
{
    for (int s = 0; s < WF_SERVICE_COUNT; s++) {
        if (host->pids[s] > 0)
            assert_int_equal(host_stop(host, (enum wf_service)s, SIGTERM), 0);
    }
}

/* ---- dossiers ---------------------------------------------------------------------------------
 */

struct wf_msg_dossier_submit host_dossier(struct wf_arena *arena, const char *note)
{
    struct wf_value *fields = wf_map(arena);
    wf_map_put(arena, fields, "full_name", wf_text(arena, "Trần Văn Đo"));
    wf_map_put(arena, fields, "note", wf_text(arena, note));
    return (struct wf_msg_dossier_submit){.procedure = wf_str(SIX_STEPS),
                                          .channel = wf_str("one_stop"),
                                          .site = wf_str("000.00.13.H30"),
                                          .by = wf_str("counter-2"),
                                          .role = wf_str("civil_servant"),
                                          .fields = fields};
}

int host_submit(struct wf_client *client, const char *id, const char *note, int64_t wait_ms,
                char out_code[65], struct wf_error *err)
{
    int64_t until = wf_monotonic_ms() + wait_ms;
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_msg_dossier_submit body = host_dossier(arena, note);
    struct wf_envelope answer = {0};
    int rc = 0;
    do {
        rc = wf_client_again(client, WF_INTAKE, WF_MSG_dossier_submit, &body, id, arena, &answer,
                             err);
    } while ((rc == WF_E_TIMEOUT || rc == WF_E_BUSY) && wf_monotonic_ms() < until);
    if (rc == 0) {
        const struct wf_msg_dossier_state *state = answer.body;
        (void)wf_str_copy(state->dossier, out_code, 65);
    }
    wf_arena_free(arena);
    return rc;
}

struct wf_counts host_counts(struct host *host)
{
    struct wf_store_options options = {.read_only = true};
    struct wf_store *store = NULL;
    struct wf_txn *txn = NULL;
    struct wf_error err = {0};
    assert_ok(wf_store_open(host->store, &options, &store, &err), err);
    assert_ok(wf_txn_begin(store, false, &txn, &err), err);
    struct wf_counts counts = *wf_txn_counts(txn);
    wf_txn_abort(txn);
    wf_store_close(store);
    return counts;
}

bool host_settle(struct host *host, int64_t wait_ms)
{
    int64_t until = wf_monotonic_ms() + wait_ms;
    for (;;) {
        struct wf_counts counts = host_counts(host);
        int64_t queued = 0;
        for (size_t s = 0; s < WF_SERVICE_COUNT; s++)
            queued += counts.queued[s];
        if (counts.open == 0 && queued == 0)
            return true;
        if (wf_monotonic_ms() > until)
            return false;
        sleep_ms(20);
    }
}
