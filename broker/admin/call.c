#include "admin/admin.h"

#include "admin/engine.h"
#include "admin/inquiry.h"
#include "admin/message.h"
#include "admin/reply.h"
#include "admin/socket_path.h"
#include "base/mem.h"
#include "store/cert.h"
#include "transport/http_client.h"
#include "transport/loop_poll.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEADLINE_MS (15 * 60 * 1000) /* a large import */
#define REPLY_MAX (64u * 1024 * 1024)
#define OP_MAX 64
#define TIDY_MS 1000

/* --- in this process --- */

static uint64_t revocations(struct fr_store *store)
{
    struct fr_snap *snap = NULL;
    uint64_t n = 0;
    if (fr_snap_begin(store, &snap)) return 0;
    if (fr_cert_revocations(snap, &n)) n = 0;
    fr_snap_end(snap);
    return n;
}

/* What a broker does by itself a moment after a revocation. The change is made either way, so a
 * failure is the audit trail's to tell, and `ca crl show`'s. */
static void publish_crl(struct fr_admin_fed *fed, const struct fr_admin_actor *actor)
{
    const struct fr_admin_request request = {.op = "crl.publish"};
    struct fr_task *task = NULL;
    if (fr_task_new(&request, actor, NULL, &task)) return;
    fr_admin_run(fed, task);
    fr_task_free(task);
}

static enum fr_err call_here(const char *state, const struct fr_admin_request *request,
                             struct fr_diag *diag, struct fr_admin_reply **out)
{
    struct fr_store *store = NULL;
    struct fr_admin_fed *fed = NULL;
    struct fr_task *task = NULL;
    uint64_t revoked_before = 0;
    struct fr_admin_identity identity = {0};
    /* Who asks is the real user, also while root works as the directory's owner. */
    const struct fr_admin_actor actor = fr_admin_actor_user(FR_ACTOR_CLI, getuid(), getpid());
    enum fr_err err = fr_admin_identity_enter(state, diag, &identity);
    if (err) return err;

    err = fr_store_open(&(struct fr_store_options){.dir = state}, diag, &store);
    if (err) goto out;
    const struct fr_admin_fed_options options = {.state = state,
                                                 .store = store,
                                                 .clock = fr_clock_system(),
                                                 .passphrase = request->passphrase};
    err = fr_admin_fed_new(&options, diag, &fed);
    if (err) goto out;
    err = fr_task_new(request, &actor, diag, &task);
    if (err) goto out;
    revoked_before = revocations(store);
    while (!fr_admin_tidy(fed, TIDY_MS)) { /* an import that was cut short comes first */
    }
    fr_admin_run(fed, task);
    while (!fr_task_is_single(task) && !fr_admin_tidy(fed, TIDY_MS)) {
    }
    err = fr_task_take_reply(task, diag, out);
    if (revocations(store) != revoked_before) publish_crl(fed, &actor);
out:
    fr_task_free(task);
    fr_admin_fed_free(fed);
    fr_store_close(store);
    fr_admin_identity_leave(&identity);
    return err;
}

/* --- through the broker --- */

struct call {
    bool is_over;
    bool is_unserved; /* nobody listens on the socket */
    struct fr_diag *diag;
    enum fr_err err;
    struct fr_admin_reply *reply;
};

static void call_done(void *data, const struct fr_http_result *r)
{
    struct call *call = data;
    call->is_over = true;
    if (r->fault == FR_HTTP_REFUSED) {
        call->is_unserved = true;
    } else if (r->fault != FR_HTTP_OK) {
        call->err =
            fr_diag_fail(call->diag, FR_E_UNAVAILABLE, "the broker did not answer: %s", r->text);
        if (r->is_sent)
            fr_diag_hint(call->diag, "the change may have been made: look before repeating it");
    } else if (r->status != 200) {
        call->err = fr_admin_refusal_read(r->body, call->diag);
    } else {
        call->err = fr_admin_reply_parse(r->body, &call->reply);
        if (call->err)
            (void)fr_diag_fail(call->diag, call->err, "the broker's answer was not understood");
    }
}

