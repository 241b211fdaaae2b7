/* SPDX-License-Identifier: Apache-2.0 */
#include "workflow/keypair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "workflow/config.h"

#define KEY_BYTES 32
#define FILE_MAX  4096

/* The pairs of zmq_curve(7), client and server. */
static const char *const printed[] = {"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
                                      "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"};

int wf_keypair_new(struct wf_keypair *out, struct wf_error *err)
{
    struct wf_keypair pair = {0};
    if (zmq_curve_keypair(pair.public, pair.secret) != 0)
        return wf_fail(err, WF_E_UNSUPPORTED, "make a key pair: ZeroMQ here has no CURVE");
    *out = pair;
    wf_keypair_wipe(&pair);
    return 0;
}

void wf_keypair_wipe(struct wf_keypair *pair)
{
    explicit_bzero(pair, sizeof(*pair));
}

bool wf_key_is_valid(const char *key)
{
    uint8_t bytes[KEY_BYTES];
    return strlen(key) == WF_KEY_SIZE - 1 && zmq_z85_decode(bytes, key) != NULL;
}

bool wf_key_is_printed(const char *public_key)
{
    for (size_t i = 0; i < WF_COUNT(printed); i++) {
        if (strcmp(printed[i], public_key) == 0)
            return true;
    }
    return false;
}

/* ---- writing --------------------------------------------------------------------------------- */

static int fill(int fd, const char *path, const char *text, size_t length, struct wf_error *err)
{
    ssize_t n = write(fd, text, length);
    if (n != (ssize_t)length || fsync(fd) != 0)
        return wf_fail(err, WF_E_IO, "%s: %s", path, n < 0 ? strerror(errno) : "no room");
    return 0;
}

int wf_keypair_write(const char *path, const struct wf_keypair *pair,
                     const struct wf_key_place *place, struct wf_error *err)
{
    char text[FILE_MAX];
    int length = snprintf(text, sizeof(text),
                          "# Key pair of Hoso. The secret key proves who you are: keep this file "
                          "to yourself.\npublic = \"%s\";\nsecret = \"%s\";\n",
                          pair->public, pair->secret);
    if (place != NULL)
        length += snprintf(text + length, sizeof(text) - (size_t)length,
                           "# The gate: its public key, and where it listens.\n"
                           "gate = \"%s\";\nendpoint = \"%s\";\n",
                           place->gate, place->endpoint);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int rc = 0;
    if (fd < 0) {
        rc = wf_fail(err, errno == EEXIST ? WF_E_STATE : WF_E_IO, "%s: %s", path, strerror(errno));
    } else {
        rc = fill(fd, path, text, (size_t)length, err);
        (void)close(fd);
        if (rc < 0)
            (void)unlink(path);
    }
    explicit_bzero(text, sizeof(text));
    return rc;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The raw text, with the checks on who else could have read or changed it. */
static int slurp(const char *path, char *out, size_t size, size_t *out_length, struct wf_error *err)
{
    struct stat is;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return wf_fail(err, WF_E_CONFIG, "%s: %s", path, strerror(errno));
    int rc = 0;
    ssize_t n = 0;
    if (fstat(fd, &is) != 0 || !S_ISREG(is.st_mode))
        rc = wf_fail(err, WF_E_CONFIG, "%s: is no file", path);
    else if ((is.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        rc = wf_fail(err, WF_E_CONFIG,
                     "%s: others may read this secret key: chmod 0600 it, and make a new key if "
                     "they could",
                     path);
    else if ((n = read(fd, out, size)) < 0 || (size_t)n == size)
        rc = wf_fail(err, WF_E_CONFIG, "%s: cannot be a key file: it is too long", path);
    (void)close(fd);
    *out_length = n > 0 ? (size_t)n : 0;
    return rc;
}

struct raw {
    const char *public, *secret, *gate, *endpoint;
};

static const struct wf_key rows[] = {
    {"public", WF_KEY_TEXT, offsetof(struct raw, public), true, 40, 40, NULL, "public key"},
    {"secret", WF_KEY_TEXT, offsetof(struct raw, secret), true, 40, 40, NULL, "secret key"},
    {"gate", WF_KEY_TEXT, offsetof(struct raw, gate), false, 0, 40, "", "the gate's public key"},
    {"endpoint", WF_KEY_TEXT, offsetof(struct raw, endpoint), false, 0, 255, "", "of the gate"},
};

/* The two belong together: the public key follows from the secret one. */
static bool is_pair(const struct raw *raw)
{
    char public[WF_KEY_SIZE];
    return wf_key_is_valid(raw->public) && wf_key_is_valid(raw->secret) &&
           zmq_curve_public(public, raw->secret) == 0 && strcmp(public, raw->public) == 0;
}

static int take(const char *path, const struct raw *raw, struct wf_keypair *out,
                struct wf_key_place *out_place, struct wf_error *err)
{
    if (!is_pair(raw))
        return wf_fail(err, WF_E_CONFIG, "%s: its two keys do not belong together", path);
    if (wf_key_is_printed(raw->public))
        return wf_fail(err, WF_E_CONFIG,
                       "%s: this key stands in the manual of ZeroMQ, everybody has its secret: "
                       "make a new one",
                       path);
    memcpy(out->public, raw->public, WF_KEY_SIZE);
    memcpy(out->secret, raw->secret, WF_KEY_SIZE);
    if (out_place != NULL) {
        (void)snprintf(out_place->gate, sizeof(out_place->gate), "%s", raw->gate);
        (void)snprintf(out_place->endpoint, sizeof(out_place->endpoint), "%s", raw->endpoint);
    }
    return 0;
}

int wf_keypair_read(const char *path, struct wf_keypair *out, struct wf_key_place *out_place,
                    struct wf_error *err)
{
    char text[FILE_MAX];
    size_t length = 0;
    struct raw raw = {0};
    struct wf_report report = {0};
    struct wf_config *config = NULL;
    int rc = slurp(path, text, sizeof(text), &length, err);
    if (rc == 0)
        rc = wf_config_parse(path, text, length, &report, &config, err);
    if (rc == 0)
        rc = wf_keys_read(config, wf_config_root(config), rows, WF_COUNT(rows), &raw, &report, err);
    if (rc == 0)
        rc = take(path, &raw, out, out_place, err);
    wf_config_free(config);
    wf_report_fini(&report);
    explicit_bzero(text, sizeof(text));
    return rc;
}
