/* SPDX-License-Identifier: Apache-2.0 */
/* The two ends of an import: looking at XML, and writing settings. */
#include "import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/procedure_tools.h"

#define WORD_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-*"

void import_refuse(struct import *in, const xmlNode *node, const char *fmt, ...)
{
    char what[300];
    va_list args;
    if (in->rc != 0)
        return;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    in->rc = wf_fail(&in->h->err, WF_E_CONFIG, "%s:%ld: %s", in->file,
                     node != NULL ? xmlGetLineNo(node) : 0L, what);
}

/* ---- XML ----------------------------------------------------------------------------------- */

static bool is_in(const xmlNs *ns, const char *href)
{
    return ns != NULL && xmlStrEqual(ns->href, (const xmlChar *)href);
}

static bool is_named(const xmlNode *node, const char *name)
{
    return name == NULL || xmlStrEqual(node->name, (const xmlChar *)name);
}

bool import_is(const xmlNode *node, const char *name)
{
    return is_in(node->ns, SCXML_NAMESPACE) && is_named(node, name);
}

bool import_is_own(const xmlNode *node, const char *name)
{
    return is_in(node->ns, WF_SCXML_NAMESPACE) && is_named(node, name);
}

static const xmlNode *element_from(const xmlNode *node)
{
    while (node != NULL && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

const xmlNode *import_first(const xmlNode *node)
{
    return element_from(node->children);
}

const xmlNode *import_next(const xmlNode *node)
{
    return element_from(node->next);
}

const xmlNode *import_child(const xmlNode *node, const char *name)
{
    const xmlNode *child = import_first(node);
    while (child != NULL && !import_is(child, name))
        child = import_next(child);
    return child;
}

static bool is_attribute(const xmlAttr *attribute, const char *name)
{
    bool own = strncmp(name, "hoso:", 5) == 0;
    if (own != is_in(attribute->ns, WF_SCXML_NAMESPACE) || (!own && attribute->ns != NULL))
        return false;
    return xmlStrEqual(attribute->name, (const xmlChar *)(own ? name + 5 : name));
}

static const char *copied(struct import *in, xmlChar *take_text)
{
    const char *text = take_text != NULL ? wf_arena_strdup(in->h->arena, (const char *)take_text)
                                         : wf_arena_strdup(in->h->arena, "");
    xmlFree(take_text);
    if (text == NULL && in->rc == 0)
        in->rc = wf_fail(&in->h->err, WF_E_NOMEM, "import: out of memory");
    return text;
}

const char *import_attribute(struct import *in, const xmlNode *node, const char *name)
{
    for (const xmlAttr *a = node->properties; a != NULL; a = a->next) {
        if (is_attribute(a, name))
            return copied(in, xmlNodeListGetString(node->doc, a->children, 1));
    }
    return NULL;
}

void import_known(struct import *in, const xmlNode *node, const char *const *names)
{
    for (const xmlAttr *a = node->properties; a != NULL; a = a->next) {
        size_t i = 0;
        while (names[i] != NULL && !is_attribute(a, names[i]))
            i++;
        if (names[i] == NULL)
            import_refuse(in, node, "attribute %s of <%s>: a definition has no word for it",
                          (const char *)a->name, (const char *)node->name);
    }
}

/* ---- settings ------------------------------------------------------------------------------ */

void import_indent(struct import *in)
{
    wf_buf_printf(in->out, "%*s", 2 * in->depth, "");
}

void import_quote(struct import *in, const char *text)
{
    wf_buf_text(in->out, "\"");
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            wf_buf_printf(in->out, "\\%c", *c);
        else if (*c == '\n')
            wf_buf_text(in->out, "\\n");
        else if ((unsigned char)*c < 0x20 || *c == 0x7f)
            wf_buf_printf(in->out, "\\x%02x", (unsigned)(unsigned char)*c);
        else
            wf_buf_add(in->out, c, 1);
    }
    wf_buf_text(in->out, "\"");
}

void import_text(struct import *in, const char *key, const char *text)
{
    if (text == NULL)
        return;
    import_indent(in);
    wf_buf_printf(in->out, "%s = ", key);
    import_quote(in, text);
    wf_buf_text(in->out, ";\n");
}

static void no_memory(struct import *in)
{
    if (in->rc == 0)
        in->rc = wf_fail(&in->h->err, WF_E_NOMEM, "import: out of memory");
}

void import_formula(struct import *in, const char *key, const char *expr)
{
    const char *text = expr != NULL ? wf_arena_printf(in->h->arena, "=%s", expr) : NULL;
    if (expr != NULL && text == NULL)
        no_memory(in);
    import_text(in, key, text);
}

void import_name(struct import *in, const xmlNode *node, const char *name)
{
    if (name == NULL || *name == '\0')
        import_refuse(in, node, "<%s> has no name or id: a definition needs one",
                      (const char *)node->name);
    else if (name[strspn(name, WORD_CHARACTERS)] != '\0' || strchr("0123456789_-", *name) != NULL)
        import_refuse(in, node,
                      "\"%.60s\": names of a definition begin with a letter and hold letters, "
                      "digits, _ and -: rename it",
                      name);
}

/* Numbers, true, false, plain texts and the empty list are literals in both languages. */
static bool is_integer(const char *expr, long long *out)
{
    char *end = NULL;
    errno = 0;
    *out = strtoll(expr, &end, 10);
    return errno == 0 && *expr != '\0' && *end == '\0' && strchr(" +\t\n", *expr) == NULL;
}

static bool is_decimal(const char *expr)
{
    const char *digits = expr + (*expr == '-');
    size_t whole = strspn(digits, "0123456789");
    if (whole == 0 || digits[whole] != '.')
        return false;
    const char *part = digits + whole + 1;
    return *part != '\0' && part[strspn(part, "0123456789")] == '\0';
}

static bool is_plain_text(const char *expr)
{
    size_t length = strlen(expr);
    return length >= 2 && expr[0] == '\'' && expr[length - 1] == '\'' &&
           strcspn(expr + 1, "'\\") == length - 2 && expr[1] != '=';
}

static void add_value(struct import *in, const char *expr)
{
    struct hoso *h = in->h;
    long long number;
    if (is_integer(expr, &number)) {
        wf_buf_printf(in->out, number > INT32_MAX || number < INT32_MIN ? "%lldL" : "%lld", number);
    } else if (is_decimal(expr) || strcmp(expr, "true") == 0 || strcmp(expr, "false") == 0) {
        wf_buf_text(in->out, expr);
    } else if (strcmp(expr, "[]") == 0) {
        wf_buf_text(in->out, "( )");
    } else {
        bool is_text = is_plain_text(expr);
        const char *text = is_text ? wf_arena_strndup(h->arena, expr + 1, strlen(expr) - 2)
                                   : wf_arena_printf(h->arena, "=%s", expr);
        if (text != NULL)
            import_quote(in, text);
        else
            no_memory(in);
    }
}

void import_expression(struct import *in, const char *key, const char *expr)
{
    if (expr == NULL)
        return;
    import_indent(in);
    wf_buf_printf(in->out, "%s = ", key);
    add_value(in, expr);
    wf_buf_text(in->out, ";\n");
}

void import_words(struct import *in, const char *key, const char *words, bool single)
{
    if (words == NULL)
        return;
    const char *separator = " ";
    bool is_list = !single || strpbrk(words + strspn(words, " \t\n"), " \t\n") != NULL;
    import_indent(in);
    wf_buf_printf(in->out, "%s = %s", key, is_list ? "[" : "");
    for (const char *at = words; *(at += strspn(at, " \t\n")) != '\0';) {
        size_t length = strcspn(at, " \t\n");
        const char *word = wf_arena_strndup(in->h->arena, at, length);
        if (word == NULL) {
            no_memory(in);
            return;
        }
        wf_buf_text(in->out, is_list ? separator : "");
        import_quote(in, word);
        separator = ", ";
        at += length;
    }
    wf_buf_text(in->out, is_list ? " ];\n" : ";\n");
}

static void add_container(struct import *in, const xmlNode *node, bool is_group)
{
    wf_buf_text(in->out, is_group ? "{\n" : "(\n");
    in->depth++;
    for (const xmlNode *child = import_first(node); child != NULL; child = import_next(child)) {
        import_setting(in, child, !is_group);
        if (!is_group)
            wf_buf_text(in->out, import_next(child) != NULL ? ",\n" : "\n");
    }
    in->depth--;
    import_indent(in);
    wf_buf_text(in->out, is_group ? "}" : ")");
}

static void add_scalar(struct import *in, const xmlNode *node)
{
    const char *text = copied(in, xmlNodeGetContent(node));
    long long number = 0;
    if (text == NULL)
        return;
    bool is_fine = true;
    if (import_is_own(node, "text"))
        import_quote(in, text);
    else if (import_is_own(node, "int") && is_integer(text, &number))
        add_value(in, text);
    else if (import_is_own(node, "bool") &&
             (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
        wf_buf_text(in->out, text);
    else if (import_is_own(node, "number") && text[strspn(text, "+-.0123456789eE")] == '\0')
        wf_buf_printf(in->out, "%s%s", text, strpbrk(text, ".eE") != NULL ? "" : ".0");
    else
        is_fine = false;
    if (!is_fine)
        import_refuse(in, node, "<%s>: no setting of a definition", (const char *)node->name);
}

void import_setting(struct import *in, const xmlNode *node, bool in_list)
{
    static const char *const attributes[] = {"name", NULL};
    const char *name = import_attribute(in, node, "name");
    bool is_group = import_is_own(node, "group");
    import_known(in, node, attributes);
    if (!in_list)
        import_name(in, node, name);
    import_indent(in);
    if (!in_list && name != NULL)
        wf_buf_printf(in->out, "%s = ", name);
    if (is_group || import_is_own(node, "list"))
        add_container(in, node, is_group);
    else
        add_scalar(in, node);
    wf_buf_text(in->out, in_list ? "" : ";\n");
}

void import_params(struct import *in, const xmlNode *node, const char *element, const char *key)
{
    const char *const attributes[] = {key, "expr", NULL};
    for (const xmlNode *child = import_first(node); child != NULL; child = import_next(child)) {
        const char *name = import_attribute(in, child, key);
        const char *expr = import_attribute(in, child, "expr");
        if (import_is_own(child, NULL)) {
            import_setting(in, child, false);
            continue;
        }
        if (!import_is(child, element) || expr == NULL) {
            import_refuse(in, child, "<%s>: only <%s %s=\"...\" expr=\"...\"/> has a meaning here",
                          (const char *)child->name, element, key);
            return;
        }
        import_known(in, child, attributes);
        import_name(in, child, name);
        import_expression(in, name, expr);
    }
}
