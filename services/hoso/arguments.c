/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: options may stand before and after the verb. argp does the parsing, with option
 * tables made from the verb's row, so that an option is described in one place.
 */
#include "hoso.h"

#include <argp.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_FIRST 256 /* above all letters: options are long ones only */
#define MOST_ARGS 4096

const char *argp_program_version = "hoso " HOSO_VERSION;

static const struct argp_option rows[OPT_COUNT] = {
#define X(key, name, arg, help) {name, KEY_FIRST + OPT_##key, arg, 0, help, 0},
    HOSO_OPTIONS(X)
#undef X
};

/* What argp works on: where the verb stands, or the verb's own arguments. */
struct parse {
    struct hoso *h;
    int verb_at; /* index in argv of its first word, 0 = none yet */
};

/* ---- reading -------------------------------------------------------------------------------- */

static error_t take_option(struct hoso *h, int key, const char *arg)
{
    if (key < KEY_FIRST || key >= KEY_FIRST + OPT_COUNT)
        return ARGP_ERR_UNKNOWN;
    if (key == KEY_FIRST + OPT_SET && h->n_sets == HOSO_SETS_MOST)
        return E2BIG;
    if (key == KEY_FIRST + OPT_SET)
        h->sets[h->n_sets++] = arg;
    h->opt[key - KEY_FIRST] = arg != NULL ? arg : "";
    return 0;
}

static error_t before_verb(int key, char *arg, struct argp_state *state)
{
    struct parse *parse = state->input;
    if (key == ARGP_KEY_ARG) {
        parse->verb_at = state->next - 1;
        state->next = state->argc; /* the rest is the verb's */
        return 0;
    }
    return take_option(parse->h, key, arg);
}

static error_t after_verb(int key, char *arg, struct argp_state *state)
{
    struct parse *parse = state->input;
    struct hoso *h = parse->h;
    if (key == ARGP_KEY_ARG) {
        if ((h->verb->most >= 0 && h->n_args >= h->verb->most) || h->n_args >= MOST_ARGS)
            argp_error(state, "too many arguments: %s", arg);
        h->args[h->n_args++] = arg;
        return 0;
    }
    if (key == ARGP_KEY_END) {
        if (h->n_args < h->verb->least)
            argp_error(state, "needs %s", h->verb->args);
        return 0;
    }
    return take_option(h, key, arg);
}

static char *list_of_verbs(struct wf_arena *arena)
{
    char *text = wf_arena_printf(
        arena, "A cell is one post office's store of dossiers with its five workers.\vVerbs:\n");
    for (size_t i = 0; i < hoso_n_verbs && text != NULL; i++) {
        const struct hoso_verb *verb = &hoso_verbs[i];
        char *usage = wf_arena_printf(arena, "%s %s", verb->name, verb->args);
        text = wf_arena_printf(arena, "%s  %-32s %s\n", text, usage != NULL ? usage : verb->name,
                               verb->summary);
    }
    if (text == NULL)
        return NULL;
    return wf_arena_printf(arena,
                           "%s\n`hoso VERB --help` tells more. A first cell:\n"
                           "  hoso init cell --procedures procedures && cd cell && hoso run\n\n"
                           "Exit codes: 0 done, 1 refused or failed, 2 usage or settings wrong,\n"
                           "3 not found, 4 worker not reachable.",
                           text);
}

static int find_verb(struct hoso *h, int argc, char **argv, int at, int *out_words)
{
    char two[64] = "";
    if (at + 1 < argc)
        (void)snprintf(two, sizeof(two), "%s %s", argv[at], argv[at + 1]);
    for (size_t i = 0; i < hoso_n_verbs; i++) {
        const struct hoso_verb *verb = &hoso_verbs[i];
        bool is_two = strcmp(verb->name, two) == 0;
        if (is_two || strcmp(verb->name, argv[at]) == 0) {
            h->verb = verb;
            *out_words = is_two ? 2 : 1;
            return 0;
        }
    }
    return -1;
}

static void unknown_verb(struct hoso *h, const char *word)
{
    const char **names = wf_arena_alloc(h->arena, hoso_n_verbs * sizeof(*names));
    size_t length = strlen(word);
    bool is_group = false;
    for (size_t i = 0; i < hoso_n_verbs && names != NULL; i++) {
        const char *name = hoso_verbs[i].name;
        names[i] = name;
        if (strncmp(name, word, length) != 0 || name[length] != ' ')
            continue;
        (void)fprintf(stderr, is_group ? ", %s" : "hoso: say which: hoso %s", name);
        is_group = true;
    }
    if (is_group) {
        (void)fputc('\n', stderr);
        return;
    }
    const char *nearest = names != NULL ? wf_nearest(word, names, hoso_n_verbs) : NULL;
    (void)fprintf(stderr, "hoso: there is no verb \"%s\"%s%s: `hoso --help` lists them\n", word,
                  nearest != NULL ? ", perhaps " : "", nearest != NULL ? nearest : "");
}

