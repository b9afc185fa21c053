/* What the resolver makes of a broker's answer: the first byte chooses the question, the rest is
 * the DNS message. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "names/netid.h"
#include "names/owner.h"
#include "resolver/doh.h"
#include "resolver/place.h"

/* A finished place is one that a peer can be connected to. */
static void check_place(const struct fr_place_draft *draft)
{
    struct fr_place *place = NULL;
    if (draft->is_missing || fr_place_new(draft, &place) != FR_OK) return;
    for (size_t i = 0; i < place->n_endpoints; i++) {
        const struct fr_place_endpoint *e = &place->endpoints[i];
        if (e->addr.port == 0 || e->host_at >= place->text_n) abort();
        if (!memchr(place->text + e->host_at, 0, place->text_n - e->host_at)) abort();
    }
    if (place->ttl_s > FR_TTL_MAX_S) abort();
    fr_place_free(place);
}

/* The same bytes as the answer to everything that is asked next: it must end. */
static void drive(struct fr_place_draft *draft, struct fr_span bytes)
{
    struct fr_dname name;
    uint16_t type;
    const char *why = NULL;
    unsigned asked = 0;
    while (fr_place_next(draft, &name, &type)) {
        struct fr_reply reply;
        if (++asked > FR_PLACE_ASKS_MAX) abort();
        fr_reply_read(bytes, 0, &name, type, &reply);
        if (reply.verdict == FR_VERDICT_BAD) continue;
        if (fr_place_learn(draft, &reply, &name, type, &why) != FR_OK) return;
    }
    check_place(draft);
}

static void device(const struct fr_dname *zone, struct fr_span bytes)
{
    struct fr_owner owner = {.kind = FR_OWNER_DEVEUI, .eui = 0x70b3d57ed0000001};
    struct fr_link_result r = {.end = FR_LINK_ANSWERED,
                               .status = 200,
                               .text = "",
                               .alert = "",
                               .content_type = FR_SPAN_LIT("application/dns-message"),
                               .body = bytes};
    struct fr_place_draft draft;
    struct fr_judgement j;
    struct fr_dname name;
    const char *why = NULL;
    uint32_t netid = 0;
    if (fr_owner_write(&owner, zone, &name) != FR_OK) abort();
    fr_doh_judge(&r, "b", &name, FR_DNS_A, &j);
    if (j.result != FEDROAM_FOUND) {
        if (!j.reason[0]) abort();
        return;
    }
    if (fr_reply_netid(&j.reply, zone, &netid, &why) != FR_OK) {
        if (!why) abort();
        return;
    }
    if (fr_netid_check(netid, NULL) != FR_OK) abort();
    if (fr_place_network(zone, netid, &draft) != FR_OK) abort();
    if (fr_place_learn(&draft, &j.reply, &name, FR_DNS_A, &why) == FR_OK) drive(&draft, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_place_draft draft;
    struct fr_dname zone;
    if (size < 1 || fr_dname_parse(FR_SPAN_LIT("fed.test"), &zone) != FR_OK) return 0;
    struct fr_span bytes = fr_span(data + 1, size - 1);
    if (data[0] % 2 == 0)
        device(&zone, bytes);
    else if (fr_place_network(&zone, 0x13, &draft) == FR_OK)
        drive(&draft, bytes);
    return 0;
}
