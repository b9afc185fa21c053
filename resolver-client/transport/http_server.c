#include "transport/http_server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "transport/h2_shared.h"
#include "transport/http_conn.h"

#define DRAIN_NOTICE_MS 100 /* between "no new requests, please" and "no new requests" */

struct fr_http_server_conf fr_http_server_conf_default(void)
{
    return (struct fr_http_server_conf){
        .connections = 10000,
        .streams = 100,
        .requests_per_turn = 64,
        .handshake_ms = 5000,
        .first_request_ms = 5000,
        .request_ms = 10000,
        .idle_ms = 120000,
        .kept_ms = 3600000,
        .write_ms = 10000,
        .head_bytes = 8192,
        .target_bytes = 8192,
        .body_bytes = 65536,
        .backlog_bytes = 256 * 1024,
        .resets = 200,
        .control_frames = 1000,
        .continuations = 4,
    };
}

static void on_stopped(struct fr_defer *d)
{
    struct fr_http_server *s = d->data;

    if (s->on_stopped) s->on_stopped(s->stopped_data); /* may free the server: nothing after this */
}

static void on_drain_timer(struct fr_timer *t);

enum fr_err fr_http_server_new(struct fr_loop *loop, const struct fr_http_server_conf *conf,
                               const struct fr_http_handler *handler, struct fr_http_server **out)
{
    struct fr_http_server *s = fr_calloc(1, sizeof *s);

    if (!s) return FR_E_NOMEM;
    s->loop = loop;
    s->conf = *conf;
    s->handler = *handler;
    s->date_s = -1;
    fr_defer_init(&s->stopped, on_stopped, s);
    fr_timer_init(&s->drain_timer, on_drain_timer, s);

    enum fr_err err = fr_stream_pool_init(&s->streams);
    if (!err) err = fr_h2_shared_new(&s->h2);
    if (!err) err = fr_tally_new(&s->addresses);
    if (err)
        fr_http_server_free(s);
    else
        *out = s;
    return err;
}

void fr_http_server_free(struct fr_http_server *s)
{
    if (!s) return;
    s->on_stopped = NULL;
    while (s->listeners) fr_http_listener_close(s->listeners);
    while (s->conns) fr_conn_destroy(s->conns);
    fr_exchange_forget_server(s);
    fr_defer_cancel(&s->stopped);
    fr_timer_stop(&s->drain_timer);
    fr_tally_free(s->addresses);
    fr_stream_pool_deinit(&s->streams);
    fr_h2_shared_free(s->h2);
    fr_free(s);
}

static void on_accepted(void *data, int fd, const struct fr_addr *peer)
{
    struct fr_http_listener *l = data;
    struct fr_http_server *s = l->server;

    if (s->counters.open >= s->conf.connections) {
        s->counters.limit_connections++;
        close(fd);
        return;
    }
    (void)fr_conn_open(s, l, fd, peer); /* without memory this peer is turned away */
}

static enum fr_err open_listener(const struct fr_http_listen *how, struct fr_diag *diag,
                                 int *out_fd)
{
    if (how->unix_path)
        return fr_socket_listen_unix(how->unix_path, how->unix_mode ? how->unix_mode : 0600, diag,
                                     out_fd);
    if (how->shared_fd <= 0) return fr_socket_listen(&how->at, how->reuse_port, diag, out_fd);

    int fd = fcntl(how->shared_fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return fr_diag_fail(diag, fr_err_from_errno(errno), "cannot share a listener: %s",
                            strerror(errno));
    *out_fd = fd;
    return FR_OK;
}

enum fr_err fr_http_server_listen(struct fr_http_server *s, const struct fr_http_listen *how,
                                  struct fr_diag *diag, struct fr_http_listener **out_listener)
{
    int fd = -1;
    enum fr_err err = open_listener(how, diag, &fd);
    if (err) return err;

    struct fr_http_listener *l = fr_calloc(1, sizeof *l);
    if (!l) {
        close(fd);
        return FR_E_NOMEM;
    }
    l->server = s;
    l->is_unix = how->unix_path != NULL;
    l->select = how->select;
    l->select_data = how->select_data;
    l->proxies = how->proxies;
    l->n_proxies = how->n_proxies;
    if (!l->is_unix) err = fr_socket_local(fd, &l->addr);
    fr_accept_init(&l->accept, on_accepted, l);
    if (err)
        close(fd);
    else
        err = fr_accept_start(&l->accept, s->loop, fd);
    if (err) {
        fr_free(l);
        return err;
    }
    if (how->tls) l->tls = fr_tls_acceptor_ref(how->tls);
    l->next = s->listeners;
    if (s->listeners) s->listeners->prev = l;
    s->listeners = l;
    if (out_listener) *out_listener = l;
    return FR_OK;
}

const struct fr_addr *fr_http_listener_addr(const struct fr_http_listener *l)
{
    return &l->addr;
}

void fr_http_listener_close(struct fr_http_listener *l)
{
    fr_accept_close(&l->accept);
    fr_tls_acceptor_unref(l->tls);
    if (l->prev)
        l->prev->next = l->next;
    else
        l->server->listeners = l->next;
    if (l->next) l->next->prev = l->prev;
    fr_free(l);
}

void fr_http_server_set_conf(struct fr_http_server *s, const struct fr_http_server_conf *conf)
{
    s->conf = *conf;
}

const struct fr_http_server_counters *fr_http_server_counters(const struct fr_http_server *s)
{
    return &s->counters;
}

void fr_server_conn_gone(struct fr_http_server *s)
{
    if (s->is_stopping && !s->conns && s->on_stopped) fr_loop_defer(s->loop, &s->stopped);
}

/* First firing: the notice has had its time. Second: so has the drain. */
static void on_drain_timer(struct fr_timer *t)
{
    struct fr_http_server *s = t->data;
    struct fr_http_conn *next;

    for (struct fr_http_conn *c = s->conns; c; c = next) {
        next = c->next;
        if (s->drain_left_ms == 0)
            fr_conn_destroy(c);
        else if (c->proto && c->has_request)
            fr_http_conn_close(c);
    }
    if (s->drain_left_ms > 0 && s->conns) fr_timer_start(s->loop, t, s->drain_left_ms);
    s->drain_left_ms = 0;
}

void fr_http_server_stop(struct fr_http_server *s, uint32_t drain_ms, void (*stopped)(void *data),
                         void *data)
{
    if (s->is_stopping) return;
    s->is_stopping = true;
    s->on_stopped = stopped;
    s->stopped_data = data;
    while (s->listeners) fr_http_listener_close(s->listeners);
    for (struct fr_http_conn *c = s->conns; c; c = c->next) {
        if (!c->proto || c->is_draining) continue;
        c->is_draining = true;
        c->proto->drain(c);
        fr_conn_schedule(c);
    }
    uint32_t notice_ms = drain_ms < DRAIN_NOTICE_MS ? drain_ms : DRAIN_NOTICE_MS;
    s->drain_left_ms = drain_ms - notice_ms;
    fr_timer_start(s->loop, &s->drain_timer, notice_ms);
    fr_server_conn_gone(s);
}

const char *fr_server_date(struct fr_http_server *s)
{
    int64_t now = fr_loop_real_s(s->loop);

    if (now != s->date_s) {
        fr_http_date(now, s->date);
        s->date_s = now;
    }
    return s->date;
}
