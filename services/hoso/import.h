/* SPDX-License-Identifier: Apache-2.0 */
/* services/hoso/import.h - from an SCXML document to the text of a definition. */
#ifndef HOSO_IMPORT_H
#define HOSO_IMPORT_H

#include <libxml/tree.h>

#include "tools.h"

struct import {
    struct hoso *h;
    const char *file;
    struct wf_buf *out;
    int depth; /* of indentation */
    int rc;    /* the first refusal; everything after it is passed over */
};

#define SCXML_NAMESPACE "http://www.w3.org/2005/07/scxml"

/* Refuses the document: file:line: what: why. */
void import_refuse(struct import *in, const xmlNode *node, const char *fmt, ...) WF_PRINTF(3, 4);

/* ---- reading (import_read.c) --------------------------------------------------------------- */

bool import_is(const xmlNode *node, const char *name);     /* an element of SCXML */
bool import_is_own(const xmlNode *node, const char *name); /* ... of our namespace; NULL = any */
const xmlNode *import_first(const xmlNode *node);          /* first child element, or NULL */
const xmlNode *import_next(const xmlNode *node);
const xmlNode *import_child(const xmlNode *node, const char *name);

/* Attributes of SCXML and of ours ("hoso:role"), in the arena; NULL where there is none. */
const char *import_attribute(struct import *in, const xmlNode *node, const char *name);

/* Refuses attributes that are not of the list, which ends with NULL. */
void import_known(struct import *in, const xmlNode *node, const char *const *names);

/* ---- writing ------------------------------------------------------------------------------- */

void import_indent(struct import *in);
void import_quote(struct import *in, const char *text);
/* `key = "text";` on a line of its own; nothing where the text is NULL. */
void import_text(struct import *in, const char *key, const char *text);
/* `key = "=expression";` likewise */
void import_formula(struct import *in, const char *key, const char *expr);
/* `key = value;` of an expression: a literal where it is one, else "=expression". */
void import_expression(struct import *in, const char *key, const char *expr);
/* "a b" -> [ "a", "b" ], or "a" where it is one word and `single`. */
void import_words(struct import *in, const char *key, const char *words, bool single);
/* One of our own elements: hoso:group, hoso:text ... */
void import_setting(struct import *in, const xmlNode *node, bool in_list);
/* <param> or <data> elements and settings. */
void import_params(struct import *in, const xmlNode *node, const char *element, const char *key);
/* Names of settings are words of libconfig. */
void import_name(struct import *in, const xmlNode *node, const char *name);

/* ---- executable content (import_actions.c) ------------------------------------------------- */

/* `key = ( ... );` of the children that are actions; nothing where there are none. */
void import_actions(struct import *in, const xmlNode *parent, const char *key);

#endif
