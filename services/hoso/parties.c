/* SPDX-License-Identifier: Apache-2.0 */
/*
 * party ...: who may come through the gate. The verbs write one file of CELL/parties; gate and
 * workers take it up by themselves within a second or two. A secret key is written once, to a file of
 * its own, and kept nowhere here.
 */
#include <string.h>
#include <unistd.h>

#include "catalogue.h"
#include "party_file.h"

#define NAME_BYTES "abcdefghijklmnopqrstuvwxyz0123456789-._"
#define WORD_MOST  64

static const struct hoso_column columns[] = {
    {"name", "Party", "Bên tham gia", HOSO_TEXT},
    {"kind", "Kind", "Loại", HOSO_TEXT},
    {"organisation", "Organisation", "Đơn vị", HOSO_TEXT},
    {"sites", "Sites", "Điểm tiếp nhận", HOSO_WORDS},
    {"addresses", "Addresses", "Địa chỉ", HOSO_WORDS},
    {"roles", "Roles", "Vai trò", HOSO_WORDS},
    {"procedures", "Procedures", "Thủ tục", HOSO_WORDS},
    {"activities", "Activities", "Công việc", HOSO_WORDS},
    {"submit", "May submit", "Được nộp hồ sơ", HOSO_YESNO},
    {"journal", "May read the journal", "Được đọc nhật ký", HOSO_YESNO},
    {"relay", "Station", "Trạm chuyển tiếp", HOSO_YESNO},
    {"keys", "Public keys", "Khóa công khai", HOSO_WORDS},
    {"requests_per_second", "Requests a second", "Yêu cầu mỗi giây", HOSO_NUMBER0},
    {"revoked", "Revoked", "Đã thu hồi", HOSO_YESNO},
    {"file", "File", "Tệp", HOSO_TEXT},
    {"key_file", "Key file, for the party only", "Tệp khóa, chỉ giao cho bên này", HOSO_TEXT},
};

static const struct hoso_column list_columns[] = {
    {"name", "Party", "Bên tham gia", HOSO_TEXT},
    {"kind", "Kind", "Loại", HOSO_TEXT},
    {"organisation", "Organisation", "Đơn vị", HOSO_TEXT},
    {"sites", "Sites", "Điểm tiếp nhận", HOSO_WORDS},
    {"roles", "Roles", "Vai trò", HOSO_WORDS},
    {"revoked", "Revoked", "Đã thu hồi", HOSO_YESNO},
};

/* ---- values ---------------------------------------------------------------------------------- */

static const struct wf_value *words(struct hoso *h, const struct wf_texts *texts)
{
    struct wf_value *list = wf_list(h->arena);
    for (size_t i = 0; i < texts->n; i++)
        (void)wf_list_add(h->arena, list, wf_text(h->arena, texts->items[i]));
    return list;
}

static struct wf_value *party_value(struct hoso *h, const struct wf_party *p)
{
    /* clang-format off */
    return hoso_map(h,
        "name", wf_text(h->arena, p->name),
        "organisation", wf_text(h->arena, p->organisation),
        "kind", wf_text(h->arena, wf_party_kind_word(p->kind)),
        "keys", words(h, &p->keys),
        "sites", words(h, &p->sites),
        "addresses", words(h, &p->addresses),
        "roles", words(h, &p->roles),
        "procedures", words(h, &p->procedures),
        "activities", words(h, &p->activities),
        "submit", wf_bool(p->submit),
        "journal", wf_bool(p->journal),
        "relay", wf_bool(p->relay),
        "revoked", wf_bool(p->revoked),
        "requests_per_second", wf_int(h->arena, p->requests_per_second),
        NULL);
    /* clang-format on */
}

static int answer_pairs(struct hoso *h, const struct wf_value *answer)
{
    bool done = false;
    int rc = hoso_answer(h, answer, &done);
    return rc != 0 || done ? rc : hoso_print_pairs(h, columns, WF_COUNT(columns), answer);
}

static int find(struct hoso *h, const struct wf_parties *parties, const struct wf_party **out)
{
    *out = wf_party_by_name(parties, wf_str(h->args[0]));
    if (*out == NULL)
        return wf_fail(&h->err, WF_E_NOT_FOUND, "there is no party %.40s: see `hoso party list`",
                       h->args[0]);
    return 0;
}

