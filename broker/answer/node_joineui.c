/* Names below joineui.<fed>: what a server does that has the zone as records (store/records.h), by computation. RFC 4592 3.3.1. */
#include "answer/node_priv.h"
#include "store/joineui.h"

struct search {
    struct fr_snap *snap;
    struct fr_joineui_eyes eyes;
    uint64_t eui;
};

static uint8_t nibbles_of(const struct fr_owner *owner)
{
    if (owner->kind == FR_OWNER_JOINEUI) return FR_JOINEUI_NIBBLES;
    return owner->kind == FR_OWNER_JOINEUI_ROOT ? 0 : owner->nibbles;
}

/* How many of the first n nibbles make a name that exists, since a row that answers begins with them. FR_E_NOT_FOUND: there is no such
 * row at all. */
static enum fr_err find_depth(const struct search *s, uint8_t n, uint8_t *depth)
{
    struct fr_joineui_row row;
    enum fr_err err = fr_joineui_first(s->snap, &s->eyes, s->eui, n, &row);

    for (; err == FR_E_NOT_FOUND && n > 0; n--)
        err = fr_joineui_first(s->snap, &s->eyes, s->eui, (uint8_t)(n - 1), &row);
    *depth = n;
    return err;
}

/* The wildcard below so many nibbles: of the block around them, if there is one. */
static enum fr_err load_any(struct fr_zone_node *node, const struct search *s, uint8_t nibbles)
{
    struct fr_joineui_row row;

    if (nibbles == FR_JOINEUI_NIBBLES) return FR_OK;
    enum fr_err err = fr_joineui_find(s->snap, &s->eyes, s->eui, nibbles, &row);
    if (err) return err == FR_E_NOT_FOUND ? FR_OK : err;
    node->exists = true;
    node->owner = (struct fr_owner){
        .kind = FR_OWNER_JOINEUI_ANY, .eui = fr_joineui_base(s->eui, nibbles), .nibbles = nibbles};
    return fr_records_join_server(s->snap, &row, &node->owner, fr_zone_node_add, node);
}

/* Names of a row: its services, its hosts and what is between. Left alone where the row has no such name; *is_covered: then a
 * wildcard beside it says nothing either, since the name above is one of the row's. */
static enum fr_err load_own(struct fr_zone_node *node, const struct search *s,
                            const struct fr_joineui_row *row, const struct fr_owner *owner,
                            bool *is_covered)
{
    struct fr_owner name = *owner;

    name.is_below = false;
    *is_covered = owner->kind != FR_OWNER_JOINEUI_HOST;
    if (owner->kind == FR_OWNER_JOINEUI_TCP) {
        node->exists = !owner->is_below;
        return FR_OK;
    }
    enum fr_err err = fr_records_join_server(s->snap, row, &name, fr_zone_node_add, node);
    if (node->n > 0) *is_covered = true;
    node->exists = node->n > 0 && !owner->is_below;
    if (!node->exists) node->n = 0;
    return err;
}

static enum fr_err load_within(struct fr_zone_node *node, const struct search *s,
                               const struct fr_owner *owner, uint8_t nibbles)
{
    struct fr_joineui_row row;
    bool is_covered = false;

    enum fr_err err = fr_joineui_get(s->snap, fr_joineui_base(s->eui, nibbles), nibbles, &row);
    if (err == FR_OK) err = fr_joineui_check(s->snap, &s->eyes, &row);
    if (err == FR_OK) err = load_own(node, s, &row, owner, &is_covered);
    if (err && err != FR_E_NOT_FOUND) return err;
    return is_covered ? FR_OK : load_any(node, s, nibbles);
}

/* The JoinEUI's own row: that it exists is known. */
static enum fr_err load_joineui(struct fr_zone_node *node, const struct search *s,
                                const struct fr_owner *owner)
{
    struct fr_joineui_row row;
    enum fr_err err = fr_joineui_get(s->snap, s->eui, FR_JOINEUI_NIBBLES, &row);

    node->exists = true;
    return err ? err : fr_records_join_server(s->snap, &row, owner, fr_zone_node_add, node);
}

enum fr_err fr_zone_node_joineui(struct fr_zone_node *node, struct fr_snap *snap,
                                 const struct fr_asker *asker, const struct fr_owner *owner)
{
    const struct search s = {snap, {asker->sight, asker->member}, owner->eui};
    uint8_t nibbles = nibbles_of(owner), depth = 0;

    enum fr_err err = find_depth(&s, nibbles, &depth);
    if (err) return err == FR_E_NOT_FOUND ? FR_OK : err;
    if (depth < nibbles) return load_any(node, &s, depth);
    switch ((int)owner->kind) {
    case FR_OWNER_JOINEUI: return owner->is_below ? FR_OK : load_joineui(node, &s, owner);
    case FR_OWNER_JOINEUI_ROOT: node->exists = true; return FR_OK;
    case FR_OWNER_JOINEUI_PART:
        if (owner->is_below) return load_any(node, &s, nibbles);
        node->exists = true;
        return FR_OK;
    case FR_OWNER_JOINEUI_ANY: /* below it, when it is there, is nothing */
        err = load_any(node, &s, nibbles);
        if (!owner->is_below) return err;
        node->n = 0;
        node->exists = false;
        return err;
    default: return load_within(node, &s, owner, nibbles);
    }
}
