/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/procedure_tools.h - definitions for people: drawn, compared, explained, begun,
 * exchanged.
 *
 * PURPOSE    What those who write and use definitions need beside running them. All of it is pure:
 *            a definition in, text or values out.
 * CONCEPTS   graph     the chart as Graphviz text (DOT)
 *            change    one difference between two definitions, see wf_procedure_diff
 *            skeleton  a commented definition that passes the checks, to begin from
 *            SCXML     the W3C's exchange format; what it has no word for stands in the namespace
 *                      WF_SCXML_NAMESPACE (docs/procedures.md lists it)
 * OWNERSHIP  texts go to the caller's buffer, values live in the caller's arena.
 * ERRORS     a buffer whose `failed` is set, or NULL, when memory is out; nothing else can fail.
 */
#ifndef WORKFLOW_PROCEDURE_TOOLS_H
#define WORKFLOW_PROCEDURE_TOOLS_H

#include "workflow/procedure.h"
#include "workflow/registry.h"

/* The portal's words for its status 1..10; "" for any other number. */
const char *wf_status_words(int status, bool vietnamese);

/* A limit in words: "3 ngày làm việc", "3 working days"; buf is returned. 64 bytes are enough. */
const char *wf_limit_words(struct wf_limit limit, bool vietnamese, char *buf, size_t size);

struct wf_graph_options {
    bool vietnamese;
    const struct wf_value
        *counts; /* map: state id -> number of dossiers in it; NULL = none shown */
};

/* Adds the chart as DOT: one node for each state, one edge for each way out. */
void wf_procedure_graph(const struct wf_procedure *p, const struct wf_graph_options *options,
                        struct wf_buf *out);

/*
 * What b has otherwise than a: a list of maps {what, id, change, member, from, to}. what is one of
 * setting, data, paper, field, result, state, transition; change is added, removed, changed or
 * reordered; member names what changed (or is absent); from and to are texts as in a file. Empty
 * where the definitions say the same; comments, the order of settings and `version` do not count.
 */
const struct wf_value *wf_procedure_diff(const struct wf_procedure *a, const struct wf_procedure *b,
                                         struct wf_arena *arena);

/* The list as lines: "+ paper mandate", "~ state examine: deadline: \"1 working day\" -> ...". */
void wf_procedure_diff_lines(const struct wf_value *changes, struct wf_buf *out);

/*
 * A page for the people at the desk: what it is, papers, fee, limit, who decides, the steps in
 * order, what happens when it is late, refused, withdrawn. The registry gives the names of roles;
 * NULL = their ids are shown.
 */
void wf_procedure_explain(const struct wf_procedure *p, const struct wf_registry *registry,
                          bool vietnamese, struct wf_buf *out);

/* A definition to begin from. NULL titles give a text to be replaced. */
void wf_procedure_skeleton(const char *code, const char *title_vi, const char *title_en,
                           struct wf_buf *out);

#define WF_SCXML_NAMESPACE "urn:hoso:procedure:1"

/* The definition as an SCXML document. */
void wf_procedure_scxml(const struct wf_procedure *p, struct wf_buf *out);

/* Adds text to an XML document, as content or attribute: marks become entities. */
void wf_xml_text(struct wf_buf *out, struct wf_str text);

#endif
