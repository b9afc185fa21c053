#pragma once
/*
 * Primaries: the members' own name servers that devices are transferred from, and what came of it.
 *
 * Model: a *primary* is one zone of one member: where it is served, how its servers prove themselves (TSIG, or TLS with a pin or
 *   a CA, or both), which of the member's NetIDs it fills. What is in those NetIDs and not in the zone goes. Its *state* says
 *   how far the set in the store has come (the zone's serial moves in the same transaction as the devices it stands for), what
 *   waits for a person, and what failed last; its *left-out list* names the first records that were not taken, and why.
 *   Secrets are not here: `key_id` names a file of the state directory.
 * Errors: FR_E_NOT_FOUND, FR_E_INVALID (a row that cannot be), FR_E_CONFLICT (member removed, another primary fills the NetID),
 *   FR_E_LIMIT (FR_PRIMARIES_MAX).
 * Units and limits: times in seconds; zone names lower case without trailing dot.
 * Trust: rows of an administrator; texts in state and list come from a peer's zone and are escaped DNS names.
 */
#include "base/addr.h"
#include "store/change.h"

#define FR_PRIMARIES_MAX 4096
#define FR_PRIMARY_ADDRS_MAX 4
#define FR_PRIMARY_NETIDS_MAX 16
#define FR_PRIMARY_KEY_ID_SIZE 8
#define FR_PRIMARY_CA_MAX 4096 /* of PEM text */
#define FR_PRIMARY_FAULT_MAX 200
#define FR_PRIMARY_LEFT_MAX 100
#define FR_PRIMARY_LEFT_TEXT 120

struct fr_primary_row {
    char member[FR_MEMBER_ID_MAX + 1];
    char zone[FR_DNS_NAME_MAX + 1];
    uint8_t n_addrs, n_netids;
    struct fr_addr addrs[FR_PRIMARY_ADDRS_MAX]; /* in the order they are tried */
    uint32_t netids[FR_PRIMARY_NETIDS_MAX];
    char key_name[FR_DNS_NAME_MAX + 1]; /* of the TSIG key; "" none */
    char key_algorithm[16];             /* "hmac-sha256" */
    uint8_t key_id[FR_PRIMARY_KEY_ID_SIZE];
    bool has_tls, has_pin;
    char tls_name[FR_DNS_NAME_MAX + 1];    /* that the server's certificate must have; with a CA */
    uint8_t pin[FR_DIGEST_SIZE];           /* SHA-256 of its SubjectPublicKeyInfo */
    char ca[FR_PRIMARY_CA_MAX + 1];        /* PEM; "" none */
    uint32_t refresh_min_s, refresh_max_s; /* bounds of what the zone's SOA asks for */
    uint8_t max_gone;                      /* percent that may go without `zone accept` */
    uint32_t asks;                         /* how often somebody asked for a transfer now */
    bool asks_full;                        /* … of the whole zone, whatever its serial says */
    bool has_leave; /* as many as `leave_gone` devices may go, once: what `zone accept` gave */
    uint64_t leave_gone;
    int64_t created_s;
};

struct fr_primary_state {
    bool has_serial;
    uint32_t serial;                       /* of the set in the store */
    uint32_t refresh_s, retry_s, expire_s; /* of the zone's SOA; 0 before the first */
    int64_t contact_s;                     /* the servers last proved what is current; about */
    int64_t taken_s;                       /* the set last changed, or was looked at whole */
    int64_t full_s;                        /* … was transferred whole */
    uint64_t taken, left_out;              /* devices; records */
    bool is_plain; /* each device has one record: one that goes takes the device away */
    bool is_held;  /* the zone lost too much: the old set stays until zone accept */
    uint32_t held_serial;
    uint64_t held_gone, held_of;
    uint32_t asks;    /* of the row, that were answered */
    int64_t failed_s; /* 0: the last attempt was good */
    char fault[FR_PRIMARY_FAULT_MAX + 1];
};

struct fr_primary_left {
    uint8_t n;
    struct {
        char name[FR_PRIMARY_LEFT_TEXT +
                  1]; /* "70b3….deveui.acme.test CNAME 000014.netid.fed.test" */
        char why[40];
    } items[FR_PRIMARY_LEFT_MAX];
};

enum fr_err fr_primary_get(struct fr_snap *snap, const char *member, const char *zone,
                           struct fr_primary_row *out);
typedef enum fr_err (*fr_primary_fn)(void *data, const struct fr_primary_row *row);
enum fr_err fr_primary_each(struct fr_snap *snap, fr_primary_fn fn,
                            void *data); /* by member, zone */

/* Adds or replaces one (`created_s` is kept or set). */
enum fr_err fr_primary_put(struct fr_change *change, const struct fr_primary_row *row,
                           struct fr_diag *diag);
/* With its state; the devices stay. */
enum fr_err fr_primary_remove(struct fr_change *change, const char *member, const char *zone);
enum fr_err fr_primary_forget(struct fr_change *change, const char *member); /* all of a member's */

/* Zero when nothing happened yet. */
enum fr_err fr_primary_state_get(struct fr_snap *snap, const char *member, const char *zone,
                                 struct fr_primary_state *out);
enum fr_err fr_primary_left_get(struct fr_snap *snap, const char *member, const char *zone,
                                struct fr_primary_left *out);
/* FR_E_NOT_FOUND: the primary was removed meanwhile. `left` may be NULL: it stays. */
enum fr_err fr_primary_note(struct fr_change *change, const char *member, const char *zone,
                            const struct fr_primary_state *state,
                            const struct fr_primary_left *left);
