#include "store/sight.h"

#include "base/mem.h"
#include "store/device.h"
#include "store/member.h"
#include "store/network.h"
#include "store/visibility.h"

#include <stdlib.h>
#include <string.h>

#define NOBODY UINT32_MAX /* not the index of any member */
#define NETID_NONE 0u     /* no network's: what a device that is not there belongs to */

struct net {
    uint32_t netid;
    uint32_t home; /* index of its member; NOBODY: not live, not seen by anyone */
    bool is_used;
};

struct tables {
    char (*members)[FR_MEMBER_ID_MAX + 1]; /* ascending */
    size_t n_members, members_room;
    struct fr_network_row *rows; /* while loading */
    size_t n_rows, rows_room;
    struct net *nets; /* hashed by NetID; a power of two, at most half full */
    size_t nets_mask;
    uint64_t *grants; /* hashed pairs, 0 is an empty slot */
    size_t n_grants, grants_mask;
    bool is_granted; /* the policy */
    uint32_t ttl_s;
    unsigned damaged; /* rows that do not decode */
};

struct fr_sight {
    struct tables t;
    bool is_loaded;
    enum fr_err fault; /* why not */
    uint64_t txn, standing;
    char asker[FR_MEMBER_ID_MAX + 1]; /* the one who asked last, and its index */
    uint32_t asker_at;
};

static void tables_free(struct tables *t)
{
    fr_free(t->members);
    fr_free(t->rows);
    fr_free(t->nets);
    fr_free(t->grants);
    *t = (struct tables){0};
}

enum fr_err fr_sight_new(struct fr_sight **out)
{
    struct fr_sight *sight = fr_calloc(1, sizeof *sight);

    if (sight == NULL) return FR_E_NOMEM;
    sight->fault = FR_E_BUSY; /* never refreshed */
    *out = sight;
    return FR_OK;
}

void fr_sight_free(struct fr_sight *sight)
{
    if (sight == NULL) return;
    tables_free(&sight->t);
    fr_free(sight);
}

/* --- the tables --- */

static size_t hash(uint64_t key)
{
    key *= 0x9e3779b97f4a7c15u;
    return (size_t)(key >> 32);
}

/* A power of two with at least as many empty slots as full ones. */
static size_t slots_for(size_t n)
{
    size_t slots = 4;

    while (slots < 2 * n) slots *= 2;
    return slots;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(a, b);
}

static uint32_t member_at(const struct tables *t, const char *id)
{
    const char(*found)[FR_MEMBER_ID_MAX + 1] =
        t->n_members == 0 ? NULL : bsearch(id, t->members, t->n_members, sizeof *t->members, by_id);

    return found == NULL ? NOBODY : (uint32_t)(found - t->members);
}

/* The network's entry, or that of no network; one of the two there always is. */
static const struct net *net_at(const struct tables *t, uint32_t netid)
{
    size_t at = hash(netid) & t->nets_mask;

    while (t->nets[at].is_used && t->nets[at].netid != netid) at = (at + 1) & t->nets_mask;
    return &t->nets[at];
}

static uint64_t pair_of(uint32_t home, uint32_t visited)
{
    return ((uint64_t)home + 1) << 32 | visited;
}

static uint64_t *grant_slot(const struct tables *t, uint64_t pair)
{
    size_t at = hash(pair) & t->grants_mask;

    while (t->grants[at] != 0 && t->grants[at] != pair) at = (at + 1) & t->grants_mask;
    return &t->grants[at];
}

static enum fr_err add_member(void *data, const struct fr_member_row *row)
{
    struct tables *t = data;

    if (row->state != FR_MEMBER_ACTIVE) return FR_OK;
    if (t->n_members == t->members_room) {
        size_t room = t->members_room ? 2 * t->members_room : 64;
        void *members = fr_reallocarray(t->members, room, sizeof *t->members);
        if (members == NULL) return FR_E_NOMEM;
        t->members = members;
        t->members_room = room;
    }
    memcpy(t->members[t->n_members++], row->id, sizeof row->id);
    return FR_OK;
}

static enum fr_err add_network(void *data, const struct fr_network_row *row)
{
    struct tables *t = data;

    if (t->n_rows == t->rows_room) {
        size_t room = t->rows_room ? 2 * t->rows_room : 64;
        void *rows = fr_reallocarray(t->rows, room, sizeof *t->rows);
        if (rows == NULL) return FR_E_NOMEM;
        t->rows = rows;
        t->rows_room = room;
    }
    t->rows[t->n_rows++] = *row;
    return FR_OK;
}

static void count_bad_member(void *data, struct fr_span id, enum fr_err err)
{
    (void)id;
    (void)err;
    ((struct tables *)data)->damaged++;
}

static void count_bad_network(void *data, uint32_t netid, enum fr_err err)
{
    (void)netid;
    (void)err;
    ((struct tables *)data)->damaged++;
}

static enum fr_err count_grant(void *data, const struct fr_visibility_row *row)
{
    struct tables *t = data;

    (void)row;
    t->n_grants++;
    return FR_OK;
}

static enum fr_err add_grant(void *data, const struct fr_visibility_row *row)
{
    const struct tables *t = data;
    uint32_t home = member_at(t, row->home), visited = member_at(t, row->visited);

    if (home == NOBODY || visited == NOBODY) return FR_OK; /* not active now */
    uint64_t pair = pair_of(home, visited);
    *grant_slot(t, pair) = pair;
    return FR_OK;
}

