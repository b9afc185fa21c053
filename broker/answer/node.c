#include "answer/node.h"

#include "answer/node_priv.h"
#include "store/network.h"

enum fr_err fr_zone_node_add(void *data, const struct fr_record *record)
{
    struct fr_zone_node *node = data;

    if (node->n == FR_ZONE_NODE_ROWS) return FR_E_LIMIT;
    node->rows[node->n++] = *record;
    return FR_OK;
}

bool fr_owner_equal(const struct fr_owner *a, const struct fr_owner *b)
{
    return a->kind == b->kind && a->eui == b->eui && a->netid == b->netid &&
           a->number == b->number && a->nibbles == b->nibbles && a->is_below == b->is_below;
}

const struct fr_record *fr_zone_node_next(const struct fr_zone_node *node,
                                          const struct fr_owner *owner, uint16_t type, size_t *at)
{
    for (; *at < node->n; (*at)++) {
        const struct fr_record *row = &node->rows[*at];
        if (type != 0 && (uint16_t)row->type != type) continue;
        if (!fr_owner_equal(&row->owner, owner)) continue;
        (*at)++;
        return row;
    }
    return NULL;
}

static enum fr_err load_device(struct fr_zone_node *node, struct fr_snap *snap,
                               const struct fr_asker *asker, const struct fr_owner *owner)
{
    struct fr_record row = {.owner = *owner, .type = FR_RECORD_CNAME};

    row.data.target.kind = FR_OWNER_NETID;
    row.ttl_s = fr_sight_device_ttl(asker->sight);
    enum fr_err err =
        fr_sight_device(asker->sight, snap, asker->member, owner->eui, &row.data.target.netid);
    return err != FR_OK ? err : fr_zone_node_add(node, &row);
}

/* Is there any live network, or any device of one? The names above them exist while there is. The walk ends at the first hit by
 * FR_E_EXISTS. */
struct search {
    struct fr_snap *snap;
    const struct fr_owner *owner;
};

static enum fr_err search_network(void *data, const struct fr_network_row *row)
{
    const struct search *search = data;
    struct fr_network_row live;

    if (search->owner->kind == FR_OWNER_DEVEUI_ROOT && row->devices == 0) return FR_OK;
    enum fr_err err = fr_network_get_live(search->snap, row->netid, &live);
    if (err == FR_E_NOT_FOUND) return FR_OK;
    return err == FR_OK ? FR_E_EXISTS : err;
}

static enum fr_err search_networks(struct fr_zone_node *node, struct fr_snap *snap,
                                   const struct fr_owner *owner)
{
    struct search search = {snap, owner};
    enum fr_err err = fr_network_each(snap, search_network, &search);

    node->exists = err == FR_E_EXISTS;
    return node->exists ? FR_OK : err;
}

/* _tcp.<netid> owns nothing and exists by what stands below it. */
static bool has_tcp(const struct fr_zone_node *node)
{
    for (size_t i = 0; i < node->n; i++) {
        enum fr_owner_kind kind = node->rows[i].owner.kind;
        if (kind == FR_OWNER_SERVICE || kind == FR_OWNER_PORT) return true;
    }
    return false;
}

enum fr_err fr_zone_node_load(struct fr_zone_node *node, struct fr_snap *snap,
                              const struct fr_asker *asker, const struct fr_owner *owner,
                              int64_t now_s)
{
    enum fr_err err = FR_OK;
    size_t at = 0;

    node->n = 0;
    node->exists = false;
    node->owner = *owner;
    switch (owner->kind) {
    case FR_OWNER_APEX: err = fr_records_apex(snap, fr_zone_node_add, node); break;
    case FR_OWNER_DEVEUI: err = load_device(node, snap, asker, owner); break;
    case FR_OWNER_NETID:
    case FR_OWNER_SERVICE:
    case FR_OWNER_TLSA:
    case FR_OWNER_PORT:
    case FR_OWNER_ENDPOINT:
    case FR_OWNER_NETID_TCP:
        err = fr_records_network(snap, owner->netid, now_s, fr_zone_node_add, node);
        break;
    case FR_OWNER_DEVEUI_ROOT:
    case FR_OWNER_NETID_ROOT: return search_networks(node, snap, owner);
    case FR_OWNER_JOINEUI:
    case FR_OWNER_JOINEUI_ROOT:
    case FR_OWNER_JOINEUI_PART:
    case FR_OWNER_JOINEUI_ANY:
    case FR_OWNER_JOINEUI_TCP:
    case FR_OWNER_JOINEUI_SERVICE:
    case FR_OWNER_JOINEUI_HOST: return fr_zone_node_joineui(node, snap, asker, owner);
    case FR_OWNER_BROKER: /* the public face's names are not in the private zone */
    case FR_OWNER_CA: break;
    }
    if (err == FR_E_NOT_FOUND) return FR_OK;
    if (err != FR_OK) return err;
    node->exists = owner->kind == FR_OWNER_NETID_TCP
                       ? has_tcp(node)
                       : fr_zone_node_next(node, owner, 0, &at) != NULL;
    return FR_OK;
}
