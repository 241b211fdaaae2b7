/* SPDX-License-Identifier: Apache-2.0 */
#include "crowd.h"

#include <sys/resource.h>
#include <zmq.h>

#include "figure.h"

#define AT_ONCE     50 /* that shake hands: all at once they would outlast the gate's patience */
#define PATIENCE_MS 20000

struct crowd {
    void *context;
    struct wf_keypair *keys;
    void **sockets;
    size_t n, connected;
};

static bool register_one(const struct gated *g, size_t i, struct wf_keypair *keys)
{
    char path[256];
    if (wf_keypair_new(keys, NULL) != 0)
        return false;
    (void)snprintf(path, sizeof(path), "%s/parties/crowd-%04zu.cfg", g->host.folder, i);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return false;
    int n = fprintf(file,
                    "name = \"crowd-%04zu\";\norganisation = \"Crowd\";\nkind = \"counter\";\n"
                    "keys = [ \"%s\" ];\nsites = [ \"" COUNTER_SITE "\" ];\nsubmit = true;\n"
                    "roles = [ \"*\" ];\nprocedures = [ \"*\" ];\n",
                    i, keys->public);
    return fclose(file) == 0 && n > 0;
}

/* Two descriptors for each of our sockets. */
static void allow_descriptors(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
}

struct crowd *crowd_new(const struct gated *g, size_t n)
{
    struct crowd *crowd = calloc(1, sizeof(*crowd));
    if (crowd == NULL)
        return NULL;
    allow_descriptors();
    crowd->n = n;
    crowd->keys = calloc(n, sizeof(*crowd->keys));
    crowd->sockets = calloc(n, sizeof(*crowd->sockets));
    crowd->context = zmq_ctx_new();
    bool good = crowd->keys != NULL && crowd->sockets != NULL && crowd->context != NULL &&
                zmq_ctx_set(crowd->context, ZMQ_MAX_SOCKETS, (int)n + 16) == 0;
    for (size_t i = 0; good && i < n; i++)
        good = register_one(g, i, &crowd->keys[i]);
    if (good)
        return crowd;
    crowd_free(crowd);
    return NULL;
}

void crowd_go(struct crowd *crowd)
{
    for (; crowd->connected > 0; crowd->connected--)
        (void)zmq_close(crowd->sockets[crowd->connected - 1]);
}

void crowd_free(struct crowd *crowd)
{
    if (crowd == NULL)
        return;
    crowd_go(crowd);
    if (crowd->context != NULL)
        (void)zmq_ctx_term(crowd->context);
    free(crowd->keys);
    free(crowd->sockets);
    free(crowd);
}

static bool say_hello(void *socket)
{
    const struct wf_msg_health body = {0};
    const struct wf_envelope envelope = {.type = WF_MSG_health,
                                         .id = wf_str("hello"),
                                         .to = wf_str(wf_service_word(WF_ROUTING)),
                                         .body = &body};
    struct wf_buf packed = {0};
    bool sent = wf_message_pack(&envelope, &packed, NULL) == 0 &&
                zmq_send(socket, packed.ptr, packed.len, 0) == (int)packed.len;
    wf_buf_fini(&packed);
    return sent;
}

static bool come_one(struct crowd *crowd, const struct gated *g)
{
    const struct wf_keypair *keys = &crowd->keys[crowd->connected];
    const int none = 0;
    const int patience = PATIENCE_MS;
    void *socket = zmq_socket(crowd->context, ZMQ_DEALER);
    if (socket == NULL)
        return false;
    crowd->sockets[crowd->connected++] = socket;
    return zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof(none)) == 0 &&
           zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys->public, WF_KEY_SIZE) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys->secret, WF_KEY_SIZE) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, g->gate_key, WF_KEY_SIZE) == 0 &&
           zmq_connect(socket, g->endpoint) == 0 && say_hello(socket);
}

bool crowd_come(struct crowd *crowd, const struct gated *g)
{
    char answer[2048];
    while (crowd->connected < crowd->n) {
        size_t first = crowd->connected;
        for (size_t i = 0; i < AT_ONCE && crowd->connected < crowd->n; i++) {
            if (!come_one(crowd, g))
                return false;
        }
        for (size_t i = first; i < crowd->connected; i++) {
            if (zmq_recv(crowd->sockets[i], answer, sizeof(answer), 0) <= 0)
                return false;
        }
    }
    return true;
}
