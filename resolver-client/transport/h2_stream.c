#include "transport/h2_server.h"

/* Which streams are live, by id. */

static struct fr_exchange **bucket(struct fr_h2_server *h, int32_t id)
{
    return &h->streams[(uint32_t)id / 2 % FR_H2_BUCKETS];
}

struct fr_exchange *fr_h2_stream_find(struct fr_h2_server *h, int32_t id)
{
    /* Most of what comes is of the stream that began last. */
    if (h->newest && h->newest->stream_id == id) return h->newest;
    for (struct fr_exchange *x = *bucket(h, id); x; x = x->h2.next)
        if (x->stream_id == id) return x;
    return NULL;
}

void fr_h2_stream_begin(struct fr_http_conn *c, struct fr_exchange *x, int32_t id)
{
    struct fr_h2_server *h = c->h2;
    struct fr_exchange **at = bucket(h, id);

    x->stream_id = id;
    x->h2.send_window = h->stream_window;
    x->h2.receive_window = FR_H2_WINDOW;
    x->h2.next = *at;
    *at = x;
    h->newest = x;
    h->n_streams++;
    if (h->n_reading++ == 0) c->request_ms = fr_loop_now_ms(c->server->loop);
}

void fr_h2_stream_close(struct fr_http_conn *c, struct fr_exchange *x)
{
    struct fr_h2_server *h = c->h2;
    struct fr_exchange **at = bucket(h, x->stream_id);

    while (*at && *at != x) at = &(*at)->h2.next;
    if (*at) *at = x->h2.next;
    x->h2.next = NULL;
    if (h->newest == x) h->newest = NULL;
    if (h->incoming.x == x) h->incoming.x = NULL;
    if (!x->has_end) h->n_reading--;
    h->n_streams--;
    fr_h2_forget_answer(c, x);
    if (x->state == FR_X_AT_WORK)
        x->is_gone = true; /* its handler will release it */
    else
        fr_exchange_release(x);
}

void fr_h2_late_note(struct fr_h2_server *h, int32_t id)
{
    int32_t *at = &h->late[h->n_late++ % FR_H2_LATE];

    if (*at > h->late_before) h->late_before = *at;
    *at = id;
}

bool fr_h2_late_has(const struct fr_h2_server *h, int32_t id)
{
    if (id <= h->late_before) return true;
    for (size_t i = 0; i < FR_H2_LATE; i++)
        if (h->late[i] == id) return true;
    return false;
}

bool fr_h2_streams_widen(struct fr_h2_server *h, int64_t by)
{
    for (size_t i = 0; i < FR_H2_BUCKETS; i++)
        for (struct fr_exchange *x = h->streams[i]; x; x = x->h2.next) {
            x->h2.send_window += by;
            if (x->h2.send_window > FR_H2_WINDOW_MAX) return false;
        }
    return true;
}
