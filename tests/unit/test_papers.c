/* SPDX-License-Identifier: Apache-2.0 */
/* Papers as files: up in pieces, down in pieces, and what is refused. */
#include "support/tempdir.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fault.h"
#include "workflow/memory.h"
#include "workflow/papers.h"

#define SIZE 10000

static struct tempdir dir;
static struct wf_papers *papers;
static struct wf_arena *arena;
static struct wf_error err;
static uint8_t bytes[SIZE];
static uint8_t hash[WF_HASH_BYTES];
static char name[WF_PAPER_NAME + 1];

static void open_papers(void)
{
    const struct wf_papers_options options = {
        .max_bytes = SIZE, .max_open = 2, .max_unnamed = 3, .max_unnamed_bytes = 2 * SIZE};
    char path[300];
    assert_ok(
        wf_papers_open(tempdir_path(&dir, "papers", path, sizeof(path)), &options, &papers, &err),
        err);
}

static int set_up(void **state)
{
    (void)state;
    tempdir_init(&dir);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    wf_hash(bytes, SIZE, NULL, 0, hash);
    wf_hex(hash, sizeof(hash), name);
    arena = wf_arena_new(0);
    memset(&err, 0, sizeof(err));
    open_papers();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wf_papers_close(papers);
    wf_arena_free(arena);
    tempdir_fini(&dir);
    return 0;
}

struct state {
    uint64_t have;
    bool whole;
};

static int put_named(const char *party, const char *paper, uint64_t size, uint64_t at, size_t n,
                     struct state *out)
{
    const struct wf_paper_piece piece = {wf_str(paper), size, at, {bytes + at, n}};
    return wf_papers_put(papers, wf_str(party), &piece, &out->have, &out->whole, &err);
}

static struct state put(const char *party, uint64_t at, size_t n)
{
    struct state is = {0};
    assert_ok(put_named(party, name, SIZE, at, n, &is), err);
    return is;
}

#define assert_state(is, bytes_here, is_whole)                                                     \
    do {                                                                                           \
        struct state s_ = (is);                                                                    \
        assert_int_equal(s_.have, bytes_here);                                                     \
        assert_int_equal(s_.whole, is_whole);                                                      \
    } while (0)

static bool is_there(const char *fmt, const char *a)
{
    char rest[200];
    char path[600];
    (void)snprintf(rest, sizeof(rest), "papers/%s/%s", a, fmt);
    return access(tempdir_path(&dir, rest, path, sizeof(path)), F_OK) == 0;
}

static void a_paper_comes_in_pieces_and_goes_out_in_pieces(void **state)
{
    struct wf_slice piece;
    uint64_t size = 0;
    (void)state;
    assert_state(put("p", 0, 0), 0, false);
    assert_state(put("p", 0, 4000), 4000, false);
    assert_false(wf_papers_named(papers, wf_str(""), hash));
    assert_state(put("p", 4000, SIZE - 4000), SIZE, true);
    assert_true(wf_papers_named(papers, wf_str("p"), hash));
    assert_false(is_there(name, "incoming/p"));
    assert_ok(wf_papers_get(papers, hash, 9000, 4000, arena, &piece, &size, &err), err);
    assert_int_equal(size, SIZE);
    assert_int_equal(piece.len, 1000);
    assert_memory_equal(piece.ptr, bytes + 9000, 1000);
    assert_ok(wf_papers_get(papers, hash, SIZE, 4000, arena, &piece, &size, &err), err);
    assert_int_equal(piece.len, 0);
    assert_int_equal(wf_papers_get(papers, hash, SIZE + 1, 1, arena, &piece, &size, &err),
                     WF_E_INVALID);
    assert_int_equal(wf_papers_check(papers, hash, true, &size, &err), 0);
}

static void pieces_that_come_twice_or_out_of_order_change_nothing(void **state)
{
    (void)state;
    assert_state(put("p", 4000, 100), 0, false);
    assert_state(put("p", 0, 4000), 4000, false);
    assert_state(put("p", 0, 4000), 4000, false);
    assert_state(put("p", 5000, 5000), 4000, false);
    assert_state(put("p", 1000, 3000), 4000, false);
    assert_state(put("p", 2000, 3000), 5000, false); /* what is new of it */
    assert_state(put("p", 5000, 5000), SIZE, true);
    assert_state(put("p", 4000, 6000), SIZE, true);
}

