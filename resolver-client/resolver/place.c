#include "resolver/place.h"

#include "base/buf.h"
#include "base/mem.h"
#include "names/owner.h"
#include "resolver/draw.h"
#include <string.h>

static void draft_init(const struct fr_dname *zone, const struct fr_dname *own,
                       struct fr_place_draft *out)
{
    *out = (struct fr_place_draft){.zone = *zone, .ttl_s = FR_TTL_MAX_S};
    out->self.name = *own;
    out->self.port = FR_PLACE_PORT;
}

enum fr_err fr_place_network(const struct fr_dname *zone, uint32_t netid,
                             struct fr_place_draft *out)
{
    struct fr_dname own, service, pins;
    enum fr_err err =
        fr_owner_write(&(struct fr_owner){.kind = FR_OWNER_NETID, .netid = netid}, zone, &own);
    if (err) return err;
    err = fr_owner_write(&(struct fr_owner){.kind = FR_OWNER_SERVICE, .netid = netid}, zone,
                         &service);
    if (err) return err;
    err = fr_owner_write(&(struct fr_owner){.kind = FR_OWNER_TLSA, .netid = netid}, zone, &pins);
    if (err) return err;
    draft_init(zone, &own, out);
    out->service = service;
    out->pins_at = pins;
    return FR_OK;
}

static bool is_name(const struct fr_dname *a, const struct fr_dname *b)
{
    return fr_dname_equal(fr_dname_span(a), fr_dname_span(b));
}

static void use_ttl(struct fr_place_draft *d, uint32_t ttl_s)
{
    if (ttl_s < d->ttl_s) d->ttl_s = ttl_s;
}

static enum fr_err add_host(struct fr_place_draft *d, const struct fr_srv *srv, const char **why)
{
    if (srv->target.n <= 1) return FR_OK; /* RFC 2782: "." says that the service is not offered */
    if (!fr_dname_is_under(fr_dname_span(&srv->target), fr_dname_span(&d->zone))) {
        *why = "an endpoint's name is outside the federation's zone";
        return FR_E_MALFORMED;
    }
    if (srv->port == 0) {
        *why = "an endpoint has port 0";
        return FR_E_MALFORMED;
    }
    for (size_t i = 0; i < d->n_hosts; i++)
        if (d->hosts[i].port == srv->port && is_name(&d->hosts[i].name, &srv->target)) return FR_OK;
    if (d->n_hosts == FR_PLACE_HOSTS_MAX) return FR_OK;
    d->hosts[d->n_hosts++] = (struct fr_place_host){
        .name = srv->target, .priority = srv->priority, .weight = srv->weight, .port = srv->port};
    return FR_OK;
}

static void add_pin(struct fr_place_draft *d, const struct fr_tlsa *t)
{
    /* DANE-EE, SubjectPublicKeyInfo, SHA-256: the only form this federation writes. */
    if (t->usage != 3 || t->selector != 1 || t->matching != 1 || t->n != FR_PIN_SIZE) return;
    for (size_t i = 0; i < d->n_pins; i++)
        if (memcmp(d->pins[i], t->data, FR_PIN_SIZE) == 0) return;
    if (d->n_pins == FR_PLACE_PINS_MAX) return;
    memcpy(d->pins[d->n_pins++], t->data, FR_PIN_SIZE);
}

static void add_address(struct fr_place_host *h, const struct fr_rr *rr)
{
    if (rr->type == FR_DNS_A) {
        for (unsigned i = 0; i < h->n4; i++)
            if (memcmp(h->v4[i], rr->data.a, 4) == 0) return;
        if (h->n4 < FR_PLACE_ADDRESSES_MAX) memcpy(h->v4[h->n4++], rr->data.a, 4);
    } else {
        for (unsigned i = 0; i < h->n6; i++)
            if (memcmp(h->v6[i], rr->data.aaaa, 16) == 0) return;
        if (h->n6 < FR_PLACE_ADDRESSES_MAX) memcpy(h->v6[h->n6++], rr->data.aaaa, 16);
    }
}

/* SRV and TLSA first: addresses count only for hosts that are known by then. */
static enum fr_err learn_services(struct fr_place_draft *d, const struct fr_reply *reply,
                                  const char **why)
{
    struct fr_dns_walk walk;
    struct fr_rr rr;
    fr_dns_walk_init(&walk, &reply->message);
    while (fr_dns_walk_next(&walk, &rr)) {
        if (walk.section == FR_DNS_AUTHORITY || rr.class != FR_DNS_IN) continue;
        if (rr.type == FR_DNS_SRV && is_name(&rr.owner, &d->service)) {
            enum fr_err err = add_host(d, &rr.data.srv, why);
            if (err) return err;
            d->is_service_asked = true;
            if (walk.section == FR_DNS_ADDITIONAL) d->is_pins_asked = true;
            use_ttl(d, fr_reply_ttl(reply, rr.ttl));
        } else if (rr.type == FR_DNS_TLSA && is_name(&rr.owner, &d->pins_at)) {
            add_pin(d, &rr.data.tlsa);
            d->is_pins_asked = true;
            use_ttl(d, fr_reply_ttl(reply, rr.ttl));
        }
    }
    return FR_OK;
}

