#pragma once
/*
 * Networks: the NetIDs of a federation, who holds them and where they roam.
 *
 * Model: a NetID belongs to one member. Its endpoints are tried in order. The device count is kept here.
 * Errors: FR_E_NOT_FOUND, FR_E_CONFLICT (another member holds it; the diag names the holder), FR_E_INVALID (000000, 000001,
 *   non-zero RFU bits, an address nobody can reach), FR_E_LIMIT (endpoints).
 * Units and limits: at most FR_ENDPOINTS_MAX endpoints.
 */
#include "base/addr.h"
#include "store/change.h"

enum fr_network_state { FR_NETWORK_ACTIVE = 1, FR_NETWORK_SUSPENDED = 2 };

#define FR_ENDPOINT_PORT_DEFAULT 8005

struct fr_network_row {
    uint32_t netid;
    char member[FR_MEMBER_ID_MAX + 1];
    enum fr_network_state state;
    uint8_t n_endpoints;
    struct fr_addr endpoints[FR_ENDPOINTS_MAX];
    uint64_t devices;
    int64_t created_s;
    int64_t changed_s;
};

const char *fr_network_state_text(enum fr_network_state state);

/* "192.0.2.10:8005", "[2001:db8::1]:8005"; without a port FR_ENDPOINT_PORT_DEFAULT. FR_E_MALFORMED, FR_E_RANGE (port), and
 * FR_E_INVALID for an address nobody can connect to (unspecified, multicast, broadcast). Print with fr_addr_print. */
enum fr_err fr_endpoint_parse(struct fr_span text, struct fr_diag *diag, struct fr_addr *out);

enum fr_err fr_network_get(struct fr_snap *snap, uint32_t netid, struct fr_network_row *out);

/* As get, but FR_E_NOT_FOUND too when the network or its member is suspended: what answers use. */
enum fr_err fr_network_get_live(struct fr_snap *snap, uint32_t netid, struct fr_network_row *out);

typedef enum fr_err (*fr_network_fn)(void *data, const struct fr_network_row *row);
enum fr_err fr_network_each(struct fr_snap *snap, fr_network_fn fn, void *data);
/* As each, but a row that does not decode is told to `bad` (may be NULL) and passed over: what must go on uses it. */
typedef void (*fr_network_bad_fn)(void *data, uint32_t netid, enum fr_err err);
enum fr_err fr_network_each_sound(struct fr_snap *snap, fr_network_fn fn, fr_network_bad_fn bad,
                                  void *data);
/* One member's NetIDs, ascending. */
enum fr_err fr_network_each_of(struct fr_snap *snap, const char *member, fr_network_fn fn,
                               void *data);

/* Gives a free NetID to a member. It may hold it already: FR_OK without a trace. */
enum fr_err fr_network_add(struct fr_change *change, uint32_t netid, const char *member,
                           struct fr_diag *diag);
enum fr_err fr_network_set_endpoints(struct fr_change *change, uint32_t netid,
                                     const struct fr_addr *endpoints, size_t n,
                                     struct fr_diag *diag);
enum fr_err fr_network_set_state(struct fr_change *change, uint32_t netid,
                                 enum fr_network_state state, struct fr_diag *diag);
/* Takes it away. FR_E_CONFLICT while it has devices. Its certificates' pins must be gone (revoke them first): FR_E_CONFLICT. */
enum fr_err fr_network_remove(struct fr_change *change, uint32_t netid, struct fr_diag *diag);

/* The lowest free NetID of the store's pool ("--netid auto"). FR_E_NOT_FOUND: no pool, or it is used up. */
enum fr_err fr_network_next_free(struct fr_snap *snap, struct fr_diag *diag, uint32_t *out);
