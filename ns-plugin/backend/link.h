#pragma once
/*
 * The kept connections to peers: one link per (federation, identity). For backend/client.c.
 *
 * Model: a link lives while a call uses it, and after that until room is needed. It follows its peer: other addresses or another
 *   TLS context in a target are taken over by new connections.
 * Owns: links and their HTTP clients. Threads: the loop's. Errors: FR_E_NOMEM, FR_E_INVALID (no address), FR_E_LIMIT (all in use).
 */
#include "backend/client.h"

struct fr_bi_link {
    struct fr_bi_link *prev, *next; /* least recently used first */
    char *federation;
    char *tls_name;
    struct fr_bi_id id;
    struct fr_tls_ctx *tls; /* referenced */
    struct fr_http_client *http;
    unsigned users;
};

struct fr_bi_links {
    struct fr_loop *loop;
    struct fr_bi_link list; /* head */
    size_t n;
    struct fr_bi_traffic closed; /* of links that are gone */
};

void fr_bi_links_init(struct fr_bi_links *links, struct fr_loop *loop);
void fr_bi_links_deinit(struct fr_bi_links *links);

/* The link to a target, made when it is not there; released by fr_bi_link_release(). */
enum fr_err fr_bi_links_get(struct fr_bi_links *links, const struct fr_bi_target *target,
                            struct fr_bi_link **out);
void fr_bi_link_release(struct fr_bi_link *link);

void fr_bi_links_close_idle(struct fr_bi_links *links);
void fr_bi_links_traffic(struct fr_bi_links *links, struct fr_bi_traffic *sum);
