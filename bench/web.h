/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench/web.h - a system that submits dossiers over HTTP, on many connections at once.
 *
 * Each connection is kept and has one request under way. No library: what is measured is the
 * bridge, and the asking must cost little beside it.
 */
#ifndef BENCH_WEB_H
#define BENCH_WEB_H

#include <stddef.h>
#include <stdint.h>

struct web;

/* At 127.0.0.1:port; `note` goes into each dossier. NULL on failure. */
struct web *web_open(unsigned port, const char *token, const char *note, size_t connections);
void web_close(struct web *web);

/* Submits n six-step dossiers; the seconds until the last one was acknowledged with 201, or a
 * negative number where any was not. */
double web_submit(struct web *web, uint64_t n);

#endif