static int parse_verb(struct parse *parse, int argc, char **argv)
{
    struct hoso *h = parse->h;
    const struct hoso_verb *verb = h->verb;
    struct argp_option options[24] = {rows[OPT_CELL], rows[OPT_JSON], rows[OPT_LANG]};
    size_t n = 3;
    for (size_t i = 0; i < WF_COUNT(verb->options) && verb->options[i] != OPT_CELL; i++)
        options[n++] = rows[verb->options[i]];

    char *doc = wf_arena_printf(h->arena, "%c%s.\v%s", verb->summary[0] & ~0x20, verb->summary + 1,
                                verb->manual != NULL ? verb->manual : "");
    char *name = wf_arena_printf(h->arena, "hoso %s", verb->name);
    h->args = wf_arena_alloc(h->arena, (size_t)(argc + 1) * sizeof(*h->args));
    if (doc == NULL || name == NULL || h->args == NULL) {
        (void)fputs("hoso: out of memory\n", stderr);
        return EXIT_REFUSED;
    }
    argv[0] = name;
    const struct argp argp = {
        options, after_verb, verb->args[0] != '\0' ? verb->args : NULL, doc, NULL, NULL, NULL};
    if (argp_parse(&argp, argc, argv, 0, NULL, parse) != 0)
        return EXIT_USAGE;
    return -1;
}

int hoso_arguments(struct hoso *h, int argc, char **argv)
{
    struct parse parse = {h, 0};
    const struct argp_option common[] = {rows[OPT_CELL], rows[OPT_JSON], rows[OPT_LANG], {0}};
    char *doc = list_of_verbs(h->arena);
    const struct argp argp = {common, before_verb, "VERB ...", doc, NULL, NULL, NULL};

    argp_err_exit_status = EXIT_USAGE;
    if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &parse) != 0)
        return EXIT_USAGE;
    int at = parse.verb_at;
    if (at > 0 && strcmp(argv[at], "help") == 0) {
        /* "help list" is "list --help" */
        at = at + 1 < argc ? at + 1 : 0;
        if (at > 0 && find_verb(h, argc, argv, at, &(int){0}) == 0) {
            char help[] = "--help";
            char *only[] = {argv[0], help, NULL};
            return parse_verb(&parse, 2, only);
        }
    }
    if (at == 0) {
        char name[] = "hoso";
        argp_help(&argp, parse.verb_at > 0 ? stdout : stderr, ARGP_HELP_STD_HELP, name);
        return parse.verb_at > 0 ? EXIT_DONE : EXIT_USAGE;
    }
    int words = 1;
    if (find_verb(h, argc, argv, at, &words) != 0) {
        unknown_verb(h, argv[at]);
        return EXIT_USAGE;
    }
    int used = at + words - 1; /* argv[used] becomes the name of the program */
    int code = parse_verb(&parse, argc - used, argv + used);
    if (code >= 0)
        return code;

    h->json = hoso_has(h, OPT_JSON);
    const char *lang = h->opt[OPT_LANG];
    h->vi = lang != NULL && strcmp(lang, "vi") == 0;
    if (lang != NULL && !h->vi && strcmp(lang, "en") != 0) {
        (void)fprintf(stderr, "hoso: --lang: vi or en\n");
        return EXIT_USAGE;
    }
    return -1;
}

/* ---- values --------------------------------------------------------------------------------- */

bool hoso_has(const struct hoso *h, enum hoso_option option)
{
    return h->opt[option] != NULL;
}

struct wf_str hoso_text(const struct hoso *h, enum hoso_option option)
{
    return wf_str(h->opt[option]);
}

static bool number_of(const char *text, uint64_t most, uint64_t *out)
{
    char *end = NULL;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || n > most)
        return false;
    *out = n;
    return true;
}

int hoso_number(struct hoso *h, enum hoso_option option, int64_t fallback, int64_t most,
                int64_t *out)
{
    uint64_t n = (uint64_t)fallback;
    if (h->opt[option] != NULL && !number_of(h->opt[option], (uint64_t)most, &n))
        return wf_fail(&h->err, WF_E_CONFIG, "--%s: a number from 0 to %lld is wanted",
                       rows[option].name, (long long)most);
    *out = (int64_t)n;
    return 0;
}