static enum fr_err exchange(struct fr_http_client *client, struct fr_loop *loop,
                            const struct fr_admin_request *request, struct call *call)
{
    char target[sizeof FR_ADMIN_PATH + OP_MAX];
    const char *type = NULL;
    struct fr_buf content = FR_BUF_INIT(FR_ADMIN_BODY_MAX + 2 * FR_ADMIN_ARGS_MAX);
    enum fr_err err = fr_admin_message_write(request, &content, &type);
    if (err) goto out;
    (void)snprintf(target, sizeof target, FR_ADMIN_PATH "%s", request->op);
    const struct fr_http_field field = FR_HTTP_FIELD("content-type", type);
    const struct fr_http_request http = {.method = "POST",
                                         .target = target,
                                         .fields = &field,
                                         .n_fields = 1,
                                         .body = fr_buf_span(&content)};
    err = fr_http_send(client, &http, DEADLINE_MS, call_done, call, NULL);
    fr_buf_deinit(&content); /* the client has its own copy: do not hold two while waiting */
    if (err) goto out;
    while (!call->is_over) (void)fr_loop_poll_turn(loop, 1000);
    err = call->err;
out:
    fr_buf_deinit(&content);
    return err;
}

/* *is_unserved: no broker runs on this directory. */
static enum fr_err call_broker(const char *state, const struct fr_admin_request *request,
                               struct fr_diag *diag, bool *is_unserved, struct fr_admin_reply **out)
{
    struct fr_loop *loop = NULL;
    struct fr_http_client *client = NULL;
    struct fr_socket_path path = {.dir_fd = -1};
    struct call call = {.diag = diag};
    enum fr_err err = fr_socket_path_open(state, diag, &path);
    if (err) goto out;
    if (access(path.text, F_OK)) {
        call.is_unserved = true;
        goto out;
    }
    err = fr_loop_poll_new(NULL, &loop);
    if (err) goto out;
    struct fr_http_client_conf conf = fr_http_client_conf_default();
    conf.host = "localhost";
    conf.unix_path = path.text;
    conf.has_h1 = true;
    conf.has_h2 = false;
    conf.body_bytes = REPLY_MAX;
    err = fr_http_client_new(loop, &conf, &client);
    if (err) goto out;
    err = exchange(client, loop, request, &call);
out:
    fr_http_client_free(client);
    fr_loop_poll_free(loop);
    fr_socket_path_close(&path);
    *is_unserved = !err && call.is_unserved;
    if (!err && !call.is_unserved) *out = call.reply;
    return err;
}

enum fr_err fr_admin_ask(const char *state, const struct fr_admin_request *request,
                         struct fr_diag *diag, struct fr_admin_reply **out)
{
    struct fr_admin_identity identity = {0};
    bool is_unserved = false;
    if (strlen(request->op) > OP_MAX) return FR_E_INVALID;
    enum fr_err err = fr_admin_identity_enter(state, diag, &identity);
    if (err) return err;
    fr_admin_identity_leave(&identity);
    err = call_broker(state, request, diag, &is_unserved, out);
    if (!err && is_unserved) {
        err = fr_diag_fail(diag, FR_E_UNAVAILABLE, "no broker runs on %s", state);
        fr_diag_hint(diag, "only a running broker knows this");
    }
    return err;
}

enum fr_err fr_admin_call(const char *state, const struct fr_admin_request *request,
                          struct fr_diag *diag, struct fr_admin_reply **out)
{
    struct fr_admin_identity identity = {0};
    bool is_unserved = false;
    if (strlen(request->op) > OP_MAX) return FR_E_INVALID;
    /* The same users may do it either way: this only makes the refusal the same sentence. */
    enum fr_err err = fr_admin_identity_enter(state, diag, &identity);
    if (err) return err;
    fr_admin_identity_leave(&identity);
    err = call_broker(state, request, diag, &is_unserved, out);
    if (err || !is_unserved) return err;
    return call_here(state, request, diag, out);
}
