#include "resolver/discovery.h"

#include "base/mem.h"
#include "resolver/public_dns.h"
#include "transport/loop.h"
#include <stdio.h>
#include <string.h>

enum {
    FAMILIES = 2, /* IPv6, IPv4 */
    TTL_MAX_S = 86400,
    TTL_UNSAID_S = 300, /* of a negative answer without SOA */
};

static const uint16_t TYPES[FAMILIES] = {FR_DNS_AAAA, FR_DNS_A};

/* The look for the addresses of one target. */
struct seek {
    struct fr_discovery *d;
    bool is_discovered;
    bool is_lost; /* an address could not be asked for */
    struct fr_dname target;
    uint16_t port;
    char path[FR_WAY_PATH];
    struct seek_family {
        struct seek *seek;
        struct fr_public_question *question;
        size_t n;
        struct fr_ip list[FR_BROKER_ADDRESSES_MAX];
    } families[FAMILIES];
    size_t n_hints;
    struct fr_ip hints[FR_SVCB_HINTS_MAX];
};

struct fr_discovery {
    struct fr_loop *loop;
    struct fr_public_dns *dns;
    const struct fr_broker_opt *broker;
    fr_discovery_done done;
    void *data;
    struct fr_dname host, service; /* broker.fed.test, _dns.broker.fed.test */
    struct fr_ways ways;
    bool has_run;
    int64_t ran_ms, until_ms; /* the last run ended; its ways end */
    int64_t started_ms;       /* the run under way, or the last one */
    /* of the run under way */
    bool is_running, has_followed;
    bool is_lost; /* the services could not be asked for */
    struct fr_dname alias;
    struct fr_public_question *question; /* for SVCB */
    size_t n_open;                       /* questions */
    uint32_t ttl_s;
    char why[sizeof((struct fr_ways *)0)->why];
    size_t n_seeks;
    struct seek seeks[FR_WAYS_MAX];
    struct fr_defer ending;
};

bool fr_discovery_is_wanted(const struct fr_broker_opt *broker)
{
    return broker->discover || broker->n_addresses == 0;
}

struct fr_way fr_way_configured(const struct fr_broker_opt *broker)
{
    struct fr_way way = {.n = broker->n_addresses};
    memcpy(way.path, broker->url.path, sizeof broker->url.path);
    memcpy(way.addresses, broker->addresses, sizeof way.addresses);
    return way;
}

bool fr_way_equal(const struct fr_way *a, const struct fr_way *b)
{
    if (a->n != b->n || strcmp(a->path, b->path) != 0) return false;
    for (size_t i = 0; i < a->n; i++)
        if (!fr_addr_equal(&a->addresses[i], &b->addresses[i])) return false;
    return true;
}

/* ---- addresses ---- */

static void note_ttl(struct fr_discovery *d, uint32_t ttl_s)
{
    if (ttl_s < d->ttl_s) d->ttl_s = ttl_s;
}

static void question_over(struct fr_discovery *d)
{
    if (--d->n_open == 0) fr_loop_defer(d->loop, &d->ending);
}

/* The addresses of `owner` in any of these sections. */
static void take_addresses(struct seek_family *f, const struct fr_dns_response *response,
                           int section, const struct fr_dname *owner, uint16_t type)
{
    struct fr_rr rr;
    for (unsigned i = 0; f->n < FR_BROKER_ADDRESSES_MAX &&
                         fr_dns_response_find(response, section, owner, type, i, &rr);
         i++) {
        struct fr_ip *ip = &f->list[f->n++];
        *ip = (struct fr_ip){.family = type == FR_DNS_A ? 4 : 6};
        memcpy(ip->b, type == FR_DNS_A ? rr.data.a : rr.data.aaaa, type == FR_DNS_A ? 4 : 16);
        note_ttl(f->seek->d, rr.ttl);
    }
}

static void on_address(void *data, const struct fr_dns_response *response, const char *why)
{
    struct seek_family *f = data;
    struct fr_discovery *d = f->seek->d;
    struct fr_dname owner;
    uint32_t ttl_s = 0;
    (void)why; /* the look-up that has no way says what is missing */
    f->question = NULL;
    if (!response || fr_dns_response_chain(response, &owner, &ttl_s) != FR_OK) {
        f->seek->is_lost = true;
    } else {
        take_addresses(f, response, FR_DNS_ANSWER, &owner, response->type);
        if (f->n > 0) note_ttl(d, ttl_s);
    }
    question_over(d);
}

static bool has_addresses(const struct seek *s)
{
    return s->families[0].n + s->families[1].n > 0;
}

static void ask_addresses(struct seek *s)
{
    struct fr_discovery *d = s->d;
    for (size_t i = 0; i < FAMILIES; i++) {
        if (fr_public_ask(d->dns, &s->target, TYPES[i], on_address, &s->families[i],
                          &s->families[i].question) == FR_OK)
            d->n_open++;
        else
            s->is_lost = true;
    }
}

