#include "probe/run.h"

#include "probe/reach.h"
#include "store/member.h"
#include "store/network.h"

#include <string.h>

struct planning {
    struct fr_run *run;
    bool may_private;
};

static void refuse(struct planning *p, enum fr_reach reach)
{
    struct fr_check_finding finding;

    if (reach == FR_REACH_NONE)
        fr_check_refuse(&finding, "nobody reaches this address from elsewhere",
                        "register an address that peers reach");
    else
        fr_check_refuse(&finding,
                        "a private address: this broker does not connect to those of members",
                        "register an address that peers reach; where all members share a private "
                        "network, the operator says: fedroam policy set probe.private allowed");
    fr_run_found(p->run, p->run->n - 1, &finding);
}

static enum fr_err add_network(void *data, const struct fr_network_row *row)
{
    struct planning *p = data;

    for (size_t i = 0; i < row->n_endpoints; i++) {
        if (p->run->n == FR_RUN_TARGETS) {
            p->run->left_out++;
            continue;
        }
        p->run->targets[p->run->n++] =
            (struct fr_run_target){.netid = row->netid, .at = row->endpoints[i]};
        const enum fr_reach reach = fr_reach_of(&row->endpoints[i].ip);
        if (reach == FR_REACH_NONE || (reach == FR_REACH_PRIVATE && !p->may_private))
            refuse(p, reach);
    }
    return FR_OK;
}

enum fr_err fr_run_plan(struct fr_snap *snap, const char *member, int64_t now_s, struct fr_run *out)
{
    struct planning p = {.run = out};
    struct fr_member_row row;
    uint32_t private = FR_PROBE_PRIVATE_REFUSED;

    enum fr_err err = fr_member_get(snap, member, &row);
    if (!err) err = fr_policy_get(snap, FR_POLICY_PROBE_PRIVATE, &private);
    if (err) return err;
    memset(out, 0, sizeof *out);
    memcpy(out->member, row.id, sizeof out->member);
    out->when_s = now_s;
    p.may_private = private == FR_PROBE_PRIVATE_ALLOWED;
    return fr_network_each_of(snap, member, add_network, &p);
}

void fr_run_found(struct fr_run *run, size_t target, const struct fr_check_finding *finding)
{
    struct fr_run_target *t = &run->targets[target];

    t->finding = *finding;
    t->is_over = true;
    run->n_over++;
    if (finding->wrong != FR_CHECK_STEPS) run->n_wrong++;
}
