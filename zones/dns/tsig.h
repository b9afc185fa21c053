/* TSIG: messages signed with a key that two name servers share (RFC 8945).
 *
 * Model: a record at the end of a message carries a MAC over it. The MAC of an answer also covers
 * the request's; the messages of a transfer form a *stream*, each MAC covering the one before and
 * the unsigned messages since, so that nothing can be left out, added or put in another order. The
 * same functions sign and verify, for requests, answers and streams, on either side.
 * Owns: a stream owns its digest until deinit; keys and MACs are plain values, keys secret: zero
 * them with fr_secret_zero. Threads: one at a time per stream.
 * Errors: FR_E_MALFORMED (a TSIG record that is not one, not last, or twice), FR_E_AUTH with the
 * RFC's error code set (BADKEY, BADSIG, BADTIME, BADTRUNC), FR_E_LIMIT (no room), FR_E_NOMEM.
 * Units and limits: time in Unix seconds; the clock may differ by FR_TSIG_FUDGE_S; a secret has
 * FR_TSIG_SECRET_MIN to FR_TSIG_SECRET_MAX bytes; MACs are never truncated; FR_TSIG_UNSIGNED_MAX
 * unsigned messages between two signed ones (RFC 8945 5.3.1).
 * Trust: messages are a peer's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "names/dname.h"

enum {
    FR_TSIG_MAC_MAX = 64,
    FR_TSIG_SECRET_MIN = 16,
    FR_TSIG_SECRET_MAX = 128,
    FR_TSIG_FUDGE_S = 300,
    FR_TSIG_UNSIGNED_MAX = 99,
    FR_TSIG_RECORD_MAX = 2 * FR_DNAME_WIRE + 10 + 16 + FR_TSIG_MAC_MAX + 6,
};

enum fr_tsig_algorithm {
    FR_TSIG_SHA224,
    FR_TSIG_SHA256,
    FR_TSIG_SHA384,
    FR_TSIG_SHA512,
    FR_TSIG_ALGORITHMS,
};

/* "hmac-sha256"; and back, any case, with or without the final dot. */
const char *fr_tsig_algorithm_text(enum fr_tsig_algorithm algorithm);
bool fr_tsig_algorithm_parse(const char *text, enum fr_tsig_algorithm *out);

enum fr_tsig_error {
    FR_TSIG_NOERROR = 0,
    FR_TSIG_BADSIG = 16,
    FR_TSIG_BADKEY = 17,
    FR_TSIG_BADTIME = 18,
    FR_TSIG_BADTRUNC = 22,
};
/* "BADSIG", …; "an unknown TSIG error" for others. */
const char *fr_tsig_error_text(unsigned error);

struct fr_tsig_key {
    struct fr_dname name;
    enum fr_tsig_algorithm algorithm;
    uint8_t n;
    uint8_t secret[FR_TSIG_SECRET_MAX];
};

struct fr_tsig_mac {
    uint8_t n; /* 0: none */
    uint8_t b[FR_TSIG_MAC_MAX];
};

/* The record of a message, as it stands there. */
struct fr_tsig {
    struct fr_dname name, algorithm;
    uint64_t time_s;
    uint16_t fudge_s, original_id, error;
    struct fr_span mac, other; /* borrowed from the message */
    size_t at;                 /* where the record begins: the message proper ends */
};

/* FR_E_NOT_FOUND when the message is whole and not signed. */
enum fr_err fr_tsig_find(struct fr_span message, struct fr_tsig *out);

/* What a MAC covers beside its own message. */
enum fr_tsig_role {
    FR_TSIG_REQUEST, /* nothing */
    FR_TSIG_ANSWER,  /* the request's MAC; also the first message of a stream */
};

/* Signs the n bytes at `message`, which has room for max; *n grows by the record. `prior` is the
 * request's MAC (ignored for a request). `error` is FR_TSIG_NOERROR but in the answer to a signed
 * request that did not verify: BADTIME is signed and tells our time, BADKEY and BADSIG carry no
 * MAC. */
enum fr_err fr_tsig_sign(const struct fr_tsig_key *key, enum fr_tsig_role role,
                         const struct fr_tsig_mac *prior, enum fr_tsig_error error, int64_t now_s,
                         uint8_t *message, size_t max, size_t *n, struct fr_tsig_mac *out);

/* Checks a message whose record was found. *error says what an answer would tell; *mac is set on
 * success. */
enum fr_err fr_tsig_check(const struct fr_tsig_key *key, enum fr_tsig_role role,
                          const struct fr_tsig_mac *prior, int64_t now_s, struct fr_span message,
                          const struct fr_tsig *tsig, enum fr_tsig_error *error,
                          struct fr_tsig_mac *mac);

/* The messages of one answer to one request, in order. */
struct fr_tsig_stream {
    const struct fr_tsig_key *key; /* borrowed */
    void *digest;
    struct fr_tsig_mac prior;
    unsigned unsigned_since;
    bool has_begun, is_last_signed;
};

enum fr_err fr_tsig_stream_init(struct fr_tsig_stream *stream, const struct fr_tsig_key *key,
                                const struct fr_tsig_mac *request);
void fr_tsig_stream_deinit(struct fr_tsig_stream *stream); /* zeroed is legal */

/* Signs the next message of the stream. */
enum fr_err fr_tsig_stream_sign(struct fr_tsig_stream *stream, int64_t now_s, uint8_t *message,
                                size_t max, size_t *n);

/* Takes the next message: the first must be signed, others may wait for a later signature.
 * FR_E_AUTH: *error is what our check found, or the error that the peer's record tells. */
enum fr_err fr_tsig_stream_take(struct fr_tsig_stream *stream, int64_t now_s,
                                struct fr_span message, unsigned *error);

/* Everything taken so far is covered by a signature: ask before believing the end of a transfer. */
bool fr_tsig_stream_is_closed(const struct fr_tsig_stream *stream);
