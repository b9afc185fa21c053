#include "store/bulk_nets.h"

#include "base/mem.h"

static struct fr_net *slot_of(struct fr_net *slots, size_t room, uint32_t netid)
{
    size_t i = (netid * 2654435761u) & (room - 1);

    while (slots[i].netid != 0 && slots[i].netid != netid) i = (i + 1) & (room - 1);
    return &slots[i];
}

static enum fr_err grow(struct fr_nets *nets)
{
    size_t room = nets->room ? nets->room * 2 : 64;
    struct fr_net *slots = fr_calloc(room, sizeof *slots);

    if (slots == NULL) return FR_E_NOMEM;
    for (size_t i = 0; i < nets->room; i++)
        if (nets->slots[i].netid != 0) *slot_of(slots, room, nets->slots[i].netid) = nets->slots[i];
    fr_free(nets->slots);
    nets->slots = slots;
    nets->room = room;
    nets->last = NULL;
    return FR_OK;
}

enum fr_err fr_nets_at(struct fr_nets *nets, uint32_t netid, struct fr_net **out)
{
    if (nets->last != NULL && nets->last->netid == netid) {
        *out = nets->last;
        return FR_OK;
    }
    if (nets->n * 2 >= nets->room) {
        enum fr_err err = grow(nets);
        if (err) return err;
    }
    nets->last = slot_of(nets->slots, nets->room, netid);
    if (nets->last->netid == 0) {
        nets->last->netid = netid;
        nets->n++;
    }
    *out = nets->last;
    return FR_OK;
}

void fr_nets_deinit(struct fr_nets *nets)
{
    fr_free(nets->slots);
    *nets = (struct fr_nets){0};
}
