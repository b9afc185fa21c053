/* X.509 certificates: reading them, their fields, and whether one verifies against a root.
 *
 * Model    struct fr_cert is one certificate; struct fr_chain is leaf first, then issuers; struct
 *          fr_cert_fields is what this product cares about, copied out.
 * Owns     Handles belong to the caller; fr_chain_at lends until the chain is freed. Fields hold
 *          no pointers.
 * Threads  A handle may be read by several threads.
 * Errors   FR_E_MALFORMED, FR_E_LIMIT, FR_E_CRYPTO (does not verify), FR_E_NOMEM, FR_E_INTERNAL,
 *          file errors.
 * Limits   FR_CERT_MAX bytes for one DER, FR_CHAIN_MAX certificates in a file, FR_CERT_DNS_MAX DNS
 *          names and FR_CERT_URIS_MAX URIs; more is FR_E_LIMIT.
 * Trust    Certificates may be a peer's; every field is bounded and names with a NUL or a
 *          non-ASCII byte are FR_E_MALFORMED.
 * See      RFC 5280. */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/span.h"
#include "x509/key.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FR_CERT_MAX 16384
#define FR_CERT_FILE_MAX 65536
#define FR_CHAIN_MAX 8
#define FR_CERT_DNS_MAX 8
#define FR_CERT_URIS_MAX 4
#define FR_CERT_SERIAL_MAX 20
#define FR_CERT_CN_MAX 64
#define FR_CERT_NAME_MAX 255
#define FR_CERT_URI_MAX 511

struct fr_cert;
struct fr_chain;

struct fr_cert_fields {
    uint8_t sha256[FR_SHA256_SIZE];      /* of the whole DER */
    uint8_t spki_sha256[FR_SHA256_SIZE]; /* of the public key, as TLSA 3 1 1 */
    uint8_t serial[FR_CERT_SERIAL_MAX];
    size_t serial_len;
    int64_t not_before_s; /* Unix seconds, both inclusive */
    int64_t not_after_s;
    char cn[FR_CERT_CN_MAX + 1]; /* the only common name; "" when there is none or more than one */
    size_t dns_count;
    char dns[FR_CERT_DNS_MAX][FR_CERT_NAME_MAX + 1];
    size_t uri_count;
    char uri[FR_CERT_URIS_MAX][FR_CERT_URI_MAX + 1];
    bool is_ca;
};

/* One certificate from DER; every byte must be used. */
enum fr_err fr_cert_parse(struct fr_span der, struct fr_cert **out);

/* The one certificate of a PEM file; more than one is FR_E_MALFORMED. */
enum fr_err fr_cert_load(const char *path, struct fr_diag *diag, struct fr_cert **out);

/* Appends DER, or PEM ("-----BEGIN CERTIFICATE-----"), to out. */
enum fr_err fr_cert_write_der(const struct fr_cert *cert, struct fr_buf *out);
enum fr_err fr_cert_write_pem(const struct fr_cert *cert, struct fr_buf *out);

enum fr_err fr_cert_read_fields(const struct fr_cert *cert, struct fr_cert_fields *out);

/* The subject's only O, printable ASCII. FR_E_MALFORMED: none, several, other text. */
enum fr_err fr_cert_read_organisation(const struct fr_cert *cert, char out[FR_CERT_CN_MAX + 1]);

/* The certificate's public key, as a handle of its own. */
enum fr_err fr_cert_dup_key(const struct fr_cert *cert, struct fr_key **out);

/* Whether issuer's name, key identifier and signature fit cert, and the signature is worth 112 bits: SHA-1's is none. */
bool fr_cert_is_issued_by(const struct fr_cert *cert, const struct fr_cert *issuer);

enum fr_cert_purpose { FR_CERT_FOR_SERVER, FR_CERT_FOR_CLIENT };

/* Strict path check (RFC 5280 as OpenSSL's X509_V_FLAG_X509_STRICT) of leaf through issuing (may
 * be NULL) to root at time now_s. FR_E_CRYPTO with diag saying why. Revocation is not looked at:
 * that is the store's. */
enum fr_err fr_cert_verify(const struct fr_cert *leaf, const struct fr_cert *issuing,
                           const struct fr_cert *root, enum fr_cert_purpose purpose, int64_t now_s,
                           struct fr_diag *diag);

void fr_cert_free(struct fr_cert *cert);

/* A PEM file of one or more certificates, leaf first; each must have issued the one before. */
enum fr_err fr_chain_load(const char *path, struct fr_diag *diag, struct fr_chain **out);
size_t fr_chain_count(const struct fr_chain *chain);
const struct fr_cert *fr_chain_at(const struct fr_chain *chain, size_t i);
void fr_chain_free(struct fr_chain *chain);
