#pragma once
/*
 * The binary parts of the operations about transfers: what the broker's transfers hand to the writer, and the secrets that come
 * with zone.primary.set.
 *
 * Owns: nothing. Threads: any. Errors: FR_E_MALFORMED, FR_E_TRUNCATED, FR_E_LIMIT.
 * Trust: read strictly; a body may come from control.sock.
 */
#include "base/buf.h"
#include "base/wire.h"
#include "store/primary.h"

/* One device that a zone gained, or lost. */
struct fr_transfer_change {
    uint64_t eui;
    uint32_t netid;
    bool is_gone;
};

#define FR_TRANSFER_CHANGES_MAX 10000
#define FR_TRANSFER_BODY_MAX (512 * 1024)

/* State, left-out list (may be NULL: it stays), changes. */
void fr_transfer_write(struct fr_buf *out, const struct fr_primary_state *state,
                       const struct fr_primary_left *left, const struct fr_transfer_change *changes,
                       size_t n);

struct fr_transfer_body {
    struct fr_primary_state state;
    bool has_left;
    struct fr_primary_left left;
    size_t n;
    struct fr_rd changes; /* for fr_transfer_next */
};
enum fr_err fr_transfer_read(struct fr_span body, struct fr_transfer_body *out);
/* The next of the n changes. */
enum fr_err fr_transfer_next(struct fr_transfer_body *body, struct fr_transfer_change *out);

/* Adds one record to a left-out list, which keeps the first FR_PRIMARY_LEFT_MAX. */
void fr_transfer_leave(struct fr_primary_left *left, const char *name, const char *why);

/* The body of zone.primary.set: secret of the TSIG key, CA certificates as PEM; either may be empty. */
enum fr_err fr_primary_body_write(struct fr_buf *out, struct fr_span secret, struct fr_span ca);
enum fr_err fr_primary_body_read(struct fr_span body, struct fr_span *secret, struct fr_span *ca);

#define FR_PRIMARY_KEY_PATH_MAX 512
/* Where the secret of a primary's TSIG key lies: "<state>/transfer/<id>.key", 0600. FR_E_LIMIT. */
enum fr_err fr_primary_key_path(const char *state, const uint8_t id[FR_PRIMARY_KEY_ID_SIZE],
                                char out[FR_PRIMARY_KEY_PATH_MAX]);
