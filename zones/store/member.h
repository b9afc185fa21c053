#pragma once
/*
 * Members: the organisations of a federation.
 *
 * Model: a member holds NetIDs (store/network.h), JoinEUIs (store/joineui.h) and certificates (store/cert.h). Its state is one
 *   bit that answers check: suspending it takes all its names away at once and keeps every row. Removing is the same bit for
 *   good: a removed member never comes back; its devices, NetIDs and certificates are cleaned away by the caller afterwards, and
 *   until then nobody else can have them.
 * Errors: FR_E_NOT_FOUND, FR_E_EXISTS, FR_E_INVALID (id), FR_E_MALFORMED and FR_E_LIMIT (text), FR_E_CONFLICT (removed).
 * Trust: ids by the grammar of names/; text printable UTF-8, no control bytes.
 */
#include "base/span.h"
#include "store/change.h"

enum fr_member_state { FR_MEMBER_ACTIVE = 1, FR_MEMBER_SUSPENDED = 2, FR_MEMBER_REMOVED = 3 };

struct fr_member_row {
    char id[FR_MEMBER_ID_MAX + 1];
    enum fr_member_state state;
    char org[FR_ORG_MAX + 1];
    char noc[FR_CONTACT_MAX + 1];
    char security[FR_CONTACT_MAX + 1];
    int64_t created_s;
    int64_t changed_s;
};

const char *fr_member_state_text(enum fr_member_state state);

enum fr_err fr_member_get(struct fr_snap *snap, const char *id, struct fr_member_row *out);

/* Each member in order of id; the callback's failure ends the walk and is returned. */
typedef enum fr_err (*fr_member_fn)(void *data, const struct fr_member_row *row);
enum fr_err fr_member_each(struct fr_snap *snap, fr_member_fn fn, void *data);

/* As each, but a row that does not decode is told to `bad` (its id; may be NULL) and passed over. */
typedef void (*fr_member_bad_fn)(void *data, struct fr_span id, enum fr_err err);
enum fr_err fr_member_each_sound(struct fr_snap *snap, fr_member_fn fn, fr_member_bad_fn bad,
                                 void *data);

/* New member (state active; dates set here). A removed id is never given to another: FR_E_EXISTS. */
enum fr_err fr_member_add(struct fr_change *change, const struct fr_member_row *row,
                          struct fr_diag *diag);
/* Takes organisation and contacts of a removed member away. FR_E_CONFLICT: it was not removed, or has NetIDs still. */
enum fr_err fr_member_blank(struct fr_change *change, const char *id, struct fr_diag *diag);
/* Organisation, contacts and state; FR_OK without a trace when nothing differs. */
enum fr_err fr_member_set(struct fr_change *change, const struct fr_member_row *row,
                          struct fr_diag *diag);