static void learn_addresses(struct fr_place_draft *d, const struct fr_reply *reply)
{
    struct fr_dns_walk walk;
    struct fr_rr rr;
    fr_dns_walk_init(&walk, &reply->message);
    while (fr_dns_walk_next(&walk, &rr)) {
        if (walk.section == FR_DNS_AUTHORITY || rr.class != FR_DNS_IN) continue;
        if (rr.type != FR_DNS_A && rr.type != FR_DNS_AAAA) continue;
        bool is_used = is_name(&rr.owner, &d->self.name);
        if (is_used) add_address(&d->self, &rr);
        for (size_t i = 0; i < d->n_hosts; i++) {
            if (!is_name(&rr.owner, &d->hosts[i].name)) continue;
            add_address(&d->hosts[i], &rr);
            is_used = true;
        }
        if (is_used) use_ttl(d, fr_reply_ttl(reply, rr.ttl));
    }
}

/* The question is settled: what was not in this reply is not there. */
static void settle(struct fr_place_draft *d, const struct fr_dname *name, uint16_t type)
{
    if (type == FR_DNS_SRV && is_name(name, &d->service)) d->is_service_asked = true;
    if (type == FR_DNS_TLSA && is_name(name, &d->pins_at)) d->is_pins_asked = true;
    if (type == FR_DNS_A && is_name(name, &d->self.name)) d->self.is_asked4 = true;
    if (type == FR_DNS_AAAA && is_name(name, &d->self.name)) d->self.is_asked6 = true;
    for (size_t i = 0; i < d->n_hosts; i++) {
        if (!is_name(name, &d->hosts[i].name)) continue;
        if (type == FR_DNS_A) d->hosts[i].is_asked4 = true;
        if (type == FR_DNS_AAAA) d->hosts[i].is_asked6 = true;
    }
}

enum fr_err fr_place_learn(struct fr_place_draft *d, const struct fr_reply *reply,
                           const struct fr_dname *name, uint16_t type, const char **why)
{
    if (is_name(name, &d->self.name) && reply->has_chain) {
        *why = "the network's name is an alias of another name";
        return FR_E_MALFORMED;
    }
    enum fr_err err = learn_services(d, reply, why);
    if (err) return err;
    learn_addresses(d, reply);
    /* The reply to a device's question ends at the network's own name. */
    settle(d, reply->has_chain ? &reply->target : name, type);
    if (reply->verdict == FR_VERDICT_NONE || reply->verdict == FR_VERDICT_NODATA)
        use_ttl(d, reply->negative_ttl_s);
    if (reply->verdict == FR_VERDICT_NONE &&
        is_name(reply->has_chain ? &reply->target : name, &d->self.name))
        d->is_missing = true;
    return FR_OK;
}

static bool ask(struct fr_place_draft *d, const struct fr_dname *of, uint16_t which,
                struct fr_dname *name, uint16_t *type)
{
    d->asks++;
    *name = *of;
    *type = which;
    return true;
}

bool fr_place_next(struct fr_place_draft *d, struct fr_dname *name, uint16_t *type)
{
    if (d->is_missing || d->asks >= FR_PLACE_ASKS_MAX) return false;
    if (!d->self.is_asked4) return ask(d, &d->self.name, FR_DNS_A, name, type);
    if (!d->is_service_asked) return ask(d, &d->service, FR_DNS_SRV, name, type);
    for (size_t i = 0; i < d->n_hosts; i++) {
        const struct fr_place_host *h = &d->hosts[i];
        if (h->n4 + h->n6 > 0) continue;
        if (!h->is_asked4) return ask(d, &h->name, FR_DNS_A, name, type);
        if (!h->is_asked6) return ask(d, &h->name, FR_DNS_AAAA, name, type);
    }
    if (d->n_hosts == 0 && d->self.n4 + d->self.n6 == 0 && !d->self.is_asked6)
        return ask(d, &d->self.name, FR_DNS_AAAA, name, type);
    if (!d->is_pins_asked) return ask(d, &d->pins_at, FR_DNS_TLSA, name, type);
    return false;
}

/* RFC 2782 wants a draw among equal priorities by weight; here the heavier one goes first, so
 * that the order is the operator's and the same everywhere. */
static bool comes_before(const struct fr_place_host *a, const struct fr_place_host *b)
{
    if (a->priority != b->priority) return a->priority < b->priority;
    return a->weight > b->weight;
}

