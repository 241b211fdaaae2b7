/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock and seccomp. The constants of Landlock stand here because the headers of Debian 12 know
 * its first version only; what the running kernel knows is asked for.
 */
#include "workflow/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workflow/log.h"
#include "workflow/text.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

/* ---- files and ports: Landlock --------------------------------------------------------------- */

/* linux/landlock.h as of ABI 6 */
enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_DIR = 1 << 4,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_MAKE_SOCK = 1 << 9,
    FS_REFER = 1 << 13,    /* ABI 2 */
    FS_TRUNCATE = 1 << 14, /* ABI 3 */
    FS_OF_ABI_1 = (1 << 13) - 1,
    NET_BIND = 1 << 0, /* ABI 4 */
    NET_CONNECT = 1 << 1,
    SCOPE_ABSTRACT_UNIX = 1 << 0, /* ABI 6 */
    SCOPE_SIGNAL = 1 << 1,
    RULE_PATH_BENEATH = 1,
    CREATE_VERSION = 1
};

enum {
    TO_READ = FS_READ_FILE | FS_READ_DIR,
    TO_WRITE = TO_READ | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |
               FS_MAKE_REG | FS_MAKE_SOCK | FS_REFER | FS_TRUNCATE,
    TO_FILE = FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE /* what a rule on a file may name */
};

struct ruleset {
    uint64_t fs, net, scoped;
};

struct path_rule {
    uint64_t allowed;
    int32_t parent_fd;
} __attribute__((packed));

static int landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
    return abi > 1 ? (int)abi : 0; /* the first one forbids every rename between folders */
}

static struct ruleset handled_by(int abi, const struct wf_sandbox *what)
{
    struct ruleset all = {.fs = what->all_files ? FS_EXECUTE : FS_OF_ABI_1};
    if (abi >= 2)
        all.fs |= FS_REFER;
    if (abi >= 3 && !what->all_files)
        all.fs |= FS_TRUNCATE;
    if (abi >= 4)
        all.net = (what->connects ? 0U : NET_CONNECT) | (what->listens ? 0U : NET_BIND);
    if (abi >= 6)
        all.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
    return all;
}

static size_t size_for(int abi)
{
    return abi >= 6   ? sizeof(struct ruleset)
           : abi >= 4 ? offsetof(struct ruleset, scoped)
                      : offsetof(struct ruleset, net);
}

static int allow_path(int rules, const char *path, uint64_t rights, struct wf_error *err)
{
    struct path_rule rule = {rights, open(path, O_PATH | O_CLOEXEC)};
    if (rule.parent_fd < 0)
        return wf_fail(err, WF_E_CONFIG, "%s: %s", path, strerror(errno));
    long rc = syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0);
    if (rc != 0 && errno == EINVAL) { /* a file: rights of folders have no place there */
        rule.allowed &= TO_FILE;
        rc = syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0);
    }
    int failed = rc != 0 ? errno : 0;
    (void)close(rule.parent_fd);
    return failed == 0 ? 0 : wf_fail(err, WF_E_IO, "landlock: %s: %s", path, strerror(failed));
}

/* Chance, time zone: nothing of the cell's. A system without one does without the rule. */
static const char *const common[] = {"/dev/urandom", "/dev/null", "/etc/localtime",
                                     "/usr/share/zoneinfo"};

static int allow_named(int rules, const struct wf_sandbox *what, uint64_t handled,
                       struct wf_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < what->n_write && rc == 0; i++)
        rc = allow_path(rules, what->write[i], TO_WRITE & handled, err);
    for (size_t i = 0; i < what->n_read && rc == 0; i++)
        rc = allow_path(rules, what->read[i], TO_READ & handled, err);
    if (what->watches && rc == 0 && access("/proc", R_OK) == 0)
        rc = allow_path(rules, "/proc", TO_READ & handled, err);
    for (size_t i = 0; i < WF_COUNT(common) && rc == 0; i++)
        rc =
            access(common[i], R_OK) == 0 ? allow_path(rules, common[i], TO_READ & handled, err) : 0;
    return rc;
}

