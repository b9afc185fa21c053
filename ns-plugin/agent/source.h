#pragma once
/*
 * Where the answers come from: one resolver handle and the names its federations answer for.
 *
 * Model: made at start; a reload gives it new options, and the cache stays, unless federations went or
 *   changed places: then a new one is made. Those who ask hold a reference, so that a question
 *   under way ends with the handle it began with. The last reference given back frees it, after
 *   the turn (a handle must not be freed from its own call-backs).
 * Owns: the handle. Threads: the loop's. Errors: FR_E_CONFIG, FR_E_NET, FR_E_NOMEM with a diag.
 */
#include "agent/stub.h"
#include "base/diag.h"
#include "resolver/config.h"
#include "transport/loop.h"
#include <fedroam/fedroam.h>

struct fr_source;

struct fr_source_conf {
    const struct fr_federation_conf *federations;
    size_t n_federations;
    const struct fr_lookup_conf *lookup;
    const struct fr_trees_conf *join_servers, *networks;
    uint32_t pending; /* questions that may wait at a time */
};

/* Would a source take it? Asks nobody. */
enum fr_err fr_source_check(const struct fr_source_conf *conf, struct fr_diag *diag);

/* May block while the hosts of brokers are looked up, see fr_federations_options(). conf is
 * copied. */
enum fr_err fr_source_open(struct fr_loop *loop, const struct fr_source_conf *conf,
                           struct fr_diag *diag, struct fr_source **out);

/* Whether conf has the federations of the source in their places, and perhaps more after them. */
bool fr_source_can_follow(const struct fr_source *s, const struct fr_source_conf *conf);

/* New options for a source that can follow them; its cache stays. The same errors; on failure it goes
 * on as before. */
enum fr_err fr_source_reload(struct fr_source *s, const struct fr_source_conf *conf,
                             struct fr_diag *diag);

struct fr_source *fr_source_ref(struct fr_source *s);
void fr_source_unref(struct fr_source *s); /* NULL is legal */

/* Borrowed from it. */
struct fedroam *fr_source_handle(struct fr_source *s);
struct fr_loop *fr_source_loop(const struct fr_source *s);
const struct fr_stub_zone *fr_source_zones(const struct fr_source *s, size_t *out_n);
