#pragma once
/* Flights: the questions under way about one (federation, kind, number), and the parts that wait
 *   for them. See handle.h. */

#include "resolver/handle.h"

/* Makes the part wait on the flight of this key, started when there is none. A network's flight
 * may be given what a device's answer told already (`known`, or NULL). FR_E_NOMEM, FR_E_LIMIT:
 * nothing changed. */
enum fr_err fr_flight_join(struct fr_part *part, struct fr_cache_key key,
                           const struct fr_place_draft *known);

/* Asks for what is in the cache already and wanted again, for nobody in particular. What cannot be
 * asked now is left. */
void fr_flight_prefetch(struct fedroam *f, struct fr_cache_key key);

/* The part waits no more. The flight goes on to the end of its present question, for the cache. */
void fr_flight_leave(struct fr_part *part);

/* Ends all flights of the handle; nobody may wait on them any more. */
void fr_flights_free(struct fedroam *f);
