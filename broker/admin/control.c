#include "admin/control.h"

#include "admin/message.h"
#include "admin/socket_path.h"
#include "base/mem.h"
#include "transport/http_server.h"

#include <string.h>
#include <unistd.h>

#define OP_MAX 64
#define REFUSAL_MAX 8192

struct fr_control {
    struct fr_loop *loop;
    struct fr_writer *writer;
    const struct fr_log *log;
    const struct fr_inquiry_row *inquiries;
    void *inquiries_data;
    struct fr_http_server *server;
    struct fr_socket_path path;
    bool is_listening, is_stopped;
};

static void answer(struct fr_http_exchange *x, unsigned status, struct fr_span json)
{
    const struct fr_http_field fields[] = {
        FR_HTTP_FIELD("content-type", "application/json"),
        FR_HTTP_FIELD("cache-control", "no-store"),
    };
    fr_http_reply(x, status, fields, sizeof fields / sizeof fields[0], json);
}

static void refuse(struct fr_http_exchange *x, enum fr_err err, const struct fr_diag *diag)
{
    struct fr_buf json = FR_BUF_INIT(REFUSAL_MAX);
    if (fr_admin_refusal_write(err, diag, &json))
        fr_http_reply_text(x, 500, "no memory");
    else
        answer(x, fr_admin_status(err), fr_buf_span(&json));
    fr_buf_deinit(&json);
}

static void task_over(void *data, struct fr_task *task)
{
    struct fr_http_exchange *x = data;
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_err err = fr_task_take_reply(task, &diag, &reply);
    if (err)
        refuse(x, err, &diag);
    else
        answer(x, 200, fr_span_str(fr_admin_reply_json(reply)));
    fr_admin_reply_free(reply);
    fr_task_free(task);
}

/* The operation named by the path; FR_E_NOT_FOUND for any other path. */
static enum fr_err op_of(struct fr_span path, struct fr_diag *diag, char op[OP_MAX])
{
    const size_t n = strlen(FR_ADMIN_PATH);
    if (!fr_span_starts(path, FR_ADMIN_PATH) ||
        !fr_span_copy(fr_span(path.p + n, path.n - n), op, OP_MAX))
        return fr_diag_fail(diag, FR_E_NOT_FOUND, "no such path");
    return FR_OK;
}

static enum fr_err task_of(const struct fr_http_exchange *x, const struct fr_socket_cred *cred,
                           struct fr_diag *diag, struct fr_task **out)
{
    char op[OP_MAX];
    struct fr_admin_message message = {0};
    const struct fr_admin_actor actor = fr_admin_actor_user(FR_ACTOR_LOCAL, cred->uid, cred->pid);
    bool is_framed =
        fr_http_is_type(fr_http_exchange_field(x, "content-type"), FR_ADMIN_FRAME_TYPE);
    enum fr_err err = op_of(x->path, diag, op);
    if (err) return err;
    err = fr_admin_message_read(is_framed, x->body, diag, &message);
    if (err) return err;
    message.request.op = op;
    err = fr_task_new(&message.request, &actor, diag, out);
    fr_admin_message_free(&message);
    return err;
}

static enum fr_err submit(struct fr_control *control, struct fr_http_exchange *x,
                          const struct fr_socket_cred *cred, struct fr_diag *diag)
{
    struct fr_task *task = NULL;
    enum fr_err err = task_of(x, cred, diag, &task);
    if (err) return err;
    err = fr_writer_submit(control->writer, task, control->loop, task_over, x);
    if (err == FR_E_BUSY) (void)fr_diag_fail(diag, err, "too many changes are waiting");
    if (err) fr_task_free(task);
    return err;
}

/* --- inquiries --- */

static const struct fr_inquiry_row *inquiry_of(const struct fr_control *control,
                                               struct fr_span path)
{
    struct fr_diag diag = {0};
    char op[OP_MAX];
    if (op_of(path, &diag, op)) return NULL;
    for (const struct fr_inquiry_row *row = control->inquiries; row && row->name; row++)
        if (strcmp(row->name, op) == 0) return row;
    return NULL;
}

