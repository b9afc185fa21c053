/* What the certificates of the root and of issuing CAs say, and what those are called.
 *
 * Model    The name of an issuing CA is the year it was made in and a letter: "2026a". Its certificate
 *          binds it to names below the federation and to no address, lives 18 months, and says where
 *          the root's revocation list is. Both certificates are written down here and nowhere else.
 * Owns     Texts hold themselves; a spec filled from them borrows.
 * Threads  Pure.
 * Errors   FR_E_EXPIRED (the root is over, or not valid yet, when the issuing CA would begin),
 *          FR_E_INVALID (name), FR_E_LIMIT (too long), FR_E_RANGE (date). */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "names/cert_name.h"
#include "store/member.h"
#include "x509/build.h"

#define FR_ROOT_NAME "root" /* of its row, list and address */
#define FR_ROOT_LIFETIME_S (15LL * 365 * 86400)
#define FR_ISSUING_LIFETIME_S (548LL * 86400)        /* 18 months */
#define FR_ROOT_CRL_LIFETIME_S FR_ISSUING_LIFETIME_S /* made anew at each ceremony */

struct fr_authority_texts {
    char common_name[FR_CERT_CN_MAX + 1];
    char uri[FR_CERT_URI_TEXT];
    char crl_url[FR_CERT_URI_TEXT];    /* "": not said */
    char issuer_url[FR_CERT_URI_TEXT]; /* the same */
};

/* The year of now_s and `letter` (0 is 'a', at most 25). */
enum fr_err fr_issuing_name(int64_t now_s, unsigned letter, char out[FR_HOST_MAX + 1]);

/* What it is called in certificates: "fed.example Issuing CA 2026a". */
void fr_issuing_print_name(const char *fed, const char *name, char out[FR_CERT_CN_MAX + 1]);

/* Whole but for the serial. */
enum fr_err fr_root_fill(const char *fed, int64_t now_s, struct fr_authority_texts *texts,
                         struct fr_cert_spec *out);

struct fr_issuing_dates {
    int64_t from_s; /* backdated a little in the certificate */
    int64_t lifetime_s;
};

/* Whole but for the serial; inside the root's dates. has_point: says where the root's list is. */
enum fr_err fr_issuing_fill(const char *fed, const char *name, struct fr_issuing_dates dates,
                            const struct fr_cert_fields *root, bool has_point,
                            struct fr_authority_texts *texts, struct fr_cert_spec *out);
