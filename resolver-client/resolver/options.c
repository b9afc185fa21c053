#include "resolver/options.h"

#include "base/hex.h"
#include "base/mem.h"
#include "base/parse.h"
#include "names/member.h"
#include "resolver/text.h"
#include <string.h>

struct fedroam_options *fedroam_options_new(void)
{
    struct fedroam_options *o = fr_calloc(1, sizeof *o);
    if (!o) return NULL;
    o->timeout_ms = 2000;
    o->broker_timeout_ms = 1000;
    o->cache_entries = 100000;
    o->cache_bytes = 32u << 20;
    o->prefetch_percent = 10;
    o->stale_s = o->peer_stale_s = 86400;
    o->unknown_max_s = 600;
    o->pending = 10000;
    o->networks.services = o->join_servers.services = FEDROAM_SERVICE_LWNS;
    return o;
}

static void federation_free(struct fr_federation_opt *f)
{
    if (!f) return;
    fr_free(f->name);
    fr_free(f->ca);
    fr_free(f->chain);
    fr_free(f->key);
    fr_free(f);
}

static void release_public_dns(struct fedroam_options *o)
{
    if (o->has_public_dns && o->public_dns.release) o->public_dns.release(o->public_dns_data);
    o->has_public_dns = false;
}

void fedroam_options_free(struct fedroam_options *o)
{
    if (!o) return;
    for (size_t i = 0; i < o->n_federations; i++) federation_free(o->federations[i]);
    release_public_dns(o);
    fr_free(o->cache_file);
    fr_free(o);
}

const char *fedroam_options_error(const struct fedroam_options *o)
{
    return o->diag.what;
}

size_t fr_options_find(const struct fedroam_options *o, const char *federation)
{
    size_t i = 0;
    while (i < o->n_federations && strcmp(o->federations[i]->name, federation) != 0) i++;
    return i;
}

static bool path_is_usable(const char *path)
{
    return path && path[0] && strnlen(path, FR_PATH_MAX) < FR_PATH_MAX;
}

static enum fr_err federation_new(const char *name, const struct fr_dname *zone, const char *ca,
                                  const char *chain, const char *key,
                                  struct fr_federation_opt **out)
{
    struct fr_federation_opt *f = fr_calloc(1, sizeof *f);
    if (!f) return FR_E_NOMEM;
    f->name = fr_strdup(name);
    f->zone = *zone;
    f->ca = fr_strdup(ca);
    f->chain = fr_strdup(chain);
    f->key = fr_strdup(key);
    if (!f->name || !f->ca || !f->chain || !f->key) {
        federation_free(f);
        return FR_E_NOMEM;
    }
    *out = f;
    return FR_OK;
}

static enum fr_err add_federation(struct fedroam_options *o, const char *name, const char *ca,
                                  const char *chain, const char *key)
{
    struct fr_dname zone;
    if (!name) return fr_diag_fail(&o->diag, FR_E_INVALID, "the federation has no name");
    enum fr_err err = fr_fed_check(fr_span_str(name), &o->diag);
    if (err) return err;
    err = fr_dname_parse(fr_span_str(name), &zone);
    if (err) return fr_diag_fail(&o->diag, err, "%s is not a domain name", name);
    if (fr_options_find(o, name) < o->n_federations)
        return fr_diag_fail(&o->diag, FR_E_EXISTS, "federation %s is there already", name);
    if (o->n_federations == FR_FEDERATIONS_MAX)
        return fr_diag_fail(&o->diag, FR_E_LIMIT, "more than %d federations", FR_FEDERATIONS_MAX);
    if (!path_is_usable(ca) || !path_is_usable(chain) || !path_is_usable(key))
        return fr_diag_fail(&o->diag, FR_E_INVALID,
                            "federation %s needs the paths of its CA, certificate chain and key",
                            name);
    err = federation_new(name, &zone, ca, chain, key, &o->federations[o->n_federations]);
    if (err) return fr_diag_fail(&o->diag, err, "out of memory");
    o->n_federations++;
    return FR_OK;
}

