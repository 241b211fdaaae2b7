/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chart as Graphviz text. A state with children becomes a cluster; the point inside it stands
 * for the whole (Graphviz draws edges between nodes only), and leads to where the state begins.
 * What a state does without leaving it is written into its box, so that edges are ways out.
 */
#include "tools.h"

#include <inttypes.h>
#include <string.h>

#define COND_MAX 60 /* characters of a guard on an edge; the definition has the rest */

/* Fill colours by portal status; light, so that black text and grey print stay readable. */
static const char *const colours[] = {
    "white",   "#e3f2fd", "#bbdefb", "#ffcdd2", "#fff9c4", "#ffe0b2",
    "#ffccbc", "#e1bee7", "#cfd8dc", "#dcedc8", "#a5d6a7",
};

struct drawing {
    struct view v;
    const struct wf_graph_options *options;
    struct wf_buf *out;
};

/* ---- text ---------------------------------------------------------------------------------- */

static void add_escaped(struct wf_buf *out, const char *text, size_t most)
{
    size_t shown = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (((unsigned char)*c & 0xc0) != 0x80 && shown++ == most) {
            wf_buf_text(out, "…");
            return;
        }
        if (*c == '"' || *c == '\\')
            wf_buf_text(out, "\\");
        if ((unsigned char)*c < 0x20)
            wf_buf_text(out, " ");
        else
            wf_buf_add(out, c, 1);
    }
}

static void add_quoted(struct wf_buf *out, const char *text)
{
    wf_buf_text(out, "\"");
    add_escaped(out, text, SIZE_MAX);
    wf_buf_text(out, "\"");
}

static void add_line(struct wf_buf *out, const char *mark, const char *text)
{
    wf_buf_printf(out, "\\n%s", mark);
    add_escaped(out, text, SIZE_MAX);
}

static void add_words(struct wf_buf *out, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        wf_buf_text(out, i > 0 ? ", " : "");
        add_escaped(out, words[i], SIZE_MAX);
    }
}

/* "event [guard] (roles)": what a way out needs. */
static void add_trigger(struct wf_buf *out, const struct wf_chart_transition *t)
{
    if (t->event != NULL)
        add_escaped(out, t->event, SIZE_MAX);
    if (t->cond != NULL) {
        wf_buf_text(out, t->event != NULL ? "\\n[" : "[");
        add_escaped(out, t->cond, COND_MAX);
        wf_buf_text(out, "]");
    }
    if (t->n_roles > 0) {
        wf_buf_text(out, "\\n(");
        add_words(out, t->roles, t->n_roles);
        wf_buf_text(out, ")");
    }
}

/* ---- states -------------------------------------------------------------------------------- */

static void add_invokes(const struct drawing *d, int state)
{
    for (size_t i = 0; i < d->v.n_invokes; i++) {
        const struct wf_chart_invoke *invoke = &d->v.invokes[i];
        if (invoke->state != state)
            continue;
        add_line(d->out, "▸ ", invoke->activity);
        if (invoke->role != NULL) {
            wf_buf_text(d->out, " (");
            add_escaped(d->out, invoke->role, SIZE_MAX);
            wf_buf_text(d->out, ")");
        }
    }
}

static void add_inner_transitions(const struct drawing *d, int state)
{
    for (size_t i = 0; i < d->v.n_transitions; i++) {
        const struct wf_chart_transition *t = &d->v.transitions[i];
        if (t->source != state || t->n_targets > 0)
            continue;
        wf_buf_text(d->out, "\\n↻ ");
        add_trigger(d->out, t);
    }
}

static void add_count(const struct drawing *d, const char *id)
{
    if (d->options->counts == NULL)
        return;
    int64_t n = wf_value_int(wf_map_get(d->options->counts, id), 0);
    const char *en = n == 1 ? "dossier" : "dossiers";
    wf_buf_printf(d->out, "\\n%" PRId64 " %s", n, d->v.vietnamese ? "hồ sơ" : en);
}

static void add_label(const struct drawing *d, int state)
{
    const struct wf_chart_state *s = &d->v.states[state];
    const char *title = view_title(&d->v, state);
    wf_buf_text(d->out, "label=\"");
    add_escaped(d->out, title, SIZE_MAX);
    if (strcmp(title, s->id) != 0)
        add_line(d->out, "", s->id);
    if (s->status != 0)
        add_line(d->out, "", wf_status_words(s->status, d->v.vietnamese));
    if (s->deadline != NULL)
        add_line(d->out, "⏱ ", s->deadline);
    if (s->clock_stopped)
        add_line(d->out, "⏸ ", d->v.vietnamese ? "dừng tính thời hạn" : "clock stopped");
    if (s->outcome != NULL)
        add_line(d->out, "= ", s->outcome);
    add_invokes(d, state);
    add_inner_transitions(d, state);
    add_count(d, s->id);
    wf_buf_text(d->out, "\"");
}

static const char *colour_of(const struct drawing *d, int state)
{
    int status = view_status(&d->v, state);
    return status >= 0 && (size_t)status < WF_COUNT(colours) ? colours[status] : colours[0];
}

