#pragma once
/* Where a network or Join Server is; and how to gather what a network's records say from as few
 * answers as possible (a Join Server's are followed by trail.h).
 *
 * Model: a draft starts with the name and learns from replies, whichever question they answered;
 *   fr_place_next() names what is still missing to connect; fr_place_new() makes the finished,
 *   immutable place. Missing means: the SRV records, and an address for each of their targets
 *   (or, without SRV, one address of the name itself, on the default port); and the pins, from a
 *   server that does not send the SRV along: one that does has sent all there is.
 * Owns: a draft is a plain value; a place is one block. Threads: any. Pure: no I/O, no clock.
 * Units and limits: the caps below; what goes beyond is left out. ttl_s is the smallest TTL of
 *   everything used.
 * Trust: records are a broker's. Only the names asked about count; an SRV target outside the
 *   zone is a bad answer. See RFC 2782, RFC 6698 (TLSA 3 1 1). */

#include "base/addr.h"
#include "resolver/reply.h"

struct fr_buf;

enum {
    FR_PLACE_HOSTS_MAX = 8,      /* SRV targets */
    FR_PLACE_ADDRESSES_MAX = 4,  /* of one host and family */
    FR_PLACE_ENDPOINTS_MAX = 16, /* in a finished place */
    FR_PLACE_PINS_MAX = 16,
    FR_PLACE_ASKS_MAX = 8, /* questions for one place */
    FR_PLACE_PORT = 8005,  /* without SRV */
    FR_PIN_SIZE = 32,
};

struct fr_place_host {
    struct fr_dname name;
    uint16_t priority, weight, port;
    uint8_t n4, n6;
    uint8_t v4[FR_PLACE_ADDRESSES_MAX][4], v6[FR_PLACE_ADDRESSES_MAX][16];
    bool is_asked4, is_asked6; /* a broker told all it has */
};

struct fr_place_draft {
    struct fr_dname zone, service, pins_at;
    struct fr_place_host self; /* the name itself */
    bool is_missing;           /* NXDOMAIN: there is no such name */
    bool is_service_asked;
    bool is_pins_asked;
    size_t n_hosts;
    struct fr_place_host hosts[FR_PLACE_HOSTS_MAX];
    size_t n_pins;
    uint8_t pins[FR_PLACE_PINS_MAX][FR_PIN_SIZE];
    uint32_t ttl_s;
    unsigned asks;
};

/* FR_E_LIMIT when the names do not fit. */
enum fr_err fr_place_network(const struct fr_dname *zone, uint32_t netid,
                             struct fr_place_draft *out);

/* Takes in the reply to the question (name, type). FR_E_MALFORMED with `why`: it must not be
 * used; the draft is then of no use. */
enum fr_err fr_place_learn(struct fr_place_draft *d, const struct fr_reply *reply,
                           const struct fr_dname *name, uint16_t type, const char **why);

/* The next question; false when nothing is missing or enough was asked. Counts the question as
 * asked. */
bool fr_place_next(struct fr_place_draft *d, struct fr_dname *name, uint16_t *type);

struct fr_place_endpoint {
    struct fr_addr addr;       /* family 0: only its name is known */
    uint16_t host_at, path_at; /* offsets into text */
    uint8_t service;           /* enum fedroam_service; NONE: of a network of a federation */
    uint16_t group, weight;    /* neighbours of one group, not 0, are drawn by weight (draw.h) */
};

struct fr_place {
    uint32_t ttl_s;
    uint16_t tree_at; /* the suffix of the public tree it is from; "": of a federation */
    uint16_t why_at;  /* why it has no endpoint, where that is known */
    size_t n_endpoints, n_pins;
    struct fr_place_endpoint endpoints[FR_PLACE_ENDPOINTS_MAX];
    uint8_t pins[FR_PLACE_PINS_MAX][FR_PIN_SIZE];
    size_t text_n;
    char text[]; /* each terminated; the first is the empty string */
};

/* FR_E_NOMEM. */
enum fr_err fr_place_new(const struct fr_place_draft *d, struct fr_place **out);

/* For who makes places from something else (trail.h): the texts, and the block of a head and its texts,
 * which are given back in any case. FR_E_NOMEM, FR_E_LIMIT. */
void fr_place_texts_init(struct fr_buf *texts);
uint16_t fr_place_add_text(struct fr_buf *texts, const char *text);
enum fr_err fr_place_seal(const struct fr_place *head, struct fr_buf *texts, struct fr_place **out);

/* The order in which to try the endpoints this time: order[i] is a place in `endpoints`. */
void fr_place_order(const struct fr_place *p, uint64_t *draws,
                    uint8_t order[static FR_PLACE_ENDPOINTS_MAX]);
void fr_place_free(struct fr_place *p);
