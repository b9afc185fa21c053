/* EST from the client's side: one request to a federation's ca.<fed>, waited for.
 *
 * Model    A *place* is where a federation enrols: its URL and the addresses to try. Every call is
 *          one connection with the TLS context given, and blocks.
 * Owns     Results belong to the caller.
 * Threads  One; no loop of the caller's is used.
 * Errors   FR_E_AUTH (token or certificate not accepted; the server not believed), FR_E_DENIED,
 *          FR_E_CONFLICT (key of another, blocked), FR_E_PENDING (202), FR_E_BUSY (429, 503),
 *          FR_E_NET, FR_E_TIMEOUT, FR_E_MALFORMED, FR_E_INVALID (400); diag says which and what to
 *          do. With FR_E_PENDING and FR_E_BUSY *retry_s says when to ask again.
 * Trust    Answers are a stranger's until their chain is verified, which is the caller's.
 * See      RFC 7030, RFC 8951. */
#pragma once

#include "base/addr.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/url.h"
#include "enrol/profile.h"
#include "x509/bag.h"

struct fr_tls_ctx;

#define FR_EST_PLACE_ADDRS 8

struct fr_est_place {
    struct fr_url url; /* path without a slash at its end */
    size_t n_addrs;
    struct fr_addr addrs[FR_EST_PLACE_ADDRS];
};

/* From a URL; addresses are those given (IP texts; the URL's port), else looked up by the system's
 * resolver, which may block. */
enum fr_err fr_est_place_find(const char *url, const char *const *addresses, size_t n,
                              struct fr_diag *diag, struct fr_est_place *out);

struct fr_est_bag {
    size_t n;
    struct fr_cert *certs[FR_BAG_CERTS_MAX];
};
void fr_est_bag_free(struct fr_est_bag *bag); /* a zeroed one is legal */

/* The federation's CA certificates. */
enum fr_err fr_est_fetch_authorities(const struct fr_est_place *place, struct fr_tls_ctx *tls,
                                     struct fr_diag *diag, struct fr_est_bag *out);

struct fr_est_wish {
    enum fr_wallet_profile profile;
    struct fr_span csr; /* PEM */
    /* A token's id and secret; NULL: with the certificate of the connection */
    const char *user, *password;
    bool is_renewal; /* simplereenroll */
};

/* Asks for a certificate: the first of the answer. */
enum fr_err fr_est_enrol(const struct fr_est_place *place, struct fr_tls_ctx *tls,
                         const struct fr_est_wish *wish, struct fr_diag *diag, unsigned *retry_s,
                         struct fr_cert **out);
