#include "answer/answer.h"

#include "answer/fast.h"
#include "answer/general.h"
#include "base/mem.h"
#include "store/records.h"

struct fr_answerer {
    struct fr_answer_room room;
    struct fr_sight *sight;
    struct fr_template templates[FR_TEMPLATES];
};

enum fr_err fr_answerer_new(const char *federation, struct fr_answerer **out)
{
    struct fr_answerer *a = fr_calloc(1, sizeof *a);

    if (a == NULL) return FR_E_NOMEM;
    enum fr_err err = fr_zone_init(&a->room.zone, federation);
    if (err == FR_OK) err = fr_sight_new(&a->sight);
    if (err != FR_OK) {
        fr_answerer_free(a);
        return err;
    }
    *out = a;
    return FR_OK;
}

void fr_answerer_free(struct fr_answerer *a)
{
    if (a == NULL) return;
    fr_sight_free(a->sight);
    fr_free(a);
}

static enum fr_err answer_general(struct fr_answerer *a, struct fr_snap *snap,
                                  const struct fr_asker *asker, struct fr_span query, int64_t now_s,
                                  struct fr_answer *out)
{
    struct fr_dns_query q;
    enum fr_err err = fr_dns_query_read(query, &q);

    if (err == FR_OK) fr_answer_general(&a->room, snap, asker, &q, now_s, out);
    return err;
}

/* The network that the template must be of. FR_NO_NETID: a device that nobody has, or that the
 * asker may not see; both are answered from one template, so it gives nothing away, and no asker
 * reaches the template of a network by a device that is not theirs to see. */
static enum fr_err find_network(struct fr_snap *snap, const struct fr_asker *asker,
                                const struct fr_owner *owner, uint32_t *netid)
{
    *netid = owner->netid;
    if (owner->kind != FR_OWNER_DEVEUI) return FR_OK;
    enum fr_err err = fr_sight_device(asker->sight, snap, asker->member, owner->eui, netid);
    if (err != FR_E_NOT_FOUND) return err;
    *netid = FR_NO_NETID;
    return FR_OK;
}

unsigned fr_answerer_damaged(const struct fr_answerer *a)
{
    return fr_sight_damaged(a->sight);
}

enum fr_err fr_answer(struct fr_answerer *a, struct fr_snap *snap, const char *member,
                      struct fr_span query, int64_t now_s, struct fr_answer *out)
{
    const struct fr_asker asker = {a->sight, member};
    struct fr_fast_query q;
    uint32_t netid = 0;

    /* without sight nobody sees a device: the general path then fails where it needs it */
    if (fr_sight_refresh(a->sight, snap) != FR_OK || !fr_fast_read(query, &a->room.zone.apex, &q) ||
        find_network(snap, &asker, &q.owner, &netid) != FR_OK)
        return answer_general(a, snap, &asker, query, now_s, out);

    uint64_t txn = fr_snap_txn(snap);
    struct fr_template *t = fr_template_slot(a->templates, &q, netid);
    if (!fr_template_fits(t, &q, netid, txn, now_s)) {
        enum fr_err err = answer_general(a, snap, &asker, query, now_s, out);
        if (err == FR_OK) fr_template_make(t, &q, netid, txn, now_s, out);
        return err;
    }
    size_t n = fr_template_apply(t, &q, query, a->room.message);
    *out = (struct fr_answer){
        .message = {a->room.message, n},
        .rcode = t->flags & 15,
        .is_cacheable = true,
        .max_age_s = t->max_age_s,
        .is_in_zone = true,
        .is_named = true,
        .type = q.type,
        .owner = q.owner,
        .has_home = q.owner.kind == FR_OWNER_DEVEUI && netid != FR_NO_NETID,
        .netid = netid,
    };
    return FR_OK;
}