static size_t sort_hosts(const struct fr_place_draft *d,
                         const struct fr_place_host *sorted[FR_PLACE_HOSTS_MAX])
{
    if (d->n_hosts == 0) {
        sorted[0] = &d->self;
        return 1;
    }
    for (size_t i = 0; i < d->n_hosts; i++) {
        size_t at = i;
        for (; at > 0 && comes_before(&d->hosts[i], sorted[at - 1]); at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = &d->hosts[i];
    }
    return d->n_hosts;
}

static void add_endpoint(struct fr_place *p, uint8_t family, const uint8_t *bytes,
                         const struct fr_place_host *host, uint16_t host_at)
{
    if (p->n_endpoints == FR_PLACE_ENDPOINTS_MAX) return;
    struct fr_place_endpoint *e = &p->endpoints[p->n_endpoints++];
    e->addr.ip.family = family;
    memcpy(e->addr.ip.b, bytes, family == 4 ? 4 : 16);
    e->addr.port = host->port;
    e->host_at = host_at;
}

void fr_place_texts_init(struct fr_buf *texts)
{
    fr_buf_init(texts, UINT16_MAX);
    fr_buf_add_char(texts, 0);
}

uint16_t fr_place_add_text(struct fr_buf *texts, const char *text)
{
    if (!text[0]) return 0;
    uint16_t at = (uint16_t)texts->n;
    fr_buf_add(texts, text, strlen(text) + 1);
    return at;
}

enum fr_err fr_place_seal(const struct fr_place *head, struct fr_buf *texts, struct fr_place **out)
{
    struct fr_place *p = NULL;
    enum fr_err err = fr_buf_err(texts);
    if (err) goto out;
    p = fr_malloc(sizeof *p + texts->n);
    if (!p) {
        err = FR_E_NOMEM;
        goto out;
    }
    *p = *head;
    p->text_n = texts->n;
    memcpy(p->text, texts->p, texts->n);
    *out = p;
out:
    fr_buf_deinit(texts);
    return err;
}

enum fr_err fr_place_new(const struct fr_place_draft *d, struct fr_place **out)
{
    const struct fr_place_host *sorted[FR_PLACE_HOSTS_MAX];
    size_t n = sort_hosts(d, sorted);
    struct fr_buf texts;
    struct fr_place head = {.ttl_s = d->ttl_s, .n_pins = d->n_pins};
    char text[FR_DNAME_TEXT];

    fr_place_texts_init(&texts);
    memcpy(head.pins, d->pins, sizeof head.pins);
    for (size_t i = 0; i < n; i++) {
        fr_dname_print(fr_dname_span(&sorted[i]->name), text);
        uint16_t at = fr_place_add_text(&texts, text);
        for (unsigned k = 0; k < sorted[i]->n4; k++)
            add_endpoint(&head, 4, sorted[i]->v4[k], sorted[i], at);
        for (unsigned k = 0; k < sorted[i]->n6; k++)
            add_endpoint(&head, 6, sorted[i]->v6[k], sorted[i], at);
    }
    return fr_place_seal(&head, &texts, out);
}

/* The servers of one group, each with its addresses side by side. */
struct server {
    size_t first, n;
};

static bool is_same_server(const struct fr_place_endpoint *a, const struct fr_place_endpoint *b)
{
    return a->host_at == b->host_at && a->addr.port == b->addr.port && a->group == b->group;
}

static size_t find_group(const struct fr_place *p, size_t from,
                         struct server servers[static FR_PLACE_ENDPOINTS_MAX])
{
    size_t n = 0;
    uint16_t group = p->endpoints[from].group;
    for (size_t i = from; i < p->n_endpoints && p->endpoints[i].group == group; i++) {
        if (i > from && is_same_server(&p->endpoints[i], &p->endpoints[i - 1]))
            servers[n - 1].n++;
        else
            servers[n++] = (struct server){i, 1};
    }
    return n;
}

void fr_place_order(const struct fr_place *p, uint64_t *draws,
                    uint8_t order[static FR_PLACE_ENDPOINTS_MAX])
{
    struct server servers[FR_PLACE_ENDPOINTS_MAX];
    for (size_t i = 0, done = 0; i < p->n_endpoints; i = done) {
        uint16_t weights[FR_PLACE_ENDPOINTS_MAX];
        uint8_t drawn[FR_PLACE_ENDPOINTS_MAX];
        size_t n = find_group(p, i, servers);
        for (size_t k = 0; k < n; k++) {
            weights[k] = p->endpoints[servers[k].first].weight;
            drawn[k] = (uint8_t)k;
        }
        if (p->endpoints[i].group != 0 && n > 1) fr_draw_by_weight(draws, weights, drawn, n);
        for (size_t k = 0; k < n; k++)
            for (size_t e = 0; e < servers[drawn[k]].n; e++)
                order[done++] = (uint8_t)(servers[drawn[k]].first + e);
    }
}

void fr_place_free(struct fr_place *p)
{
    fr_free(p);
}
