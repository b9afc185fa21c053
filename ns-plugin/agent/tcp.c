#include "agent/tcp.h"

#include "base/buf.h"
#include "base/mem.h"
#include "transport/accept.h"
#include "transport/socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    QUESTION_MAX = 2048,
    IN_MAX = 2 * (2 + QUESTION_MAX),
    QUESTIONS_MAX = 64,    /* under way on one connection */
    OUT_STOP = 128 * 1024, /* answers not taken: no more is read */
    OUT_MAX = OUT_STOP + QUESTIONS_MAX * (2 + FR_STUB_ANSWER_MAX),
};

struct conn;

struct fr_tcp {
    struct fr_loop *loop;
    struct fr_desk *desk;
    const struct fr_guests *guests;
    const struct fr_tcp_conf *conf;
    struct fr_accept accept;
    struct conn *conns;
    struct fr_tcp_counters counters;
};

struct ask {
    struct fr_job job;
    struct conn *conn;
    struct ask *next, **at;
};

struct conn {
    struct fr_tcp *tcp;
    struct conn *next, **at;
    int fd;
    struct fr_watch watch;
    struct fr_timer idle;
    struct fr_buf in, out;
    struct ask *asks;
    unsigned n_asks;
    bool is_ended;   /* the peer will ask no more */
    bool is_failed;  /* nothing can be said any more */
    bool is_reading; /* in read_questions(): settling is its own job */
};

static void free_ask(struct ask *ask)
{
    *ask->at = ask->next;
    if (ask->next != NULL) ask->next->at = ask->at;
    ask->conn->n_asks--;
    fr_free(ask);
}

static void close_conn(struct conn *c)
{
    while (c->asks != NULL) {
        fr_desk_drop(&c->asks->job);
        free_ask(c->asks);
    }
    *c->at = c->next;
    if (c->next != NULL) c->next->at = c->at;
    c->tcp->counters.open--;
    fr_watch_stop(&c->watch);
    fr_timer_stop(&c->idle);
    (void)close(c->fd);
    fr_buf_deinit(&c->in);
    fr_buf_deinit(&c->out);
    fr_free(c);
}

static void made_progress(struct conn *c)
{
    fr_timer_start(c->tcp->loop, &c->idle, c->tcp->conf->idle_ms);
}

static void flush(struct conn *c)
{
    while (c->out.n > 0 && !c->is_failed) {
        ssize_t n = send(c->fd, c->out.p, c->out.n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n < 0) {
            c->is_failed = true;
            return;
        }
        fr_buf_drop(&c->out, (size_t)n);
        made_progress(c);
    }
    if (c->out.n == 0) fr_buf_deinit(&c->out);
}

static bool is_full(const struct conn *c)
{
    return c->n_asks >= QUESTIONS_MAX || c->out.n >= OUT_STOP;
}

/* Sends what there is, and watches for what is wanted next; the connection may be gone after. */
static void settle(struct conn *c)
{
    flush(c);
    if (c->is_failed || (c->is_ended && c->n_asks == 0 && c->out.n == 0)) {
        close_conn(c);
        return;
    }
    unsigned want = 0;
    if (!c->is_ended && !is_full(c)) want |= FR_LOOP_READ;
    if (c->out.n > 0) want |= FR_LOOP_WRITE;
    if (fr_watch_start(c->tcp->loop, &c->watch, want) != FR_OK) close_conn(c);
}

static void read_questions(struct conn *c);

static void on_reply(struct fr_job *job, struct fr_span message)
{
    struct ask *ask = (struct ask *)job;
    struct conn *c = ask->conn;
    const uint8_t length[2] = {(uint8_t)(message.n >> 8), (uint8_t)message.n};

    free_ask(ask);
    if (message.n > 0) {
        fr_buf_add(&c->out, length, sizeof length);
        fr_buf_add_span(&c->out, message);
        c->is_failed |= fr_buf_err(&c->out) != FR_OK;
    }
    if (c->is_reading) return;
    flush(c);
    read_questions(c); /* what waited because it was full */
}

static bool take(struct conn *c, struct fr_span message)
{
    struct ask *ask = fr_calloc(1, sizeof *ask);

    if (ask == NULL) return false;
    ask->job.reply = on_reply;
    ask->conn = c;
    ask->next = c->asks;
    ask->at = &c->asks;
    if (ask->next != NULL) ask->next->at = &ask->next;
    c->asks = ask;
    c->n_asks++;
    made_progress(c);
    fr_desk_take(c->tcp->desk, &ask->job, message, true);
    return true;
}

