#pragma once
/* New options and new certificate files for a handle that goes on.
 *
 * Model: brokers that changed are replaced; the old ones answer what was asked of them and are then
 *   freed. See fedroam_reload(). Threads: the loop's. */

struct fedroam;
struct fr_brokers_counts;

void fr_reload_init(struct fedroam *f);

/* Ends what replaced brokers still had to answer. */
void fr_reload_free(struct fedroam *f);

/* Those of replaced brokers that still have something to answer. */
void fr_reload_add_counts(const struct fedroam *f, struct fr_brokers_counts *sum);
