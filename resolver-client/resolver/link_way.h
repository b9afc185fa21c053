#pragma once
/* One way to a broker (discovery.h) and the connection that is kept over it: a member of a link's list of ways.
 *
 * Model: the client is made with the first question; the host that it verifies is the broker's, wherever the way
 *   leads. A way that is taken off the list goes when its last question has come back.
 * Owns: its client. Threads: the loop's. Errors: those of fr_http_client_new() and fr_http_send(). */

#include "resolver/discovery.h"
#include "resolver/open.h"
#include "transport/http_client.h"
#include <sys/queue.h>

struct fr_link_way {
    TAILQ_ENTRY(fr_link_way) link;
    struct fr_way way;
    struct fr_http_client *client;
    unsigned generation;    /* of the identity that the client has */
    int64_t rests_until_ms; /* it could not be connected: others first until then; 0: well */
    size_t n_calls;
    bool is_retired;
};

TAILQ_HEAD(fr_link_ways, fr_link_way);

/* What all ways of a link have in common. */
struct fr_link_way_conf {
    struct fr_loop *loop;
    const struct fr_url *url;
    uint32_t connect_ms, queue;
    void (*on_lost)(void *data);
    void *lost_data;
};

enum fr_err fr_link_way_new(const struct fr_way *way, struct fr_link_way **out);

/* Closes its connection; n_calls is 0. */
void fr_link_way_free(struct fr_link_way *w);

/* Brings its client up to this identity, for the next connection. */
enum fr_err fr_link_way_ready(struct fr_link_way *w, const struct fr_link_way_conf *conf,
                              struct fr_tls_ctx *tls, unsigned generation);

/* POSTs a DNS message to its path; it is ready. */
enum fr_err fr_link_way_send(struct fr_link_way *w, struct fr_span message, uint32_t within_ms,
                             fr_http_done_fn done, void *data, struct fr_http_call **out);

/* What its connections carried so far. */
void fr_link_way_add_traffic(const struct fr_link_way *w, struct fr_resolver_traffic *sum);

void fr_traffic_add(struct fr_resolver_traffic *sum, const struct fr_resolver_traffic *more);