enum fedroam_err fedroam_options_add_federation(struct fedroam_options *o, const char *federation,
                                                const char *ca_path, const char *chain_path,
                                                const char *key_path)
{
    return fr_public_err(add_federation(o, federation, ca_path, chain_path, key_path));
}

static enum fr_err read_addresses(struct fedroam_options *o, const char *const *texts, size_t n,
                                  struct fr_broker_opt *broker)
{
    if (n > FR_BROKER_ADDRESSES_MAX)
        return fr_diag_fail(&o->diag, FR_E_LIMIT, "more than %d addresses for one broker",
                            FR_BROKER_ADDRESSES_MAX);
    for (size_t i = 0; i < n; i++) {
        struct fr_addr *a = &broker->addresses[i];
        if (!texts[i] || fr_ip_parse(fr_span_str(texts[i]), &a->ip) != FR_OK)
            return fr_diag_fail(&o->diag, FR_E_MALFORMED, "\"%s\" is not an IPv4 or IPv6 address",
                                texts[i] ? texts[i] : "");
        a->port = broker->url.port;
    }
    broker->n_addresses = n;
    return FR_OK;
}

static enum fr_err add_broker(struct fedroam_options *o, const char *federation, const char *url,
                              const char *const *addresses, size_t n)
{
    size_t at = federation ? fr_options_find(o, federation) : o->n_federations;
    if (at == o->n_federations)
        return fr_diag_fail(&o->diag, FR_E_NOT_FOUND, "no federation %s was added",
                            federation ? federation : "");
    struct fr_federation_opt *f = o->federations[at];
    if (f->n_brokers == FR_BROKERS_MAX)
        return fr_diag_fail(&o->diag, FR_E_LIMIT, "more than %d brokers for %s", FR_BROKERS_MAX,
                            federation);
    struct fr_broker_opt broker = {0};
    if (!url || fr_url_parse(fr_span_str(url), &broker.url) != FR_OK || !broker.url.is_tls)
        return fr_diag_fail(&o->diag, FR_E_MALFORMED,
                            "\"%s\" is not of the form https://host[:port]/path", url ? url : "");
    enum fr_err err = read_addresses(o, addresses, addresses ? n : 0, &broker);
    if (err) return err;
    const char *host = broker.url.host;
    if (broker.n_addresses == 0 && broker.url.is_ip) {
        err = read_addresses(o, &host, 1, &broker);
        if (err) return err;
    }
    if (broker.n_addresses == 0 && !o->has_public_dns)
        return fr_diag_fail(&o->diag, FR_E_INVALID,
                            "broker %s needs at least one address, or public DNS to find it in",
                            host);
    f->brokers[f->n_brokers++] = broker;
    return FR_OK;
}

enum fedroam_err fedroam_options_add_broker(struct fedroam_options *o, const char *federation,
                                            const char *url, const char *const *addresses,
                                            size_t count)
{
    return fr_public_err(add_broker(o, federation, url, addresses, count));
}

static enum fr_err discover_broker(struct fedroam_options *o, const char *federation,
                                   const char *url)
{
    struct fr_url parsed;
    size_t at = federation ? fr_options_find(o, federation) : o->n_federations, i = 0;
    if (at == o->n_federations || !url || fr_url_parse(fr_span_str(url), &parsed) != FR_OK)
        return fr_diag_fail(&o->diag, FR_E_NOT_FOUND, "no broker %s was added", url ? url : "");
    struct fr_federation_opt *f = o->federations[at];
    while (i < f->n_brokers && (strcmp(f->brokers[i].url.host, parsed.host) != 0 ||
                                f->brokers[i].url.port != parsed.port ||
                                strcmp(f->brokers[i].url.path, parsed.path) != 0))
        i++;
    if (i == f->n_brokers)
        return fr_diag_fail(&o->diag, FR_E_NOT_FOUND, "no broker %s was added", url);
    if (parsed.is_ip)
        return fr_diag_fail(&o->diag, FR_E_INVALID,
                            "broker %s has no name that services could be found under", url);
    if (!o->has_public_dns)
        return fr_diag_fail(&o->diag, FR_E_INVALID, "broker %s: there is no public DNS to ask",
                            parsed.host);
    f->brokers[i].discover = true;
    return FR_OK;
}

