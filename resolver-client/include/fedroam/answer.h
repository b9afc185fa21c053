#pragma once

#include <fedroam/api.h>

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What a look-up found: everything that is needed to connect to the network (or Join Server), or
 * why nothing was found.
 *
 * Model:   a read-only value. An answer belongs to one federation: a NetID means something only
 *          inside it, so keep the two together.
 * Owns:    all its text and addresses; what the accessors return lives as long as the answer.
 * Threads: any one thread at a time.
 * Errors:  none; an accessor of something absent returns "", 0 or NULL as said.
 * Trust:   names and addresses come from a broker whose certificate was verified, and were parsed
 *          strictly: the NetID is the one before the exact suffix ".netid.<federation>". What comes
 *          from a public tree (fedroam_answer_tree()) is anybody's word.
 */
struct fedroam_answer;

enum fedroam_result {
    FEDROAM_FOUND = 0,
    FEDROAM_UNKNOWN,     /* the federation has no such device, network or Join Server */
    FEDROAM_REFUSED,     /* a broker refuses us: certificate, membership, rights; reason says why */
    FEDROAM_OVER_BUDGET, /* HTTP 429: too many questions; retry_after says when */
    FEDROAM_NO_BROKER, /* no broker (nor public DNS) answered in time; reason says more. Try later */
    FEDROAM_BAD_ANSWER, /* a broker answered something that must not be used; reason says what */
    FEDROAM_FAILED      /* this side failed: out of memory, own certificate or key unreadable */
};

enum fedroam_freshness {
    FEDROAM_FRESH = 0, /* a broker was asked for this look-up */
    FEDROAM_CACHED,    /* from the cache, within its TTL */
    FEDROAM_STALE      /* from the cache, past its TTL, because no broker could be reached */
};

enum fedroam_kind { FEDROAM_DEVICE = 0, FEDROAM_NETWORK, FEDROAM_JOIN_SERVER };

/* What a server speaks, by the words of Backend Interfaces 1.0 section 19. Network servers of a federation
 * have none: they speak HTTPS with the federation's certificates. */
enum fedroam_service {
    FEDROAM_SERVICE_NONE = 0,
    FEDROAM_SERVICE_LWN = 1, /* HTTP: nothing is kept secret, nobody proves who he is */
    FEDROAM_SERVICE_LWNS = 2 /* HTTPS */
};

/* No NetID: of a Join Server, or of an answer that is not FEDROAM_FOUND. */
#define FEDROAM_NO_NETID UINT32_MAX

FEDROAM_API enum fedroam_result fedroam_answer_result(const struct fedroam_answer *a);

/* "found", "unknown", "refused", "over budget", "no broker", "bad answer", "failed". Static. */
FEDROAM_API const char *fedroam_result_text(enum fedroam_result result);

/* For people: what happened, naming the broker, the HTTP status, the TLS alert or the EDE text.
 * "" when there is nothing to say. */
FEDROAM_API const char *fedroam_answer_reason(const struct fedroam_answer *a);

/* For programs: the HTTP status of the last broker asked (0: none came), its extended DNS error
 * code (RFC 8914; -1: none), the name of the TLS alert it sent ("": none), and the seconds after
 * which to ask again when over budget (0: not said). */
FEDROAM_API unsigned fedroam_answer_http_status(const struct fedroam_answer *a);
FEDROAM_API int fedroam_answer_ede(const struct fedroam_answer *a);
FEDROAM_API const char *fedroam_answer_tls_alert(const struct fedroam_answer *a);
FEDROAM_API uint32_t fedroam_answer_retry_after(const struct fedroam_answer *a);

/* The question: its kind and its DevEUI, JoinEUI or NetID as a number (most significant first). */
FEDROAM_API enum fedroam_kind fedroam_answer_kind(const struct fedroam_answer *a);
FEDROAM_API uint64_t fedroam_answer_id(const struct fedroam_answer *a);

/* The federation that answered; of several that did not, the one whose reason is given. "": none did, the
 * answer is from a public tree. */
FEDROAM_API const char *fedroam_answer_federation(const struct fedroam_answer *a);

