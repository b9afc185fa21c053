#pragma once
/*
 * Join servers: JoinEUIs of a federation, who holds them and where their join server listens.
 *
 * Model: a JoinEUI belongs to one member. A join server is one host: at most one IPv4 and one IPv6 address, one port. Optional:
 *   without a row, devices are joined by their home network's own join server.
 * Errors: FR_E_NOT_FOUND, FR_E_CONFLICT (another member holds it; named in the diag), FR_E_INVALID (reserved JoinEUI, two addresses of a family, two ports).
 */
#include "store/network.h"

#define FR_JOINEUI_ENDPOINTS_MAX 2

struct fr_joineui_row {
    uint64_t joineui;
    char member[FR_MEMBER_ID_MAX + 1];
    uint8_t n_endpoints;
    struct fr_addr endpoints[FR_JOINEUI_ENDPOINTS_MAX];
    int64_t changed_s;
};

enum fr_err fr_joineui_get(struct fr_snap *snap, uint64_t joineui, struct fr_joineui_row *out);
/* As get, but FR_E_NOT_FOUND too when its member is not active: what answers use. */
enum fr_err fr_joineui_get_live(struct fr_snap *snap, uint64_t joineui, struct fr_joineui_row *out);

typedef enum fr_err (*fr_joineui_fn)(void *data, const struct fr_joineui_row *row);
enum fr_err fr_joineui_each(struct fr_snap *snap, fr_joineui_fn fn, void *data);
/* As each, but a row that does not decode is told to `bad` and passed over. */
typedef void (*fr_joineui_bad_fn)(void *data, uint64_t joineui, enum fr_err err);
enum fr_err fr_joineui_each_sound(struct fr_snap *snap, fr_joineui_fn fn, fr_joineui_bad_fn bad,
                                  void *data);

/* Claims it for a member and sets its endpoints (n may be 0). */
enum fr_err fr_joineui_set(struct fr_change *change, uint64_t joineui, const char *member,
                           const struct fr_addr *endpoints, size_t n, struct fr_diag *diag);
enum fr_err fr_joineui_remove(struct fr_change *change, uint64_t joineui, struct fr_diag *diag);
