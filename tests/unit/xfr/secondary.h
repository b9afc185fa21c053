/* A secondary in a test: it takes the zone as a stranger would, and holds it as lines of a master file, sorted. The oracle is the
 * store itself, read in one go. */
#pragma once

#include "support/unit.h"
#include "xfr/outgoing.h"

struct set {
    char **lines;
    size_t n, room;
};
void set_clear(struct set *set);
void assert_same_set(struct set *got, struct set *want, const char *when); /* sorts both */

/* Who gives a zone: a broker's part in it. */
struct giver {
    struct fr_store *store;
    struct fr_zone zone;
    struct fr_zone_history history;
};
void giver_init(struct giver *giver, struct fr_store *store);
void giver_restart(struct giver *giver); /* it remembers nothing; also to end with */
enum fr_err give_begin(struct giver *giver, int64_t now_s, uint16_t type, uint32_t have,
                       struct fr_outgoing **out);

void oracle(const struct giver *giver, int64_t now_s, struct set *set);

struct secondary {
    struct set set;
    uint32_t serial;
    bool has_serial;
};
/* One transfer, in messages of at most `size`; between any two of them `between`, unless NULL. */
enum fr_outgoing_kind take(struct giver *giver, int64_t now_s, struct secondary *to, size_t size,
                           void (*between)(void *data, unsigned message), void *data);
