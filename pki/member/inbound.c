#include "member_cli/inbound.h"

void fr_inbound_tell(const struct fr_inbound *inbound, const char *right, const char *wrong,
                     struct fr_report *report)
{
    if (inbound->n == 0)
        fr_report_add(
            report, wrong,
            "no endpoint is registered for this member, so no peer finds it: its operator "
            "sets one (fedroam network set NETID --endpoint ADDRESS:PORT)");
    for (size_t i = 0; i < inbound->n; i++) {
        const struct fr_inbound_end *end = &inbound->ends[i];
        if (end->is_right)
            fr_report_add(report, right,
                          "the broker connects to %s as to %s: name, chain and key are right, "
                          "%llu ms",
                          end->endpoint, end->name, (unsigned long long)end->ms);
        else
            fr_report_add(report, wrong, "peers do not reach %s (%s): %s: %s. %s", end->endpoint,
                          end->netid, end->step, end->seen, end->todo);
    }
}