static void put_net(struct tables *t, uint32_t netid, uint32_t home)
{
    struct net *net = (struct net *)net_at(t, netid);

    *net = (struct net){.netid = netid, .home = home, .is_used = true};
}

static enum fr_err hash_networks(struct tables *t)
{
    size_t slots = slots_for(t->n_rows + 1);

    t->nets = fr_calloc(slots, sizeof *t->nets);
    if (t->nets == NULL) return FR_E_NOMEM;
    t->nets_mask = slots - 1;
    put_net(t, NETID_NONE, NOBODY);
    for (size_t i = 0; i < t->n_rows; i++) {
        const struct fr_network_row *row = &t->rows[i];
        uint32_t home = row->state == FR_NETWORK_ACTIVE ? member_at(t, row->member) : NOBODY;
        put_net(t, row->netid, home);
    }
    fr_free(t->rows);
    t->rows = NULL;
    return FR_OK;
}

static enum fr_err hash_grants(struct tables *t, struct fr_snap *snap)
{
    enum fr_err err = fr_visibility_each(snap, count_grant, t);
    size_t slots = slots_for(t->n_grants);

    if (err) return err;
    t->grants = fr_calloc(slots, sizeof *t->grants);
    if (t->grants == NULL) return FR_E_NOMEM;
    t->grants_mask = slots - 1;
    return fr_visibility_each(snap, add_grant, t);
}

static enum fr_err tables_load(struct tables *t, struct fr_snap *snap)
{
    uint32_t visibility = 0;

    enum fr_err err = fr_policy_get(snap, FR_POLICY_VISIBILITY, &visibility);
    if (err == FR_OK) err = fr_policy_get(snap, FR_POLICY_TTL_DEVEUI, &t->ttl_s);
    t->is_granted = visibility == FR_VISIBILITY_GRANTED;
    if (err == FR_OK)
        err = fr_member_each_sound(snap, add_member, count_bad_member, t); /* in order of id */
    if (err == FR_OK) err = fr_network_each_sound(snap, add_network, count_bad_network, t);
    if (err == FR_OK) err = hash_networks(t);
    if (err == FR_OK) err = hash_grants(t, snap);
    return err;
}

enum fr_err fr_sight_refresh(struct fr_sight *sight, struct fr_snap *snap)
{
    uint64_t txn = fr_snap_txn(snap);
    struct tables fresh = {0};

    if (sight->is_loaded && sight->txn == txn) return FR_OK;
    uint64_t standing = fr_snap_standing(snap);
    if (!sight->is_loaded || sight->standing != standing) {
        enum fr_err err = tables_load(&fresh, snap);
        sight->is_loaded = err == FR_OK;
        sight->fault = err;
        if (err) {
            tables_free(&fresh);
            return err;
        }
        tables_free(&sight->t);
        sight->t = fresh;
        sight->standing = standing;
        sight->asker[0] = '\0';
        sight->asker_at = member_at(&sight->t, "");
    }
    sight->txn = txn;
    return FR_OK;
}

/* --- looking --- */

static uint32_t asker_at(struct fr_sight *sight, const char *member)
{
    if (strcmp(member, sight->asker) == 0) return sight->asker_at;
    sight->asker_at = member_at(&sight->t, member);
    if (!fr_span_copy(fr_span_str(member), sight->asker, sizeof sight->asker))
        sight->asker[0] = '\0'; /* longer than any id: nobody, and not remembered */
    return sight->asker_at;
}

enum fr_err fr_sight_device(struct fr_sight *sight, struct fr_snap *snap, const char *member,
                            uint64_t deveui, uint32_t *netid)
{
    struct fr_device_row row = {.netid = NETID_NONE};

    if (!sight->is_loaded) return sight->fault;
    uint32_t asker = asker_at(sight, member);
    enum fr_err err = fr_device_get(snap, deveui, &row);
    if (err && err != FR_E_NOT_FOUND) return err;
    /* from here on every device takes the same steps, also one that is not there */
    const struct net *net = net_at(&sight->t, row.netid);
    uint64_t pair = pair_of(net->home, asker);
    bool is_live = net->is_used & (net->home != NOBODY);
    bool is_granted = (*grant_slot(&sight->t, pair) == pair) | (net->home == asker);
    bool is_hidden = (row.flags & FR_DEVICE_HIDDEN) != 0;
    bool is_seen = is_live & (is_granted | !sight->t.is_granted) & !is_hidden;
    if (!is_seen) return FR_E_NOT_FOUND;
    *netid = row.netid;
    return FR_OK;
}

enum fr_err fr_sight_member(struct fr_sight *sight, const char *home, const char *asker)
{
    if (!sight->is_loaded) return sight->fault;
    uint32_t home_at = member_at(&sight->t, home), visited = asker_at(sight, asker);
    if (home_at == NOBODY) return FR_E_NOT_FOUND;
    uint64_t pair = pair_of(home_at, visited);
    bool is_seen =
        !sight->t.is_granted || home_at == visited || *grant_slot(&sight->t, pair) == pair;
    return is_seen ? FR_OK : FR_E_NOT_FOUND;
}

uint32_t fr_sight_device_ttl(const struct fr_sight *sight)
{
    return sight->t.ttl_s;
}

unsigned fr_sight_damaged(const struct fr_sight *sight)
{
    return sight->t.damaged;
}
