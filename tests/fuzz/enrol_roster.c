/* A broker's answers to a member's machine: pages of networks, and what to know about renewing. The
 * first byte says how many pages the rest is cut into. */
#include "enrol/renew_facts.h"
#include "enrol/roster.h"

static enum fr_err ignore(void *data, enum fr_roster_change change,
                          const struct fr_roster_network *network)
{
    (void)data;
    (void)change;
    (void)network;
    return FR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_roster roster = {0}, none = {0};
    struct fr_renew_facts renewal;
    bool has_more;

    if (size == 0) return 0;
    const size_t pages = 1 + data[0] % 4, each = (size - 1) / pages;
    for (size_t i = 0; i < pages; i++)
        (void)fr_roster_read(fr_span(data + 1 + i * each, each), NULL, &roster, &has_more);
    (void)fr_roster_compare(&none, &roster, ignore, NULL);
    (void)fr_renew_facts_read(fr_span(data + 1, size - 1), NULL, &renewal);
    fr_roster_free(&roster);
    return 0;
}
