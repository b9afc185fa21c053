/* A federation of five members and a model of who owns what in it; random steps change both. */
#pragma once

#include "answer/answer.h"
#include "unit/store/following.h"
#include "unit/xfr/secondary.h"

#include <stdbool.h>
#include <stdint.h>

#define FED "fed.test"
#define DEVICES 240
#define BOUND_FROM 180 /* devices from here on are in one member's block, which binds it */
#define MEMBERS 5
#define BOUND 3
#define GUEST 4 /* comes and goes: each time another id, with the same NetIDs */
#define NETS (2 * MEMBERS)
#define NONE (-1)
#define HISTORY 128

#define EUI(i)                                                                                     \
    ((i) < BOUND_FROM ? 0x70b3d57ed0000000u + (uint64_t)(i)                                        \
                      : 0x70b3d57ee0000000u + (uint64_t)(i)-BOUND_FROM)
#define NETID(net) (0x20u + (uint32_t)(net))
#define OWNER(net) ((net) / 2)

extern char ids[MEMBERS][16];

struct device {
    int net;
    bool is_hidden;
};

struct release {
    int from, to;   /* to NONE: there is none */
    unsigned guest; /* which of them it was for */
    int64_t until_s;
    uint64_t version;
};

struct world {
    void *dir, *replica_dir;
    struct fr_store *store, *replica;
    struct fr_answerer *answerer;
    struct giver giver, replica_giver; /* of the zone */
    struct secondary often, seldom;
    uint64_t seed;
    int64_t now_s;
    uint64_t image; /* no rollback to before it */
    /* the model */
    struct device devices[DEVICES];
    uint64_t versions[DEVICES];
    struct release releases[DEVICES];
    bool is_suspended[MEMBERS], is_net_suspended[NETS];
    bool has_guest;
    unsigned removals; /* of guests */
    uint64_t version;
    struct moment { /* after transaction number % HISTORY */
        uint64_t sequence;
        unsigned removals;
        struct device devices[DEVICES];
    } history[HISTORY];
    struct tally {
        unsigned kills, done_all_the_same, promotions, lost_disks, removals, changes, wholes;
    } tally;
};

/* With a replica that has nothing yet; the directories are made. */
void world_create(struct world *w);
void world_destroy(struct world *w);

uint32_t draw(struct world *w, uint32_t below);
void step(struct world *w);     /* one, drawn */
void catch_up(struct world *w); /* the replica has all */

/* --- what the model says --- */

bool is_there(const struct world *w, int member);
bool is_visible(const struct world *w, int i);
/* Whether the row of a release is there; one for a guest who is gone stays to its end. */
bool is_offered(const struct world *w, int i, int to);
