#pragma once
/*
 * What a network server must remember across a crash: nonces, sessions, addresses, roaming agreements in force.
 *
 * Model: per device the DevNonces seen and the JoinNonce counter; per device one *session* and at most one *reserved* address
 *   for the next one; per (federation, NetID) the roaming of a device, at the side that carries it (*visitor*) and at the side
 *   that owns it (*roamer*). Every change is durable when its function returns: an answer that depends on it may leave then.
 * Owns: its LMDB environment in the directory given.
 * Threads: one.
 * Errors: FR_E_CONFLICT (DevNonce used before), FR_E_LIMIT (JoinNonce used up, no free DevAddr), FR_E_NOT_FOUND, and those of db/txn.h.
 * Units and limits: times in seconds since 1970, frames and keys in bytes; federation names up to 200 bytes; JoinNonce 1 … 2²⁴ − 1.
 * Trust: nothing here is read from a peer.
 */
#include "base/diag.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fr_state;

/* The directory is made (0700) when it is not there. map_size 0: the default of db/db.h. */
enum fr_err fr_state_open(const char *dir, uint64_t map_size, struct fr_diag *diag,
                          struct fr_state **out);
void fr_state_close(struct fr_state *state);

/* How DevNonces of a device are judged: 1.0.0 … 1.0.3 random, never the same twice; 1.0.4 and 1.1 a counter that only grows. */
enum fr_nonce_rule { FR_NONCE_RANDOM, FR_NONCE_COUNTER };

/*
 * Takes the DevNonce of a verified Join-request and the JoinNonce for its answer, in one transaction. When it returns FR_OK the
 * pair is on disk: no later call gives this JoinNonce again, whatever happens to the process. FR_E_CONFLICT: the DevNonce is a
 * replay, nothing changed. FR_E_LIMIT: the device used up its JoinNonces.
 */
enum fr_err fr_state_take_nonces(struct fr_state *state, uint64_t dev_eui, uint16_t dev_nonce,
                                 enum fr_nonce_rule rule, uint32_t *join_nonce);

/*
 * Reserves a DevAddr of the NetID's own range for the device's next session: one that no other device has or has reserved. The
 * same one is given again until a session is saved. FR_E_LIMIT: all are taken.
 */
enum fr_err fr_state_reserve_addr(struct fr_state *state, uint64_t dev_eui, uint32_t netid,
                                  uint32_t *dev_addr);

#define FR_FED_MAX 200

/* A device's session at its home. For 1.0.x the three network keys are the same key. */
struct fr_session {
    uint64_t dev_eui, join_eui;
    uint32_t dev_addr;
    bool is_1_1;
    uint8_t f_nwk_s_int_key[16], s_nwk_s_int_key[16], nwk_s_enc_key[16];
    bool has_app_s_key;
    uint8_t app_s_key[16];
    int64_t since_s;
    int64_t until_s; /* 0: no end */
    char federation[FR_FED_MAX +
                    1]; /* it joined through a visited network: which federation; "": at home */
    uint32_t visited_netid;
};

/* Replaces the device's session; its address becomes this session's, the one before is free again. */
enum fr_err fr_state_save_session(struct fr_state *state, const struct fr_session *session);
enum fr_err fr_state_find_session(struct fr_state *state, uint64_t dev_eui, struct fr_session *out);
enum fr_err fr_state_find_addr(struct fr_state *state, uint32_t dev_addr, uint64_t *dev_eui);

/* A device of somebody else that we carry: found by its home and its address. */
struct fr_visitor {
    char federation[FR_FED_MAX + 1];
    uint32_t home_netid;
    uint32_t dev_addr;
    uint64_t dev_eui;
    bool has_key; /* the home wants MICs checked here */
    bool is_1_1;
    uint8_t key[16];  /* FNwkSIntKey, or NwkSKey for 1.0.x */
    uint32_t fcnt_up; /* next expected */
    int64_t until_s;
};
enum fr_err fr_state_save_visitor(struct fr_state *state, const struct fr_visitor *visitor);
enum fr_err fr_state_find_visitor(struct fr_state *state, const char *federation,
                                  uint32_t home_netid, uint32_t dev_addr, struct fr_visitor *out);
/* Ends the carrying of a device for its home. FR_E_NOT_FOUND: it was not carried. */
enum fr_err fr_state_drop_visitor(struct fr_state *state, const char *federation,
                                  uint32_t home_netid, uint64_t dev_eui);

/* Where a walk through the visitors stopped; all zero: at the start. */
struct fr_visitor_mark {
    size_t n;
    uint8_t key[FR_FED_MAX + 16];
};

/* Ends those whose time is over, looking at no more than `limit` from the mark on. *is_done: the walk came to its end, and the
 * mark is at the start again. *ended counts what was dropped. */
enum fr_err fr_state_expire_visitors(struct fr_state *state, int64_t now_s, size_t limit,
                                     struct fr_visitor_mark *mark, size_t *ended, bool *is_done);

/* A device of ours is not carried by that network any more; its session goes on. FR_E_NOT_FOUND: it was not. */
enum fr_err fr_state_drop_roamer(struct fr_state *state, const char *federation,
                                 uint32_t visited_netid, uint64_t dev_eui);

struct fr_state_counts {
    uint64_t devices, sessions, visitors;
};
enum fr_err fr_state_count(struct fr_state *state, struct fr_state_counts *out);
