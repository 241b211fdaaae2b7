/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/sandbox.h - what a process gives up before it reads its first outside byte.
 *
 * PURPOSE    A worker, the gate, the bridge or the exporter needs a few folders, a few kinds of sockets and some
 *            eighty system calls; an adapter the files of the system too, to ask for names and prove
 *            certificates. Whoever takes such a process over shall have no more than that.
 * CONCEPTS   files    Landlock (kernel 5.19, TCP ports 6.7): only the folders that are named; no
 *                     program can be started from them
 *            calls    seccomp (libseccomp): a list of calls that are allowed. What only an
 *                     intruder would try (exec, ptrace, mount, raw sockets ...) ends the process;
 *                     all else fails with EPERM
 *            level    what the kernel had: an older one gives less, and the log says so
 * LIFE CYCLE once per process, before its first thread; there is no way back.
 * ERRORS     WF_E_IO: the kernel has it and refused; WF_E_CONFIG: a folder is not there.
 * DANGERS    what is not there when it is entered can still be made below the named folders, but a
 *            named folder that is replaced by another one is out of reach.
 * THREADS    threads and children inherit it.
 */
#ifndef WORKFLOW_SANDBOX_H
#define WORKFLOW_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "workflow/error.h"

struct wf_sandbox {
    const char *const *write; /* folders: files below may be read, written, made and removed */
    size_t n_write;
    const char *const *read; /* folders and files that may be read */
    size_t n_read;
    bool listens;   /* may bind TCP ports and take connections */
    bool connects;  /* may connect to TCP ports, and ask for names */
    bool watches;   /* may ask whether other processes live, and read /proc */
    bool all_files; /* files stay in reach, as the unit bounds them, but none may be executed; the
                       folders above have no part in it */
};

struct wf_sandbox_level {
    int landlock; /* ABI of the kernel, 0 = it has none */
    bool seccomp;
};

/* An address sanitizer needs what is given up here: built with one, this does nothing. */
int wf_sandbox_enter(const struct wf_sandbox *what, struct wf_sandbox_level *out,
                     struct wf_error *err) WF_CHECKED;

/* The same as the setting `sandbox` wants it (NULL = "auto"; "off": nothing is given up), and tells
 * the level in the log. */
int wf_sandbox_apply(const char *setting, const struct wf_sandbox *what,
                     struct wf_error *err) WF_CHECKED;

/* "landlock 4, seccomp", for the log. */
const char *wf_sandbox_words(const struct wf_sandbox_level *level, char *out, size_t size);

#endif
