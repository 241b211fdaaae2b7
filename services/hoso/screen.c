/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal, by ncurses. It is opened by newterm, since initscr ends the process where it
 * fails. The signals that end us are read from a descriptor, so that they come as a word like any
 * key and the terminal is given back on the one way out; those that stop us and change the size are
 * ncurses' own business.
 */
#include "screen.h"
#include "hoso.h" /* before term.h, whose macros are words of ours */

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "workflow/clock.h"

#define LINE_MOST 1024

static struct {
    SCREEN *screen;
    struct termios before;
    char leave[128]; /* what gives the terminal back */
    size_t n_leave;
    int signal_fd;
    sigset_t mask; /* as it was */
    bool has_colour;
} is;

static const struct {
    short colour; /* -1 = the terminal's own */
    attr_t with, without;
} looks[SCREEN_MARKS] = {
    [SCREEN_PLAIN] = {-1, A_NORMAL, A_NORMAL},
    [SCREEN_GOOD] = {COLOR_GREEN, A_NORMAL, A_NORMAL},
    [SCREEN_WARN] = {COLOR_YELLOW, A_BOLD, A_BOLD},
    [SCREEN_BAD] = {COLOR_RED, A_BOLD, A_BOLD | A_REVERSE},
    [SCREEN_HEAD] = {-1, A_BOLD, A_BOLD},
    [SCREEN_CHOSEN] = {COLOR_CYAN, A_BOLD | A_REVERSE, A_BOLD | A_REVERSE},
    [SCREEN_SORTED] = {-1, A_BOLD | A_UNDERLINE, A_BOLD | A_UNDERLINE},
    [SCREEN_BAR] = {-1, A_REVERSE, A_REVERSE},
};

/* ---- opening --------------------------------------------------------------------------------- */

static int no_terminal(struct wf_error *err, const char *why)
{
    return wf_fail(err, WF_E_CONFIG, "%s: `hoso status` tells the same once", why);
}

static int check_terminal(struct wf_error *err)
{
    const char *name = getenv("TERM");
    int found = 0;
    if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0)
        return no_terminal(err, "a live view needs a terminal");
    if (name == NULL || setupterm(name, STDOUT_FILENO, &found) != OK)
        return no_terminal(err, "this terminal (TERM) is not known here");
    const char *move = tigetstr("cup");
    const char *clear = tigetstr("clear");
    bool can_draw = move != NULL && clear != NULL && clear[0] != '\0';
    (void)del_curterm(cur_term);
    return can_draw ? 0 : no_terminal(err, "nothing can be drawn on this terminal");
}

/* Without the waiting times that only old terminals need. */
static void note_leaving(const char *capability)
{
    const char *text = tigetstr(capability);
    if (text == NULL || text[0] == '\0' || text[0] == (char)-1)
        return;
    const char *wait = strstr(text, "$<");
    size_t n = wait != NULL ? (size_t)(wait - text) : strlen(text);
    if (is.n_leave + n > sizeof(is.leave))
        return;
    memcpy(is.leave + is.n_leave, text, n);
    is.n_leave += n;
}

static void set_colours(void)
{
    const char *refused = getenv("NO_COLOR");
    is.has_colour = (refused == NULL || refused[0] == '\0') && has_colors();
    if (!is.has_colour)
        return;
    (void)start_color();
    (void)use_default_colors();
    for (int i = 0; i < SCREEN_MARKS; i++)
        (void)init_pair((short)(i + 1), looks[i].colour, -1);
}

static int catch_signals(struct wf_error *err)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, &is.mask);
    is.signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (is.signal_fd >= 0)
        return 0;
    int why = errno;
    (void)sigprocmask(SIG_SETMASK, &is.mask, NULL);
    return wf_fail(err, WF_E_IO, "signalfd: %s", strerror(why));
}

