#pragma once
/*
 * The zone as a master file (RFC 1035 section 5) that an ordinary name server loads: exactly the records of store/records.h, for
 * every network, join server and device that is live.
 *
 * Model: what a look-up does not find is left out: devices that are hidden, unless they are asked for (then a comment marks each). A row
 *   that cannot be read takes itself and what hangs on it away, and nothing else; it is told.
 * Owns: nothing; text is handed out in pieces. Errors: the sink's own, or the store's. Threads: the snap's.
 * Units and limits: names relative to $ORIGIN; devices in order of EUI; 10^6 of them take about a second.
 */
#include "base/span.h"
#include "store/store.h"

struct fr_export_options {
    int64_t now_s;
    bool with_hidden;
    /* Takes a piece of the text; its failure ends the export and is returned. */
    enum fr_err (*piece)(void *data, struct fr_span text);
    /* A row that was left out: "NetID 000013", "device 70b3d57ed0000001". May be NULL. */
    void (*bad)(void *data, const char *row);
    void *data;
};

struct fr_export_report {
    uint64_t hidden, damaged; /* devices that are hidden; rows that cannot be read */
};

enum fr_err fr_export_zone(struct fr_snap *snap, const struct fr_export_options *options,
                           struct fr_export_report *report);