/* ---- what add is told ------------------------------------------------------------------------ */

/* Codes, addresses and names are words of ASCII; the file that they go into is read as a whole. */
static bool is_word(const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        if (text[i] <= ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
            return false;
    }
    return length > 0 && length <= WORD_MOST;
}

/* "a,b" -> two texts */
static int read_list(struct hoso *h, enum hoso_option option, const char *name,
                     struct wf_texts *out)
{
    *out = (struct wf_texts){0};
    if (!hoso_has(h, option))
        return 0;
    const char *text = h->opt[option];
    size_t n = 1;
    for (const char *at = text; *at != '\0'; at++)
        n += *at == ',';
    const char **items = wf_arena_alloc(h->arena, n * sizeof(*items));
    for (size_t i = 0; i < n && items != NULL; i++) {
        size_t length = strcspn(text, ",");
        items[i] = wf_arena_strndup(h->arena, text, length);
        if (items[i] != NULL && !is_word(items[i]))
            return wf_fail(&h->err, WF_E_CONFIG,
                           "%s: word %zu: letters, digits and signs are wanted, at most %d of "
                           "them, and between two words a comma without space",
                           name, i + 1, WORD_MOST);
        if (items[i] == NULL)
            items = NULL;
        text += length + (text[length] == ',');
    }
    if (items == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "out of memory");
    *out = (struct wf_texts){items, n};
    return 0;
}

static int read_kind(struct hoso *h, enum wf_party_kind *out)
{
    const char *word = hoso_has(h, OPT_KIND) ? h->opt[OPT_KIND] : "";
    for (int kind = WF_PARTY_COUNTER; kind <= WF_PARTY_MONITOR; kind++) {
        if (strcmp(word, wf_party_kind_word((enum wf_party_kind)kind)) == 0) {
            *out = (enum wf_party_kind)kind;
            return 0;
        }
    }
    return wf_fail(&h->err, WF_E_CONFIG,
                   "--kind: counter, desk, agency, gateway, courier, portal or monitor is wanted");
}

static int check_name(struct hoso *h, const struct wf_parties *parties)
{
    const char *name = h->args[0];
    size_t length = strlen(name);
    if (length == 0 || length > 32 || name[0] == '.' || strspn(name, NAME_BYTES) != length)
        return wf_fail(&h->err, WF_E_CONFIG, "a party's name is 1 to 32 of a-z, 0-9, - . and _");
    if (wf_party_by_name(parties, wf_str(name)) != NULL)
        return wf_fail(&h->err, WF_E_STATE,
                       "party %s is registered already: `hoso party show %s` tells what it may; to "
                       "change that edit %.200s/parties/%s.cfg",
                       name, name, h->folder, name);
    return 0;
}

static bool is_role(const struct wf_registry *registry, const char *word)
{
    for (size_t i = 0; i < registry->n_roles; i++) {
        if (strcmp(registry->roles[i].id, word) == 0)
            return true;
    }
    return strcmp(word, "*") == 0;
}

static bool is_site(const struct wf_registry *registry, const char *word)
{
    for (size_t i = 0; i < registry->n_sites; i++) {
        if (strcmp(registry->sites[i].code, word) == 0)
            return true;
    }
    return strcmp(word, "*") == 0;
}

static int check_activity(struct hoso *h, const char *word)
{
    const struct wf_catalogue *catalogue = hoso_catalogue();
    const char **names = wf_arena_alloc(h->arena, (catalogue->n_activities + 1) * sizeof(*names));
    if (names == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "out of memory");
    for (size_t i = 0; i < catalogue->n_activities; i++) {
        names[i] = catalogue->activities[i]->name;
        if (strcmp(names[i], word) == 0)
            return 0;
    }
    const char *nearest = wf_nearest(word, names, catalogue->n_activities);
    if (strcmp(word, "*") == 0)
        return 0;
    return wf_fail(&h->err, WF_E_CONFIG, "--activities: no service offers \"%.64s\"%s%s%s", word,
                   nearest != NULL ? ": did you mean " : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "?" : "");
}