int screen_open(struct wf_error *err)
{
    int rc = check_terminal(err);
    if (rc == 0 && tcgetattr(STDIN_FILENO, &is.before) != 0)
        rc = wf_fail(err, WF_E_IO, "the terminal's settings: %s", strerror(errno));
    if (rc == 0)
        rc = catch_signals(err);
    if (rc != 0)
        return rc;
    /* our texts are UTF-8 whatever the account's language is */
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    is.screen = newterm(NULL, stdout, stdin);
    if (is.screen == NULL) {
        screen_close();
        return no_terminal(err, "the terminal could not be opened");
    }
    note_leaving("sgr0");
    note_leaving("rmkx");
    note_leaving("cnorm");
    note_leaving("rmcup");
    set_colours();
    (void)cbreak();
    (void)noecho();
    (void)keypad(stdscr, TRUE);
    (void)nodelay(stdscr, TRUE);
    (void)set_escdelay(25);
    (void)curs_set(0);
    return 0;
}

void screen_close(void)
{
    SCREEN *screen = is.screen;
    is.screen = NULL;
    if (screen != NULL) {
        (void)endwin();
        delscreen(screen);
    }
    if (is.signal_fd > 0) {
        struct signalfd_siginfo taken; /* or it would come once more, to ncurses, and end us */
        while (read(is.signal_fd, &taken, sizeof(taken)) == (ssize_t)sizeof(taken)) {
        }
        (void)close(is.signal_fd);
        (void)sigprocmask(SIG_SETMASK, &is.mask, NULL);
    }
    is.signal_fd = 0;
}

void screen_abandon(void)
{
    if (is.screen == NULL)
        return;
    (void)!write(STDOUT_FILENO, is.leave, is.n_leave);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &is.before);
}

/* ---- drawing --------------------------------------------------------------------------------- */

int screen_rows(void)
{
    return getmaxy(stdscr);
}

int screen_columns(void)
{
    return getmaxx(stdscr);
}

void screen_clear(void)
{
    (void)erase();
}

static attr_t look_of(enum screen_mark mark)
{
    return is.has_colour ? looks[mark].with | COLOR_PAIR((int)mark + 1) : looks[mark].without;
}

void screen_put(int row, int column, int width, const char *text, bool right, enum screen_mark mark)
{
    char line[LINE_MOST];
    int left = screen_columns() - column;
    width = width < left ? width : left;
    if (row < 0 || row >= screen_rows() || column < 0 || width <= 0)
        return;
    size_t length = strlen(text);
    size_t own = hoso_width(text, length);
    bool is_cut = own > (size_t)width;
    size_t shown = is_cut ? hoso_cut(text, length, (size_t)width - 1) : length;
    size_t blanks = is_cut ? 0 : (size_t)width - own;
    int n = snprintf(line, sizeof(line), "%*s%.*s%s%*s", right ? (int)blanks : 0, "", (int)shown,
                     text, is_cut ? "…" : "", right ? 0 : (int)blanks, "");
    if (n < 0)
        return;
    (void)attrset((int)look_of(mark));
    (void)mvaddstr(row, column, line);
    (void)attrset(A_NORMAL);
}

void screen_show(void)
{
    (void)refresh();
}

/* ---- waiting --------------------------------------------------------------------------------- */

static int word_of(int key)
{
    static const struct {
        int key, word;
    } keys[] = {
        {KEY_RESIZE, SCREEN_RESIZED}, {KEY_UP, SCREEN_UP},       {KEY_DOWN, SCREEN_DOWN},
        {KEY_LEFT, SCREEN_LEFT},      {KEY_RIGHT, SCREEN_RIGHT}, {'\t', SCREEN_TAB},
        {KEY_BTAB, SCREEN_BACK_TAB},
    };
    for (size_t i = 0; i < WF_COUNT(keys); i++) {
        if (keys[i].key == key)
            return keys[i].word;
    }
    return key > ' ' - 1 && key < 0x7f ? key : SCREEN_OTHER;
}

int screen_wait(int64_t timeout_ms)
{
    int64_t until = wf_monotonic_ms() + timeout_ms;
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = is.signal_fd, .events = POLLIN}};
    for (;;) {
        int key = getch();
        if (key != ERR)
            return word_of(key);
        if (fds[1].revents != 0 || (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
            return SCREEN_END;
        int64_t left = until - wf_monotonic_ms();
        if (left <= 0)
            return SCREEN_NOTHING;
        /* a signal ends it early: the new size then comes as a key */
        (void)poll(fds, WF_COUNT(fds), left > 60000 ? 60000 : (int)left);
    }
}
