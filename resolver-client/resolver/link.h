#pragma once
/* A way to put one question to one broker: the seam between the resolver and the network.
 *
 * Model: an implementation embeds struct fr_link first. There are two: link_http.c
 *   (DNS-over-HTTPS with our certificate) and the scripted one of the tests.
 * Owns: links are freed by their ops. Threads: the loop's. Errors: a question that cannot even
 *   be put is ask's return value with a diag; everything later is a struct fr_link_result.
 * Trust: body and content type are a broker's bytes. */

#include "base/diag.h"
#include "base/span.h"
#include <stdint.h>

struct fr_federation_opt;
struct fr_link;
struct fr_link_call;
struct fr_loop;
struct fr_resolver_traffic;

enum fr_link_end {
    FR_LINK_ANSWERED, /* HTTP came back: status and body count */
    FR_LINK_ALERT,    /* the broker refused us by a TLS alert */
    FR_LINK_DOWN,     /* no answer: text says why */
    FR_LINK_OURS,     /* this side failed: no memory, queue full; text says why */
};

/* Valid during the call-back. */
struct fr_link_result {
    enum fr_link_end end;
    unsigned status;
    struct fr_span content_type, body;
    uint32_t age_s, retry_after_s;
    const char *text;  /* DOWN, ALERT, OURS: one sentence for people, naming the broker */
    const char *alert; /* ALERT: its word */
};

typedef void (*fr_link_done)(void *data, const struct fr_link_result *r);

struct fr_link_ops {
    /* Sends one DNS message. done comes once, from the loop, within about within_ms. */
    enum fr_err (*ask)(struct fr_link *link, struct fr_span message, uint32_t within_ms,
                       fr_link_done done, void *data, struct fr_diag *diag,
                       struct fr_link_call **out);
    /* Gives up: done is not called. */
    void (*cancel)(struct fr_link *link, struct fr_link_call *call);
    /* Reads what it needs from files again, now. The old state stands on failure. */
    enum fr_err (*reload)(struct fr_link *link, struct fr_diag *diag);
    /* Adds its bytes and round trips. */
    void (*add_traffic)(struct fr_link *link, struct fr_resolver_traffic *sum);
    void (*free)(struct fr_link *link);
};

struct fr_link {
    const struct fr_link_ops *ops;
    /* Set by whoever asks; NULL at first. The kept connection ended while no question was under way. From the
     * loop; may ask, not free. */
    void (*on_lost)(void *data);
    void *lost_data;
};

/* Makes the links of a federation: out[i] is that of its broker i. All or none. */
struct fr_link_maker {
    enum fr_err (*make)(void *data, const struct fr_federation_opt *federation,
                        struct fr_loop *loop, struct fr_link **out);
    void *data;
};
