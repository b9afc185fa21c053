#pragma once
/*
 * Revocation lists and CA certificates over HTTP: what the addresses in a certificate lead to.
 *
 * Model: GET [/crl]/<ca>.crl gives dir/crl/<ca>.crl, GET [/crl]/<ca>.cer the CA's certificate from
 *   the store, both as DER with an ETag. A list is kept in memory until its file changes, which is
 *   looked at with each request.
 * Owns: the copies. Threads: one for each worker and federation; its thread.
 * Errors: every request is answered here: 404, 405, 304, 200, 503 (no memory).
 * Trust: the path is a stranger's; only names that a CA can have reach the file system.
 * See: RFC 5280 §4.2.1.13, RFC 9110 §13 (If-None-Match), RFC 2585 (media types).
 */

#include "store/store.h"
#include "transport/http_server.h"

struct fr_crl_shelf;

struct fr_crl_shelf_counters {
    uint64_t given, same, absent; /* 200, 304, everything else */
};

/* state and store are borrowed. */
enum fr_err fr_crl_shelf_new(const char *state, struct fr_store *store, struct fr_crl_shelf **out);
void fr_crl_shelf_free(struct fr_crl_shelf *shelf);

/* What a request comes to. Everything is borrowed from the shelf until the next one. */
struct fr_crl_answer {
    unsigned status;
    const char *type, *etag, *freshness; /* 200; 304 without type */
    struct fr_span content;              /* DER, or one sentence about what is wrong */
};
struct fr_crl_answer fr_crl_shelf_find(struct fr_crl_shelf *shelf, struct fr_span method,
                                       struct fr_span path, struct fr_span if_none_match);

/* Answers x with that. */
void fr_crl_shelf_request(struct fr_crl_shelf *shelf, struct fr_http_exchange *x);

/* Whether the authority is crl.<fed>, with any port: which federation a request without TLS
 * means. */
bool fr_crl_shelf_is_named(const struct fr_crl_shelf *shelf, struct fr_span authority);

const struct fr_crl_shelf_counters *fr_crl_shelf_counters(const struct fr_crl_shelf *shelf);