/* One that is under way; its own. */
struct asking {
    struct fr_http_exchange *x;
    struct fr_admin_message message;
    struct fr_inquiry inquiry;
};

static void inquiry_over(void *data, enum fr_err err, const struct fr_diag *diag,
                         struct fr_span json)
{
    struct asking *asking = data;
    if (err)
        refuse(asking->x, err, diag);
    else
        answer(asking->x, 200, json);
    fr_admin_message_free(&asking->message);
    fr_free(asking);
}

static enum fr_err inquire(struct fr_control *control, const struct fr_inquiry_row *row,
                           struct fr_http_exchange *x, struct fr_diag *diag)
{
    struct asking *asking = fr_calloc(1, sizeof *asking);
    if (!asking) return FR_E_NOMEM;
    enum fr_err err = fr_admin_message_read(false, x->body, diag, &asking->message);
    if (err) {
        fr_free(asking);
        return err;
    }
    asking->x = x;
    asking->inquiry = (struct fr_inquiry){asking->message.args, inquiry_over, asking};
    row->run(control->inquiries_data, &asking->inquiry);
    return FR_OK;
}

static void on_request(void *data, struct fr_http_exchange *x)
{
    struct fr_control *control = data;
    const struct fr_http_peer *peer = fr_http_conn_peer(x->conn);
    struct fr_diag diag = {0};
    enum fr_err err = FR_OK;
    if (!peer->has_cred || (peer->cred.uid != 0 && peer->cred.uid != geteuid())) {
        FR_LOG(control->log, FR_LOG_WARN, "admin.refused", FR_UINT("uid", peer->cred.uid),
               FR_STR("why", "not root and not the broker's user"));
        err = fr_diag_fail(&diag, FR_E_PERM, "only root and the broker's own user may do this");
    } else if (!fr_span_is(x->method, "POST")) {
        fr_http_reply_text(x, 405, "POST only");
        return;
    } else {
        const struct fr_inquiry_row *row = inquiry_of(control, x->path);
        err = row ? inquire(control, row, x, &diag) : submit(control, x, &peer->cred, &diag);
    }
    if (err) refuse(x, err, &diag);
}

enum fr_err fr_control_open(const struct fr_control_options *options, struct fr_diag *diag,
                            struct fr_control **out)
{
    enum fr_err err = FR_OK;
    struct fr_control *control = fr_calloc(1, sizeof *control);
    if (!control) return FR_E_NOMEM;
    control->loop = options->loop;
    control->writer = options->writer;
    control->log = options->log;
    control->inquiries = options->inquiries;
    control->inquiries_data = options->inquiries_data;
    control->path.dir_fd = -1;
    err = fr_socket_path_open(options->state, diag, &control->path);
    if (err) goto out;

    struct fr_http_server_conf conf = fr_http_server_conf_default();
    conf.connections = FR_CONTROL_CONNECTIONS;
    conf.body_bytes = FR_ADMIN_BODY_MAX + 2 * FR_ADMIN_ARGS_MAX;
    conf.request_ms = conf.first_request_ms =
        60 * 1000; /* a large import takes its time to arrive */
    conf.write_ms = 60 * 1000;
    const struct fr_http_handler handler = {.data = control, .on_request = on_request};
    err = fr_http_server_new(control->loop, &conf, &handler, &control->server);
    if (err) goto out;
    const struct fr_http_listen listen = {.unix_path = control->path.text, .unix_mode = 0600};
    err = fr_http_server_listen(control->server, &listen, diag, NULL);
    if (err) goto out;
    control->is_listening = true;
    *out = control;
    control = NULL;
out:
    fr_control_free(control);
    return err;
}

void fr_control_stop(struct fr_control *control, uint32_t drain_ms, void (*on_stopped)(void *data),
                     void *data)
{
    (void)unlink(control->path.text);
    control->is_stopped = true;
    fr_http_server_stop(control->server, drain_ms, on_stopped, data);
}

void fr_control_free(struct fr_control *control)
{
    if (!control) return;
    if (control->is_listening && !control->is_stopped) (void)unlink(control->path.text);
    fr_http_server_free(control->server);
    fr_socket_path_close(&control->path);
    fr_free(control);
}
