#pragma once
/*
 * One transfer of the zone to a secondary, as a series of messages: AXFR, IXFR, or the one SOA that says there is nothing newer.
 *
 * Model: begin looks at the store once and fixes the serial; next makes one message after another. A whole zone is read in slices
 *   of FR_OUTGOING_SLICE devices, each in a read transaction of its own; what changed since the beginning is taken back by what
 *   the journal says of it (xfr/undo.h), so that the records sent are exactly those of the serial that was announced. Changes are
 *   folded from the journal: what each device was at the secondary's serial, what it is now. They are not sent when a bulk image
 *   lies between, when the journal does not reach back, when the network of devices was suspended or resumed, or when they are
 *   too many: then the whole zone is.
 * Owns: its copies. Borrows store, zone and history until freed. Threads: one.
 * Errors: FR_E_BUSY (a bulk in place is under way: its steps show and have no serial of their own; try later), FR_E_CONFLICT (a
 *   bulk ended while the zone was being sent: the transfer cannot go on and must be begun again), FR_E_LIMIT, the store's.
 * Trust: the secondary's serial is a peer's.
 */
#include "answer/zone.h"
#include "dns/message.h"
#include "dns/xfr_ask.h"
#include "xfr/undo.h"
#include "xfr/zone_image.h"

#define FR_OUTGOING_SLICE 4096
#define FR_OUTGOING_CHANGES_MAX 200000 /* facts folded for one IXFR */

enum fr_outgoing_kind { FR_OUTGOING_FULL, FR_OUTGOING_CHANGES, FR_OUTGOING_CURRENT };

struct fr_outgoing;

struct fr_outgoing_options {
    struct fr_store *store;
    const struct fr_zone *zone;
    struct fr_zone_history *history;
    const struct fr_xfr_ask *ask; /* AXFR or IXFR; copied */
    int64_t now_s;
};

enum fr_err fr_outgoing_begin(const struct fr_outgoing_options *options, struct fr_outgoing **out);
enum fr_outgoing_kind fr_outgoing_kind(const struct fr_outgoing *outgoing);
uint32_t fr_outgoing_serial(const struct fr_outgoing *outgoing);
uint64_t fr_outgoing_records(const struct fr_outgoing *outgoing); /* so far */

/* The next message, at most `max` octets at `memory`; *done: it is the last. */
enum fr_err fr_outgoing_next(struct fr_outgoing *outgoing, uint8_t *memory, size_t max, size_t *n,
                             bool *done);
void fr_outgoing_free(struct fr_outgoing *outgoing); /* NULL is legal */

/* The zone's SOA at the snap's moment. */
enum fr_err fr_outgoing_soa(const struct fr_zone *zone, struct fr_snap *snap, struct fr_rr *out);
