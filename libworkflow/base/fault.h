/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/fault.h - named places at which a test can make the program fail.
 *
 * PURPOSE    Proves what a crash, a full disk or a lack of memory leaves behind, at the places
 *            where it matters. Compiled only with -Dfault_injection=true; else WF_FAULT is 0.
 * USE        WF_FAULTS=store.commit.before:2=exit,store.put:1=full
 *            at the n-th passage (from 1): exit (at once, status 99), kill (SIGKILL to itself),
 *            io, full or nomem (the code that the place then returns). A name or action that is
 *            not known ends the program with status 98, so that a typo cannot pass as a success.
 * EXAMPLE    int rc = WF_FAULT("store.put");
 *            if (rc < 0)
 *                return wf_fail(err, rc, "fault point");
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include "workflow/error.h"

/* clang-format off */
#define WF_FAULT_POINTS(X)                                                                \
    X("store.create.folder")   /* the folder is there, nothing in it */                   \
    X("store.create.aside")    /* the folder for building is there */                     \
    X("store.create.built")    /* first commit made, not yet synced as a file */          \
    X("store.create.synced")   /* whole and synced, not yet in place */                   \
    X("store.create.renamed")  /* in place, folder not yet synced */                      \
    X("store.aside.copied")    /* the copy is whole, the old file in place */             \
    X("store.aside.kept")      /* the old file has its second name */                     \
    X("store.aside.renamed")   /* the new file in place, its folder not yet synced */     \
    X("store.upgrade.step")    /* a step is done, nothing on disk */                      \
    X("store.open")                                                                       \
    X("store.begin")                                                                      \
    X("store.put")                                                                        \
    X("store.del")                                                                        \
    X("store.commit.before")   /* all written in memory, nothing on disk */               \
    X("store.commit.after")    /* on disk, and nobody told */                             \
    X("papers.append")         /* a piece of an upload is written */                      \
    X("papers.checked")        /* an upload has its hash, on disk, not yet in place */    \
    X("papers.placed")         /* in place, its folder not yet synced */                  \
    X("papers.synced")         /* whole, and nobody told */                               \
    X("archive.written")       /* changes in their file, not synced */                    \
    X("archive.synced")        /* changes on disk, still in the store too */              \
    X("service.receive")       /* a batch was received and nothing done */                \
    X("service.speak")         /* a batch is on disk, its answers not sent */
/* clang-format on */

#if defined(WF_FAULT_INJECTION)
#define WF_FAULT(point) wf_fault(point)

/* Passes the point: 0, or the code to fail with; may not return. */
int wf_fault(const char *point);

/* Replaces what WF_FAULTS had asked for and starts to count anew; "" = no faults. */
void wf_fault_set(const char *spec);
#else
#define WF_FAULT(point) 0
#endif

/* As WF_FAULT, with a text. */
static inline int wf_fault_pass(const char *point, struct wf_error *err)
{
    (void)point;
    int rc = WF_FAULT(point);
    return rc < 0 ? wf_fail(err, rc, "fault point") : 0;
}

#endif
