#pragma once
/* Inside of zones/store: writing device rows and keeping the counts of their networks. */
#include "store/device_plan.h"
#include "store/tables.h"

/* How many devices each touched NetID gained or lost in this transaction; a member's own NetIDs are few. */
struct fr_tally {
    size_t n;
    struct {
        uint32_t netid;
        int64_t by;
    } nets[64];
};

/* Moves one NetID's tally; the counts are written out when the table is full, and by fr_tally_flush. */
enum fr_err fr_tally_add(struct fr_tally *tally, struct fr_txn *txn, uint32_t netid, int64_t by);
enum fr_err fr_tally_flush(struct fr_tally *tally, struct fr_txn *txn);

/* Puts a device under a NetID (was: where it is now, 0 for nowhere; its flags stay), or takes it
 * away. */
enum fr_err fr_device_put(struct fr_txn *txn, uint32_t table, const struct fr_device_row *row,
                          uint32_t was, struct fr_tally *tally);
enum fr_err fr_device_take(struct fr_txn *txn, uint32_t table, uint64_t deveui, uint32_t was,
                           struct fr_tally *tally);

/* Makes a device what the row says, its flags too, whatever it is now; NetID 0: gone. With its fact, or without. */
enum fr_err fr_device_restore(struct fr_change *change, uint32_t table,
                              const struct fr_device_row *row, bool is_noted,
                              struct fr_tally *tally);

struct fr_span fr_device_key(uint64_t deveui, uint8_t out[8]);
