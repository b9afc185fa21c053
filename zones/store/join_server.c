#include "store/join_server.h"

#include "base/parse.h"
#include "base/url.h"
#include "names/dname.h"

#include <stdio.h>
#include <string.h>

#define HTTPS_PORT 443
#define HTTP_PORT 80

static uint16_t preference_of(enum fr_owner_service service)
{
    return service == FR_OWNER_LWNS ? FR_JOIN_PREFERENCE_HTTPS : FR_JOIN_PREFERENCE_HTTP;
}

static uint16_t port_of(enum fr_owner_service service)
{
    return service == FR_OWNER_LWNS ? HTTPS_PORT : HTTP_PORT;
}

static enum fr_err fail(struct fr_diag *diag, enum fr_err err, struct fr_span text, const char *why)
{
    (void)fr_diag_fail(diag, err, "join server \"%.*s\": %s", (int)(text.n < 200 ? text.n : 200),
                       (const char *)text.p, why);
    fr_diag_hint(diag, "for example https://js.acme.example:8443,priority=1");
    return err;
}

static enum fr_err add_ip(struct fr_join_server *server, struct fr_span text, const char **why)
{
    struct fr_ip ip;

    *why = "not an IP address";
    if (fr_ip_parse(text, &ip) != FR_OK) return FR_E_MALFORMED;
    *why = "nobody can connect to that address";
    if (fr_ip_is_any(&ip) || (ip.family == 4 ? ip.b[0] >= 224 : ip.b[0] == 0xff))
        return FR_E_INVALID;
    *why = "at most one address of each family";
    if (server->n_ips == 2 || (server->n_ips == 1 && server->ips[0].family == ip.family))
        return FR_E_INVALID;
    server->ips[server->n_ips++] = ip;
    return FR_OK;
}

/* A name as hosts have them: letters, digits, dashes inside, and more than one label. */
static bool is_host(const char *host)
{
    struct fr_dname name;
    char before = '.';

    for (const char *p = host; *p != '\0'; before = *p++) {
        bool is_dash = *p == '-' || *p == '.';
        if (!is_dash && !(*p >= 'a' && *p <= 'z') && !(*p >= '0' && *p <= '9')) return false;
        if (is_dash && (before == '.' || (*p == '.' && before == '-'))) return false;
    }
    return before != '-' && before != '.' && strchr(host, '.') != NULL &&
           fr_dname_parse(fr_span_str(host), &name) == FR_OK;
}

static enum fr_err read_url(struct fr_span text, struct fr_join_server *server, const char **why)
{
    struct fr_url url;

    *why = "not https://HOST:PORT or http://HOST:PORT";
    if (fr_url_parse(text, &url) != FR_OK) return FR_E_MALFORMED;
    *why = "a path cannot be told in DNS";
    if (strcmp(url.path, "/") != 0) return FR_E_INVALID;
    server->service = url.is_tls ? FR_OWNER_LWNS : FR_OWNER_LWN;
    server->port = url.port;
    if (url.is_ip) return add_ip(server, fr_span_str(url.host), why);
    *why = "not the name of a host, or too long";
    size_t n = strlen(url.host);
    if (n > 0 && url.host[n - 1] == '.') url.host[n - 1] = '\0';
    if (!is_host(url.host) ||
        !fr_span_copy(fr_span_str(url.host), server->host, sizeof server->host))
        return FR_E_MALFORMED;
    return FR_OK;
}

static enum fr_err read_option(struct fr_span option, struct fr_join_server *server,
                               const char **why)
{
    const struct {
        const char *name;
        uint16_t *value;
    } numbers[] = {
        {"order", &server->order},
        {"preference", &server->preference},
        {"priority", &server->priority},
        {"weight", &server->weight},
    };
    struct fr_span name, text;
    uint64_t number = 0;

    *why = "options are also=, priority=, weight=, order= and preference=";
    if (!fr_span_cut(option, '=', &name, &text)) return FR_E_MALFORMED;
    if (fr_span_is(name, "also")) {
        if (server->host[0] == '\0') return add_ip(server, text, why);
        *why = "also= goes with an address: a name has its addresses itself";
        return FR_E_INVALID;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (!fr_span_is(name, numbers[i].name)) continue;
        *why = "a number from 0 to 65535 is wanted";
        enum fr_err err = fr_parse_u64(text, 0, UINT16_MAX, &number);
        if (err == FR_OK) *numbers[i].value = (uint16_t)number;
        return err;
    }
    return FR_E_MALFORMED;
}

enum fr_err fr_join_server_parse(struct fr_span text, uint16_t place, struct fr_diag *diag,
                                 struct fr_join_server *out)
{
    struct fr_join_server server = {.order = FR_JOIN_ORDER, .priority = place};
    struct fr_span part, rest;
    const char *why = "";

    bool is_more = fr_span_cut(text, ',', &part, &rest);
    enum fr_err err = read_url(part, &server, &why);
    server.preference = preference_of(server.service);
    while (err == FR_OK && is_more) {
        is_more = fr_span_cut(rest, ',', &part, &rest);
        err = read_option(part, &server, &why);
    }
    if (err) return fail(diag, err, text, why);
    *out = server;
    return FR_OK;
}

static void add_number(char *out, const char *name, uint16_t value, uint16_t usual)
{
    size_t n = strlen(out);

    if (value != usual)
        (void)snprintf(out + n, FR_JOIN_SERVER_TEXT - n, ",%s=%u", name, (unsigned)value);
}

void fr_join_server_print(const struct fr_join_server *server, uint16_t place,
                          char out[FR_JOIN_SERVER_TEXT])
{
    char ip[FR_IP_TEXT] = "";
    bool is_v6 = server->host[0] == '\0' && server->ips[0].family == 6;

    if (server->host[0] == '\0') fr_ip_print(&server->ips[0], ip);
    int n = snprintf(out, FR_JOIN_SERVER_TEXT, "%s://%s%s%s",
                     server->service == FR_OWNER_LWNS ? "https" : "http", is_v6 ? "[" : "",
                     server->host[0] == '\0' ? ip : server->host, is_v6 ? "]" : "");
    if (server->port != port_of(server->service))
        n += snprintf(out + n, FR_JOIN_SERVER_TEXT - (size_t)n, ":%u", (unsigned)server->port);
    if (server->n_ips == 2) {
        fr_ip_print(&server->ips[1], ip);
        (void)snprintf(out + n, FR_JOIN_SERVER_TEXT - (size_t)n, ",also=%s", ip);
    }
    add_number(out, "priority", server->priority, place);
    add_number(out, "weight", server->weight, 0);
    add_number(out, "order", server->order, FR_JOIN_ORDER);
    add_number(out, "preference", server->preference, preference_of(server->service));
}

bool fr_join_server_equal(const struct fr_join_server *a, const struct fr_join_server *b)
{
    if (a->service != b->service || strcmp(a->host, b->host) != 0 || a->n_ips != b->n_ips ||
        a->port != b->port || a->order != b->order || a->preference != b->preference ||
        a->priority != b->priority || a->weight != b->weight)
        return false;
    for (uint8_t i = 0; i < a->n_ips; i++)
        if (!fr_ip_equal(&a->ips[i], &b->ips[i])) return false;
    return true;
}
