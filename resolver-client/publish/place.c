#include "publish/place.h"

#include "base/mem.h"
#include "resolver/config.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

static bool is_broker(const struct fr_federation_conf *f, const char *host)
{
    for (size_t i = 0; i < f->n_brokers; i++) {
        struct fr_url url;
        if (fr_url_parse(fr_span_str(f->brokers[i].url), &url) == FR_OK &&
            strcmp(url.host, host) == 0)
            return true;
    }
    return false;
}

static enum fr_err set(char **out, const char *text)
{
    if (*out || !text) return FR_OK;
    *out = fr_strdup(text);
    return *out ? FR_OK : FR_E_NOMEM;
}

static void add_address(struct fr_publish_place *place, const char *text)
{
    struct fr_addr addr = {.port = place->url.port};
    if (place->n_addrs == FR_PUBLISH_ADDRS || fr_ip_parse(fr_span_str(text), &addr.ip)) return;
    place->addrs[place->n_addrs++] = addr;
}

/* Of a broker its own addresses, else those of the federation. */
static void take_addresses(struct fr_publish_place *place, const struct fr_federation_conf *f)
{
    for (size_t i = 0; i < f->n_brokers; i++) {
        struct fr_url url;
        if (fr_url_parse(fr_span_str(f->brokers[i].url), &url) || strcmp(url.host, place->url.host))
            continue;
        for (size_t k = 0; k < f->brokers[i].n_addresses; k++)
            add_address(place, f->brokers[i].addresses[k]);
    }
    for (size_t i = 0; place->n_addrs == 0 && i < f->n_addresses; i++)
        add_address(place, f->addresses[i]);
}

static enum fr_err take_config(struct fr_publish_place *place, const char *path,
                               struct fr_diag *diag)
{
    struct fr_resolver_conf conf = {0};
    const struct fr_federation_conf *found = NULL;
    enum fr_err err = fr_conf_load(&fr_resolver_schema, path, diag, &conf);
    if (err) return err;
    for (size_t i = 0; i < conf.n_federations && !found; i++)
        if (is_broker(&conf.federations[i], place->url.host)) found = &conf.federations[i];
    if (!found)
        err = fr_diag_fail(diag, FR_E_CONFIG, "%s knows no broker %s", path, place->url.host);
    if (found) err = set(&place->ca, found->ca);
    if (!err) err = set(&place->certificate, found->certificate);
    if (!err) err = set(&place->key, found->key);
    if (!err && place->n_addrs == 0) take_addresses(place, found);
    fr_conf_free(&fr_resolver_schema, &conf);
    return err;
}

static enum fr_err look_up(struct fr_publish_place *place, struct fr_diag *diag)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    const int status = getaddrinfo(place->url.host, NULL, &hints, &all);
    if (status)
        return fr_diag_fail(diag, FR_E_NET, "%s: %s", place->url.host, gai_strerror(status));
    for (struct addrinfo *i = all; i && place->n_addrs < FR_PUBLISH_ADDRS; i = i->ai_next) {
        struct fr_addr addr;
        if (fr_addr_from_sockaddr(i->ai_addr, &addr) != FR_OK) continue;
        addr.port = place->url.port;
        place->addrs[place->n_addrs++] = addr;
    }
    freeaddrinfo(all);
    return FR_OK;
}

enum fr_err fr_publish_place_find(const struct fr_publish_named *named, struct fr_diag *diag,
                                  struct fr_publish_place *out)
{
    struct fr_publish_place place = FR_PUBLISH_PLACE_INIT;
    const bool is_complete = named->ca && named->certificate && named->key;
    enum fr_err err = fr_url_parse(fr_span_str(named->url), &place.url);
    if (err || !place.url.is_tls)
        return fr_diag_fail(diag, FR_E_INVALID, "%s is not a broker's URL (https://broker.…)",
                            named->url);
    for (size_t i = 0; i < named->n_addresses; i++) add_address(&place, named->addresses[i]);
    if (named->n_addresses > 0 && place.n_addrs == 0)
        return fr_diag_fail(diag, FR_E_INVALID, "%s is not an IP address", named->addresses[0]);
    err = set(&place.ca, named->ca);
    if (!err) err = set(&place.certificate, named->certificate);
    if (!err) err = set(&place.key, named->key);
    if (!err && (named->config || !is_complete))
        err = take_config(&place, named->config ? named->config : FR_RESOLVER_YAML, diag);
    if (!err && place.n_addrs == 0) err = look_up(&place, diag);
    if (err) {
        fr_publish_place_deinit(&place);
        return err;
    }
    *out = place;
    return FR_OK;
}

void fr_publish_place_deinit(struct fr_publish_place *place)
{
    fr_free(place->ca);
    fr_free(place->certificate);
    fr_free(place->key);
    *place = (struct fr_publish_place)FR_PUBLISH_PLACE_INIT;
}