int hoso_word_option(struct hoso *h, enum hoso_option option, const char *const *words, size_t n,
                     int *out)
{
    char list[300] = "";
    const char *given = h->opt[option];
    *out = -1;
    for (size_t i = 0; given != NULL && i < n; i++) {
        size_t used = strlen(list);
        if (strcmp(given, words[i]) == 0)
            *out = (int)i;
        (void)snprintf(list + used, sizeof(list) - used, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    if (given == NULL || *out >= 0)
        return 0;
    const char *nearest = wf_nearest(given, words, n);
    return wf_fail(&h->err, WF_E_CONFIG, "--%s: one of %s%s%s", rows[option].name, list,
                   nearest != NULL ? "; perhaps " : "", nearest != NULL ? nearest : "");
}

int hoso_service_option(struct hoso *h, int *out)
{
    const char *names[WF_SERVICE_COUNT];
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++)
        names[i] = wf_service_word((enum wf_service)i);
    return hoso_word_option(h, OPT_SERVICE, names, WF_SERVICE_COUNT, out);
}

int hoso_number_arg(struct hoso *h, int i, const char *what, uint64_t *out)
{
    if (!number_of(h->args[i], INT64_MAX, out))
        return wf_fail(&h->err, WF_E_CONFIG, "%s: a number is wanted, not \"%.40s\"", what,
                       h->args[i]);
    return 0;
}

int hoso_actor(struct hoso *h, struct wf_str *out_by, struct wf_str *out_role)
{
    const char *by = hoso_has(h, OPT_BY) ? h->opt[OPT_BY] : getenv("HOSO_BY");
    const char *role = hoso_has(h, OPT_ROLE) ? h->opt[OPT_ROLE] : getenv("HOSO_ROLE");
    if (out_by != NULL && (by == NULL || *by == '\0'))
        return wf_fail(&h->err, WF_E_CONFIG, "who acts? give --by PERSON or set HOSO_BY");
    if (out_role != NULL && (role == NULL || *role == '\0'))
        return wf_fail(&h->err, WF_E_CONFIG, "in which role? give --role ROLE or set HOSO_ROLE");
    if (out_by != NULL)
        *out_by = wf_str(by);
    if (out_role != NULL)
        *out_role = wf_str(role);
    return 0;
}

const char *hoso_operator(struct hoso *h)
{
    const char *by = hoso_has(h, OPT_BY) ? h->opt[OPT_BY] : getenv("HOSO_BY");
    if (by != NULL && *by != '\0')
        return by;
    const struct passwd *user = getpwuid(h->acts_as != NULL ? 0 : getuid());
    return user != NULL ? user->pw_name : "operator";
}

/* A number of just n digits, then the separator unless that is NUL; moves *at behind them. */
static bool digits(const char **at, int n, char separator, int *out)
{
    int number = 0;
    for (int i = 0; i < n; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        number = number * 10 + (**at - '0');
    }
    if (separator != '\0' && *(*at)++ != separator)
        return false;
    *out = number;
    return true;
}

int hoso_moment(struct hoso *h, const char *text, int64_t *out_ms)
{
    struct wf_civil c = {0};
    const char *at = text;
    int second = 0;
    bool is_day_first = strlen(text) > 2 && text[2] == '/';
    bool fits = is_day_first ? digits(&at, 2, '/', &c.day) && digits(&at, 2, '/', &c.month) &&
                                   digits(&at, 4, '\0', &c.year)
                             : digits(&at, 4, '-', &c.year) && digits(&at, 2, '-', &c.month) &&
                                   digits(&at, 2, '\0', &c.day);
    if (fits && (*at == 'T' || *at == ' ')) {
        at++;
        fits = digits(&at, 2, ':', &c.hour) && digits(&at, 2, '\0', &c.minute);
        fits = fits && (*at != ':' || (at++, digits(&at, 2, '\0', &second)));
    }
    if (!fits || *at != '\0' || !wf_date_is_valid(c.year, c.month, c.day) || c.hour > 23 ||
        c.minute > 59 || second > 59)
        return wf_fail(
            &h->err, WF_E_CONFIG,
            "\"%.40s\": a date is written 2026-11-23 or 23/11/2026, with a time 2026-11-23T09:10",
            text);
    *out_ms = wf_civil_to_ms(h->calendar, &c) + second * INT64_C(1000);
    return 0;
}
