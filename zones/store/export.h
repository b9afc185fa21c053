#pragma once
/*
 * The zone as a master file (RFC 1035 section 5) that an ordinary name server loads: exactly the records of store/records.h, for
 * every network, join server and device that is live.
 *
 * Owns: nothing; text is handed out in pieces. Errors: the sink's own, or the store's. Threads: the snap's.
 * Units and limits: names relative to $ORIGIN; devices in order of EUI; 10^6 of them take about a second.
 */
#include "base/span.h"
#include "store/store.h"

/* Takes a piece of the text; its failure ends the export and is returned. */
typedef enum fr_err (*fr_export_fn)(void *data, struct fr_span text);

enum fr_err fr_export_zone(struct fr_snap *snap, int64_t now_s, fr_export_fn sink, void *data);