static void bytes_with_another_hash_are_thrown_away(void **state)
{
    struct state is = {0};
    (void)state;
    (void)put("p", 0, 5000);
    bytes[7000] ^= 1;
    assert_int_equal(put_named("p", name, SIZE, 5000, 5000, &is), WF_E_INVALID);
    assert_string_equal(err.field, "paper");
    bytes[7000] ^= 1;
    assert_state(put("p", 0, 0), 0, false);
    assert_false(wf_papers_named(papers, wf_str(""), hash));
    assert_state(put("p", 0, SIZE), SIZE, true);
}

static void what_is_wrong_is_refused_by_its_field(void **state)
{
    static const struct {
        const char *paper;
        uint64_t size, at;
        size_t n;
        const char *field;
    } wrong[] = {
        {"abc", SIZE, 0, 0, "paper"},
        {"../../../../../../../../../../../../../../../../../../../etc/passwd", SIZE, 0, 1,
         "paper"},
        {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", SIZE, 0, 1, "paper"},
        {NULL, 0, 0, 0, "size"},
        {NULL, SIZE + 1, 0, 1, "size"},
        {NULL, UINT64_MAX, 0, 1, "size"},
        {NULL, 10, 11, 0, "at"},
        {NULL, 10, 5, 6, "bytes"},
    };
    struct state is = {0};
    (void)state;
    for (size_t i = 0; i < WF_COUNT(wrong); i++) {
        const char *paper = wrong[i].paper != NULL ? wrong[i].paper : name;
        assert_int_equal(put_named("p", paper, wrong[i].size, wrong[i].at, wrong[i].n, &is),
                         WF_E_INVALID);
        assert_string_equal(err.field, wrong[i].field);
    }
    assert_int_equal(put_named("../p", name, SIZE, 0, 1, &is), WF_E_DENIED);
    assert_int_equal(put_named("@host", name, SIZE, 0, 1, &is), WF_E_DENIED);
    (void)put("p", 0, 5000);
    assert_int_equal(put_named("p", name, 10, 0, 0, &is), WF_E_INVALID);
    assert_string_equal(err.field, "size");
}

static void two_parties_send_the_same_paper_and_neither_learns_of_the_other(void **state)
{
    (void)state;
    assert_state(put("a", 0, SIZE), SIZE, true);
    assert_true(wf_papers_named(papers, wf_str("a"), hash));
    assert_false(wf_papers_named(papers, wf_str("b"), hash));
    assert_state(put("b", 0, 0), 0, false);
    assert_state(put("b", 0, 6000), 6000, false);
    assert_state(put("b", 6000, 4000), SIZE, true);
    assert_true(wf_papers_named(papers, wf_str("b"), hash));
    assert_true(wf_papers_named(papers, wf_str(""), hash));
}

static void a_party_can_begin_only_so_many_papers(void **state)
{
    char other[WF_PAPER_NAME + 1];
    char rest[200];
    char path[600];
    struct state is = {0};
    (void)state;
    memset(other, 'a', WF_PAPER_NAME);
    other[WF_PAPER_NAME] = '\0';
    (void)put("p", 0, 10);
    assert_ok(put_named("p", other, SIZE, 0, 10, &is), err);
    other[0] = 'b';
    assert_int_equal(put_named("p", other, SIZE, 0, 10, &is), WF_E_FULL);
    assert_non_null(strstr(err.text, "papers_open"));
    assert_ok(put_named("q", other, SIZE, 0, 10, &is), err);
    /* one that rests gives way */
    (void)snprintf(rest, sizeof(rest), "papers/incoming/p/%s", name);
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(AT_FDCWD, tempdir_path(&dir, rest, path, sizeof(path)), old, 0), 0);
    assert_ok(put_named("p", other, SIZE, 0, 10, &is), err);
}

/* ---- how many that no dossier names ----------------------------------------------------------- */

/* Named are the first so many of those that were sent. */
static uint8_t sent[4][WF_HASH_BYTES];
static size_t n_sent, n_named;

static int is_named(void *context, const uint8_t found[WF_HASH_BYTES])
{
    (void)context;
    for (size_t i = 0; i < n_named; i++) {
        if (memcmp(sent[i], found, WF_HASH_BYTES) == 0)
            return 0;
    }
    return WF_NONE;
}

static int ask_room(const char *party, const char *paper, uint64_t size)
{
    const struct wf_paper_piece piece = {wf_str(paper), size, 0, {bytes, 1}};
    return wf_papers_room(papers, wf_str(party), &piece, is_named, NULL, &err);
}

/* The first `size` bytes, as a paper. */
static void send_whole(const char *party, uint64_t size)
{
    char paper[WF_PAPER_NAME + 1];
    struct state is = {0};
    wf_hash(bytes, size, NULL, 0, sent[n_sent]);
    wf_hex(sent[n_sent++], WF_HASH_BYTES, paper);
    assert_int_equal(ask_room(party, paper, size), 0);
    assert_ok(put_named(party, paper, size, 0, size, &is), err);
    assert_true(is.whole);
}

