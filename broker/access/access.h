/* Who may ask: one request's certificate against the federation's registry.
 *
 * Model: TLS proves that the peer owns a certificate of the federation's CA, at the time of the
 * first handshake. Everything else is decided here, on every request, from the registry's row of
 * that certificate: the row must exist, be issued, and be the very same certificate (SHA-256 of the
 * DER, dates); its member and its NetID must be active; it must have the right asked for. What the
 * rows said is remembered in the connection's *seat* for as long as the store's last transaction
 * stays the same; dates are compared each time. Strings inside the certificate never decide
 * anything.
 *   A *service* is one of the broker's two names, chosen by SNI: broker.<fed> (also when there is
 * no SNI) and ca.<fed>.
 * Owns: a seat is the caller's plain value; zero is a fresh one. Threads: a seat belongs to its
 * connection's thread.
 * Errors: none but a verdict; FR_ACCESS_FAULT stands for a store that cannot be read.
 * Units: now in Unix seconds. Trust: the certificate's fields were proved by TLS, the authority is
 * a peer's bytes.
 * See: RFC 9110 7.4 and 15.5.20 (421), RFC 8446 4.6.1 (resumption). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "store/cert.h"
#include "transport/tls.h"

enum fr_access {
    FR_ACCESS_OK,
    FR_ACCESS_NO_CERTIFICATE, /* nothing was shown: close, no answer */
    FR_ACCESS_UNKNOWN,        /* no such serial in this federation */
    FR_ACCESS_AFTER_BACKUP,   /* the same, and it is younger than the backup that was restored */
    FR_ACCESS_DIFFERENT,      /* the serial is known, the certificate is another one */
    FR_ACCESS_UNISSUED,       /* an intent that was never completed */
    FR_ACCESS_REVOKED,
    FR_ACCESS_NOT_YET,
    FR_ACCESS_EXPIRED,
    FR_ACCESS_MEMBER_SUSPENDED,
    FR_ACCESS_MEMBER_REMOVED,
    FR_ACCESS_NETWORK_SUSPENDED, /* or no longer the member's */
    FR_ACCESS_AUTHORITY,         /* the CA it hangs below is retired or revoked */
    FR_ACCESS_NO_RIGHT,
    FR_ACCESS_FAULT,
    FR_ACCESS_COUNT,
};

/* "certificate-revoked": the word for logs and metrics. */
const char *fr_access_word(enum fr_access verdict);
/* One sentence for the peer: what is wrong and whom to ask. */
const char *fr_access_sentence(enum fr_access verdict);
/* 403, or 503 for a fault. FR_ACCESS_OK and FR_ACCESS_NO_CERTIFICATE have none: 0. */
unsigned fr_access_status(enum fr_access verdict);

/* What a connection remembers. `row` (member, NetID, rights, …) may be read while the last
 * verdict was OK or NO_RIGHT, and its member also while the certificate is refused as revoked, outside
 * its dates, or with its member, network or authority. */
struct fr_access_seat {
    bool is_known;
    uint64_t txn;            /* snapshot the rows were read from */
    enum fr_access standing; /* what they said, dates and rights apart */
    struct fr_cert_row row;
};

/* cert: the peer's, NULL when none was shown. rights: enum fr_right, or-ed; all are needed, 0
 * asks for a member only. */
enum fr_access fr_access_check(struct fr_access_seat *seat, const struct fr_tls_peer *cert,
                               struct fr_snap *snap, int64_t now_s, uint32_t rights);

enum fr_service {
    FR_SERVICE_NONE,   /* no name of this federation: refuse the handshake */
    FR_SERVICE_BROKER, /* needs a client certificate */
    FR_SERVICE_CA,     /* asks for one */
};

/* The service that a ClientHello's server name asks for; NULL or "" (dig, dnsperf and BIND send
 * none) is the broker. Any letter case, no trailing dot. */
enum fr_service fr_service_of(const char *federation, const char *sni);

/* May a request with this Host or :authority be answered by this service? Yes for the service's
 * own name, for an IP literal, and for an empty one (HTTP/1.0), each with any port. No: 421. */
bool fr_service_answers(enum fr_service service, const char *federation, struct fr_span authority);