static void draw_leaf(const struct drawing *d, int state)
{
    const struct wf_chart_state *s = &d->v.states[state];
    add_quoted(d->out, s->id);
    if (view_is_history(&d->v, state)) {
        wf_buf_printf(d->out, " [shape=circle, label=\"%s\", width=0.3];\n",
                      s->kind == WF_STATE_HISTORY ? "H" : "H*");
        return;
    }
    wf_buf_printf(d->out, " [shape=box, style=\"rounded,filled\", fillcolor=\"%s\", ",
                  colour_of(d, state));
    if (s->kind == WF_STATE_FINAL)
        wf_buf_text(d->out, "peripheries=2, ");
    add_label(d, state);
    wf_buf_text(d->out, "];\n");
}

static void draw_states(const struct drawing *d, int outer);

static void draw_cluster(const struct drawing *d, int state)
{
    const struct wf_chart_state *s = &d->v.states[state];
    bool is_region = s->parent >= 0 && d->v.states[s->parent].kind == WF_STATE_PARALLEL;
    int initial = view_initial(&d->v, state);
    wf_buf_text(d->out, "subgraph \"cluster_");
    add_escaped(d->out, s->id, SIZE_MAX);
    wf_buf_printf(d->out, "\" {\nstyle=\"%s\"; ", is_region ? "rounded,dashed" : "rounded");
    add_label(d, state);
    wf_buf_text(d->out, ";\n");
    add_quoted(d->out, s->id);
    wf_buf_text(d->out, " [shape=point, width=0.08];\n");
    draw_states(d, state);
    wf_buf_text(d->out, "}\n");
    if (initial >= 0) {
        add_quoted(d->out, s->id);
        wf_buf_text(d->out, " -> ");
        add_quoted(d->out, d->v.states[initial].id);
        wf_buf_text(d->out, " [style=dotted];\n");
    }
}

static void draw_states(const struct drawing *d, int outer)
{
    for (size_t i = 0; i < d->v.n_states; i++) {
        if (d->v.states[i].parent != outer)
            continue;
        if (view_has_children(&d->v, (int)i))
            draw_cluster(d, (int)i);
        else
            draw_leaf(d, (int)i);
    }
}

/* ---- edges --------------------------------------------------------------------------------- */

/* Graphviz cuts an edge at a cluster's border only where the other end lies outside of it. */
static void add_border(const struct drawing *d, const char *key, int at, int other)
{
    if (at < 0 || !view_has_children(&d->v, at) || view_is_inside(&d->v, other, at))
        return;
    wf_buf_printf(d->out, ", %s=\"cluster_", key);
    add_escaped(d->out, d->v.states[at].id, SIZE_MAX);
    wf_buf_text(d->out, "\"");
}

static void draw_edge(const struct drawing *d, const struct wf_chart_transition *t, int target)
{
    bool is_timer = t->event != NULL &&
                    (wf_starts_with(t->event, "deadline.") || strcmp(t->event, "overdue") == 0);
    add_quoted(d->out, t->source >= 0 ? d->v.states[t->source].id : "(start)");
    wf_buf_text(d->out, " -> ");
    add_quoted(d->out, d->v.states[target].id);
    wf_buf_text(d->out, " [label=\"");
    add_trigger(d->out, t);
    wf_buf_printf(d->out, "\"%s", is_timer ? ", color=\"#c62828\"" : "");
    add_border(d, "ltail", t->source, target);
    add_border(d, "lhead", target, t->source);
    wf_buf_text(d->out, "];\n");
}

static void draw_start(const struct drawing *d)
{
    const int *initial = NULL;
    size_t n = wf_chart_initial(d->v.p->chart, &initial);
    wf_buf_text(d->out, "\"(start)\" [shape=circle, style=filled, fillcolor=black, label=\"\", "
                        "width=0.2];\n");
    for (size_t i = 0; i < n; i++) {
        wf_buf_text(d->out, "\"(start)\" -> ");
        add_quoted(d->out, d->v.states[initial[i]].id);
        wf_buf_text(d->out, " [style=bold");
        add_border(d, "lhead", initial[i], -1);
        wf_buf_text(d->out, "];\n");
    }
}

void wf_procedure_graph(const struct wf_procedure *p, const struct wf_graph_options *options,
                        struct wf_buf *out)
{
    const struct drawing d = {view_of(p, options->vietnamese), options, out};
    wf_buf_text(out, "digraph ");
    add_quoted(out, p->code);
    wf_buf_text(out, " {\ngraph [compound=true, fontname=\"sans-serif\", labelloc=t, label=\"");
    add_escaped(out, view_words(&d.v, &p->title), SIZE_MAX);
    wf_buf_printf(out, "\\n%s %s %" PRId64 "\"];\n", p->code, d.v.vietnamese ? "bản" : "version",
                  p->version);
    wf_buf_text(out, "node [fontname=\"sans-serif\", fontsize=11];\n"
                     "edge [fontname=\"sans-serif\", fontsize=9];\n");
    draw_start(&d);
    draw_states(&d, -1);
    for (size_t i = 0; i < d.v.n_transitions; i++) {
        const struct wf_chart_transition *t = &d.v.transitions[i];
        for (size_t k = 0; k < t->n_targets; k++)
            draw_edge(&d, t, t->targets[k]);
    }
    wf_buf_text(out, "}\n");
}