/* Takes every whole question that was read, then settles. */
static void read_questions(struct conn *c)
{
    c->is_reading = true;
    while (!c->is_failed && !is_full(c) && c->in.n >= 2) {
        size_t n = (size_t)c->in.p[0] << 8 | c->in.p[1];
        if (n == 0 || n > QUESTION_MAX) {
            c->tcp->counters.bad++;
            c->is_failed = true;
            break;
        }
        if (c->in.n < 2 + n) break;
        c->is_failed = !take(c, fr_span(c->in.p + 2, n));
        fr_buf_drop(&c->in, 2 + n);
    }
    c->is_reading = false;
    if (c->in.n == 0) fr_buf_deinit(&c->in);
    settle(c);
}

static void receive(struct conn *c)
{
    uint8_t *room = fr_buf_reserve(&c->in, IN_MAX - c->in.n);

    if (room == NULL) {
        c->is_failed = true;
        return;
    }
    ssize_t n = recv(c->fd, room, IN_MAX - c->in.n, MSG_DONTWAIT);
    if (n > 0)
        fr_buf_commit(&c->in, (size_t)n);
    else if (n == 0)
        c->is_ended = true;
    else if (errno != EAGAIN && errno != EINTR)
        c->is_failed = true;
}

static void on_ready(struct fr_watch *w, unsigned events)
{
    struct conn *c = w->data;

    if ((events & FR_LOOP_WRITE) != 0) flush(c);
    if ((events & FR_LOOP_READ) != 0 && c->in.n < IN_MAX) receive(c);
    read_questions(c);
}

static void on_idle(struct fr_timer *t)
{
    struct conn *c = t->data;

    if (c->n_asks > 0 && c->out.n == 0) { /* it waits for us, and that ends by itself */
        made_progress(c);
        return;
    }
    c->tcp->counters.idle++;
    close_conn(c);
}

static void open_conn(struct fr_tcp *tcp, int fd)
{
    struct conn *c = fr_calloc(1, sizeof *c);

    if (c == NULL) {
        (void)close(fd);
        return;
    }
    c->tcp = tcp;
    c->fd = fd;
    fr_buf_init(&c->in, IN_MAX);
    fr_buf_init(&c->out, OUT_MAX);
    fr_watch_init(&c->watch, fd, on_ready, c);
    fr_timer_init(&c->idle, on_idle, c);
    c->next = tcp->conns;
    c->at = &tcp->conns;
    if (c->next != NULL) c->next->at = &c->next;
    tcp->conns = c;
    tcp->counters.open++;
    made_progress(c);
    settle(c);
}

static void on_accepted(void *data, int fd, const struct fr_addr *peer)
{
    struct fr_tcp *tcp = data;
    bool is_guest = fr_guests_has(tcp->guests, peer);
    bool is_one_too_many = tcp->counters.open >= tcp->conf->conns;

    tcp->counters.accepted++;
    tcp->counters.strangers += !is_guest;
    tcp->counters.too_many += is_guest && is_one_too_many;
    if (is_guest && !is_one_too_many)
        open_conn(tcp, fd);
    else
        (void)close(fd);
}

enum fr_err fr_tcp_open(struct fr_loop *loop, const struct fr_addr *at,
                        const struct fr_tcp_conf *conf, struct fr_desk *desk,
                        const struct fr_guests *guests, struct fr_diag *diag, struct fr_tcp **out)
{
    struct fr_tcp *tcp = fr_calloc(1, sizeof *tcp);

    if (tcp == NULL) return FR_E_NOMEM;
    tcp->loop = loop;
    tcp->desk = desk;
    tcp->guests = guests;
    tcp->conf = conf;
    int fd = -1;
    fr_accept_init(&tcp->accept, on_accepted, tcp);
    enum fr_err err = fr_socket_listen(at, false, diag, &fd);
    if (err == FR_OK) err = fr_accept_start(&tcp->accept, loop, fd);
    if (err)
        fr_tcp_close(tcp);
    else
        *out = tcp;
    return err;
}

void fr_tcp_close(struct fr_tcp *tcp)
{
    if (tcp == NULL) return;
    while (tcp->conns != NULL) close_conn(tcp->conns);
    fr_accept_close(&tcp->accept);
    fr_free(tcp);
}

const struct fr_tcp_counters *fr_tcp_counters(const struct fr_tcp *tcp)
{
    return &tcp->counters;
}
