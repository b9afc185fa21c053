#pragma once
/* The names of a federation's zone, both ways: what a name asks for, and how to write it.
 *
 *   <16 hex>.deveui.<fed>                          a device
 *   <6 hex>.netid.<fed>                            a network
 *   _fedroam._tcp.<6 hex>.netid.<fed>              its endpoints (SRV)
 *   e<N>.<6 hex>.netid.<fed>                       endpoint N, from 1
 *   _ns.<6 hex>.netid.<fed>                        its certificates (TLSA)
 *   _<port>._tcp.<6 hex>.netid.<fed>               alias of _ns
 *   <16 nibbles, reversed, dotted>.joineui.<fed>   a JoinEUI's join servers (NAPTR, SRV, A, AAAA)
 *   *.<fewer nibbles>.joineui.<fed>                those of all JoinEUIs that begin with them (RFC 4592)
 *   _lwns._tcp.<nibbles>.joineui.<fed>             join servers by https (SRV); _lwn._tcp: by http
 *   e<N>.<nibbles>.joineui.<fed>                   addresses of join server N, from 1
 *   broker.<fed>  ca.<fed>                         the broker's two services
 * and the names between them that own nothing (empty non-terminals).
 *
 * Model: a plain value, kind and numbers. Written lower case; read in any case. Trust: names may
 * be a peer's bytes; every name that is not exactly one of the forms is FR_E_NOT_FOUND (below
 * the apex) or FR_E_INVALID (not below it). */

#include "names/dname.h"

enum fr_owner_kind {
    FR_OWNER_APEX,         /* <fed> */
    FR_OWNER_DEVEUI,       /* eui */
    FR_OWNER_NETID,        /* netid */
    FR_OWNER_SERVICE,      /* netid: _fedroam._tcp */
    FR_OWNER_TLSA,         /* netid: _ns */
    FR_OWNER_PORT,         /* netid, number: _<port>._tcp */
    FR_OWNER_ENDPOINT,     /* netid, number: e<N> */
    FR_OWNER_JOINEUI,      /* eui */
    FR_OWNER_BROKER,       /* broker.<fed> */
    FR_OWNER_CA,           /* ca.<fed> */
    FR_OWNER_DEVEUI_ROOT,  /* deveui.<fed> */
    FR_OWNER_NETID_ROOT,   /* netid.<fed> */
    FR_OWNER_JOINEUI_ROOT, /* joineui.<fed> */
    FR_OWNER_NETID_TCP,    /* netid: _tcp.<netid>.netid.<fed> */
    /* eui, nibbles: so many leading ones are known, in the top bits of eui; 1 to 15, and of the last three 16 too */
    FR_OWNER_JOINEUI_PART,    /* the nibbles alone */
    FR_OWNER_JOINEUI_ANY,     /* the wildcard below them */
    FR_OWNER_JOINEUI_TCP,     /* _tcp below them */
    FR_OWNER_JOINEUI_SERVICE, /* number: enum fr_owner_service */
    FR_OWNER_JOINEUI_HOST,    /* number: e<N> */
};

enum fr_owner_service {
    FR_OWNER_LWNS, /* https */
    FR_OWNER_LWN,  /* http */
};

struct fr_owner {
    enum fr_owner_kind kind;
    uint64_t eui;
    uint32_t netid;
    uint16_t number; /* port, endpoint number, or service */
    uint8_t nibbles; /* of the kinds JOINEUI_… */
    /* Of FR_OWNER_JOINEUI and those kinds: not this name, but one below it that is none of the forms. Only a wildcard can answer
     * there; it cannot be written. */
    bool is_below;
};

/* The JoinEUI (16), or the nibbles alone (1 to 15). */
struct fr_owner fr_owner_joineui(uint64_t eui, uint8_t nibbles);

#define FR_OWNER_TEXT 256

/* Text without the trailing dot. FR_E_LIMIT when it would be longer than a name may be, FR_E_RANGE for a count of nibbles that there is
 * not and for what is_below. */
enum fr_err fr_owner_print(const struct fr_owner *owner, const char *fed, char out[FR_OWNER_TEXT]);

/* Uncompressed wire form, lower case. `zone` is the federation's name on the wire. FR_E_LIMIT. */
enum fr_err fr_owner_write(const struct fr_owner *owner, const struct fr_dname *zone,
                           struct fr_dname *out);

/* What a name asks for. `name` is a checked uncompressed name. Numbers are written without
 * leading zeros. */
enum fr_err fr_owner_read(struct fr_span name, const struct fr_dname *zone, struct fr_owner *out);

/* The same from text, with or without trailing dot; also FR_E_MALFORMED. */
enum fr_err fr_owner_parse(struct fr_span text, const char *fed, struct fr_owner *out);

/* Names under a suffix of other systems ("netids.lora-alliance.org", "deveui.iot-roam.net"). */
enum fr_err fr_deveui_name(uint64_t deveui, const char *suffix, char out[FR_OWNER_TEXT]);
enum fr_err fr_netid_name(uint32_t netid, const char *suffix, char out[FR_OWNER_TEXT]);
enum fr_err fr_joineui_name(uint64_t joineui, const char *suffix, char out[FR_OWNER_TEXT]);
