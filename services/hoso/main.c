/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hoso: one command with verbs. Here a verb's code becomes the line on standard error and the exit
 * code; a program that asked for JSON gets the error as JSON as well.
 */
#include "hoso.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "screen.h"

struct outcome {
    int code;
    int exit;
    const char *cure; /* NULL where the text itself says what to do */
};

static const struct outcome outcomes[] = {
    {WF_E_NOT_FOUND, EXIT_NOT_FOUND, NULL},
    {WF_E_CONFIG, EXIT_USAGE, NULL},
    {WF_E_VERSION, EXIT_USAGE, NULL},
    {WF_E_TIMEOUT, EXIT_UNREACHABLE,
     "is the cell running? `hoso status` tells, `hoso run` starts it"},
    {WF_E_BUSY, EXIT_REFUSED, "try again a little later"},
    {WF_E_CORRUPT, EXIT_REFUSED, "stop the cell and run `hoso verify`"},
};

static int exit_of(struct hoso *h, int rc)
{
    if (rc == 0)
        return EXIT_DONE;
    if (rc == HOSO_FAILED)
        return h->err.code == WF_E_CONFIG ? EXIT_USAGE : EXIT_REFUSED;

    struct outcome is = {rc, EXIT_REFUSED, NULL};
    for (size_t i = 0; i < WF_COUNT(outcomes); i++) {
        if (outcomes[i].code == rc)
            is = outcomes[i];
    }
    if (h->acts_as != NULL && strstr(h->err.text, strerror(EACCES)) != NULL)
        is.cure = wf_arena_printf(h->arena,
                                  "root works here as %s, who owns the cell: give files and "
                                  "folders that %s can reach",
                                  h->acts_as, h->acts_as);
    /* "body." is of the messages' language; who typed the command never saw a body */
    const char *field = h->err.field;
    if (strncmp(field, "body.", 5) == 0)
        field += 5;
    bool has_field = *field != '\0' && strstr(h->err.text, field) == NULL;
    (void)fprintf(stderr, "hoso: %s%s%s%s%s\n", has_field ? field : "", has_field ? ": " : "",
                  h->err.text, is.cure != NULL ? ": " : "", is.cure != NULL ? is.cure : "");
    if (h->json) {
        const struct wf_value *error = hoso_map(h, "code", wf_text(h->arena, wf_code_word(rc)),
                                                "message", wf_text(h->arena, h->err.text), "field",
                                                wf_text(h->arena, h->err.field), NULL);
        (void)!hoso_json_print(hoso_map(h, "error", error, NULL), stdout, NULL);
    }
    return is.exit;
}

/*
 * LMDB maps the store's file and trusts it: a file that was cut, or pages that are badly damaged,
 * show as a signal. That gets its one line too.
 */
static struct hoso h;

static void store_broke(int signal_number)
{
    static const char line[] = "hoso: the store cannot be read: its file is damaged or was cut: "
                               "run `hoso verify`\n";
    if (!h.has_settings) {
        (void)raise(signal_number); /* no store in sight: the default, set by SA_RESETHAND */
        return;
    }
    screen_abandon();
    (void)!write(STDERR_FILENO, line, sizeof(line) - 1);
    _exit(EXIT_REFUSED);
}

static void guard_store(void)
{
    static const int signals[] = {SIGBUS, SIGSEGV, SIGABRT};
    const struct sigaction action = {.sa_handler = store_broke,
                                     .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
    for (size_t i = 0; i < WF_COUNT(signals); i++)
        (void)sigaction(signals[i], &action, NULL);
}

int main(int argc, char **argv)
{
    (void)setlocale(LC_CTYPE, ""); /* messages of getopt; our own output is UTF-8 throughout */
    h.arena = wf_arena_new(0);
    if (h.arena == NULL) {
        (void)fputs("hoso: out of memory\n", stderr);
        return EXIT_REFUSED;
    }
    guard_store();
    int code = hoso_arguments(&h, argc, argv);
    if (code < 0)
        code = exit_of(&h, h.verb->run(&h));
    if (fflush(stdout) != 0 && code == EXIT_DONE) {
        perror("hoso: write the answer");
        code = EXIT_REFUSED;
    }
    hoso_close(&h);
    wf_arena_free(h.arena);
    return code;
}
