/* SPDX-License-Identifier: Apache-2.0 */
/* What an intruder could still do: each try in a child that has entered the sandbox of a worker. */
#include "support/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workflow/sandbox.h"
#include "workflow/text.h"

static char own[64];     /* may be written */
static char open_to[96]; /* may be read */
static char closed[96];  /* a file beside them */
static struct wf_error err;

static int make(void **state)
{
    (void)state;
    (void)snprintf(own, sizeof(own), "/tmp/hoso-sandbox-XXXXXX");
    if (mkdtemp(own) == NULL)
        return -1;
    (void)snprintf(open_to, sizeof(open_to), "%s.read", own);
    (void)snprintf(closed, sizeof(closed), "%s.closed", own);
    int fd = open(closed, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    return fd >= 0 && close(fd) == 0 && mkdir(open_to, 0755) == 0 ? 0 : -1;
}

static int clean(void **state)
{
    (void)state;
    char command[320];
    (void)snprintf(command, sizeof(command), "rm -rf '%s' '%s' '%s'", own, open_to, closed);
    return system(command);
}

enum { CANNOT_ENTER = 90, NO_KERNEL = 91 };

/* Runs the act in a child inside the sandbox: its exit status, or minus the signal that ended it. */
static int within(int (*act)(void), const struct wf_sandbox *what)
{
    pid_t child = fork();
    if (child == 0) {
        struct wf_sandbox_level level;
        if (wf_sandbox_enter(what, &level, NULL) != 0)
            _exit(CANNOT_ENTER);
        if (level.landlock == 0 || !level.seccomp)
            _exit(NO_KERNEL);
        _exit(act());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    int is = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    if (is == NO_KERNEL)
        skip();
    assert_int_not_equal(is, CANNOT_ENTER);
    return is;
}

static int inside(int (*act)(void), bool listens)
{
    const char *const writes[] = {own};
    const char *const reads[] = {open_to};
    const struct wf_sandbox what = {
        .write = writes, .n_write = 1, .read = reads, .n_read = 1, .listens = listens};
    return within(act, &what);
}

/* 0 where it went well, else errno. */
static int result(long rc)
{
    return rc >= 0 ? 0 : errno;
}

/* ---- files ----------------------------------------------------------------------------------- */

static int write_own(void)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/new", own);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0 || ftruncate(fd, 100) != 0 || fsync(fd) != 0 || unlink(path) != 0 ? errno : 0;
}

static int write_what_is_to_be_read(void)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/new", open_to);
    return result(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

static int read_folder(void)
{
    return result(open(open_to, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int read_closed(void)
{
    return result(open(closed, O_RDONLY | O_CLOEXEC));
}

static int read_passwords(void)
{
    return result(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int list_root(void)
{
    return result(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int climb(void)
{
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/../../etc/passwd", own);
    return result(open(path, O_RDONLY | O_CLOEXEC));
}

static int link_out(void)
{
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/link", own);
    return link(closed, path) != 0 ? errno : 0;
}

static void only_the_named_folders_are_in_reach(void **state)
{
    (void)state;
    assert_int_equal(inside(write_own, false), 0);
    assert_int_equal(inside(read_folder, false), 0);
    assert_int_equal(inside(write_what_is_to_be_read, false), EACCES);
    assert_int_equal(inside(read_closed, false), EACCES);
    assert_int_equal(inside(read_passwords, false), EACCES);
    assert_int_equal(inside(list_root, false), EACCES);
    assert_int_equal(inside(climb, false), EACCES);
    int linked = inside(link_out, false);
    assert_true(linked == EACCES || linked == EXDEV || linked == EPERM);
}

/* ---- sockets --------------------------------------------------------------------------------- */

static int try_socket(int family, int type)
{
    return result(socket(family, type, 0));
}

static int use_unix(void)
{
    return try_socket(AF_UNIX, SOCK_STREAM);
}

static int use_inet(void)
{
    return try_socket(AF_INET, SOCK_STREAM);
}

static int use_inet6(void)
{
    return try_socket(AF_INET6, SOCK_STREAM);
}

static int use_packets(void)
{
    return try_socket(AF_PACKET, SOCK_RAW);
}

static int use_bluetooth(void)
{
    return try_socket(31, SOCK_RAW);
}

static int bind_port(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return result(bind(fd, (struct sockaddr *)&any, sizeof(any)));
}

static int connect_out(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return result(connect(fd, (struct sockaddr *)&to, sizeof(to)));
}

static void a_worker_has_local_sockets_only(void **state)
{
    (void)state;
    assert_int_equal(inside(use_unix, false), 0);
    assert_int_equal(inside(use_inet, false), EPERM);
    assert_int_equal(inside(use_inet6, false), EPERM);
    assert_int_equal(inside(use_packets, false), -SIGSYS);
    assert_int_equal(inside(use_bluetooth, false), EPERM);
}

static void the_gate_takes_connections_and_makes_none(void **state)
{
    (void)state;
    assert_int_equal(inside(bind_port, true), 0);
    int rc = inside(connect_out, true);
    assert_true(rc == EACCES ||
                rc == ECONNREFUSED); /* kernels before 6.7 have no rules for ports */
    assert_int_equal(inside(use_packets, true), -SIGSYS);
}

static int rename_between_folders(void)
{
    char from[128];
    char to[128];
    (void)snprintf(from, sizeof(from), "%s/new", own);
    (void)snprintf(to, sizeof(to), "%s/new", open_to);
    int fd = open(from, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0 || rename(from, to) != 0 || unlink(to) != 0 ? errno : 0;
}

static void an_adapter_has_the_system_s_files_and_connects(void **state)
{
    (void)state;
    const struct wf_sandbox what = {.connects = true, .all_files = true};
    assert_int_equal(within(read_passwords, &what), 0);
    assert_int_equal(within(write_own, &what), 0);
    assert_int_equal(within(rename_between_folders, &what), 0);
    assert_int_equal(within(connect_out, &what), ECONNREFUSED);
    int rc = within(bind_port, &what);
    assert_true(rc == EACCES || rc == 0); /* kernels before 6.7 have no rules for ports */
    assert_int_equal(within(use_packets, &what), -SIGSYS);
}

static void a_local_adapter_has_the_system_s_files_and_no_network(void **state)
{
    (void)state;
    const struct wf_sandbox what = {.all_files = true};
    assert_int_equal(within(read_passwords, &what), 0);
    assert_int_equal(within(rename_between_folders, &what), 0);
    assert_int_equal(within(use_unix, &what), 0);
    assert_int_equal(within(use_inet, &what), EPERM);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static void *nothing(void *context)
{
    return context;
}

static int start_thread(void)
{
    pthread_t thread;
    int rc = pthread_create(&thread, NULL, nothing, NULL);
    return rc != 0 ? rc : pthread_join(thread, NULL);
}

static int start_process(void)
{
    return result(fork());
}

#define CALL(name, ...)                                                                            \
    static int name(void)                                                                          \
    {                                                                                              \
        return result(syscall(__VA_ARGS__));                                                       \
    }
CALL(do_execve, SYS_execve, "/bin/sh", NULL, NULL)
CALL(do_execveat, SYS_execveat, -1, "/bin/sh", NULL, NULL, 0)
CALL(do_ptrace, SYS_ptrace, PTRACE_TRACEME, 0, 0, 0)
CALL(do_read_memory, SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0)
CALL(do_write_memory, SYS_process_vm_writev, 1, NULL, 0, NULL, 0, 0)
CALL(do_mount, SYS_mount, "none", own, "tmpfs", 0, NULL)
CALL(do_unshare, SYS_unshare, CLONE_NEWUSER)
CALL(do_setns, SYS_setns, 0, 0)
CALL(do_chroot, SYS_chroot, own)
CALL(do_pivot, SYS_pivot_root, own, own)
CALL(do_module, SYS_init_module, NULL, 0, "")
CALL(do_bpf, SYS_bpf, 0, NULL, 0)
CALL(do_perf, SYS_perf_event_open, NULL, 0, 0, 0, 0)
CALL(do_keyctl, SYS_keyctl, 0, 0, 0, 0, 0)
CALL(do_userfault, SYS_userfaultfd, 0)
CALL(do_setuid, SYS_setuid, 0)
CALL(do_reboot, SYS_reboot, 0, 0, 0, NULL)
CALL(do_clock, SYS_clock_settime, 0, NULL)
CALL(do_uring, SYS_io_uring_setup, 1, NULL)
CALL(do_personality, SYS_personality, 0xffffffff)
CALL(do_kill, SYS_kill, 1, 0)
CALL(do_chown, SYS_chown, "/tmp", 0, 0)
CALL(do_mknod, SYS_mknodat, -1, "x", S_IFCHR, 0)
CALL(do_symlink, SYS_symlink, "/etc/passwd", "x")
CALL(do_memfd, SYS_memfd_create, "x", 0)
CALL(do_syslog, SYS_syslog, 3, NULL, 0)

static void threads_may_be_started_and_processes_not(void **state)
{
    (void)state;
    assert_int_equal(inside(start_thread, false), 0);
    assert_int_equal(inside(start_process, false), EPERM);
}

static int ask_for_nobody(void)
{
    return result(syscall(SYS_kill, 0x3ffffff, 0)); /* above the highest that a kernel gives */
}

static int end_parent(void)
{
    return result(syscall(SYS_kill, getppid(), SIGTERM));
}

static int read_status_of_parent(void)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)getppid());
    return result(open(path, O_RDONLY | O_CLOEXEC));
}

static void who_watches_sees_which_processes_live_and_ends_none(void **state)
{
    (void)state;
    const struct wf_sandbox what = {.watches = true};
    assert_int_equal(within(ask_for_nobody, &what), ESRCH);
    assert_int_equal(within(end_parent, &what), EPERM);
    assert_int_equal(within(read_status_of_parent, &what), 0);
    assert_int_equal(within(read_passwords, &what), EACCES);
    assert_int_equal(within(use_inet, &what), EPERM);
    assert_int_equal(inside(ask_for_nobody, false), EPERM);
    assert_int_equal(inside(read_status_of_parent, false), EACCES);
}

static void what_only_an_intruder_calls_ends_the_process(void **state)
{
    (void)state;
    static int (*const acts[])(void) = {
        do_execve, do_execveat, do_ptrace, do_read_memory, do_write_memory,
        do_mount,  do_unshare,  do_setns,  do_chroot,      do_pivot,
        do_module, do_bpf,      do_perf,   do_keyctl,      do_userfault,
        do_setuid, do_reboot,   do_clock,  do_uring,       do_personality,
    };
    for (size_t i = 0; i < WF_COUNT(acts); i++)
        assert_int_equal(inside(acts[i], true), -SIGSYS);
}

static void what_is_not_needed_is_refused(void **state)
{
    (void)state;
    static int (*const acts[])(void) = {do_kill,    do_chown, do_mknod,
                                        do_symlink, do_memfd, do_syslog};
    for (size_t i = 0; i < WF_COUNT(acts); i++)
        assert_int_equal(inside(acts[i], false), EPERM);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    (void)state;
    const char *const missing[] = {"/nowhere/at/all"};
    const struct wf_sandbox what = {.write = missing, .n_write = 1};
    struct wf_sandbox_level level;
    pid_t child = fork();
    if (child == 0) {
        int rc = wf_sandbox_enter(&what, &level, &err);
        bool is_named = rc == WF_E_CONFIG && strstr(err.text, "/nowhere/at/all") != NULL;
        _exit(rc == 0 && level.landlock == 0 ? NO_KERNEL : is_named ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_KERNEL)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_level_is_told_in_words(void **state)
{
    (void)state;
    char words[64];
    assert_string_equal(wf_sandbox_words(&(struct wf_sandbox_level){4, true}, words, sizeof(words)),
                        "landlock 4, seccomp");
    assert_string_equal(wf_sandbox_words(&(struct wf_sandbox_level){0}, words, sizeof(words)),
                        "none");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(only_the_named_folders_are_in_reach),
        CASE(a_worker_has_local_sockets_only),
        CASE(the_gate_takes_connections_and_makes_none),
        CASE(an_adapter_has_the_system_s_files_and_connects),
        CASE(a_local_adapter_has_the_system_s_files_and_no_network),
        CASE(threads_may_be_started_and_processes_not),
        CASE(who_watches_sees_which_processes_live_and_ends_none),
        CASE(what_only_an_intruder_calls_ends_the_process),
        CASE(what_is_not_needed_is_refused),
        CASE(a_folder_that_is_not_there_is_named),
        CASE(the_level_is_told_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