static int confine_files(const struct wf_sandbox *what, int abi, struct wf_error *err)
{
    struct ruleset all = handled_by(abi, what);
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, size_for(abi), 0);
    if (rules < 0)
        return wf_fail(err, WF_E_IO, "landlock: %s", strerror(errno));
    /* Renames between folders are refused by any set of rules that does not allow them. */
    int rc = what->all_files ? allow_path(rules, "/", FS_REFER, err)
                             : allow_named(rules, what, all.fs, err);
    if (rc == 0 && syscall(SYS_landlock_restrict_self, rules, 0) != 0)
        rc = wf_fail(err, WF_E_IO, "landlock: %s", strerror(errno));
    (void)close(rules);
    return rc;
}

/* ---- calls: seccomp -------------------------------------------------------------------------- */

/* clang-format off */
static const char *const allowed[] = {
    /* memory, threads, time, signals */
    "brk", "mmap", "mremap", "munmap", "mprotect", "madvise", "mlock", "munlock", "msync", "mincore", "membarrier",
    "futex", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity", "sched_setscheduler",
    "sched_getscheduler", "sched_getparam", "gettid", "getpid", "getppid", "tgkill", "exit", "exit_group",
    "restart_syscall", "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday",
    "time", "timerfd_create", "timerfd_settime", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
    "rt_sigtimedwait", "sigaltstack", "signalfd4", "getrandom", "getrusage", "sysinfo", "uname",
    "prlimit64", "getrlimit", "getuid", "geteuid", "getgid", "getegid", "set_tid_address", "prctl",
    /* files */
    "openat", "open", "close", "close_range", "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv",
    "pwritev", "lseek", "fstat", "newfstatat", "stat", "lstat", "statx", "access", "faccessat",
    "faccessat2", "fsync", "fdatasync", "sync_file_range", "ftruncate", "fallocate", "rename",
    "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "link", "linkat",
    "getdents64", "readlink", "readlinkat", "getcwd", "flock", "fcntl", "fchmod", "chmod", "fchmodat",
    "utimensat", "statfs", "fstatfs", "dup", "dup2", "dup3", "umask", "fadvise64", "copy_file_range",
    "sendfile", "ioctl", "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
    /* waiting and sockets */
    "poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_create", "epoll_ctl", "epoll_wait",
    "epoll_pwait", "eventfd2", "pipe2", "pipe", "bind", "listen", "accept", "accept4", "connect",
    "shutdown", "getsockname", "getpeername", "getsockopt", "setsockopt", "sendto", "recvfrom", "sendmsg",
    "recvmsg", "sendmmsg", "recvmmsg", "socketpair",
};

/* No code of ours calls these, so who does is not our code. */
static const char *const hostile[] = {
    "execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev",
    "mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "init_module", "finit_module",
    "delete_module", "kexec_load", "bpf", "perf_event_open", "keyctl", "add_key", "request_key",
    "userfaultfd", "setuid", "setgid", "setreuid", "setresuid", "setgroups", "capset", "reboot",
    "swapon", "swapoff", "settimeofday", "clock_settime", "adjtimex", "sethostname", "quotactl",
    "io_uring_setup", "personality", "modify_ldt", "iopl", "ioperm",
};
/* clang-format on */

static int add(scmp_filter_ctx filter, uint32_t action, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || number < 0)
        return 0; /* this machine has no such call */
    return seccomp_rule_add(filter, action, number, 0);
}

/* Threads, but no processes. The flags of clone3 stand in memory, out of the filter's sight: on this
 * answer the C library falls back to clone. */
static int add_threads(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp thread = {
        .op = SCMP_CMP_MASKED_EQ, .datum_a = CLONE_THREAD, .datum_b = CLONE_THREAD};
    int rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    return rc != 0 ? rc
                   : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, &thread);
}