enum fedroam_err fedroam_options_discover_broker(struct fedroam_options *o, const char *federation,
                                                 const char *url)
{
    return fr_public_err(discover_broker(o, federation, url));
}

static enum fr_err read_prefix(struct fedroam_options *o, const char *text,
                               struct fr_eui_prefix *out)
{
    struct fr_eui_prefix p = {0};
    for (const char *c = text; c && *c && p.digits <= 16; c++, p.digits++) {
        int digit = fr_hex_digit((uint8_t)*c);
        if (digit < 0) break;
        if (p.digits < 16) p.value |= (uint64_t)digit << (60 - 4 * p.digits);
    }
    if (p.digits == 0 || p.digits > 16 || text[p.digits])
        return fr_diag_fail(&o->diag, FR_E_MALFORMED,
                            "\"%s\" is not the first 1 to 16 hex digits of a DevEUI",
                            text ? text : "");
    *out = p;
    return FR_OK;
}

static enum fr_err read_prefixes(struct fedroam_options *o, const char *const *texts, size_t n,
                                 struct fr_eui_prefixes *out)
{
    enum fr_err err = FR_OK;
    if (n > FR_PREFIXES_MAX)
        return fr_diag_fail(&o->diag, FR_E_LIMIT, "more than %d prefixes", FR_PREFIXES_MAX);
    for (size_t i = 0; i < n && !err; i++) err = read_prefix(o, texts[i], &out->list[i]);
    out->n = n;
    return err;
}

static enum fr_err set_devices(struct fedroam_options *o, const char *federation,
                               const char *const *only, size_t n_only, const char *const *except,
                               size_t n_except)
{
    struct fr_eui_prefixes a, b;
    size_t at = federation ? fr_options_find(o, federation) : o->n_federations;
    if (at == o->n_federations)
        return fr_diag_fail(&o->diag, FR_E_NOT_FOUND, "no federation %s was added",
                            federation ? federation : "");
    enum fr_err err = read_prefixes(o, only, only ? n_only : 0, &a);
    if (err) return err;
    err = read_prefixes(o, except, except ? n_except : 0, &b);
    if (err) return err;
    o->federations[at]->only = a;
    o->federations[at]->except = b;
    return FR_OK;
}

enum fedroam_err fedroam_options_set_devices(struct fedroam_options *o, const char *federation,
                                             const char *const *only, size_t only_count,
                                             const char *const *except, size_t except_count)
{
    return fr_public_err(set_devices(o, federation, only, only_count, except, except_count));
}

static bool has_prefix(const struct fr_eui_prefixes *p, uint64_t eui)
{
    for (size_t i = 0; i < p->n; i++)
        if ((eui ^ p->list[i].value) >> (64 - 4 * p->list[i].digits) == 0) return true;
    return false;
}

bool fr_federation_takes(const struct fr_federation_opt *f, uint64_t deveui)
{
    return (f->only.n == 0 || has_prefix(&f->only, deveui)) && !has_prefix(&f->except, deveui);
}

const struct fr_trees_opt *fr_options_trees(const struct fedroam_options *o, enum fedroam_kind kind)
{
    return kind == FEDROAM_NETWORK ? &o->networks : &o->join_servers;
}

