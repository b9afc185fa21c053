/* Pairs of private key and certificate chain of one federation, as files.
 *
 * Model    <folder>/pairs/ns-000013.<n>/ holds key.pem and chain.pem of one certificate, complete
 *          before the folder gets that name; pairs/ns-000013 is a link to the one in use, and
 *          ns-000013.key and ns-000013.chain.pem in the folder lead through it. So one rename changes
 *          both, and no reader who opens them anew finds a key of another certificate.
 *          What is asked for waits in pending/: key and request are on disk before anybody is asked,
 *          so that the same request can be made again.
 * Owns     Results are plain values.
 * Threads  One at a time (fr_wallet_lock).
 * Errors   FR_E_MALFORMED (a certificate of no kind we know), those of files.
 * Units    Unix seconds.
 * Trust    Our own files; certificates were verified before they come here. */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "enrol/profile.h"
#include "enrol/wallet.h"
#include "names/member.h"
#include "x509/cert.h"

#include <stdbool.h>
#include <sys/types.h>

#define FR_PAIR_NAME 64
#define FR_PAIR_TOKEN 33
#define FR_PAIRS_MAX 64

/* Whom a certificate of a federation is for. */
struct fr_pair_subject {
    enum fr_wallet_profile profile;
    char id[FR_MEMBER_TEXT]; /* of a member, NetID or JoinEUI */
    char member[FR_MEMBER_TEXT];
    char name[FR_PAIR_NAME]; /* "ns-000013" */
};

/* FR_E_MALFORMED when it is no member's of that federation. */
enum fr_err fr_pair_subject_read(const struct fr_cert_fields *cert, const char *fed,
                                 struct fr_pair_subject *out);

struct fr_pair {
    struct fr_pair_subject subject;
    char key[FR_WALLET_PATH], chain[FR_WALLET_PATH]; /* as configuration files name them */
    char token[FR_PAIR_TOKEN];                       /* the token's id that it came by */
    char serial[2 * FR_CERT_SERIAL_MAX + 1];
    uint8_t serial_bytes[FR_CERT_SERIAL_MAX];
    size_t serial_len;
    uint8_t issuer
        [FR_SHA256_SIZE]; /* SHA-256 of the CA's certificate behind it in the chain; 0: none */
    int64_t not_before_s, not_after_s;
    int64_t next_s; /* when a new key that is here already takes over; 0: there is none */
};

struct fr_pairs {
    size_t n;
    struct fr_pair list[FR_PAIRS_MAX];
};

/* The pairs in use, sorted by name. The caller frees with fr_free. */
enum fr_err fr_pairs_read(const char *folder, const char *fed, struct fr_diag *diag,
                          struct fr_pairs **out);

/* Key and request under pending/<what>, made unless they are there. reuse: path of the key to ask
 * with, or NULL for a new one. Appends the request (PEM) to csr. */
enum fr_err fr_pair_prepare(const char *folder, const char *what, const char *common_name,
                            const char *reuse, struct fr_diag *diag, struct fr_buf *csr);

/* Whether pending/<what> is there and holds a certificate already (a run that was interrupted). */
bool fr_pair_is_answered(const char *folder, const char *what);
bool fr_pair_is_asked(const char *folder, const char *what);

struct fr_pair_answer {
    struct fr_span chain; /* PEM */
    const char *token;
    int64_t from_s; /* 0: at once */
};

/* Puts the answer beside its key. From here on nothing but fr_pair_install is needed. */
enum fr_err fr_pair_answered(const char *folder, const char *what,
                             const struct fr_pair_answer *answer, struct fr_diag *diag);

/* Moves an answered pair to the others; its key gets this owner ((uid_t)-1: as it is). It is used
 * after the next fr_pairs_settle. */
enum fr_err fr_pair_install(const char *folder, const char *what, const char *fed, uid_t owner,
                            struct fr_diag *diag);

/* Lets every link lead to the newest pair whose time has come, and removes older ones. *changed: how
 * many links moved. */
enum fr_err fr_pairs_settle(const char *folder, int64_t now_s, struct fr_diag *diag,
                            size_t *changed);
