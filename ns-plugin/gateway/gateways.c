#include "gateway/gateways.h"

#include "base/mem.h"
#include "base/random.h"
#include "base/siphash.h"
#include "transport/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUCKETS = 4096, DATAGRAMS_PER_TURN = 64 };

struct gateway {
    struct gateway *next; /* in the bucket */
    struct gateway *newer, *older;
    uint64_t eui;
    uint8_t version;
    bool has_pulled;
    struct fr_addr pull; /* source of the latest PULL_DATA */
    int64_t pulled_ms;
};

struct fr_gateways {
    struct fr_loop *loop;
    const struct fr_log *log;
    struct fr_watch watch;
    int fd;
    struct fr_addr addr;
    const uint64_t *allow;
    size_t n_allow;
    void (*on_frame)(void *data, uint64_t gateway, const struct fr_rx *rx, int64_t now_ms);
    void *data;
    struct fr_siphash_key key;
    struct gateway *buckets[BUCKETS];
    struct gateway *oldest, *newest; /* by last datagram */
    size_t n;
    struct fr_ticket tickets; /* list head */
    struct fr_gateways_counters counters;
    struct fr_gwmp datagram; /* too large for the stack of a callback */
};

static struct gateway **bucket_of(struct fr_gateways *g, uint64_t eui)
{
    return &g->buckets[fr_siphash(&g->key, fr_span(&eui, sizeof eui)) % BUCKETS];
}

static struct gateway *find(const struct fr_gateways *g, uint64_t eui)
{
    struct gateway *gw = g->buckets[fr_siphash(&g->key, fr_span(&eui, sizeof eui)) % BUCKETS];

    while (gw != NULL && gw->eui != eui) gw = gw->next;
    return gw;
}

static void unlink_age(struct fr_gateways *g, struct gateway *gw)
{
    if (gw->older != NULL)
        gw->older->newer = gw->newer;
    else
        g->oldest = gw->newer;
    if (gw->newer != NULL)
        gw->newer->older = gw->older;
    else
        g->newest = gw->older;
    gw->older = gw->newer = NULL;
}

static void link_newest(struct fr_gateways *g, struct gateway *gw)
{
    gw->older = g->newest;
    if (g->newest != NULL)
        g->newest->newer = gw;
    else
        g->oldest = gw;
    g->newest = gw;
}

static void forget(struct fr_gateways *g, struct gateway *gw)
{
    struct gateway **at = bucket_of(g, gw->eui);

    while (*at != gw) at = &(*at)->next;
    *at = gw->next;
    unlink_age(g, gw);
    g->n--;
    fr_free(gw);
}

/* The gateway of a datagram, now the one heard last; NULL when there is no memory for it. */
static struct gateway *touch(struct fr_gateways *g, uint64_t eui)
{
    struct gateway *gw = find(g, eui);

    if (gw != NULL) {
        unlink_age(g, gw);
    } else {
        if (g->n >= FR_GATEWAYS_MAX) forget(g, g->oldest);
        gw = fr_calloc(1, sizeof *gw);
        if (gw == NULL) return NULL;
        gw->eui = eui;
        struct gateway **at = bucket_of(g, eui);
        gw->next = *at;
        *at = gw;
        g->n++;
    }
    link_newest(g, gw);
    return gw;
}

static bool is_allowed(const struct fr_gateways *g, uint64_t eui)
{
    if (g->n_allow == 0) return true;
    for (size_t i = 0; i < g->n_allow; i++) {
        if (g->allow[i] == eui) return true;
    }
    return false;
}

static void ticket_unlink(struct fr_ticket *t)
{
    t->prev->next = t->next;
    t->next->prev = t->prev;
    t->prev = t->next = NULL;
    t->is_waiting = false;
}

void fr_ticket_give_up(struct fr_ticket *ticket)
{
    if (ticket->is_waiting) ticket_unlink(ticket);
}

static void on_tx_ack(struct fr_gateways *g, const struct fr_gwmp *d)
{
    struct fr_ticket *t = g->tickets.next;

    while (t != &g->tickets && (t->gateway != d->eui || t->token != d->token)) t = t->next;
    if (t == &g->tickets) return;
    if (d->tx_error == FR_TX_NONE)
        g->counters.tx_ok++;
    else
        g->counters.tx_failed++;
    ticket_unlink(t);
    t->fn(t->data, d->tx_error);
}

static void on_pull(struct fr_gateways *g, struct gateway *gw, const struct fr_addr *from)
{
    char text[FR_ADDR_TEXT];

    if (!gw->has_pulled || !fr_addr_equal(&gw->pull, from)) {
        fr_addr_print(from, text);
        FR_LOG(g->log, FR_LOG_INFO, "gateway.downlink_path", FR_EUI("gateway", gw->eui),
               FR_STR("address", text), FR_BOOL("moved", gw->has_pulled));
    }
    gw->has_pulled = true;
    gw->pull = *from;
    gw->pulled_ms = fr_loop_now_ms(g->loop);
}

static void send_to(const struct fr_gateways *g, struct fr_span datagram, const struct fr_addr *to)
{
    struct sockaddr_storage sa;
    size_t n = fr_addr_to_sockaddr(to, &sa);

    /* An acknowledgement that does not fit into the socket's buffer is lost like any datagram. */
    (void)sendto(g->fd, datagram.p, datagram.n, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&sa,
                 (socklen_t)n);
}