/* The suffix of the public tree that answered ("joineuis.lora-alliance.org"); "": a federation did.
 * Nobody vouches for what stands there: the answer has no CA, chain, key or pins. */
FEDROAM_API const char *fedroam_answer_tree(const struct fedroam_answer *a);

/* The home network (24 bits), or FEDROAM_NO_NETID. */
FEDROAM_API uint32_t fedroam_answer_netid(const struct fedroam_answer *a);

/* Seconds this answer may still be used, counted when it was handed out; 0 when stale. */
FEDROAM_API uint32_t fedroam_answer_ttl(const struct fedroam_answer *a);
FEDROAM_API enum fedroam_freshness fedroam_answer_freshness(const struct fedroam_answer *a);

/*
 * Where to connect, in the order to try: one entry per address and port. Index past the end: NULL,
 * "" or 0. The socket address carries the port. `host` is the name the address belongs to, `text`
 * is "192.0.2.10:8005" or "[2001:db8::1]:8005". A network may be found and have no endpoint, and a
 * Join Server, too; its reason then says why.
 * An endpoint of a Join Server, or of an answer from a public tree, may have a name and no address: its
 * socket address is NULL, `text` is "js.example.com:443", and who can resolve the name may use it. Equal
 * servers of such an answer are in another order each time, by their weights.
 */
FEDROAM_API size_t fedroam_answer_endpoint_count(const struct fedroam_answer *a);
FEDROAM_API const struct sockaddr *fedroam_answer_endpoint(const struct fedroam_answer *a, size_t i,
                                                           socklen_t *len);
FEDROAM_API const char *fedroam_answer_endpoint_host(const struct fedroam_answer *a, size_t i);
FEDROAM_API const char *fedroam_answer_endpoint_text(const struct fedroam_answer *a, size_t i);
FEDROAM_API uint16_t fedroam_answer_endpoint_port(const struct fedroam_answer *a, size_t i);

/* Of Join Servers and of answers from a public tree: what the endpoint speaks; where, as a URL
 * ("https://js.example.com/"; "" for others); and the name that its certificate must carry: with a
 * federation that of fedroam_answer_tls_name(), wherever the server is; else its host, by whatever
 * authorities the program trusts for that; "" for HTTP. */
FEDROAM_API enum fedroam_service fedroam_answer_endpoint_service(const struct fedroam_answer *a,
                                                                 size_t i);
FEDROAM_API const char *fedroam_answer_endpoint_url(const struct fedroam_answer *a, size_t i);
FEDROAM_API const char *fedroam_answer_endpoint_tls_name(const struct fedroam_answer *a, size_t i);

/* How to connect: the DNS name that the peer's certificate must carry ("<netid>.netid.<fed>"), and
 * the PEM files to use: the federation's CA, our own chain, our own key. All "" with a public tree: the
 * certificate of a federation is shown to nobody but its members. */
FEDROAM_API const char *fedroam_answer_tls_name(const struct fedroam_answer *a);
FEDROAM_API const char *fedroam_answer_ca_path(const struct fedroam_answer *a);
FEDROAM_API const char *fedroam_answer_chain_path(const struct fedroam_answer *a);
FEDROAM_API const char *fedroam_answer_key_path(const struct fedroam_answer *a);

/* The keys that may speak as this network, where the answer told: SHA-256 (32 bytes) of the
 * SubjectPublicKeyInfo (TLSA 3 1 1 of `_ns.<netid>.netid.<fed>`). */
FEDROAM_API size_t fedroam_answer_pin_count(const struct fedroam_answer *a);
FEDROAM_API const uint8_t *fedroam_answer_pin(const struct fedroam_answer *a, size_t i);

/* A copy to keep, the caller's; NULL when out of memory. */
FEDROAM_API struct fedroam_answer *fedroam_answer_dup(const struct fedroam_answer *a);

/* Frees an answer from fedroam_answer_dup() or a blocking call. NULL is allowed. */
FEDROAM_API void fedroam_answer_free(struct fedroam_answer *a);

#ifdef __cplusplus
}
#endif
