#include "resolver/config.h"

#include "base/mem.h"
#include "resolver/options.h"
#include <fedroam/ares.h>
#include <netdb.h>
#include <string.h>

enum { PUBLIC_DNS_MAX = 8 };

/* Told with its place here; fedroam_options_add_broker() would know the federation only. */
static enum fr_err parse_url(struct fr_span text, void *member, struct fr_diag *diag)
{
    struct fr_url url;
    if (fr_url_parse(text, &url) != FR_OK || !url.is_tls)
        return fr_diag_fail(diag, FR_E_CONFIG, "\"%.*s\" is not of the form %s", (int)text.n,
                            (const char *)text.p, "https://host[:port]/path");
    char *copy = fr_strndup((const char *)text.p, text.n);
    if (!copy) return FR_E_NOMEM;
    *(char **)member = copy;
    return FR_OK;
}

static void release_text(void *member)
{
    fr_free(*(char **)member);
}

static const struct fr_conf_row broker_rows[] = {
    {.key = "url",
     .type = FR_T_CUSTOM,
     FR_CONF_AT(struct fr_federation_broker, url),
     .parse = parse_url,
     .release = release_text,
     .flags = FR_CONF_REQUIRED,
     .help = "https://host[:port]/path of the broker; its certificate names the host."},
    {.key = "addresses",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_federation_broker, addresses, n_addresses),
     .max = FR_BROKER_ADDRESSES_MAX,
     .help = "IP addresses of this broker, tried in order (those of the federation)."},
    {.key = "discover",
     .type = FR_T_BOOL,
     FR_CONF_AT(struct fr_federation_broker, discover),
     .def = "false",
     .help = "Whether its SVCB records in public DNS say where it is; lookup.public_dns is asked."},
    {0},
};

const struct fr_conf_row fr_federation_rows[] = {
    {.key = "name",
     .type = FR_T_STRING,
     FR_CONF_AT(struct fr_federation_conf, name),
     .flags = FR_CONF_REQUIRED,
     .help = "Name of the federation, the apex of its zone."},
    {.key = "broker",
     .type = FR_T_LIST,
     FR_CONF_ARRAY(struct fr_federation_conf, brokers, n_brokers),
     .max = FR_BROKERS_MAX,
     .flags = FR_CONF_REQUIRED | FR_CONF_SHORT,
     .rows = broker_rows,
     .help = "URL of the broker, or a list of {url, addresses}, asked in this order."},
    {.key = "addresses",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_federation_conf, addresses, n_addresses),
     .max = FR_BROKER_ADDRESSES_MAX,
     .help = "IP addresses of the brokers that name none themselves (looked up: by "
             "lookup.public_dns, else once at start by the system)."},
    {.key = "discover",
     .type = FR_T_BOOL,
     FR_CONF_AT(struct fr_federation_conf, discover),
     .def = "false",
     .help = "Whether that goes for all its brokers: discover of each."},
    {.key = "ca",
     .type = FR_T_PATH,
     FR_CONF_AT(struct fr_federation_conf, ca),
     .flags = FR_CONF_REQUIRED,
     .help = "PEM file of the federation's root certificate."},
    {.key = "certificate",
     .type = FR_T_PATH,
     FR_CONF_AT(struct fr_federation_conf, certificate),
     .flags = FR_CONF_REQUIRED,
     .help = "PEM file of our certificate chain."},
    {.key = "key",
     .type = FR_T_PATH,
     FR_CONF_AT(struct fr_federation_conf, key),
     .flags = FR_CONF_REQUIRED,
     .help = "PEM file of our private key, readable by us alone."},
    {.key = "only",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_federation_conf, only, n_only),
     .max = FR_PREFIXES_MAX,
     .help = "First hex digits of the DevEUIs that this federation is asked about (all)."},
    {.key = "except",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_federation_conf, except, n_except),
     .max = FR_PREFIXES_MAX,
     .help = "First hex digits of the DevEUIs that it is never asked about."},
    {0},
};

static const struct fr_conf_word ask_words[] = {
    {"all", FEDROAM_ASK_ALL}, {"in-order", FEDROAM_ASK_IN_ORDER}, {0}};