/* `known` may hold the addresses beside the record that named the target; NULL: it does not. */
static struct seek *seek_start(struct fr_discovery *d, const struct fr_dname *target, uint16_t port,
                               const char *path, const struct fr_dns_response *known)
{
    struct seek *s = &d->seeks[d->n_seeks++];
    *s = (struct seek){.d = d, .target = *target, .port = port};
    (void)snprintf(s->path, sizeof s->path, "%s", path); /* both sources fit */
    for (size_t i = 0; i < FAMILIES; i++) {
        s->families[i].seek = s;
        if (known) take_addresses(&s->families[i], known, FR_DNS_ADDITIONAL, target, TYPES[i]);
    }
    if (!has_addresses(s)) ask_addresses(s);
    return s;
}

/* ---- services ---- */

static void ask_services(struct fr_discovery *d, const struct fr_dname *name);

static void no_service(struct fr_discovery *d, const char *why)
{
    (void)snprintf(d->why, sizeof d->why, "%s", why);
}

static void follow(struct fr_discovery *d, const struct fr_dname *alias)
{
    if (d->has_followed) {
        no_service(d, "its alias leads to another alias");
        return;
    }
    d->has_followed = true;
    d->alias = *alias;
    ask_services(d, alias);
}

/* The alias of a name without records of its own is where the service is, as the URL has it
 * (RFC 9460 3). */
static void end_at_alias(struct fr_discovery *d)
{
    const struct fr_url *url = &d->broker->url;
    seek_start(d, &d->alias, url->port, url->path, NULL)->is_discovered = true;
}

static void on_services(void *data, const struct fr_dns_response *response, const char *why)
{
    struct fr_discovery *d = data;
    struct fr_services found = {.ttl_s = UINT32_MAX};
    d->question = NULL;
    if (!response) {
        d->is_lost = true;
        no_service(d, why);
    } else {
        fr_services_read(response, &found);
        note_ttl(d, found.ttl_s);
        if (found.is_alias)
            follow(d, &found.alias);
        else if (found.is_empty && d->has_followed)
            end_at_alias(d);
        else if (found.n == 0)
            no_service(d, found.why);
    }
    for (size_t i = 0; i < found.n; i++) {
        const struct fr_service *service = &found.list[i];
        struct seek *s = seek_start(d, &service->target, service->port, service->path, response);
        s->is_discovered = true;
        s->n_hints = service->n_hints;
        memcpy(s->hints, service->hints, sizeof s->hints);
    }
    question_over(d);
}

static void ask_services(struct fr_discovery *d, const struct fr_dname *name)
{
    if (fr_public_ask(d->dns, name, FR_DNS_SVCB, on_services, d, &d->question) == FR_OK) {
        d->n_open++;
        return;
    }
    d->is_lost = true;
    no_service(d, "it cannot be asked for");
}

/* ---- the end of a run ---- */

static void add_address(struct fr_way *way, const struct fr_ip *ip, uint16_t port)
{
    if (way->n < FR_BROKER_ADDRESSES_MAX)
        way->addresses[way->n++] = (struct fr_addr){.ip = *ip, .port = port};
}

/* The families in turns, so that one that does not work costs one try (RFC 8305 4). Hints serve while there is no
 * address (RFC 9460 7.3). */
static void way_of(const struct seek *s, struct fr_way *out)
{
    *out = (struct fr_way){.is_discovered = s->is_discovered, .target = s->target};
    memcpy(out->path, s->path, sizeof out->path);
    for (size_t i = 0; i < FR_BROKER_ADDRESSES_MAX; i++)
        for (size_t k = 0; k < FAMILIES; k++)
            if (i < s->families[k].n) add_address(out, &s->families[k].list[i], s->port);
    for (size_t i = 0; i < s->n_hints && !has_addresses(s); i++)
        add_address(out, &s->hints[i], s->port);
}

/* Unless it leads nowhere, or where another leads. */
static void add_way(struct fr_ways *ways, const struct fr_way *way)
{
    if (way->n == 0) return;
    for (size_t i = 0; i < ways->n; i++)
        if (fr_way_equal(&ways->list[i], way)) return;
    ways->list[ways->n++] = *way;
}

static void collect(const struct fr_discovery *d, struct fr_ways *ways)
{
    struct fr_way way;
    for (int discovered = 1; discovered >= 0; discovered--)
        for (size_t i = 0; i < d->n_seeks; i++) {
            if (d->seeks[i].is_discovered != (bool)discovered) continue;
            way_of(&d->seeks[i], &way);
            add_way(ways, &way);
        }
    way = fr_way_configured(d->broker);
    add_way(ways, &way);
    memcpy(ways->why, d->why, sizeof ways->why);
}