static struct fr_trees_opt *trees_to_set(struct fedroam_options *o, enum fedroam_kind kind)
{
    if (kind == FEDROAM_NETWORK) return &o->networks;
    if (kind == FEDROAM_JOIN_SERVER) return &o->join_servers;
    (void)fr_diag_fail(&o->diag, FR_E_INVALID, "devices are in no public tree");
    return NULL;
}

/* False: not a name of letters, digits, '-' and '_' alone, or it would be written with escapes. */
static bool print_lower(const struct fr_dname *name, char out[FR_DNAME_TEXT])
{
    fr_dname_print(fr_dname_span(name), out);
    for (char *c = out; *c; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c | 0x20);
    return !strchr(out, '\\');
}

/* "suffix" or "suffix:port". */
static enum fr_err read_tree(struct fedroam_options *o, const char *text, struct fr_tree_opt *out)
{
    struct fr_span suffix, port;
    struct fr_dname name;
    uint64_t number = 0;
    char lower[FR_DNAME_TEXT];
    bool has_port = fr_span_cut(fr_span_str(text), ':', &suffix, &port);
    /* An owner name in front of it, 16 nibbles and their dots, must still be a name. */
    if (fr_dname_parse(suffix, &name) != FR_OK || name.n < 2 || name.n + 32 > FR_DNAME_WIRE ||
        !print_lower(&name, lower) ||
        (has_port && fr_parse_u64(port, 1, UINT16_MAX, &number) != FR_OK))
        return fr_diag_fail(&o->diag, FR_E_MALFORMED,
                            "\"%s\" is not a suffix such as joineuis.lora-alliance.org",
                            text ? text : "");
    (void)fr_span_copy(fr_span_str(lower), out->suffix, sizeof out->suffix);
    out->port = (uint16_t)number;
    return FR_OK;
}

static enum fr_err set_suffixes(struct fedroam_options *o, enum fedroam_kind kind,
                                const char *const *suffixes, size_t n)
{
    struct fr_trees_opt *to = trees_to_set(o, kind);
    if (!to) return FR_E_INVALID;
    struct fr_trees_opt trees = {.services = to->services};
    enum fr_err err = FR_OK;
    if (n > FR_TREES_MAX)
        return fr_diag_fail(&o->diag, FR_E_LIMIT, "more than %d suffixes", FR_TREES_MAX);
    for (; trees.n < n && !err; trees.n++)
        err = read_tree(o, suffixes[trees.n], &trees.list[trees.n]);
    if (!err) *to = trees;
    return err;
}

enum fedroam_err fedroam_options_set_suffixes(struct fedroam_options *o, enum fedroam_kind kind,
                                              const char *const *suffixes, size_t count)
{
    return fr_public_err(set_suffixes(o, kind, suffixes, suffixes ? count : 0));
}

enum fedroam_err fedroam_options_set_services(struct fedroam_options *o, enum fedroam_kind kind,
                                              unsigned services)
{
    struct fr_trees_opt *to = trees_to_set(o, kind);
    if (!to) return FEDROAM_E_ARGUMENT;
    if (services == 0 || (services & ~(unsigned)(FEDROAM_SERVICE_LWN | FEDROAM_SERVICE_LWNS)) != 0)
        return fr_public_err(fr_diag_fail(&o->diag, FR_E_INVALID,
                                          "services are LWN, LWNS or both, not %u", services));
    to->services = services;
    return FEDROAM_OK;
}

static enum fedroam_err set_number(struct fedroam_options *o, const char *what, uint32_t v,
                                   uint32_t min, uint32_t max, uint32_t *to)
{
    if (v < min || v > max)
        return fr_public_err(fr_diag_fail(&o->diag, FR_E_RANGE, "%s must be %u to %u, not %u", what,
                                          (unsigned)min, (unsigned)max, (unsigned)v));
    *to = v;
    return FEDROAM_OK;
}

enum fedroam_err fedroam_options_set_timeout(struct fedroam_options *o, uint32_t ms)
{
    return set_number(o, "the time of a look-up in ms", ms, 10, 600000, &o->timeout_ms);
}

