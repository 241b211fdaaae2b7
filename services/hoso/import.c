/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procedure import: an SCXML document becomes the text of a definition. Element by element and in
 * document order; what a definition has no word for is refused with its line, so that nothing is
 * lost in silence. The text is not checked here: `hoso procedure check` does that.
 */
#include "import.h"

#include <libxml/parser.h>
#include <string.h>

#define DOCUMENT_MAX_BYTES ((size_t)1 << 20)

static void add_states(struct import *in, const xmlNode *parent);

/* ---- transitions --------------------------------------------------------------------------- */

static void add_transition_body(struct import *in, const xmlNode *node)
{
    static const char *const known[] = {"event",      "cond",          "target", "type",
                                        "hoso:roles", "hoso:channels", NULL};
    const char *type = import_attribute(in, node, "type");
    import_known(in, node, known);
    import_text(in, "event", import_attribute(in, node, "event"));
    import_text(in, "cond", import_attribute(in, node, "cond"));
    import_words(in, "target", import_attribute(in, node, "target"), true);
    if (type != NULL && strcmp(type, "internal") == 0)
        import_text(in, "type", type);
    import_words(in, "roles", import_attribute(in, node, "hoso:roles"), false);
    import_words(in, "channels", import_attribute(in, node, "hoso:channels"), false);
    import_actions(in, node, "do");
}

static void open_group(struct import *in, const char *before)
{
    wf_buf_text(in->out, before);
    import_indent(in);
    wf_buf_text(in->out, "{\n");
    in->depth++;
}

static void close_group(struct import *in)
{
    in->depth--;
    import_indent(in);
    wf_buf_text(in->out, "}");
}

/* `on` takes those with an event, `always` those without. */
static void add_transitions(struct import *in, const xmlNode *state, const char *key,
                            bool with_event)
{
    bool is_first = true;
    for (const xmlNode *node = import_first(state); node != NULL; node = import_next(node)) {
        if (!import_is(node, "transition") ||
            (import_attribute(in, node, "event") != NULL) != with_event)
            continue;
        if (is_first) {
            import_indent(in);
            wf_buf_printf(in->out, "%s = (\n", key);
        }
        in->depth++;
        open_group(in, is_first ? "" : ",\n");
        add_transition_body(in, node);
        close_group(in);
        in->depth--;
        is_first = false;
    }
    if (!is_first)
        wf_buf_text(in->out, " );\n");
}

/* <initial> or <history>: one transition, `key = { target; do };` */
static void add_entry_point(struct import *in, const xmlNode *parent, const char *key)
{
    const xmlNode *transition = import_child(parent, "transition");
    if (transition == NULL) {
        import_refuse(in, parent, "<%s> without <transition>: where to begin is missing",
                      (const char *)parent->name);
        return;
    }
    if (import_first(transition) == NULL) {
        import_words(in, key, import_attribute(in, transition, "target"), true);
        return;
    }
    import_indent(in);
    wf_buf_printf(in->out, "%s = {\n", key);
    in->depth++;
    add_transition_body(in, transition);
    in->depth--;
    import_indent(in);
    wf_buf_text(in->out, "};\n");
}

/* ---- states -------------------------------------------------------------------------------- */

static void add_invokes(struct import *in, const xmlNode *state)
{
    static const char *const known[] = {"type", "id", "hoso:role", NULL};
    bool is_first = true;
    for (const xmlNode *node = import_first(state); node != NULL; node = import_next(node)) {
        if (!import_is(node, "invoke"))
            continue;
        if (is_first) {
            import_indent(in);
            wf_buf_text(in->out, "invoke = (\n");
        }
        in->depth++;
        open_group(in, is_first ? "" : ",\n");
        import_known(in, node, known);
        import_text(in, "activity", import_attribute(in, node, "type"));
        import_text(in, "id", import_attribute(in, node, "id"));
        import_text(in, "role", import_attribute(in, node, "hoso:role"));
        import_params(in, node, "param", "name");
        close_group(in);
        in->depth--;
        is_first = false;
    }
    if (!is_first)
        wf_buf_text(in->out, " );\n");
}

static void add_donedata(struct import *in, const xmlNode *node)
{
    const xmlNode *first = import_first(node);
    if (first == NULL)
        return;
    import_indent(in);
    wf_buf_text(in->out, "done = {\n");
    in->depth++;
    if (import_is(first, "content") && import_attribute(in, first, "expr") != NULL) {
        import_expression(in, "data", import_attribute(in, first, "expr"));
    } else if (import_is(first, "content")) {
        import_refuse(in, first, "<content> without expr: a definition gives expressions only");
    } else if (import_is_own(first, NULL) && import_next(first) == NULL &&
               strcmp(import_attribute(in, first, "name") != NULL
                          ? import_attribute(in, first, "name")
                          : "",
                      "data") == 0) {
        import_setting(in, first, false);
    } else {
        import_indent(in);
        wf_buf_text(in->out, "data = {\n");
        in->depth++;
        import_params(in, node, "param", "name");
        in->depth--;
        import_indent(in);
        wf_buf_text(in->out, "};\n");
    }
    in->depth--;
    import_indent(in);
    wf_buf_text(in->out, "};\n");
}