/* Is a way missing because somebody did not answer? One address family that does not is no loss. */
static bool has_loss(const struct fr_discovery *d)
{
    bool is_lost = d->is_lost;
    for (size_t i = 0; i < d->n_seeks; i++) {
        const struct seek *s = &d->seeks[i];
        if (s->is_lost && !has_addresses(s) && s->n_hints == 0) is_lost = true;
    }
    return is_lost;
}

static int64_t time_of(const struct fr_ways *ways, bool is_lost)
{
    if (ways->n == 0) return FR_DISCOVERY_FAST_MS;
    return is_lost ? FR_DISCOVERY_RETRY_MS : (int64_t)ways->ttl_s * 1000;
}

static void on_ending(struct fr_defer *defer)
{
    struct fr_discovery *d = defer->data;
    struct fr_ways fresh = {.ttl_s = d->ttl_s == UINT32_MAX ? TTL_UNSAID_S : d->ttl_s};
    if (fresh.ttl_s < 1) fresh.ttl_s = 1;
    if (fresh.ttl_s > TTL_MAX_S) fresh.ttl_s = TTL_MAX_S;
    collect(d, &fresh);
    /* What could not be asked this time may still be as it was. */
    bool is_lost = has_loss(d);
    if (!is_lost || !d->has_run || d->ways.n < fresh.n) d->ways = fresh;
    d->has_run = true;
    d->is_running = false;
    d->ran_ms = fr_loop_now_ms(d->loop);
    d->until_ms = d->ran_ms + time_of(&d->ways, is_lost);
    d->done(d->data);
}

/* ---- the object ---- */

enum fr_err fr_discovery_new(struct fr_loop *loop, struct fr_public_dns *dns,
                             const struct fr_broker_opt *broker, fr_discovery_done done, void *data,
                             struct fr_discovery **out)
{
    char service[sizeof broker->url.host + 8];
    struct fr_discovery *d = fr_calloc(1, sizeof *d);
    if (!d) return FR_E_NOMEM;
    d->loop = loop;
    d->dns = dns;
    d->broker = broker;
    d->done = done;
    d->data = data;
    fr_defer_init(&d->ending, on_ending, d);
    d->ways.list[0] = fr_way_configured(broker);
    d->ways.n = broker->n_addresses > 0;
    (void)snprintf(service, sizeof service, "_dns.%s", broker->url.host);
    enum fr_err err = fr_dname_parse(fr_span_str(broker->url.host), &d->host);
    if (!err) err = fr_dname_parse(fr_span_str(service), &d->service);
    if (err) {
        fr_free(d);
        return err;
    }
    *out = d;
    return FR_OK;
}

void fr_discovery_free(struct fr_discovery *d)
{
    if (!d) return;
    fr_public_cancel(d->question);
    for (size_t i = 0; i < d->n_seeks; i++)
        for (size_t k = 0; k < FAMILIES; k++) fr_public_cancel(d->seeks[i].families[k].question);
    fr_defer_cancel(&d->ending);
    fr_free(d);
}

bool fr_discovery_is_fresh(const struct fr_discovery *d)
{
    return d->has_run && fr_loop_now_ms(d->loop) < d->until_ms;
}

bool fr_discovery_is_ending(const struct fr_discovery *d)
{
    int64_t time_ms = d->until_ms - d->ran_ms;
    return d->has_run && fr_loop_now_ms(d->loop) >= d->until_ms - time_ms / 10;
}

void fr_discovery_start(struct fr_discovery *d)
{
    const struct fr_broker_opt *broker = d->broker;
    if (d->is_running) return;
    d->is_running = true;
    d->started_ms = fr_loop_now_ms(d->loop);
    d->has_followed = d->is_lost = false;
    d->ttl_s = UINT32_MAX;
    d->why[0] = '\0';
    d->n_seeks = 0;
    d->n_open = 1; /* this one, so that nothing ends before all is asked */
    if (broker->discover) ask_services(d, &d->service);
    if (broker->n_addresses == 0) seek_start(d, &d->host, broker->url.port, broker->url.path, NULL);
    question_over(d);
}

int64_t fr_discovery_running_ms(const struct fr_discovery *d)
{
    return d->is_running ? fr_loop_now_ms(d->loop) - d->started_ms : 0;
}

void fr_discovery_expire(struct fr_discovery *d)
{
    int64_t until_ms = d->ran_ms + FR_DISCOVERY_FAST_MS, now_ms = fr_loop_now_ms(d->loop);
    if (until_ms < now_ms) until_ms = now_ms;
    if (until_ms < d->until_ms) d->until_ms = until_ms;
}

const struct fr_ways *fr_discovery_ways(const struct fr_discovery *d)
{
    return &d->ways;
}