enum fedroam_err fedroam_options_set_broker_timeout(struct fedroam_options *o, uint32_t ms)
{
    return set_number(o, "the time of a broker in ms", ms, 10, 60000, &o->broker_timeout_ms);
}

enum fedroam_err fedroam_options_set_hedge(struct fedroam_options *o, uint32_t ms)
{
    return set_number(o, "the delay of a second question in ms", ms, 0, 60000, &o->hedge_ms);
}

enum fedroam_err fedroam_options_set_cache_entries(struct fedroam_options *o, uint32_t entries)
{
    return set_number(o, "the size of the cache", entries, 16, 10000000, &o->cache_entries);
}

enum fedroam_err fedroam_options_set_cache_bytes(struct fedroam_options *o, uint32_t bytes)
{
    return set_number(o, "the bytes of the cache", bytes, 65536, UINT32_MAX, &o->cache_bytes);
}

enum fedroam_err fedroam_options_set_prefetch(struct fedroam_options *o, uint32_t percent)
{
    return set_number(o, "the part of a TTL in percent", percent, 0, 50, &o->prefetch_percent);
}

enum fedroam_err fedroam_options_set_cache_file(struct fedroam_options *o, const char *path)
{
    char *copy = NULL;
    if (path && !path_is_usable(path))
        return fr_public_err(
            fr_diag_fail(&o->diag, FR_E_INVALID, "the cache's file has no usable path"));
    if (path && !(copy = fr_strdup(path)))
        return fr_public_err(fr_diag_fail(&o->diag, FR_E_NOMEM, "out of memory"));
    fr_free(o->cache_file);
    o->cache_file = copy;
    return FEDROAM_OK;
}

enum fedroam_err fedroam_options_set_stale(struct fedroam_options *o, uint32_t s)
{
    return set_number(o, "the time answers may be stale in s", s, 0, 259200, &o->stale_s);
}

enum fedroam_err fedroam_options_set_peer_stale(struct fedroam_options *o, uint32_t s)
{
    return set_number(o, "the time keys of peers may be stale in s", s, 0, 259200,
                      &o->peer_stale_s);
}

enum fedroam_err fedroam_options_set_unknown_max(struct fedroam_options *o, uint32_t s)
{
    return set_number(o, "the longest time an unknown DevEUI is not asked about in s", s, 1, 86400,
                      &o->unknown_max_s);
}

enum fedroam_err fedroam_options_set_ask(struct fedroam_options *o, enum fedroam_ask ask)
{
    if (ask != FEDROAM_ASK_ALL && ask != FEDROAM_ASK_IN_ORDER)
        return fr_public_err(
            fr_diag_fail(&o->diag, FR_E_RANGE, "no such way to ask: %d", (int)ask));
    o->ask = ask;
    return FEDROAM_OK;
}

enum fedroam_err fedroam_options_set_pending(struct fedroam_options *o, uint32_t lookups)
{
    return set_number(o, "the number of waiting look-ups", lookups, 1, 1000000, &o->pending);
}

enum fedroam_err fedroam_options_set_log(struct fedroam_options *o, enum fedroam_log_level level,
                                         fedroam_log_cb cb, void *data)
{
    if (level < FEDROAM_LOG_ERROR || level > FEDROAM_LOG_DEBUG)
        return fr_public_err(
            fr_diag_fail(&o->diag, FR_E_RANGE, "no such level of the log: %d", (int)level));
    o->log.options.level = (enum fr_log_level)level;
    o->log_cb = cb;
    o->log_data = data;
    return FEDROAM_OK;
}

_Static_assert((int)FEDROAM_LOG_ERROR == (int)FR_LOG_ERROR &&
                   (int)FEDROAM_LOG_DEBUG == (int)FR_LOG_DEBUG,
               "the levels are passed through");