static bool is_state(const xmlNode *node)
{
    static const char *const names[] = {"state", "parallel", "final", "history"};
    for (size_t i = 0; i < WF_COUNT(names); i++) {
        if (import_is(node, names[i]))
            return true;
    }
    return false;
}

static void check_children(struct import *in, const xmlNode *state)
{
    static const char *const names[] = {"onentry",    "onexit",   "invoke",
                                        "transition", "donedata", "initial"};
    for (const xmlNode *node = import_first(state); node != NULL; node = import_next(node)) {
        size_t i = 0;
        while (i < WF_COUNT(names) && !import_is(node, names[i]))
            i++;
        if (i == WF_COUNT(names) && !is_state(node) && !import_is_own(node, "title"))
            import_refuse(in, node, "<%s> in <%s>: a definition has no word for it",
                          (const char *)node->name, (const char *)state->name);
    }
}

static const char *type_of(struct import *in, const xmlNode *node)
{
    const char *type = import_attribute(in, node, "type");
    if (import_is(node, "history"))
        return type != NULL && strcmp(type, "deep") == 0 ? "deep_history" : "history";
    if (import_is(node, "final"))
        return "final";
    return import_is(node, "parallel") ? "parallel" : NULL;
}

static void add_annotations(struct import *in, const xmlNode *node)
{
    static const char *const names[] = {"deadline", "clock", "outcome", "note"};
    const char *status = import_attribute(in, node, "hoso:status");
    if (status != NULL)
        import_expression(in, "status", status);
    for (size_t i = 0; i < WF_COUNT(names); i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "hoso:%s", names[i]);
        import_text(in, names[i], import_attribute(in, node, name));
    }
}

static void add_title(struct import *in, const xmlNode *node)
{
    static const char *const known[] = {"vi", "en", NULL};
    import_known(in, node, known);
    import_indent(in);
    wf_buf_text(in->out, "title = {\n");
    in->depth++;
    import_text(in, "vi", import_attribute(in, node, "vi"));
    import_text(in, "en", import_attribute(in, node, "en"));
    in->depth--;
    import_indent(in);
    wf_buf_text(in->out, "};\n");
}

/* Several <onentry> make one list: the order is kept, though an error ends all of them. */
static void add_content(struct import *in, const xmlNode *state, const char *element,
                        const char *key)
{
    const xmlNode *first = NULL;
    for (const xmlNode *node = import_first(state); node != NULL; node = import_next(node)) {
        if (!import_is(node, element))
            continue;
        if (first != NULL)
            import_refuse(in, node, "a second <%s>: a definition has one list: join them", element);
        first = node;
        import_actions(in, node, key);
    }
}

static void add_state(struct import *in, const xmlNode *node)
{
    static const char *const known[] = {"id",           "initial",       "type",
                                        "hoso:status",  "hoso:deadline", "hoso:clock",
                                        "hoso:outcome", "hoso:note",     NULL};
    const char *id = import_attribute(in, node, "id");
    import_known(in, node, known);
    import_name(in, node, id);
    check_children(in, node);
    import_indent(in);
    wf_buf_printf(in->out, "%s: {\n", id != NULL ? id : "");
    in->depth++;
    import_text(in, "type", type_of(in, node));
    for (const xmlNode *child = import_first(node); child != NULL; child = import_next(child)) {
        if (import_is_own(child, "title"))
            add_title(in, child);
        else if (import_is(child, "initial"))
            add_entry_point(in, child, "initial");
        else if (import_is(child, "donedata"))
            add_donedata(in, child);
    }
    add_annotations(in, node);
    import_words(in, "initial", import_attribute(in, node, "initial"), true);
    add_content(in, node, "onentry", "entry");
    add_content(in, node, "onexit", "exit");
    if (import_is(node, "history")) {
        add_entry_point(in, node, "default");
    } else {
        add_invokes(in, node);
        add_transitions(in, node, "on", true);
        add_transitions(in, node, "always", false);
    }
    add_states(in, node);
    in->depth--;
    import_indent(in);
    wf_buf_text(in->out, "};\n");
}

static void add_states(struct import *in, const xmlNode *parent)
{
    bool is_first = true;
    for (const xmlNode *node = import_first(parent); node != NULL; node = import_next(node)) {
        if (!is_state(node) || in->rc != 0)
            continue;
        if (is_first) {
            import_indent(in);
            wf_buf_text(in->out, "states: {\n");
            in->depth++;
        }
        is_first = false;
        add_state(in, node);
    }
    if (is_first)
        return;
    in->depth--;
    import_indent(in);
    wf_buf_text(in->out, "};\n");
}

