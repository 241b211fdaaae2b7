/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference - prints what the manual pages and the shell completion are made from: the tables of
 * verbs, options, settings and activities, as the programs themselves have them.
 *
 *     reference verbs               a page for each group of verbs, in the marks of man/pages.py
 *     reference overview            one line for each verb
 *     reference settings FILE       the settings of hoso.cfg, party.cfg, relay.cfg ...
 *     reference completion          shell functions over the same tables
 */
#include <string.h>

#include "catalogue.h"
#include "courier/courier.h"
#include "folder/folder.h"
#include "hoso/hoso.h"
#include "portal/portal.h"
#include "relay/relay.h"
#include "workflow/parties.h"

/* clang-format off */
static const struct {
    const char *name, *arg, *help;
} options[OPT_COUNT] = {
#define X(key, name, arg, help) {name, arg, help},
    HOSO_OPTIONS(X)
#undef X
};

static const char *const exits[] = {
#define X(name, meaning) meaning,
    HOSO_EXITS(X)
#undef X
};
/* clang-format on */

/* What every verb takes. */
static const enum hoso_option common[] = {OPT_CELL, OPT_JSON, OPT_LANG};

/* ---- verbs ---------------------------------------------------------------------------------- */

static int group_length(const char *name)
{
    return (int)strcspn(name, " ");
}

static bool same_group(const struct hoso_verb *a, const struct hoso_verb *b)
{
    int n = group_length(a->name);
    return n == group_length(b->name) && strncmp(a->name, b->name, (size_t)n) == 0;
}

static bool is_first(size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (same_group(&hoso_verbs[i], &hoso_verbs[at]))
            return false;
    }
    return true;
}

static size_t count_group(const struct hoso_verb *verb)
{
    size_t n = 0;
    for (size_t i = 0; i < hoso_n_verbs; i++)
        n += same_group(&hoso_verbs[i], verb);
    return n;
}

static void print_option(struct wf_buf *out, enum hoso_option option)
{
    const char *arg = options[option].arg;
    wf_buf_printf(out, "  --%s%s%s\n      %s\n", options[option].name, arg != NULL ? "=" : "",
                  arg != NULL ? arg : "", options[option].help);
}

static void print_verb(struct wf_buf *out, const struct hoso_verb *verb, bool is_only)
{
    if (!is_only)
        wf_buf_printf(out, "\n### hoso %s %s\n\n%c%s.\n\n", verb->name, verb->args,
                      verb->summary[0] & ~0x20, verb->summary + 1);
    if (verb->manual != NULL)
        wf_buf_printf(out, "\n%s\n\n", verb->manual);
    if (is_only && verb->options[0] != OPT_CELL)
        wf_buf_text(out, "\n## OPTIONS\n\n");
    for (size_t i = 0; i < WF_COUNT(verb->options) && verb->options[i] != OPT_CELL; i++)
        print_option(out, verb->options[i]);
}

static void print_name(struct wf_buf *out, const struct hoso_verb *first)
{
    int n = group_length(first->name);
    const char *comma = "";
    wf_buf_printf(out, "# hoso-%.*s(1) - ", n, first->name);
    for (size_t i = 0; i < hoso_n_verbs; i++) {
        const struct hoso_verb *verb = &hoso_verbs[i];
        if (!same_group(verb, first))
            continue;
        wf_buf_printf(out, "%s%s", comma,
                      verb->name[n] == ' ' ? verb->name + n + 1 : verb->summary);
        comma = ", ";
    }
}

/* The page of all verbs with the first word of this one. */
static void print_group(struct wf_buf *out, const struct hoso_verb *first)
{
    bool is_only = count_group(first) == 1;
    print_name(out, first);
    wf_buf_text(out, "\n\n## SYNOPSIS\n\n");
    for (size_t i = 0; i < hoso_n_verbs; i++) {
        if (same_group(&hoso_verbs[i], first))
            wf_buf_printf(out, "    hoso %s [OPTION...] %s\n", hoso_verbs[i].name,
                          hoso_verbs[i].args);
    }
    wf_buf_text(out, "\n## DESCRIPTION\n\n");
    if (is_only)
        wf_buf_printf(out, "%c%s.\n", first->summary[0] & ~0x20, first->summary + 1);
    for (size_t i = 0; i < hoso_n_verbs; i++) {
        if (same_group(&hoso_verbs[i], first))
            print_verb(out, &hoso_verbs[i], is_only);
    }
    wf_buf_text(out, "\n## COMMON OPTIONS\n\n");
    for (size_t i = 0; i < WF_COUNT(common); i++)
        print_option(out, common[i]);
    wf_buf_text(out, "\n## EXIT STATUS\n\n");
    for (size_t i = 0; i < WF_COUNT(exits); i++)
        wf_buf_printf(out, "  %zu\n      %s\n", i, exits[i]);
    wf_buf_text(out, "\n## SEE ALSO\n\nhoso(1), hoso.cfg(5), hoso-codes(7)\n\n");
}