static void to_call_back(void *data, enum fr_log_level level, const char *line, size_t n)
{
    const struct fedroam_options *o = data;
    o->log_cb(o->log_data, (enum fedroam_log_level)level, line, n);
}

const struct fr_log *fr_options_log(const struct fedroam_options *o)
{
    return o->log_cb ? &o->log : NULL;
}

enum fedroam_err fedroam_options_set_host(struct fedroam_options *o,
                                          const struct fedroam_host *host, void *data)
{
    if (!host) {
        o->has_host = false;
        return FEDROAM_OK;
    }
    /* A newer host may know more call-backs than this library; an older one has all of these. */
    if (host->size < sizeof o->host || !host->watch || !host->timer)
        return fr_public_err(
            fr_diag_fail(&o->diag, FR_E_INVALID, "the host's size or a call-back is missing"));
    memcpy(&o->host, host, sizeof o->host);
    o->host_data = data;
    o->has_host = true;
    return FEDROAM_OK;
}

enum fedroam_err fedroam_options_set_public_dns(struct fedroam_options *o,
                                                const struct fedroam_public_dns *dns, void *data)
{
    if (dns && (dns->size < sizeof o->public_dns || !dns->open || !dns->close || !dns->ask ||
                !dns->cancel || !dns->process_fd || !dns->process_timer))
        return fr_public_err(
            fr_diag_fail(&o->diag, FR_E_INVALID, "the public DNS's size or a function is missing"));
    release_public_dns(o);
    if (!dns) return FEDROAM_OK;
    memcpy(&o->public_dns, dns, sizeof o->public_dns);
    o->public_dns_data = data;
    o->has_public_dns = true;
    return FEDROAM_OK;
}

enum fr_err fr_options_check(const struct fedroam_options *o, struct fr_diag *diag)
{
    if (o->n_federations == 0)
        return fr_diag_fail(diag, FR_E_INVALID, "no federation is configured");
    for (size_t i = 0; i < o->n_federations; i++) {
        const struct fr_federation_opt *f = o->federations[i];
        if (f->n_brokers == 0)
            return fr_diag_fail(diag, FR_E_INVALID, "federation %s has no broker", f->name);
        for (size_t k = 0; k < f->n_brokers && !o->has_public_dns; k++)
            if (f->brokers[k].discover || f->brokers[k].n_addresses == 0)
                return fr_diag_fail(diag, FR_E_INVALID,
                                    "broker %s is to be found in public DNS, and there is none",
                                    f->brokers[k].url.host);
    }
    return FR_OK;
}

enum fr_err fr_options_dup(const struct fedroam_options *o, struct fedroam_options **out)
{
    struct fedroam_options *copy = fr_memdup(o, sizeof *o);
    if (!copy) return FR_E_NOMEM;
    copy->n_federations = 0;
    copy->public_dns.release = NULL;
    copy->public_dns_data = NULL;
    struct fr_log_options log = {
        .level = o->log.options.level, .sink = to_call_back, .sink_data = copy};
    enum fr_err err = o->log_cb ? fr_log_init(&copy->log, &log) : FR_OK;
    if (err) {
        fr_free(copy);
        return err;
    }
    copy->cache_file = o->cache_file ? fr_strdup(o->cache_file) : NULL;
    if (o->cache_file && !copy->cache_file) {
        fedroam_options_free(copy);
        return FR_E_NOMEM;
    }
    for (size_t i = 0; i < o->n_federations; i++) {
        const struct fr_federation_opt *f = o->federations[i];
        struct fr_federation_opt *g = NULL;
        err = federation_new(f->name, &f->zone, f->ca, f->chain, f->key, &g);
        if (err) {
            fedroam_options_free(copy);
            return err;
        }
        g->n_brokers = f->n_brokers;
        memcpy(g->brokers, f->brokers, sizeof g->brokers);
        g->only = f->only;
        g->except = f->except;
        copy->federations[copy->n_federations++] = g;
    }
    *out = copy;
    return FR_OK;
}