/* Signal 0 only asks; Landlock refuses it too, but a process that is not there it cannot hide. */
static int add_watching(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp asks = {.arg = 1, .op = SCMP_CMP_EQ, .datum_a = 0};
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1, &asks);
}

static int add_family(scmp_filter_ctx filter, uint32_t action, int family)
{
    const struct scmp_arg_cmp is = {.op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)(unsigned)family};
    return seccomp_rule_add_array(filter, action, SCMP_SYS(socket), 1, &is);
}

static int add_sockets(scmp_filter_ctx filter, bool has_network)
{
    int rc = add_family(filter, SCMP_ACT_ALLOW, AF_UNIX);
    /* ZeroMQ asks for the names of network interfaces when it binds, and gives up only on this
     * answer; with any other it ends the process. */
    if (rc == 0)
        rc = add_family(filter, SCMP_ACT_ERRNO(EOPNOTSUPP), AF_NETLINK);
    if (rc == 0)
        rc = add_family(filter, SCMP_ACT_KILL_PROCESS, AF_PACKET);
    for (int family = AF_INET; has_network && rc == 0; family = AF_INET6) {
        rc = add_family(filter, SCMP_ACT_ALLOW, family);
        if (family == AF_INET6)
            break;
    }
    return rc;
}

static int confine_calls(const struct wf_sandbox *what, struct wf_error *err)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL)
        return wf_fail(err, WF_E_NOMEM, "seccomp: out of memory");
    int rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a long list */
    /* Without it a kernel may slow the whole process down against attacks by code that it runs for
     * others (speculative store bypass): we run no such code. */
    if (rc == 0)
        rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
    for (size_t i = 0; i < WF_COUNT(allowed) && rc == 0; i++)
        rc = add(filter, SCMP_ACT_ALLOW, allowed[i]);
    for (size_t i = 0; i < WF_COUNT(hostile) && rc == 0; i++)
        rc = add(filter, SCMP_ACT_KILL_PROCESS, hostile[i]);
    if (rc == 0)
        rc = add_threads(filter);
    if (rc == 0 && what->watches)
        rc = add_watching(filter);
    if (rc == 0)
        rc = add_sockets(filter, what->listens || what->connects);
    if (rc == 0)
        rc = seccomp_load(filter);
    seccomp_release(filter);
    return rc == 0 ? 0 : wf_fail(err, WF_E_IO, "seccomp: %s", strerror(-rc));
}

/* ---- both ------------------------------------------------------------------------------------ */

int wf_sandbox_enter(const struct wf_sandbox *what, struct wf_sandbox_level *out,
                     struct wf_error *err)
{
    *out = (struct wf_sandbox_level){0};
#if defined(SANITIZED)
    (void)what;
    return 0;
#endif
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return wf_fail(err, WF_E_IO, "no_new_privs: %s", strerror(errno));
    struct wf_sandbox_level level = {.landlock = landlock_abi()};
    int rc = level.landlock > 0 ? confine_files(what, level.landlock, err) : 0;
    bool has_seccomp = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
    if (rc == 0 && has_seccomp) {
        rc = confine_calls(what, err);
        level.seccomp = rc == 0;
    }
    if (rc == 0)
        *out = level;
    return rc;
}

const char *wf_sandbox_words(const struct wf_sandbox_level *level, char *out, size_t size)
{
    if (level->landlock == 0 && !level->seccomp)
        return "none";
    (void)snprintf(out, size, "landlock %d%s", level->landlock, level->seccomp ? ", seccomp" : "");
    return out;
}

int wf_sandbox_apply(const char *setting, const struct wf_sandbox *what, struct wf_error *err)
{
    struct wf_sandbox_level level;
    char words[64];
    if (setting != NULL && strcmp(setting, "off") == 0)
        return 0;
    int rc = wf_sandbox_enter(what, &level, err);
    if (rc == 0)
        wf_log(WF_LOG_INFO, WF_LOG_START_EVENT, NULL, "sandbox: %s",
               wf_sandbox_words(&level, words, sizeof(words)));
    return rc;
}
