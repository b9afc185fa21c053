#include "roles/options.h"

#include <string.h>

const struct fr_ns_peer_rule *fr_ns_find_rule(const struct fr_ns_options *o, const char *federation,
                                              uint32_t netid)
{
    const struct fr_ns_peer_rule *found = NULL;

    for (size_t i = 0; i < o->roaming.n_peers; i++) {
        const struct fr_ns_peer_rule *rule = &o->roaming.peers[i];
        if (rule->netid != netid) continue;
        if (rule->federation != NULL && strcmp(rule->federation, federation) == 0) return rule;
        if (rule->federation == NULL && found == NULL) found = rule;
    }
    return found;
}

bool fr_ns_may_roam(const struct fr_ns_options *o, const char *federation, uint32_t netid)
{
    const struct fr_ns_peer_rule *rule = fr_ns_find_rule(o, federation, netid);

    return (rule != NULL ? rule->roaming : o->roaming.otherwise) == FR_RULE_ALLOW;
}

uint64_t fr_ns_lifetime_s(const struct fr_ns_options *o, const char *federation, uint32_t netid)
{
    const struct fr_ns_peer_rule *rule = fr_ns_find_rule(o, federation, netid);

    if (rule != NULL && rule->lifetime_ms > 0) return rule->lifetime_ms / 1000;
    return o->roaming.lifetime_ms / 1000;
}
