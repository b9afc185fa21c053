#pragma once
/* The DNS names and URIs that stand in certificates: whom a certificate is for.
 *
 *   broker.<fed>  ca.<fed>  <host>.<fed>     the broker's host
 *   <member>.member.<fed>                    a member's resolver (profile doh)
 *   <6 hex>.netid.<fed>                      a network server (profile ns)
 *   <16 reversed nibbles>.joineui.<fed>      a join server (profile js)
 * URIs: spiffe://<fed>/member/<id>/<what>.
 *
 * Trust: texts may come from a peer's certificate. Matching ignores case; anything else is
 * FR_E_NOT_FOUND. */

#include "names/member.h"

enum fr_cert_kind {
    FR_CERT_BROKER,
    FR_CERT_CA,
    FR_CERT_HOST,
    FR_CERT_MEMBER,
    FR_CERT_NETID,
    FR_CERT_JOINEUI,
};

struct fr_cert_name {
    enum fr_cert_kind kind;
    char label[64]; /* HOST: the host's label; MEMBER: the member's id */
    uint32_t netid;
    uint64_t joineui;
};

#define FR_CERT_NAME_TEXT 256
#define FR_CERT_URI_TEXT 512

/* "<label>.<kind>.<fed>", lower case. FR_E_INVALID for a bad label, FR_E_LIMIT when too long. */
enum fr_err fr_cert_name_print(const struct fr_cert_name *name, const char *fed,
                               char out[FR_CERT_NAME_TEXT]);

/* The name of a certificate of federation `fed`. */
enum fr_err fr_cert_name_parse(struct fr_span text, const char *fed, struct fr_cert_name *out);

/* "spiffe://<fed>/member/<member>/<what>"; `what` is [a-z0-9/-]+. FR_E_INVALID, FR_E_LIMIT. */
enum fr_err fr_cert_uri_print(const char *fed, const char *member, const char *what,
                              char out[FR_CERT_URI_TEXT]);
