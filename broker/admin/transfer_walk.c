#include "admin/transfer_walk.h"

#include "base/mem.h"
#include "store/device.h"

enum fr_err fr_transfer_walk_init(struct fr_transfer_walk *walk, struct fr_store *store)
{
    *walk = (struct fr_transfer_walk){.store = store};
    walk->changes = fr_calloc(FR_TRANSFER_CHANGES_MAX, sizeof *walk->changes);
    return walk->changes ? FR_OK : FR_E_NOMEM;
}

enum fr_err fr_transfer_walk_add(struct fr_transfer_walk *walk, uint32_t netid,
                                 struct fr_list *list)
{
    if (walk->n_sides == FR_PRIMARY_NETIDS_MAX) return FR_E_LIMIT;
    walk->sides[walk->n_sides++] = (struct fr_transfer_side){.netid = netid, .list = list};
    return FR_OK;
}

void fr_transfer_walk_deinit(struct fr_transfer_walk *walk)
{
    for (size_t i = 0; i < walk->n_sides; i++) fr_list_free(walk->sides[i].list);
    fr_free(walk->changes);
    *walk = (struct fr_transfer_walk){0};
}

static void note(struct fr_transfer_walk *walk, uint32_t netid, uint64_t eui, bool is_gone)
{
    if (walk->differences < FR_TRANSFER_CHANGES_MAX)
        walk->changes[walk->differences] =
            (struct fr_transfer_change){.eui = eui, .netid = netid, .is_gone = is_gone};
    walk->differences++;
}

/* The EUI a list stands at; false at its end. */
static enum fr_err head(struct fr_transfer_side *side, bool *is_there, uint64_t *eui)
{
    if (side->i == side->n) {
        enum fr_err err = fr_list_read(side->list, side->at, &side->rows, &side->n);
        if (err) return err;
        side->at += side->n;
        side->i = 0;
    }
    *is_there = side->n > 0;
    if (side->n > 0) *eui = side->rows[side->i].eui;
    return FR_OK;
}

/* The lowest EUI of all lists: whose it is in the first that has it. */
static enum fr_err lowest(struct fr_transfer_walk *walk, bool *is_there, uint64_t *eui,
                          uint32_t *netid)
{
    *is_there = false;
    for (size_t i = 0; i < walk->n_sides; i++) {
        bool has = false;
        uint64_t at = 0;
        enum fr_err err = head(&walk->sides[i], &has, &at);
        if (err) return err;
        if (!has || (*is_there && at >= *eui)) continue;
        *is_there = true;
        *eui = at;
        *netid = walk->sides[i].netid;
    }
    return FR_OK;
}

static void pass(struct fr_transfer_walk *walk, uint64_t eui)
{
    for (size_t i = 0; i < walk->n_sides; i++) {
        struct fr_transfer_side *side = &walk->sides[i];
        if (side->i < side->n && side->rows[side->i].eui == eui) side->i++;
    }
}

/* Passes what the lists have below `eui`, all of it new; whose `eui` itself is: *netid, 0 nobody's. */
static enum fr_err come_to(struct fr_transfer_walk *walk, uint64_t eui, bool is_end,
                           uint32_t *netid)
{
    for (;;) {
        bool is_there = false;
        uint64_t at = 0;
        uint32_t whose = 0;
        enum fr_err err = lowest(walk, &is_there, &at, &whose);
        if (err) return err;
        *netid = 0;
        if (!is_there || (!is_end && at > eui)) return FR_OK;
        pass(walk, at);
        if (!is_end && at == eui) {
            *netid = whose;
            return FR_OK;
        }
        note(walk, whose, at, false);
    }
}

static bool is_ours(const struct fr_transfer_walk *walk, uint32_t netid)
{
    for (size_t i = 0; i < walk->n_sides; i++)
        if (walk->sides[i].netid == netid) return true;
    return false;
}

struct part {
    struct fr_transfer_walk *walk;
    uint64_t left;
};

static enum fr_err on_device(void *data, const struct fr_device_row *row)
{
    struct part *part = data;
    struct fr_transfer_walk *walk = part->walk;
    uint32_t netid = 0;
    if (part->left == 0) {
        walk->next = row->deveui;
        return FR_E_LIMIT;
    }
    part->left--;
    if (!is_ours(walk, row->netid)) return FR_OK;
    enum fr_err err = come_to(walk, row->deveui, false, &netid);
    if (err) return err;
    walk->before++;
    if (netid == 0) walk->gone++;
    if (netid != row->netid) note(walk, netid ? netid : row->netid, row->deveui, netid == 0);
    return FR_OK;
}

enum fr_err fr_transfer_walk_step(struct fr_transfer_walk *walk, uint64_t rows)
{
    struct part part = {walk, rows};
    struct fr_snap *snap = NULL;
    uint32_t none = 0;
    enum fr_err err = fr_snap_begin(walk->store, &snap);
    if (err) return err;
    err = fr_device_each(snap, walk->next, 0, on_device, &part);
    fr_snap_end(snap);
    if (err == FR_E_LIMIT && part.left == 0) return FR_OK;
    if (!err) err = come_to(walk, UINT64_MAX, true, &none);
    walk->is_over = !err;
    return err;
}
