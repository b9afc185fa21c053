#include "transport/http_conn.h"

#define LINGER_MS 1000 /* how long we read on after our last answer */

/* How long a server connection may take for what it is doing, and what happens when that is over. One timer for all. */

static int64_t now_ms(const struct fr_http_conn *c)
{
    return fr_loop_now_ms(c->server->loop);
}

bool fr_conn_has_output(const struct fr_http_conn *c)
{
    return fr_stream_pending(&c->stream) > 0 || c->backlog > 0;
}

/* Nothing in progress. Who has a certificate and sends PINGs is there and means to ask again: a new
 * handshake now and then would cost both more than a place. */
static int64_t idle_deadline_ms(const struct fr_http_conn *c)
{
    int64_t due = c->request_ms + c->conf.idle_ms;

    if (c->peer.cert == NULL || c->ping_ms <= c->request_ms) return due;
    int64_t pinged = c->ping_ms + c->conf.idle_ms, last = c->request_ms + c->conf.kept_ms;
    if (last < due) return due;
    return pinged < last ? pinged : last;
}

/* When the connection's patience ends in its present state; INT64_MAX: never, the handler is at work. */
static int64_t deadline_ms(const struct fr_http_conn *c)
{
    if (c->phase == FR_CONN_LINGER) return c->since_ms + LINGER_MS;
    if (c->phase == FR_CONN_PROXY || c->phase == FR_CONN_HANDSHAKE)
        return c->since_ms + c->conf.handshake_ms;
    if (c->is_closing && c->in_progress == 0) return c->close_by_ms;
    if (fr_conn_has_output(c)) return c->progress_ms + c->conf.write_ms;
    if (c->held > 0) return INT64_MAX; /* we keep the peer waiting */
    if (!c->has_request) return c->since_ms + c->conf.first_request_ms;
    if (c->proto->is_partial(c)) return c->request_ms + c->conf.request_ms;
    return c->in_progress > 0 ? INT64_MAX : idle_deadline_ms(c);
}

/* The timer is only moved when the deadline comes nearer; a later one is noticed when it fires. */
void fr_conn_arm(struct fr_http_conn *c)
{
    int64_t due = deadline_ms(c);

    if (due == INT64_MAX) return;
    if (c->timer.is_armed && c->timer.due_ms <= due) return;
    fr_timer_start(c->server->loop, &c->timer, due - now_ms(c));
}

/* The peer took too long; tells it if there is something to tell. */
static void give_up(struct fr_http_conn *c)
{
    struct fr_http_server_counters *counters = &c->server->counters;
    bool has_answer = false;

    if (c->phase == FR_CONN_PROXY) {
        counters->late_handshake++;
    } else if (c->phase == FR_CONN_HANDSHAKE) {
        counters->late_handshake++;
        if (c->stream.ssl) fr_conn_report_refusal(c, "handshake took too long");
    } else if (c->phase == FR_CONN_OPEN && (c->is_closing || fr_conn_has_output(c))) {
        counters->late_write++;
    } else if (c->phase == FR_CONN_OPEN) {
        bool is_partial = c->proto->is_partial(c);

        if (!c->has_request)
            counters->late_first_request++;
        else if (is_partial)
            counters->late_request++;
        else
            counters->late_idle++;
        has_answer = c->proto->give_up(c);
    }
    if (has_answer) {
        fr_conn_set_closing(c, true); /* the answer goes out at the end of the turn */
        return;
    }
    if (c->phase == FR_CONN_OPEN) fr_stream_shutdown(&c->stream);
    fr_conn_destroy(c);
}

void fr_conn_on_deadline(struct fr_timer *t)
{
    struct fr_http_conn *c = t->data;

    if (deadline_ms(c) <= now_ms(c))
        give_up(c);
    else
        fr_conn_arm(c);
}