/* ---- the document -------------------------------------------------------------------------- */

/* A document of another tool has a chart only: what else a definition needs is to be filled in. */
static void add_placeholders(struct import *in, const xmlNode *root)
{
    const char *name = import_attribute(in, root, "name");
    wf_buf_text(in->out, "  # DECIDE: the document holds the chart only\n"
                         "  code = \"1.000000\"; version = 1;\n");
    import_indent(in);
    wf_buf_text(in->out, "title = { vi = ");
    import_quote(in, name != NULL ? name : "Tên thủ tục");
    wf_buf_text(in->out, "; en = ");
    import_quote(in, name != NULL ? name : "Name of the procedure");
    wf_buf_text(in->out, "; };\n"
                         "  level = \"commune\"; channels = [ \"one_stop\" ];\n"
                         "  time_limit = \"3 working days\";\n");
}

static void add_top(struct import *in, const xmlNode *root)
{
    bool has_definition = false;
    for (const xmlNode *node = import_first(root); node != NULL && in->rc == 0;
         node = import_next(node)) {
        if (import_is_own(node, "definition")) {
            has_definition = true;
            for (const xmlNode *s = import_first(node); s != NULL; s = import_next(s))
                import_setting(in, s, false);
        } else if (import_is_own(node, "initial")) {
            add_entry_point(in, node, "initial");
        } else if (import_is(node, "datamodel")) {
            import_indent(in);
            wf_buf_text(in->out, "data: {\n");
            in->depth++;
            import_params(in, node, "data", "id");
            in->depth--;
            import_indent(in);
            wf_buf_text(in->out, "};\n");
        } else if (!is_state(node)) {
            import_refuse(in, node, "<%s> in <scxml>: a definition has no word for it",
                          (const char *)node->name);
        }
    }
    if (!has_definition)
        add_placeholders(in, root);
}

static void add_document(struct import *in, const xmlNode *root)
{
    static const char *const known[] = {"version", "datamodel", "name", "initial", "binding", NULL};
    const char *binding = import_attribute(in, root, "binding");
    if (!import_is(root, "scxml")) {
        import_refuse(in, root, "<%s>: the root of an SCXML document is <scxml>",
                      (const char *)root->name);
        return;
    }
    import_known(in, root, known);
    if (binding != NULL && strcmp(binding, "early") != 0)
        import_refuse(in, root, "binding \"%.20s\": definitions bind early", binding);
    wf_buf_text(in->out, "# SPDX-License-Identifier: Apache-2.0\n\nprocedure: {\n");
    in->depth = 1;
    add_top(in, root);
    import_words(in, "initial", import_attribute(in, root, "initial"), true);
    add_states(in, root);
    wf_buf_text(in->out, "};\n");
}

static void stay_silent(void *context, const char *fmt, ...)
{
    (void)context;
    (void)fmt;
}

static int parse(struct hoso *h, const char *file, const struct wf_buf *text, xmlDoc **out)
{
    xmlSetGenericErrorFunc(NULL, stay_silent);
    xmlDoc *doc = xmlReadMemory((const char *)text->ptr, (int)text->len, file, NULL,
                                XML_PARSE_NONET | XML_PARSE_NOCDATA);
    const xmlError *why = xmlGetLastError();
    if (doc == NULL)
        return wf_fail(&h->err, WF_E_CONFIG, "%s:%d: no XML: %.200s", file,
                       why != NULL ? why->line : 0,
                       why != NULL && why->message != NULL
                           ? wf_arena_strndup(h->arena, why->message, strcspn(why->message, "\n"))
                           : "cannot be read");
    if (doc->intSubset != NULL || doc->extSubset != NULL) {
        xmlFreeDoc(doc);
        return wf_fail(&h->err, WF_E_CONFIG, "%s: document types are not read: remove <!DOCTYPE>",
                       file);
    }
    *out = doc;
    return 0;
}

int hoso_procedure_import(struct hoso *h)
{
    const char *file = h->args[0];
    struct wf_buf text = {0};
    struct wf_buf definition = {0};
    xmlDoc *doc = NULL;
    struct import in = {.h = h, .file = file, .out = &definition};
    in.rc = hoso_read_file(h, file, DOCUMENT_MAX_BYTES, &text);
    if (in.rc == 0)
        in.rc = parse(h, file, &text, &doc);
    if (in.rc == 0)
        add_document(&in, xmlDocGetRootElement(doc));
    xmlFreeDoc(doc);
    xmlCleanupParser();
    wf_buf_fini(&text);
    if (in.rc == 0)
        return tool_give(h, &definition);
    wf_buf_fini(&definition);
    return in.rc;
}