static void on_datagram(struct fr_gateways *g, struct fr_span bytes, const struct fr_addr *from)
{
    struct fr_gwmp *d = &g->datagram;
    uint8_t ack[4];

    g->counters.datagrams++;
    if (fr_gwmp_read_head(bytes, d) != FR_OK) {
        g->counters.malformed++;
        return;
    }
    if (!is_allowed(g, d->eui)) {
        g->counters.refused++;
        return;
    }
    if (d->kind != FR_GWMP_TX_ACK) {
        fr_gwmp_write_ack(d, ack);
        send_to(g, fr_span(ack, sizeof ack), from);
    }
    if (fr_gwmp_read(bytes, d) != FR_OK) {
        g->counters.malformed++;
        return;
    }
    struct gateway *gw = touch(g, d->eui);
    if (gw == NULL) return;
    gw->version = d->version;
    g->counters.frames += d->n_rx;
    g->counters.bad_frames += d->n_bad;
    if (d->kind == FR_GWMP_PULL_DATA) on_pull(g, gw, from);
    if (d->kind == FR_GWMP_TX_ACK) on_tx_ack(g, d);
    for (size_t i = 0; i < d->n_rx; i++) {
        g->on_frame(g->data, d->eui, &d->rx[i], fr_loop_now_ms(g->loop));
    }
}

static void on_readable(struct fr_watch *w, unsigned events)
{
    struct fr_gateways *g = w->data;
    uint8_t bytes[FR_GWMP_MAX];

    (void)events;
    for (unsigned i = 0; i < DATAGRAMS_PER_TURN; i++) {
        struct sockaddr_storage sa;
        socklen_t n = sizeof sa;
        struct fr_addr from;
        ssize_t got =
            recvfrom(g->fd, bytes, sizeof bytes, MSG_DONTWAIT, (struct sockaddr *)&sa, &n);
        if (got < 0 && errno != EINTR && errno != ECONNREFUSED) return;
        if (got < 0 || fr_addr_from_sockaddr((struct sockaddr *)&sa, &from) != FR_OK) continue;
        on_datagram(g, fr_span(bytes, (size_t)got), &from);
    }
}

enum fr_err fr_gateways_open(struct fr_loop *loop, const struct fr_gateways_options *options,
                             const struct fr_log *log,
                             void (*on_frame)(void *data, uint64_t gateway, const struct fr_rx *rx,
                                              int64_t now_ms),
                             void *data, struct fr_diag *diag, struct fr_gateways **out)
{
    struct fr_gateways *g = fr_calloc(1, sizeof *g);

    if (g == NULL) return FR_E_NOMEM;
    g->loop = loop;
    g->log = log;
    g->fd = -1;
    g->allow = options->allow;
    g->n_allow = options->n_allow;
    g->on_frame = on_frame;
    g->data = data;
    g->tickets.prev = g->tickets.next = &g->tickets;
    enum fr_err err = fr_random(&g->key, sizeof g->key);
    if (err) goto out;
    err = fr_socket_bind_udp(&options->at, diag, &g->fd);
    if (err == FR_OK) err = fr_socket_local(g->fd, &g->addr);
    if (err) goto out;
    fr_watch_init(&g->watch, g->fd, on_readable, g);
    err = fr_watch_start(loop, &g->watch, FR_LOOP_READ);
    if (err) goto out;
    *out = g;
    g = NULL;
out:
    fr_gateways_close(g);
    return err;
}

void fr_gateways_close(struct fr_gateways *g)
{
    if (g == NULL) return;
    if (g->watch.loop != NULL) fr_watch_stop(&g->watch);
    if (g->fd >= 0) (void)close(g->fd);
    while (g->tickets.next != &g->tickets) ticket_unlink(g->tickets.next);
    while (g->oldest != NULL) forget(g, g->oldest);
    fr_free(g);
}

void fr_gateways_set_allow(struct fr_gateways *g, const uint64_t *allow, size_t n)
{
    g->allow = allow;
    g->n_allow = n;
}

const struct fr_addr *fr_gateways_addr(const struct fr_gateways *g)
{
    return &g->addr;
}

bool fr_gateways_is_reachable(const struct fr_gateways *g, uint64_t gateway)
{
    const struct gateway *gw = find(g, gateway);

    return gw != NULL && gw->has_pulled &&
           fr_loop_now_ms(g->loop) - gw->pulled_ms <= FR_GATEWAY_SILENT_MS;
}

enum fr_err fr_gateways_send(struct fr_gateways *g, uint64_t gateway, const struct fr_tx *tx,
                             struct fr_ticket *ticket)
{
    struct fr_buf datagram = FR_BUF_INIT(FR_GWMP_MAX);
    const struct gateway *gw = find(g, gateway);
    struct sockaddr_storage sa;

    if (!fr_gateways_is_reachable(g, gateway)) return FR_E_NOT_FOUND;
    enum fr_err err = fr_random(&ticket->token, sizeof ticket->token);
    if (err) goto out;
    err = fr_gwmp_write_tx(gw->version, ticket->token, tx, &datagram);
    if (err) goto out;
    size_t n = fr_addr_to_sockaddr(&gw->pull, &sa);
    if (sendto(g->fd, datagram.p, datagram.n, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&sa,
               (socklen_t)n) < 0) {
        err = errno == EAGAIN ? FR_E_BUSY : FR_E_NET;
        goto out;
    }
    g->counters.downlinks++;
    ticket->gateway = gateway;
    ticket->is_waiting = true;
    ticket->next = g->tickets.next;
    ticket->prev = &g->tickets;
    g->tickets.next->prev = ticket;
    g->tickets.next = ticket;
out:
    fr_buf_deinit(&datagram);
    return err;
}

size_t fr_gateways_count(const struct fr_gateways *g)
{
    return g->n;
}

const struct fr_gateways_counters *fr_gateways_counters(const struct fr_gateways *g)
{
    return &g->counters;
}