static void a_party_has_only_so_many_papers_that_no_dossier_names(void **state)
{
    (void)state;
    n_sent = n_named = 0;
    for (uint64_t size = 10; size < 13; size++)
        send_whole("p", size);
    wf_papers_close(papers);
    open_papers(); /* nothing of it is remembered but by files */
    assert_int_equal(ask_room("p", name, SIZE), WF_E_FULL);
    assert_string_equal(err.field, "paper");
    assert_non_null(strstr(err.text, "3 papers of this party"));
    assert_non_null(strstr(err.text, "papers_unnamed: 3"));
    assert_int_equal(ask_room("q", name, SIZE), 0);
    assert_int_equal(ask_room("", name, SIZE), 0);
    n_named = 1;
    assert_int_equal(ask_room("p", name, SIZE), 0);
    send_whole("p", 13);
    assert_int_equal(ask_room("p", name, SIZE), WF_E_FULL);
    n_named = 4;
    assert_int_equal(ask_room("p", name, SIZE), 0);
    n_named = 0; /* once named they are no longer looked at */
    assert_int_equal(ask_room("p", name, SIZE), 0);
}

static void a_party_has_only_so_many_bytes_that_no_dossier_names(void **state)
{
    (void)state;
    n_sent = n_named = 0;
    send_whole("p", SIZE - 1);
    send_whole("p", 500);
    assert_int_equal(ask_room("p", name, SIZE), WF_E_FULL);
    assert_int_equal(ask_room("p", name, SIZE - 499), 0);
    assert_int_equal(ask_room("r", name, 2 * SIZE + 1), WF_E_FULL);
    /* what is begun or here already may go on */
    (void)put("p", 0, 10);
    assert_int_equal(ask_room("p", name, SIZE), 0);
    (void)put("p", 10, SIZE - 10);
    assert_int_equal(ask_room("p", name, SIZE), 0);
}

static void a_full_disk_refuses_and_the_upload_goes_on_later(void **state)
{
    struct rlimit was;
    struct rlimit small;
    struct state is = {0};
    (void)state;
    (void)put("p", 0, 2000);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    small = was;
    small.rlim_cur = 4096;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int rc = put_named("p", name, SIZE, 2000, 8000, &is);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(rc, WF_E_FULL);
    is = put("p", 0, 0);
    assert_int_equal(is.have, 4096); /* what found room has stayed */
    assert_state(put("p", is.have, SIZE - is.have), SIZE, true);
}

static int count(void *context, const uint8_t found[WF_HASH_BYTES])
{
    (void)found;
    ++*(int *)context;
    return 0;
}

static void what_is_old_is_found_and_forgotten(void **state)
{
    const int64_t later = (int64_t)time(NULL) * 1000 + 60000;
    size_t removed = 0;
    int n = 0;
    (void)state;
    (void)put("p", 0, SIZE);
    for (unsigned i = 0; i < WF_PAPER_FOLDERS; i++)
        assert_ok(wf_papers_each(papers, i, later - 120000, count, &n, &err), err);
    assert_int_equal(n, 0);
    for (unsigned i = 0; i < WF_PAPER_FOLDERS; i++)
        assert_ok(wf_papers_each(papers, i, later, count, &n, &err), err);
    assert_int_equal(n, 1);
    assert_ok(wf_papers_forget(papers, later, &removed, &err), err);
    assert_int_equal(removed, 2); /* that p has sent it, and that nobody named it */
    assert_false(wf_papers_named(papers, wf_str("p"), hash));
    assert_ok(wf_papers_remove(papers, hash, &err), err);
    assert_int_equal(wf_papers_remove(papers, hash, &err), WF_NONE);
    assert_false(wf_papers_named(papers, wf_str(""), hash));
}

static void the_folders_that_there_are_are_those_of_papers(void **state)
{
    char path[600];
    bool is_there[WF_PAPER_FOLDERS];
    unsigned n = 0;
    (void)state;
    assert_ok(wf_papers_folders(papers, is_there, &err), err);
    for (unsigned i = 0; i < WF_PAPER_FOLDERS; i++)
        assert_false(is_there[i]);
    (void)put("p", 0, SIZE);
    assert_int_equal(mkdir(tempdir_path(&dir, "papers/zz", path, sizeof(path)), 0700), 0);
    assert_ok(wf_papers_folders(papers, is_there, &err), err);
    for (unsigned i = 0; i < WF_PAPER_FOLDERS; i++)
        n += is_there[i];
    assert_int_equal(n, 1);
    assert_true(is_there[hash[0]]);
}

