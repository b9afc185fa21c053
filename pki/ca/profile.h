/* What a certificate of each profile says: names, dates and uses, from the registry's facts alone.
 *
 * Model    A *subject* says whom the certificate is for; fr_profile_fill turns it into the whole
 *          content of a certificate. It is the one place where the profiles of the design are
 *          written down.
 * Owns     struct fr_profile_names holds its texts itself; a spec filled from it borrows them.
 * Threads  Pure.
 * Errors   FR_E_INVALID (subject does not fit its profile, or a name cannot be formed), FR_E_LIMIT
 *          (name too long).
 * Units    Unix seconds. */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "names/cert_name.h"
#include "store/cert.h"
#include "x509/build.h"

#include <stdint.h>

/* A certificate starts this long before it is made, because the clocks of others are late. */
#define FR_BACKDATE_S 300
#define FR_SUBJECT_ID_TEXT 64

struct fr_subject {
    enum fr_profile profile;
    const char *member; /* doh, ns, js; else NULL */
    uint32_t netid;     /* ns */
    uint64_t joineui;   /* js */
    const char *host;   /* broker: one host label; of others: where it will be, or NULL */
};

struct fr_profile_names {
    char common_name[FR_CERT_CN_MAX + 1];
    size_t dns_count;
    char dns[FR_ROW_NAMES_MAX][FR_CERT_NAME_TEXT];
    char uri[FR_CERT_URI_TEXT];
    char crl_url[FR_CERT_URI_TEXT];    /* "": not said in the certificate */
    char issuer_url[FR_CERT_URI_TEXT]; /* the same */
};

/* The id that stands in file names: member, NetID, JoinEUI or host. */
void fr_subject_print_id(const struct fr_subject *subject, char out[FR_SUBJECT_ID_TEXT]);

/* Names of the certificate for a subject in federation fed. */
enum fr_err fr_profile_name(const struct fr_subject *subject, const char *fed, struct fr_diag *diag,
                            struct fr_profile_names *out);

/* Where certificates of this issuing CA say that its list and its own certificate are:
 * http://crl.<fed>/<ca>.crl and .cer, plain HTTP, because who checks a certificate cannot rely on
 * one to do so (RFC 5280 §4.2.1.13). */
enum fr_err fr_profile_point(const char *fed, const char *ca, struct fr_profile_names *out);

/* The subject's O for a federation: its name, or as many of its last labels as fit into 64
 * characters. Borrowed from fed. */
const char *fr_profile_organisation(const char *fed);

/* The content of a leaf: names (borrowed), uses, and dates from now_s (backdated) for lifetime_s,
 * inside the issuer's. The serial is the caller's to set. FR_E_EXPIRED when the issuer is over or
 * not yet valid. */
enum fr_err fr_profile_fill(const struct fr_profile_names *names, enum fr_profile profile,
                            const char *fed, int64_t now_s, int64_t lifetime_s,
                            const struct fr_cert_fields *issuer, struct fr_cert_spec *out);