const struct fr_conf_row fr_lookup_rows[] = {
    {.key = "timeout",
     .type = FR_T_DURATION,
     FR_CONF_AT(struct fr_lookup_conf, timeout_ms),
     .def = "2s",
     .min = 10,
     .max = 600000,
     .help = "Time allowed for one look-up."},
    {.key = "broker_timeout",
     .type = FR_T_DURATION,
     FR_CONF_AT(struct fr_lookup_conf, broker_timeout_ms),
     .def = "1s",
     .min = 10,
     .max = 60000,
     .help = "Time one broker has before the next is asked."},
    {.key = "hedge",
     .type = FR_T_DURATION,
     FR_CONF_AT(struct fr_lookup_conf, hedge_ms),
     .def = "0",
     .max = 60000,
     .help = "How long the first broker may be silent before a second is asked as well; 0: never."},
    {.key = "cache",
     .type = FR_T_UINT,
     FR_CONF_AT(struct fr_lookup_conf, cache_entries),
     .def = "100000",
     .min = 16,
     .max = 10000000,
     .help = "Names kept in the cache."},
    {.key = "cache_bytes",
     .type = FR_T_SIZE,
     FR_CONF_AT(struct fr_lookup_conf, cache_bytes),
     .def = "32MiB",
     .min = 65536,
     .max = UINT32_MAX,
     .help = "Memory of the cache."},
    {.key = "cache_file",
     .type = FR_T_PATH,
     FR_CONF_AT(struct fr_lookup_conf, cache_file),
     .help = "File in which the cache survives a restart (none)."},
    {.key = "prefetch",
     .type = FR_T_UINT,
     FR_CONF_AT(struct fr_lookup_conf, prefetch_percent),
     .def = "10",
     .max = 50,
     .help =
         "Last part of a TTL, in percent, in which a name in use is asked for again; 0: never."},
    {.key = "stale",
     .type = FR_T_DURATION,
     FR_CONF_AT(struct fr_lookup_conf, stale_ms),
     .def = "24h",
     .max = 259200000,
     .help = "How long past its TTL an answer may serve while no broker can be reached."},
    {.key = "peer_stale",
     .type = FR_T_DURATION,
     FR_CONF_AT(struct fr_lookup_conf, peer_stale_ms),
     .def = "24h",
     .max = 259200000,
     .help = "The same for the keys of other networks, when a peer is checked."},
    {.key = "unknown_max",
     .type = FR_T_DURATION,
     FR_CONF_AT(struct fr_lookup_conf, unknown_max_ms),
     .def = "10m",
     .min = 1000,
     .max = 86400000,
     .help = "Longest time before a device that stays unknown is asked about again."},
    {.key = "ask",
     .type = FR_T_ENUM,
     FR_CONF_AT(struct fr_lookup_conf, ask),
     .def = "all",
     .words = ask_words,
     .help = "Federations where a device was not seen before: all at once, or in-order."},
    {.key = "public_dns",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_lookup_conf, public_dns, n_public_dns),
     .max = PUBLIC_DNS_MAX,
     .help = "Who is asked where brokers are: off, system (the name servers of resolv.conf), or "
             "addresses of name servers (off). Never about a federation's own names."},
    {0},
};

const struct fr_conf_row fr_trees_rows[] = {
    {.key = "suffixes",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_trees_conf, suffixes, n_suffixes),
     .max = FR_TREES_MAX,
     .help = "Public trees to look in when no federation has it, in this order: suffix, or "
             "suffix:port (none)."},
    {.key = "services",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_trees_conf, services, n_services),
     .max = 2,
     .help = "Services of NAPTR records that are taken: LWNS (HTTPS), LWN (HTTP, nothing is kept "
             "secret) (LWNS)."},
    {0},
};

static const struct fr_conf_row resolver_rows[] = {
    {.key = "federations",
     .type = FR_T_LIST,
     FR_CONF_ARRAY(struct fr_resolver_conf, federations, n_federations),
     .max = FR_FEDERATIONS_MAX,
     .flags = FR_CONF_REQUIRED,
     .rows = fr_federation_rows,
     .help = "The federations to ask."},
    {.key = "lookup",
     .type = FR_T_GROUP,
     FR_CONF_AT(struct fr_resolver_conf, lookup),
     .rows = fr_lookup_rows,
     .help = "Times and limits of look-ups."},
    {.key = "join_servers",
     .type = FR_T_GROUP,
     FR_CONF_AT(struct fr_resolver_conf, join_servers),
     .rows = fr_trees_rows,
     .help = "Join Servers: what is taken of them, and where else to look."},
    {.key = "networks",
     .type = FR_T_GROUP,
     FR_CONF_AT(struct fr_resolver_conf, networks),
     .rows = fr_trees_rows,
     .help = "Networks outside all federations: the same."},
    {0},
};