static void a_damaged_paper_is_found_and_mended_by_sending_it_again(void **state)
{
    char rest[200];
    char path[600];
    uint64_t size = 0;
    (void)state;
    (void)put("a", 0, SIZE);
    (void)snprintf(rest, sizeof(rest), "papers/%.2s/%s", name, name);
    int fd = open(tempdir_path(&dir, rest, path, sizeof(path)), O_WRONLY);
    assert_int_equal(pwrite(fd, "xx", 2, 50), 2);
    (void)close(fd);
    assert_int_equal(wf_papers_check(papers, hash, true, &size, &err), WF_E_CORRUPT);
    assert_int_equal(wf_papers_check(papers, hash, false, &size, &err), 0);
    assert_state(put("b", 0, SIZE), SIZE, true);
    assert_int_equal(wf_papers_check(papers, hash, true, &size, &err), 0);
}

static void lack_of_memory_is_an_error_and_no_crash(void **state)
{
    struct wf_papers *other = NULL;
    struct wf_slice piece;
    uint64_t size = 0;
    char path[300];
    (void)state;
    wf_alloc_fail_at(1, 0);
    assert_int_equal(
        wf_papers_open(tempdir_path(&dir, "x", path, sizeof(path)), NULL, &other, &err),
        WF_E_NOMEM);
    wf_alloc_fail_at(0, 0);
    (void)put("p", 0, SIZE);
    struct wf_arena *small = wf_arena_new(5000);
    assert_int_equal(wf_papers_get(papers, hash, 0, SIZE, small, &piece, &size, &err), WF_E_NOMEM);
    wf_arena_free(small);
}

#if defined(WF_FAULT_INJECTION)
/* A process that dies at the point leaves an upload to go on with, or a whole paper. */
static void a_crash_at_any_point_leaves_an_upload_or_a_whole_paper(void **state)
{
    static const struct {
        const char *fault;
        uint64_t have; /* after it */
        bool whole;
    } crashes[] = {
        {"papers.append:2=kill", 5000, false},
        {"papers.checked:1=kill", SIZE, true}, /* the question finishes it */
        {"papers.placed:1=kill", SIZE, true},
        {"papers.synced:1=kill", SIZE, true},
    };
    (void)state;
    for (size_t i = 0; i < WF_COUNT(crashes); i++) {
        (void)!wf_papers_remove(papers, hash, &err);
        pid_t child = fork();
        if (child == 0) {
            struct state is;
            wf_fault_set(crashes[i].fault);
            (void)put_named("p", name, SIZE, 0, 5000, &is);
            (void)put_named("p", name, SIZE, 5000, 5000, &is);
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_state(put("p", 0, 0), crashes[i].have, crashes[i].whole);
        assert_state(put("p", crashes[i].have, (size_t)(SIZE - crashes[i].have)), SIZE, true);
    }
}

static void a_failed_disk_is_an_error_and_the_upload_goes_on(void **state)
{
    struct state is = {0};
    (void)state;
    wf_fault_set("papers.append:1=full,papers.checked:1=io");
    assert_int_equal(put_named("p", name, SIZE, 0, SIZE, &is), WF_E_FULL);
    assert_int_equal(put_named("p", name, SIZE, 0, SIZE, &is), WF_E_IO);
    wf_fault_set("");
    assert_state(put("p", 0, 0), SIZE, true);
}
#endif

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_paper_comes_in_pieces_and_goes_out_in_pieces),
        T(pieces_that_come_twice_or_out_of_order_change_nothing),
        T(bytes_with_another_hash_are_thrown_away),
        T(what_is_wrong_is_refused_by_its_field),
        T(two_parties_send_the_same_paper_and_neither_learns_of_the_other),
        T(a_party_can_begin_only_so_many_papers),
        T(a_party_has_only_so_many_papers_that_no_dossier_names),
        T(a_party_has_only_so_many_bytes_that_no_dossier_names),
        T(a_full_disk_refuses_and_the_upload_goes_on_later),
        T(what_is_old_is_found_and_forgotten),
        T(the_folders_that_there_are_are_those_of_papers),
        T(a_damaged_paper_is_found_and_mended_by_sending_it_again),
        T(lack_of_memory_is_an_error_and_no_crash),
#if defined(WF_FAULT_INJECTION)
        T(a_crash_at_any_point_leaves_an_upload_or_a_whole_paper),
        T(a_failed_disk_is_an_error_and_the_upload_goes_on),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
