#pragma once
/*
 * What the files of the state share: the handle, its tables and the rows' bytes. For ns-plugin/state only.
 *
 * Owns, Threads, Errors, Trust: as state/state.h. Rows begin with a version byte; numbers are big endian.
 */
#include "base/wire.h"
#include "db/txn.h"
#include "state/state.h"

enum fr_state_table {
    FR_ST_NONCES,    /* DevEUI → last DevNonce, JoinNonce */
    FR_ST_USED,      /* DevEUI, DevNonce → "" */
    FR_ST_SESSIONS,  /* DevEUI → session */
    FR_ST_ADDRESSES, /* DevAddr → DevEUI */
    FR_ST_RESERVED,  /* DevEUI → DevAddr of its next session */
    FR_ST_VISITORS,  /* federation, 0, NetID, DevAddr → visitor */
    FR_ST_CARRIED,   /* federation, 0, NetID, DevEUI → DevAddr of its visitor row */
};

struct fr_state {
    struct fr_db *db;
};

#define FR_ROW_VERSION 1

/* Keys, written into the caller's array; the span borrows it. */
struct fr_span fr_state_key_eui(uint8_t out[8], uint64_t eui);
struct fr_span fr_state_key_addr(uint8_t out[4], uint32_t addr);
