/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protocol-table - prints what is made from the tables of the code: the pages of messages, log
 * events and codes, and the constants of the clients in other languages.
 *
 *     protocol-table > docs/protocol-messages.md                          write the page anew
 *     protocol-table --python > clients/python/hoso_client/messages.py    and the constants
 *     protocol-table --node > clients/node/lib/messages.js
 *     protocol-table --log-events > docs/log-events.md
 *     protocol-table --codes > docs/codes.md
 *     protocol-table [KIND] --check FILE                  exit 1 where the file is not current
 */
#include <stdio.h>
#include <string.h>

#include "constants.h"
#include "pages.h"
#include "workflow/messages.h"

/* clang-format off */
static const char *const end_words[] = {
#define X(name, number, word) [WF_END_##name] = word,
    WF_SERVICES(X)
#undef X
    [WF_END_ANY] = "any service",
    [WF_END_PARTY] = "party",
};

static const char *const type_words[] = {
    [WF_WIRE_STR]  = "text",           [WF_WIRE_U64] = "integer from 0", [WF_WIRE_I64] = "integer",
    [WF_WIRE_BOOL] = "true or false",  [WF_WIRE_BIN] = "binary",         [WF_WIRE_MAP] = "map",
    [WF_WIRE_LIST] = "list",           [WF_WIRE_ANY] = "any",
};

static const char *const advice[] = {
    [WF_RETRY]  = "send again later, with the same id",
    [WF_REFUSE] = "mend it, or wait until the reason is gone",
    [WF_STOP]   = "the service restarts: send again later, with the same id",
};

static const struct {
    int number;
    enum wf_action action;
    const char *word, *meaning;
} errors[] = {
#define X(name, number, action, word, meaning) {number, WF_##action, word, meaning},
    WF_ERRORS(X)
#undef X
};
/* clang-format on */

static void print_overview(struct wf_buf *out)
{
    size_t n = 0;
    const struct wf_message_info *table = wf_message_table(&n);
    wf_buf_text(out, "## Messages\n\n"
                     "| type | from | to | what for |\n"
                     "|---|---|---|---|\n");
    for (size_t i = 0; i < n; i++)
        wf_buf_printf(out, "| [%s](#%s) | %s | %s | %s |\n", table[i].name, table[i].name,
                      end_words[table[i].sender], end_words[table[i].receiver], table[i].help);
}

static void print_bound(struct wf_buf *out, const struct wf_wire_field *field)
{
    if (field->max == 0)
        return;
    bool is_number = field->type == WF_WIRE_U64;
    wf_buf_printf(out, "%s%llu%s", is_number ? "up to " : "", (unsigned long long)field->max,
                  is_number ? "" : " bytes");
}

static void print_message(struct wf_buf *out, const struct wf_message_info *info)
{
    wf_buf_printf(out,
                  "\n### %s\n\n%s → %s: %s.\n\n"
                  "| field | type | bound | must | meaning |\n"
                  "|---|---|---|---|---|\n",
                  info->name, end_words[info->sender], end_words[info->receiver], info->help);
    for (size_t i = 0; i < info->n_fields; i++) {
        const struct wf_wire_field *field = &info->fields[i];
        wf_buf_printf(out, "| `%s` | %s | ", field->name, type_words[field->type]);
        print_bound(out, field);
        wf_buf_printf(out, " | %s | %s |\n", field->required ? "yes" : "", field->help);
    }
}

static void print_errors(struct wf_buf *out)
{
    wf_buf_text(out, "\n## Error codes\n\n"
                     "The `code` of an `error` is one of these words.\n\n"
                     "| code | meaning | what to do |\n"
                     "|---|---|---|\n");
    for (size_t i = 0; i < WF_COUNT(errors); i++)
        wf_buf_printf(out, "| `%s` | %s | %s |\n", errors[i].word, errors[i].meaning,
                      advice[errors[i].action]);
}

static void print_page(struct wf_buf *out)
{
    size_t n = 0;
    const struct wf_message_info *table = wf_message_table(&n);
    wf_buf_text(out, "# Messages of the queue endpoints\n\n"
                     "Made by `protocol-table` from `workflow/messages.h` and `workflow/error.h`; "
                     "do not edit.\nThe rules around them are in [protocol.md](protocol.md).\n\n");
    print_overview(out);
    for (size_t i = 0; i < n; i++)
        print_message(out, &table[i]);
    print_errors(out);
}

/* True where the file holds exactly the page. */
static bool is_current(const char *path, const struct wf_buf *page)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return false;
    }
    size_t at = 0;
    int c = fgetc(file);
    while (c != EOF && at < page->len && page->ptr[at] == (uint8_t)c) {
        at++;
        c = fgetc(file);
    }
    (void)fclose(file);
    return c == EOF && at == page->len;
}

static int write_out(const struct wf_buf *page)
{
    return fwrite(page->ptr, 1, page->len, stdout) == page->len && fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *option;
        void (*print)(struct wf_buf *out);
    } kinds[] = {{"", print_page},
                 {"--python", print_python},
                 {"--node", print_node},
                 {"--log-events", print_log_events},
                 {"--codes", print_codes}};
    size_t kind = 0;
    for (size_t i = 1; i < WF_COUNT(kinds) && argc > 1; i++)
        if (strcmp(argv[1], kinds[i].option) == 0)
            kind = i;
    int first = kind > 0 ? 2 : 1;
    bool is_check = argc == first + 2 && strcmp(argv[first], "--check") == 0;
    if (argc != first && !is_check) {
        (void)fprintf(stderr, "usage: %s [--python|--node|--log-events|--codes] [--check FILE]\n",
                      argv[0]);
        return 2;
    }

    struct wf_buf page = {0};
    int rc = 1;
    kinds[kind].print(&page);
    if (page.failed)
        (void)fprintf(stderr, "%s: out of memory\n", argv[0]);
    else if (!is_check)
        rc = write_out(&page);
    else if (is_current(argv[first + 1], &page))
        rc = 0;
    else
        (void)fprintf(stderr, "%s is not current: run %s %s > %s\n", argv[first + 1], argv[0],
                      kinds[kind].option, argv[first + 1]);
    wf_buf_fini(&page);
    return rc;
}
