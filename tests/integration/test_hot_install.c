/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions are installed while counters file dossiers and five workers run: no dossier is refused,
 * the very next one takes the new version through all workers, those before it finish on theirs or
 * move when told to. A wrong definition in between is refused and disturbs nothing.
 */
#include "support/test.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/load.h"

#define COUNTERS 2
#define VERSIONS 6 /* beside the first */
#define SETTINGS "cell = \"hot\";\ncode_digits = 7;\nlog_level = \"warn\";\n"

struct scene {
    struct host host;
    struct wf_client *client;
    struct counter counters[COUNTERS];
    struct acknowledged probes[4 * VERSIONS];
    uint64_t expected[4 * VERSIONS]; /* version of each probe */
    size_t n_probes;
};

/* ---- steps ------------------------------------------------------------------------------------
 */

static int hoso(const struct host *host, const char *const words[], size_t n)
{
    const char *argv[16] = {BUILD_ROOT "/services/hoso"};
    int status = 0;
    memcpy(&argv[1], words, n * sizeof(words[0]));
    argv[n + 1] = "--cell";
    argv[n + 2] = host->folder;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        (void)dup2(nowhere, STDOUT_FILENO);
        (void)dup2(nowhere, STDERR_FILENO);
        (void)execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define HOSO(host, ...)                                                                            \
    hoso(host, (const char *const[]){__VA_ARGS__},                                                 \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* The words of the six steps with `from` replaced everywhere. */
static void replace(char *text, size_t size, const char *from, const char *to)
{
    size_t at = 0;
    char *found = NULL;
    while ((found = strstr(text + at, from)) != NULL) {
        size_t place = (size_t)(found - text);
        size_t rest = strlen(found + strlen(from)) + 1;
        assert_true(place + strlen(to) + rest <= size);
        memmove(found + strlen(to), found + strlen(from), rest);
        memcpy(found, to, strlen(to));
        at = place + strlen(to);
    }
}

/* In each version the third state has a name of its own: ask-2, ask-3 ... */
static void write_definition(const struct host *host, unsigned version, bool sound, char path[160])
{
    static char text[16384];
    char words[64];
    FILE *from = fopen(SOURCE_ROOT "/bench/six-steps.cfg", "r");
    assert_non_null(from);
    text[fread(text, 1, sizeof(text) - 1, from)] = '\0';
    (void)fclose(from);
    (void)snprintf(words, sizeof(words), "version = %u;", version);
    replace(text, sizeof(text), "version = 1;", words);
    (void)snprintf(words, sizeof(words), "ask-%u: {", version);
    replace(text, sizeof(text), "consult: {", words);
    (void)snprintf(words, sizeof(words), "target = \"%s-%u\"", sound ? "ask" : "nowhere", version);
    replace(text, sizeof(text), "target = \"consult\"", words);
    (void)snprintf(path, 160, "%s/version.cfg", host->folder);
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    assert_true(fputs(text, to) >= 0);
    assert_int_equal(fclose(to), 0);
}

/* The next dossier must take this version. */
static void probe(struct scene *scene, uint64_t version)
{
    struct wf_error err = {0};
    struct acknowledged *ack = &scene->probes[scene->n_probes];
    wf_client_new_id(scene->client, ack->id);
    (void)snprintf(ack->note, sizeof(ack->note), "probe %zu", scene->n_probes);
    assert_ok(host_submit(scene->client, ack->id, ack->note, 10000, ack->code, &err), err);
    scene->expected[scene->n_probes++] = version;
}

static void install(struct scene *scene, unsigned version)
{
    char path[160];
    write_definition(&scene->host, version, false, path);
    assert_int_equal(HOSO(&scene->host, "procedure", "install", path), 2);
    probe(scene, version - 1);
    write_definition(&scene->host, version, true, path);
    assert_int_equal(HOSO(&scene->host, "procedure", "install", path, "--by", "test"), 0);
    probe(scene, version);
}

/* Those still on the version before come along, wherever they stand. */
static void migrate(struct scene *scene, unsigned version)
{
    char from[16];
    char to[16];
    char map[64];
    (void)snprintf(from, sizeof(from), "%u", version - 1);
    (void)snprintf(to, sizeof(to), "%u", version);
    (void)snprintf(map, sizeof(map), "ask-%u=ask-%u", version - 1, version);
    assert_int_equal(HOSO(&scene->host, "procedure", "migrate", SIX_STEPS, from, to, "--map", map,
                          "--reason", "test", "--batch", "20"),
                     0);
}

/* Until so many more dossiers have been closed: then some of the present version have. */
static void work_on(struct scene *scene)
{
    const uint64_t goal = host_counts(&scene->host).closed + 30;
    for (int waited = 0; host_counts(&scene->host).closed < goal; waited++) {
        assert_in_range(waited, 0, 6000);
        sleep_ms(10);
    }
}

/* ---- what must hold afterwards -----------------------------------------------------------------
 */

static uint64_t version_of(struct wf_txn *txn, struct wf_arena *arena, const char *code)
{
    struct wf_rec_dossier dossier;
    struct wf_error err = {0};
    uint64_t id = 0;
    wf_arena_reset(arena);
    assert_ok(wf_dossier_find(txn, wf_str(code), &id, &err), err);
    assert_ok(wf_dossier_get(txn, id, arena, &dossier, &err), err);
    return dossier.version;
}

static void check_versions(struct scene *scene)
{
    struct wf_store_options options = {.read_only = true};
    struct wf_store *store = NULL;
    struct wf_txn *txn = NULL;
    struct wf_error err = {0};
    struct wf_arena *arena = wf_arena_new(0);
    uint64_t seen[VERSIONS + 2] = {0};
    assert_ok(wf_store_open(scene->host.store, &options, &store, &err), err);
    assert_ok(wf_txn_begin(store, false, &txn, &err), err);
    for (size_t i = 0; i < scene->n_probes; i++) {
        uint64_t version = version_of(txn, arena, scene->probes[i].code);
        /* a migration may have taken it one version on */
        assert_in_range(version, scene->expected[i], scene->expected[i] + 1);
    }
    for (size_t i = 0; i < COUNTERS; i++) {
        const struct counter *counter = &scene->counters[i];
        for (size_t j = 0; j < counter->n; j++) {
            uint64_t version = version_of(txn, arena, counter->acks[j].code);
            assert_in_range(version, 1, VERSIONS + 1);
            seen[version]++;
        }
    }
    for (size_t v = 1; v <= VERSIONS + 1; v++)
        assert_true(seen[v] > 0);
    wf_txn_abort(txn);
    wf_store_close(store);
    wf_arena_free(arena);
}

/* No worker put an item back because it did not know a version. */
static void check_log(const struct host *host)
{
    char path[160];
    char line[1024];
    (void)snprintf(path, sizeof(path), "%s/log", host->folder);
    FILE *log = fopen(path, "r");
    assert_non_null(log);
    while (fgets(line, sizeof(line), log) != NULL)
        fail_msg("%s", line);
    (void)fclose(log);
}

static struct acknowledged *all_acks(const struct scene *scene, size_t *n)
{
    *n = scene->n_probes;
    for (size_t i = 0; i < COUNTERS; i++)
        *n += scene->counters[i].n;
    struct acknowledged *acks = calloc(*n, sizeof(*acks));
    assert_non_null(acks);
    size_t at = scene->n_probes;
    memcpy(acks, scene->probes, at * sizeof(*acks));
    for (size_t i = 0; i < COUNTERS; i++) {
        memcpy(&acks[at], scene->counters[i].acks, scene->counters[i].n * sizeof(*acks));
        at += scene->counters[i].n;
    }
    return acks;
}

static void the_next_dossier_takes_what_was_installed_under_load(void **state)
{
    (void)state;
    static struct scene scene;
    struct wf_error err = {0};
    size_t n = 0;
    host_new(&scene.host, NULL, SETTINGS);
    host_start_all(&scene.host);
    assert_ok(wf_client_open(scene.host.run, NULL, &scene.client, &err), err);
    for (unsigned i = 0; i < COUNTERS; i++)
        counter_start(&scene.counters[i], scene.host.run, i, 0);
    for (unsigned version = 2; version <= VERSIONS + 1; version++) {
        work_on(&scene);
        install(&scene, version);
        if (version % 2 == 1)
            migrate(&scene, version);
    }
    work_on(&scene);
    for (size_t i = 0; i < COUNTERS; i++)
        counter_stop(&scene.counters[i]);
    assert_int_equal(HOSO(&scene.host, "procedure", "retire", SIX_STEPS, "7", "--reason", "test"),
                     0);
    probe(&scene, VERSIONS); /* rolled back */
    assert_true(host_settle(&scene.host, 60000));
    wf_client_close(scene.client);
    host_stop_all(&scene.host);
    struct acknowledged *acks = all_acks(&scene, &n);
    audit(&scene.host, acks, n);
    check_versions(&scene);
    check_log(&scene.host);
    print_message("%zu dossiers over %d versions\n", n, VERSIONS + 1);
    free(acks);
    for (size_t i = 0; i < COUNTERS; i++)
        counter_fini(&scene.counters[i]);
    host_close(&scene.host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_dossier_takes_what_was_installed_under_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
