/* Certificate revocation lists: making a full one, and reading what one says.
 *
 * Model    struct fr_crl_spec is the whole content of a list; entries are added one by one to a
 *          draft, because there may be many. A finished list is DER, read back and verified before
 *          it is handed out. Lists are never partitioned, so they carry no distribution point.
 * Owns     A draft is ended by fr_crl_sign or fr_crl_draft_free.
 * Threads  Any; no shared state.
 * Errors   FR_E_NOMEM, FR_E_INTERNAL, FR_E_CRYPTO (lint), FR_E_MALFORMED (reading), FR_E_LIMIT.
 * Limits   FR_CRL_MAX bytes.
 * See      RFC 5280 §5. */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/span.h"
#include "x509/build.h"
#include "x509/cert.h"

#define FR_CRL_MAX (64 * 1024 * 1024)

struct fr_crl_draft;

struct fr_crl_entry {
    uint8_t serial[FR_X509_SERIAL_SIZE];
    int64_t revoked_s;
    uint8_t cause; /* CRLReason; 0 is left out, as RFC 5280 §5.3.1 asks */
};

enum fr_err fr_crl_draft_new(struct fr_crl_draft **out);
enum fr_err fr_crl_draft_add(struct fr_crl_draft *draft, const struct fr_crl_entry *entry);
void fr_crl_draft_free(struct fr_crl_draft *draft);

struct fr_crl_spec {
    uint64_t number; /* CRLNumber, below 2^63 */
    int64_t this_update_s;
    int64_t next_update_s;
};

struct fr_crl_fields {
    uint64_t number; /* 0 when it has none, or one that does not fit */
    int64_t this_update_s;
    int64_t next_update_s; /* 0: none */
    size_t entries;
};

/* Signs the draft, reads the result back, and appends the DER to out; *fields is what was read. */
enum fr_err fr_crl_sign(struct fr_crl_draft *draft, const struct fr_crl_spec *spec,
                        const struct fr_cert *issuer, const struct fr_key *issuer_key,
                        struct fr_diag *diag, struct fr_buf *out, struct fr_crl_fields *fields);

/* One list from DER; every byte must be used. Says nothing about its signature. */
enum fr_err fr_crl_read_fields(struct fr_span der, struct fr_crl_fields *out);

/* Its entries, as far as fn returns FR_OK; none where its fields cannot be read. An entry whose serial is not one of ours (16 bytes, as
 * fr_serial_make gives them) is FR_E_UNSUPPORTED. */
typedef enum fr_err (*fr_crl_entry_fn)(void *data, const struct fr_crl_entry *entry);
enum fr_err fr_crl_each(struct fr_span der, fr_crl_entry_fn fn, void *data);

/* Whether issuer signed it. FR_E_CRYPTO when not. */
enum fr_err fr_crl_verify(struct fr_span der, const struct fr_cert *issuer);