/* A misspelt word would let the party see nothing, and nobody would know why. */
static int check_words(struct hoso *h, const struct wf_party *p)
{
    int rc = hoso_registry(h);
    for (size_t i = 0; rc == 0 && i < p->sites.n; i++) {
        if (!is_site(h->registry, p->sites.items[i]))
            rc = wf_fail(&h->err, WF_E_CONFIG, "--sites: %.40s is no site of sites.cfg",
                         p->sites.items[i]);
    }
    for (size_t i = 0; rc == 0 && i < p->roles.n; i++) {
        if (!is_role(h->registry, p->roles.items[i]))
            rc = wf_fail(&h->err, WF_E_CONFIG, "--roles: %.40s is no role of roles.cfg",
                         p->roles.items[i]);
    }
    for (size_t i = 0; rc == 0 && i < p->activities.n; i++)
        rc = check_activity(h, p->activities.items[i]);
    return rc;
}

/* Registered all the same: rights may follow. Said, since such a party only hears "not found". */
static void note_no_rights(const struct hoso *h, const struct wf_party *p)
{
    if (p->submit || p->journal || p->sites.n > 0 || p->addresses.n > 0 || p->activities.n > 0)
        return;
    (void)fprintf(stderr, "hoso: %s\n",
                  h->vi ? "lưu ý: bên này chưa được làm gì: --sites, --roles, --submit, "
                          "--activities, --journal cho quyền"
                        : "note: it may do nothing yet: --sites, --roles, --submit, --activities "
                          "and --journal give rights");
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ')
            return false;
    }
    return true;
}

static int read_party(struct hoso *h, struct wf_party *p)
{
    p->name = h->args[0];
    p->organisation = hoso_has(h, OPT_ORGANISATION) ? h->opt[OPT_ORGANISATION] : h->args[0];
    p->submit = hoso_has(h, OPT_SUBMIT);
    p->journal = hoso_has(h, OPT_JOURNAL);
    p->relay = hoso_has(h, OPT_RELAY);
    size_t length = strlen(p->organisation);
    if (!is_printable(p->organisation) || length == 0 || length > 200 ||
        !wf_is_utf8(p->organisation, length))
        return wf_fail(&h->err, WF_E_CONFIG, "--organisation: one line of UTF-8, 1 to 200 bytes");
    int rc = read_kind(h, &p->kind);
    if (rc == 0)
        rc = hoso_number(h, OPT_RATE, 0, 1000000, &p->requests_per_second);
    if (rc == 0)
        rc = read_list(h, OPT_SITES, "--sites", &p->sites);
    if (rc == 0)
        rc = read_list(h, OPT_ADDRESSES, "--addresses", &p->addresses);
    if (rc == 0)
        rc = read_list(h, OPT_ROLES, "--roles", &p->roles);
    if (rc == 0)
        rc = read_list(h, OPT_SUBMIT, "--submit", &p->procedures);
    if (rc == 0)
        rc = read_list(h, OPT_ACTIVITIES, "--activities", &p->activities);
    return rc == 0 ? check_words(h, p) : rc;
}

/* The key: the party's own, or a new pair whose file is for the party. */
static int read_key(struct hoso *h, struct wf_party *p, const char **out_file)
{
    const char **key = wf_arena_alloc(h->arena, sizeof(*key));
    if (key == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "out of memory");
    p->keys = (struct wf_texts){key, 1};
    if (!hoso_has(h, OPT_PUBLIC_KEY))
        return party_new_key(h, p->name, key, out_file);
    *key = h->opt[OPT_PUBLIC_KEY];
    if (!wf_key_is_valid(*key) || wf_key_is_printed(*key))
        return wf_fail(&h->err, WF_E_CONFIG,
                       "--public-key: 40 characters (Z85) of a key of the party's own are wanted");
    return 0;
}

/* ---- verbs ----------------------------------------------------------------------------------- */

int hoso_party_add(struct hoso *h)
{
    struct wf_parties *parties = NULL;
    struct wf_party party = {0};
    const char *key_file = NULL;
    const char *path = NULL;
    int rc = party_take_turn(h);
    if (rc == 0)
        rc = party_registry(h, &parties);
    if (rc == 0)
        rc = check_name(h, parties);
    if (rc == 0)
        rc = read_party(h, &party);
    if (rc == 0)
        rc = read_key(h, &party, &key_file);
    if (rc == 0 && wf_party_by_key(parties, party.keys.items[0]) != NULL)
        rc = wf_fail(&h->err, WF_E_STATE, "another party has this key: each needs its own");
    if (rc == 0) {
        rc = party_write(h, &party, &path);
        if (rc != 0 && key_file != NULL)
            (void)unlink(key_file); /* a key that is registered nowhere would only puzzle */
    }
    wf_parties_free(parties);
    if (rc != 0)
        return rc;
    note_no_rights(h, &party);
    struct wf_value *answer = party_value(h, &party);
    (void)wf_map_put(h->arena, answer, "file", wf_text(h->arena, path));
    if (key_file != NULL)
        (void)wf_map_put(h->arena, answer, "key_file", wf_text(h->arena, key_file));
    return answer_pairs(h, answer);
}

