/* Making a certificate: a plain description in, a signed certificate out, and the check that it
 * says what the description says.
 *
 * Model    struct fr_cert_spec is the whole content; names become GENERAL_NAME objects, never
 *          configuration text, so that a comma cannot turn one name into two. Anything the spec
 *          does not name is not in the certificate.
 * Owns     The spec borrows its strings during the call; the certificate belongs to the caller.
 * Threads  Any; no shared state.
 * Errors   FR_E_INVALID: a name or date in the spec cannot stand in a certificate; FR_E_CRYPTO:
 *          lint found a difference; FR_E_NOMEM, FR_E_INTERNAL.
 * See      RFC 5280 §4. */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "x509/cert.h"
#include "x509/key.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FR_X509_SERIAL_SIZE 16

enum fr_x509_kind { FR_X509_ROOT, FR_X509_ISSUING, FR_X509_LEAF };

struct fr_cert_spec {
    enum fr_x509_kind kind;
    uint8_t serial[FR_X509_SERIAL_SIZE]; /* first byte 0x40..0x7f, as fr_serial_make gives it */
    int64_t not_before_s;
    int64_t not_after_s;              /* inclusive */
    const char *organisation;         /* subject O, 1..64 bytes of printable ASCII */
    const char *common_name;          /* subject CN, the same */
    const char *dns[FR_CERT_DNS_MAX]; /* dNSName, lower-case LDH */
    size_t dns_count;
    const char *uri;        /* the one URI name, or NULL */
    bool server;            /* extendedKeyUsage serverAuth */
    bool client;            /* extendedKeyUsage clientAuth */
    const char *crl_url;    /* where the issuer's revocation list is (plain http), or NULL */
    const char *issuer_url; /* where the issuer's certificate is, or NULL */
    const char
        *permitted_dns; /* issuing: permitted DNS, with every IP address excluded; critical */
};

/* 16 random bytes that are a positive ASN.1 integer of exactly 16 bytes (126 random bits). */
enum fr_err fr_serial_make(uint8_t out[FR_X509_SERIAL_SIZE]);

/* Builds and signs. issuer NULL means self-signed by issuer_key, which must then be key's private
 * half. */
enum fr_err fr_cert_sign(const struct fr_cert_spec *spec, const struct fr_key *key,
                         const struct fr_cert *issuer, const struct fr_key *issuer_key,
                         struct fr_cert **out);

/* Reads the certificate back from its DER and compares every field with the spec; nothing more and
 * nothing less may be in it. diag names the first difference. */
enum fr_err fr_cert_lint(const struct fr_cert *cert, const struct fr_cert_spec *spec,
                         const struct fr_key *key, struct fr_diag *diag);