const struct fr_conf_schema fr_resolver_schema = {
    .title = "resolver.yaml",
    .summary = "federations that are looked up, and with what certificate",
    .size = sizeof(struct fr_resolver_conf),
    .rows = resolver_rows};

/* The addresses of a host name as texts, at most FR_BROKER_ADDRESSES_MAX. */
struct found {
    size_t n;
    char texts[FR_BROKER_ADDRESSES_MAX][FR_IP_TEXT];
    const char *list[FR_BROKER_ADDRESSES_MAX];
};

static enum fr_err look_up(const char *host, struct fr_diag *diag, struct found *out)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    int status = getaddrinfo(host, NULL, &hints, &all);
    if (status != 0) {
        enum fr_err err = fr_diag_fail(diag, FR_E_NET, "broker %s: %s", host, gai_strerror(status));
        fr_diag_hint(diag, "say where it is with addresses:");
        return err;
    }
    for (struct addrinfo *i = all; i && out->n < FR_BROKER_ADDRESSES_MAX; i = i->ai_next) {
        struct fr_addr addr;
        if (fr_addr_from_sockaddr(i->ai_addr, &addr) != FR_OK) continue; /* neither IPv4 nor IPv6 */
        fr_ip_print(&addr.ip, out->texts[out->n]);
        out->list[out->n] = out->texts[out->n];
        out->n++;
    }
    freeaddrinfo(all);
    return FR_OK;
}

/* What the setters said, as a diag. */
static enum fr_err say(const struct fedroam_options *o, enum fedroam_err err,
                       const struct fr_federation_conf *f, struct fr_diag *diag)
{
    if (err == FEDROAM_OK) return FR_OK;
    if (err == FEDROAM_E_MEMORY) return FR_E_NOMEM;
    (void)fr_diag_fail(diag, FR_E_CONFIG, "%s", fedroam_options_error(o));
    if (f) fr_diag_where(diag, f->name, 0, 0);
    return FR_E_CONFIG;
}

/* Before the brokers, which may count on it. */
static enum fr_err set_public_dns(struct fedroam_options *o, const struct fr_lookup_conf *c,
                                  struct fr_diag *diag)
{
    struct fr_addr addr;
    bool is_one = c->n_public_dns == 1;
    if (c->n_public_dns == 0 || (is_one && fr_span_is(fr_span_str(c->public_dns[0]), "off")))
        return FR_OK;
    bool is_system = is_one && fr_span_is(fr_span_str(c->public_dns[0]), "system");
    for (size_t i = 0; i < c->n_public_dns && !is_system; i++)
        if (fr_addr_parse(fr_span_str(c->public_dns[i]), 53, &addr) != FR_OK)
            return fr_diag_fail(diag, FR_E_CONFIG,
                                "lookup.public_dns: \"%s\" is not off, system or an address",
                                c->public_dns[i]);
    return say(
        o, fedroam_ares_use(o, (const char *const *)c->public_dns, is_system ? 0 : c->n_public_dns),
        NULL, diag);
}

/* `asks`: a host without addresses may be looked up now, where there is no public DNS to do it later. */
static enum fr_err add_broker(struct fedroam_options *o, const struct fr_federation_conf *f,
                              const struct fr_federation_broker *b, bool asks, struct fr_diag *diag)
{
    struct found found = {0};
    struct fr_url url;
    const char *const *addresses = (const char *const *)b->addresses;
    size_t n = b->n_addresses;
    if (n == 0) {
        addresses = (const char *const *)f->addresses;
        n = f->n_addresses;
    }
    /* A URL that cannot be read is told by the setter. */
    if (n == 0 && !o->has_public_dns && fr_url_parse(fr_span_str(b->url), &url) == FR_OK &&
        !url.is_ip) {
        enum fr_err err = asks ? look_up(url.host, diag, &found) : FR_OK;
        if (err || !asks) return err;
        addresses = found.list;
        n = found.n;
    }
    enum fr_err err = say(o, fedroam_options_add_broker(o, f->name, b->url, addresses, n), f, diag);
    if (err || !(b->discover || f->discover)) return err;
    err = say(o, fedroam_options_discover_broker(o, f->name, b->url), f, diag);
    if (err && !o->has_public_dns)
        fr_diag_hint(diag, "say whom to ask: lookup: {public_dns: system}");
    return err;
}

static enum fr_err add_federation(struct fedroam_options *o, const struct fr_federation_conf *f,
                                  bool asks, struct fr_diag *diag)
{
    enum fr_err err =
        say(o, fedroam_options_add_federation(o, f->name, f->ca, f->certificate, f->key), f, diag);
    if (err) return err;
    err = say(o,
              fedroam_options_set_devices(o, f->name, (const char *const *)f->only, f->n_only,
                                          (const char *const *)f->except, f->n_except),
              f, diag);
    for (size_t i = 0; i < f->n_brokers && !err; i++)
        err = add_broker(o, f, &f->brokers[i], asks, diag);
    return err;
}

