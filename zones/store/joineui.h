#pragma once
/*
 * Join servers: JoinEUIs of a federation, who holds them and where their join server listens.
 *
 * Model: a JoinEUI belongs to one member and has endpoints tried in order, like a NetID. Optional: without one, devices of
 *   a NetID are joined by their home network's own join server.
 * Errors: FR_E_NOT_FOUND, FR_E_CONFLICT (another member holds it; named in the diag), FR_E_LIMIT (endpoints).
 */
#include "store/network.h"

struct fr_joineui_row {
    uint64_t joineui;
    char member[FR_MEMBER_ID_MAX + 1];
    uint8_t n_endpoints;
    struct fr_endpoint endpoints[FR_ENDPOINTS_MAX];
    int64_t changed_s;
};

enum fr_err fr_joineui_get(struct fr_snap *snap, uint64_t joineui, struct fr_joineui_row *out);
/* As get, but FR_E_NOT_FOUND too when its member is not active: what answers use. */
enum fr_err fr_joineui_get_live(struct fr_snap *snap, uint64_t joineui, struct fr_joineui_row *out);

typedef enum fr_err (*fr_joineui_fn)(void *data, const struct fr_joineui_row *row);
enum fr_err fr_joineui_each(struct fr_snap *snap, fr_joineui_fn fn, void *data);

/* Claims it for a member and sets its endpoints (n may be 0). */
enum fr_err fr_joineui_set(struct fr_change *change, uint64_t joineui, const char *member,
                           const struct fr_endpoint *endpoints, size_t n, struct fr_diag *diag);
enum fr_err fr_joineui_remove(struct fr_change *change, uint64_t joineui, struct fr_diag *diag);