int hoso_party_list(struct hoso *h)
{
    struct wf_parties *parties = NULL;
    bool done = false;
    int rc = party_registry(h, &parties);
    if (rc != 0)
        return rc;
    struct wf_value *rows = wf_list(h->arena);
    for (size_t i = 0; i < wf_parties_count(parties); i++)
        (void)wf_list_add(h->arena, rows, party_value(h, wf_parties_at(parties, i)));
    rc = hoso_answer(h, hoso_map(h, "parties", rows, NULL), &done);
    if (rc == 0 && !done)
        rc = hoso_print_table(h, list_columns, WF_COUNT(list_columns), rows);
    wf_parties_free(parties);
    return rc;
}

int hoso_party_show(struct hoso *h)
{
    struct wf_parties *parties = NULL;
    const struct wf_party *party = NULL;
    int rc = party_registry(h, &parties);
    if (rc == 0)
        rc = find(h, parties, &party);
    if (rc == 0)
        rc = answer_pairs(h, party_value(h, party));
    wf_parties_free(parties);
    return rc;
}

int hoso_party_revoke(struct hoso *h)
{
    struct wf_parties *parties = NULL;
    const struct wf_party *found = NULL;
    const char *path = NULL;
    int rc = party_take_turn(h);
    if (rc == 0)
        rc = party_registry(h, &parties);
    if (rc == 0)
        rc = find(h, parties, &found);
    if (rc == 0 && found != NULL) {
        struct wf_party party = *found;
        party.revoked = true;
        rc = party_write(h, &party, &path);
        if (rc == 0)
            rc = answer_pairs(h, party_value(h, &party));
    }
    wf_parties_free(parties);
    return rc;
}

/* A new key beside the newest old one; with --final the newest alone. */
static int rotate(struct hoso *h, const struct wf_party *found)
{
    const char *keys[2] = {NULL, NULL};
    const char *key_file = NULL;
    const char *path = NULL;
    size_t n = 0;
    struct wf_party party = *found;
    int rc = 0;
    if (!hoso_has(h, OPT_FINAL)) {
        rc = party_new_key(h, party.name, &keys[n], &key_file);
        n++;
    }
    if (found->keys.n > 0)
        keys[n++] = found->keys.items[0];
    party.keys = (struct wf_texts){keys, n};
    if (rc == 0)
        rc = party_write(h, &party, &path);
    if (rc != 0 && key_file != NULL)
        (void)unlink(key_file); /* as in add */
    if (rc != 0)
        return rc;
    struct wf_value *answer = party_value(h, &party);
    if (key_file != NULL)
        (void)wf_map_put(h->arena, answer, "key_file", wf_text(h->arena, key_file));
    return answer_pairs(h, answer);
}

int hoso_party_rotate(struct hoso *h)
{
    struct wf_parties *parties = NULL;
    const struct wf_party *found = NULL;
    int rc = party_take_turn(h);
    if (rc == 0)
        rc = party_registry(h, &parties);
    if (rc == 0)
        rc = find(h, parties, &found);
    if (rc == 0 && found != NULL)
        rc = rotate(h, found);
    wf_parties_free(parties);
    return rc;
}

int hoso_party_gate_key(struct hoso *h)
{
    char public[WF_KEY_SIZE];
    bool made = false;
    bool done = false;
    int rc = hoso_cell(h);
    if (rc == 0)
        rc = party_gate_key(h, public, &made);
    if (rc == 0)
        rc = hoso_answer(h,
                         hoso_map(h, "public_key", wf_text(h->arena, public), "file",
                                  wf_text(h->arena, h->settings.gate_key), "made", wf_bool(made),
                                  NULL),
                         &done);
    if (rc == 0 && !done)
        (void)puts(public);
    return rc;
}
