/* The insides of fr_key and fr_cert, for the .c files of this library only.
 *
 * Model    One OpenSSL object in each handle; fr_x509_fault turns a failed OpenSSL call into our
 *          code and empties its error queue, so that a stranger's bad bytes never leave a message
 *          that a later TLS call would trip over. */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "base/span.h"
#include "x509/cert.h"
#include "x509/key.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

/* What a signature has to be worth: no MD5, no SHA-1. OpenSSL calls it level 2. */
#define FR_X509_SECURITY_BITS 112

struct fr_key {
    EVP_PKEY *pkey;
};

struct fr_cert {
    X509 *x509;
};

/* Empties OpenSSL's error queue and returns FR_E_NOMEM when memory was the reason, else
 * otherwise. */
enum fr_err fr_x509_fault(enum fr_err otherwise);

/* Wraps pkey or x509 (one reference is given to the handle, also on failure: it is then
 * released). */
enum fr_err fr_key_give(EVP_PKEY *pkey, struct fr_key **out);
enum fr_err fr_cert_give(X509 *x509, struct fr_cert **out);

/* One request, PEM or DER, all of it used up; NULL: it is none. */
X509_REQ *fr_csr_decode(struct fr_span in);

/* A read-only BIO over bytes that stay the caller's; no bytes are fine. NULL: no memory. */
BIO *fr_bio_over(struct fr_span bytes);

/* Appends what is in a memory BIO to out. */
enum fr_err fr_bio_drain(BIO *bio, struct fr_buf *out);