static void print_verbs(struct wf_buf *out)
{
    for (size_t i = 0; i < hoso_n_verbs; i++) {
        if (is_first(i))
            print_group(out, &hoso_verbs[i]);
    }
}

static void print_overview(struct wf_buf *out)
{
    for (size_t i = 0; i < hoso_n_verbs; i++)
        wf_buf_printf(out, "  %s %s\n      %s; hoso-%.*s(1)\n", hoso_verbs[i].name,
                      hoso_verbs[i].args, hoso_verbs[i].summary, group_length(hoso_verbs[i].name),
                      hoso_verbs[i].name);
}

/* ---- settings ------------------------------------------------------------------------------- */

static void portal_help(struct wf_buf *out)
{
    wf_keys_help(portal_spec.keys, portal_spec.n_keys, out);
}

static const struct {
    const char *file;
    void (*print)(struct wf_buf *out);
} settings[] = {
    {"hoso.cfg", wf_settings_help}, {"party.cfg", wf_parties_help}, {"folder.cfg", folder_help},
    {"portal.cfg", portal_help},    {"courier.cfg", courier_help},  {"relay.cfg", relay_help},
};

static bool print_settings(struct wf_buf *out, const char *file)
{
    for (size_t i = 0; i < WF_COUNT(settings); i++) {
        if (strcmp(settings[i].file, file) == 0) {
            settings[i].print(out);
            return true;
        }
    }
    return false;
}

/* ---- completion ------------------------------------------------------------------------------ */

static void print_options(struct wf_buf *out, const struct hoso_verb *verb)
{
    for (size_t i = 0; i < WF_COUNT(common); i++)
        wf_buf_printf(out, "--%s%s ", options[common[i]].name,
                      options[common[i]].arg != NULL ? "=" : "");
    for (size_t i = 0; i < WF_COUNT(verb->options) && verb->options[i] != OPT_CELL; i++)
        wf_buf_printf(out, "--%s%s ", options[verb->options[i]].name,
                      options[verb->options[i]].arg != NULL ? "=" : "");
    wf_buf_text(out, "--help");
}

/* Cases, not associative arrays: bash and zsh write those otherwise. */
static void print_completion(struct wf_buf *out)
{
    wf_buf_text(out, "_hoso_verbs='");
    for (size_t i = 0; i < hoso_n_verbs; i++)
        wf_buf_printf(out, "%s%s", i > 0 ? "\n" : "", hoso_verbs[i].name);
    wf_buf_text(out, "'\n\n# args and opts of a verb\n_hoso_verb() {\n    case $1 in\n");
    for (size_t i = 0; i < hoso_n_verbs; i++) {
        wf_buf_printf(out, "    '%s') args='%s' opts='", hoso_verbs[i].name, hoso_verbs[i].args);
        print_options(out, &hoso_verbs[i]);
        wf_buf_text(out, "' ;;\n");
    }
    wf_buf_text(out, "    *) args='' opts='' ;;\n    esac\n}\n\n"
                     "# what an option's value is\n_hoso_value() {\n    case $1 in\n");
    for (size_t i = 0; i < OPT_COUNT; i++) {
        if (options[i].arg != NULL)
            wf_buf_printf(out, "    --%s) echo '%s' ;;\n", options[i].name, options[i].arg);
    }
    wf_buf_text(out, "    esac\n}\n\n_hoso_activities='");
    const struct wf_catalogue *catalogue = hoso_catalogue();
    for (size_t i = 0; i < catalogue->n_activities; i++)
        wf_buf_printf(out, "%s%s", i > 0 ? " " : "", catalogue->activities[i]->name);
    wf_buf_text(out, "'\n_hoso_services='");
    for (int i = 0; i < WF_SERVICE_COUNT; i++)
        wf_buf_printf(out, "%s%s", i > 0 ? " " : "", wf_service_word((enum wf_service)i));
    wf_buf_text(out, "'\n");
}

/* ---- main ------------------------------------------------------------------------------------ */

static bool print(struct wf_buf *out, int argc, char **argv)
{
    static const struct {
        const char *word;
        void (*print)(struct wf_buf *out);
    } kinds[] = {
        {"verbs", print_verbs}, {"overview", print_overview}, {"completion", print_completion}};
    for (size_t i = 0; i < WF_COUNT(kinds) && argc == 2; i++) {
        if (strcmp(argv[1], kinds[i].word) == 0) {
            kinds[i].print(out);
            return true;
        }
    }
    return argc == 3 && strcmp(argv[1], "settings") == 0 && print_settings(out, argv[2]);
}

int main(int argc, char **argv)
{
    struct wf_buf page = {0};
    int rc = 0;
    if (!print(&page, argc, argv)) {
        (void)fprintf(stderr, "usage: %s verbs|overview|completion|settings FILE\n", argv[0]);
        rc = 2;
    } else if (page.failed || fwrite(page.ptr, 1, page.len, stdout) != page.len ||
               fflush(stdout) != 0) {
        perror(argv[0]);
        rc = 1;
    }
    wf_buf_fini(&page);
    return rc;
}
