#pragma once
/*
 * One zone of one member, followed: when to look, whom to ask, what came of it. Inside of broker/xfr.
 *
 * Model: waits → asks the SOA → transfers (changes, else the whole zone) → finishes its lists → the writer has it → waits. One
 *   failure goes on to the next address; when all failed it waits for the zone's retry time. A transfer of changes that did not
 *   work is followed by one of the whole zone.
 * Owns: its connection, its intake, copies of row, state and key. Threads: the loop's.
 */
#include "dns/tsig.h"
#include "transport/frames.h"
#include "xfr/intake.h"
#include "xfr/secondary.h"

enum fr_inbound_phase {
    FR_INBOUND_WAITS,
    FR_INBOUND_ASKS,
    FR_INBOUND_TRANSFERS,
    FR_INBOUND_FINISHES,
    FR_INBOUND_WRITES, /* the writer has the task */
};

struct fr_inbound {
    struct fr_inbound *next;
    struct fr_secondary *secondary;
    struct fr_primary_row row;
    struct fr_primary_state state;
    struct fr_dname zone;
    struct fr_tsig_key key;
    bool has_key;
    struct fr_tls_ctx *tls;
    char unusable[FR_PRIMARY_FAULT_MAX + 1]; /* why it cannot even begin; "" */

    enum fr_inbound_phase phase;
    struct fr_timer due;      /* the next look */
    struct fr_timer deadline; /* of the transfer as a whole */
    struct fr_defer finishing;
    struct fr_frames *frames;
    size_t addr_at, addrs_tried;
    uint16_t id;
    struct fr_soa soa;
    struct fr_xfr xfr;
    struct fr_tsig_stream stream;
    struct fr_intake intake;
    bool has_intake;
    bool wants_full, is_asked, again, is_expired;
    bool is_gone; /* its row is no more: goes away when the writer gives it back */
    bool is_seen; /* while rows are compared */
    int64_t begun_ms, contact_s;
};

enum fr_err fr_inbound_new(struct fr_secondary *secondary, const struct fr_primary_row *row,
                           struct fr_inbound **out);
/* Another row for the same zone, or the broker's certificate was renewed. */
void fr_inbound_change(struct fr_inbound *inbound, const struct fr_primary_row *row);
/* Look soon, or after the look that is under way. */
void fr_inbound_ask(struct fr_inbound *inbound);
void fr_inbound_stop(struct fr_inbound *inbound);
void fr_inbound_free(struct fr_inbound *inbound);

/* Of the secondary, for its inbounds. */
const struct fr_secondary_options *fr_secondary_options_of(const struct fr_secondary *secondary);
struct fr_secondary_counts *fr_secondary_counts_of(struct fr_secondary *secondary);
bool fr_secondary_may_begin(const struct fr_secondary *secondary);
void fr_secondary_drop(struct fr_secondary *secondary, struct fr_inbound *inbound);
