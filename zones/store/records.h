#pragma once
/*
 * Which DNS records a federation's zone has: the one place that says so. The broker answers from it, the export prints it.
 *
 * Model: the records of one *node* (a network, a join server, the apex) are given one by one to a callback, grouped by owner and
 *   type, always in the same order. Owners and targets are values of names/owner.h, to be written as text or wire with the
 *   zone's name. A device is one CNAME, to the network that store/sight.h finds for who asks.
 *     <netid>.netid                A, AAAA (first endpoint of each family), TXT "v=fedroam1 member=<id>"
 *     e<i>.<netid>.netid           A or AAAA of endpoint i (from 1)
 *     _fedroam._tcp.<netid>.netid  SRV <i> 0 <port> e<i>.<netid>.netid
 *     _ns.<netid>.netid            TLSA 3 1 1, one for each key of a live `ns` certificate
 *     _<port>._tcp.<netid>.netid   CNAME _ns.<netid>.netid, for each endpoint port, when there are pins
 *     <nibbles>.joineui            of a JoinEUI: A, AAAA (of its first https server of each family), SRV (of all https servers),
 *                                  NAPTR 100 50 "S" "LWNS" "" _lwns._tcp.<nibbles>.joineui, and 100 60 "S" "LWN" … _lwn._tcp… for http
 *     *.<nibbles>.joineui          of a block: the same
 *     _lwns._tcp.<nibbles>.joineui SRV <priority> <weight> <port> e<i>.<nibbles>.joineui, or the server's own name
 *     e<i>.<nibbles>.joineui       A, AAAA of server i (from 1) that has addresses
 *                                  Inside a block some JoinEUI of its own makes the names above it exist, and a wildcard does not
 *                                  reach below those (RFC 4592 2.2.1): each has the block's wildcard again, *.<more nibbles>.joineui.
 *     apex                         SOA (serial: low 32 bits of the sequence), NS localhost. (nobody delegates to a private zone)
 * Errors: FR_E_NOT_FOUND (no such node, or its member or itself is suspended), the callback's own.
 * Units and limits: TTLs in seconds, from policy.
 */
#include "names/owner.h"
#include "store/cert.h"
#include "store/joineui.h"
#include "store/network.h"
#include "store/policy.h"

#define FR_RECORD_TXT_MAX 64
#define FR_RECORD_NS_TARGET "localhost" /* absolute target of the apex NS */
#define FR_RECORD_RNAME "hostmaster"    /* SOA RNAME, relative to the apex */

enum fr_record_type { /* the DNS numbers */
                      FR_RECORD_A = 1,
                      FR_RECORD_NS = 2,
                      FR_RECORD_CNAME = 5,
                      FR_RECORD_SOA = 6,
                      FR_RECORD_TXT = 16,
                      FR_RECORD_AAAA = 28,
                      FR_RECORD_SRV = 33,
                      FR_RECORD_NAPTR = 35,
                      FR_RECORD_TLSA = 52,
};

struct fr_record {
    struct fr_owner owner;
    enum fr_record_type type;
    uint32_t ttl_s;
    union {                          /* nothing for NS: its target is FR_RECORD_NS_TARGET */
        uint8_t addr[16];            /* A (the first 4), AAAA */
        struct fr_owner target;      /* CNAME */
        char txt[FR_RECORD_TXT_MAX]; /* one character-string */
        struct {
            uint16_t priority, weight, port;
            struct fr_owner target;
            char host[FR_JOIN_HOST_MAX + 1]; /* unless empty: the target, outside of the zone */
        } srv;
        struct {
            uint8_t usage, selector, matching;
            uint8_t hash[FR_DIGEST_SIZE];
        } tlsa;
        struct {
            uint16_t order, preference;
            char flags[2], service[8];
            struct fr_owner target; /* the regular expression is empty */
        } naptr;
        struct { /* MNAME broker.<fed>, RNAME FR_RECORD_RNAME */
            uint32_t serial, refresh_s, retry_s, expire_s, minimum_s;
        } soa;
    } data;
};

typedef enum fr_err (*fr_record_fn)(void *data, const struct fr_record *record);

enum fr_err fr_records_apex(struct fr_snap *snap, fr_record_fn fn, void *data);
/* now_s: pins of certificates that are over are left out. */
enum fr_err fr_records_network(struct fr_snap *snap, uint32_t netid, int64_t now_s, fr_record_fn fn,
                               void *data);
/* All that follows from one row: its own names, and the wildcards between it and a block around it. */
enum fr_err fr_records_joineui(struct fr_snap *snap, const struct fr_joineui_row *row,
                               fr_record_fn fn, void *data);
/* Of a row that answers, what belongs to one of its names: `at` is the JoinEUI or the wildcard (with the servers behind it), a
 * service (with those of that one) or a host. FR_OK without a record: the row has no such name. */
enum fr_err fr_records_join_server(struct fr_snap *snap, const struct fr_joineui_row *row,
                                   const struct fr_owner *at, fr_record_fn fn, void *data);