static enum fr_err set_limits(struct fedroam_options *o, const struct fr_lookup_conf *c,
                              struct fr_diag *diag)
{
    enum fr_err err = say(o, fedroam_options_set_timeout(o, c->timeout_ms), NULL, diag);
    if (err) return err;
    err = say(o, fedroam_options_set_broker_timeout(o, c->broker_timeout_ms), NULL, diag);
    if (err) return err;
    err = say(o, fedroam_options_set_hedge(o, c->hedge_ms), NULL, diag);
    if (err) return err;
    err = say(o, fedroam_options_set_cache_entries(o, c->cache_entries), NULL, diag);
    if (err) return err;
    err = say(o, fedroam_options_set_cache_bytes(o, c->cache_bytes), NULL, diag);
    if (err) return err;
    err = say(o, fedroam_options_set_cache_file(o, c->cache_file), NULL, diag);
    if (err) return err;
    err = say(o, fedroam_options_set_prefetch(o, c->prefetch_percent), NULL, diag);
    if (err) return err;
    err = say(o, fedroam_options_set_stale(o, c->stale_ms / 1000), NULL, diag);
    if (err) return err;
    err = say(o, fedroam_options_set_peer_stale(o, c->peer_stale_ms / 1000), NULL, diag);
    if (err) return err;
    err = say(o, fedroam_options_set_unknown_max(o, c->unknown_max_ms / 1000), NULL, diag);
    if (err) return err;
    return say(o, fedroam_options_set_ask(o, c->ask), NULL, diag);
}

static enum fr_err make(const struct fr_federation_conf *federations, size_t n,
                        const struct fr_lookup_conf *lookup, bool asks, struct fr_diag *diag,
                        struct fedroam_options **out)
{
    struct fedroam_options *o = fedroam_options_new();
    if (!o) return FR_E_NOMEM;
    enum fr_err err = set_limits(o, lookup, diag);
    if (!err) err = set_public_dns(o, lookup, diag);
    for (size_t i = 0; i < n && !err; i++) err = add_federation(o, &federations[i], asks, diag);
    if (err) {
        fedroam_options_free(o);
        return err;
    }
    *out = o;
    return FR_OK;
}

enum fr_err fr_federations_options(const struct fr_federation_conf *federations, size_t n,
                                   const struct fr_lookup_conf *lookup, struct fr_diag *diag,
                                   struct fedroam_options **out)
{
    return make(federations, n, lookup, true, diag, out);
}

enum fr_err fr_federations_read(const struct fr_federation_conf *federations, size_t n,
                                const struct fr_lookup_conf *lookup, struct fr_diag *diag,
                                struct fedroam_options **out)
{
    return make(federations, n, lookup, false, diag, out);
}

static enum fr_err set_services(struct fedroam_options *o, enum fedroam_kind kind,
                                const struct fr_trees_conf *c, struct fr_diag *diag)
{
    unsigned services = 0;
    for (size_t i = 0; i < c->n_services; i++) {
        if (strcmp(c->services[i], "LWN") == 0)
            services |= FEDROAM_SERVICE_LWN;
        else if (strcmp(c->services[i], "LWNS") == 0)
            services |= FEDROAM_SERVICE_LWNS;
        else
            return fr_diag_fail(diag, FR_E_CONFIG, "services: \"%s\" is neither LWNS nor LWN",
                                c->services[i]);
    }
    return services ? say(o, fedroam_options_set_services(o, kind, services), NULL, diag) : FR_OK;
}

enum fr_err fr_trees_options(struct fedroam_options *o, enum fedroam_kind kind,
                             const struct fr_trees_conf *c, struct fr_diag *diag)
{
    enum fr_err err = set_services(o, kind, c, diag);
    if (err) return err;
    if (c->n_suffixes > 0 && !o->has_public_dns) {
        err = fr_diag_fail(diag, FR_E_CONFIG, "suffixes: \"%s\" is in public DNS, which is off",
                           c->suffixes[0]);
        fr_diag_hint(diag, "say public_dns: system, or the addresses of name servers, in lookup:");
        return err;
    }
    return say(
        o, fedroam_options_set_suffixes(o, kind, (const char *const *)c->suffixes, c->n_suffixes),
        NULL, diag);
}
