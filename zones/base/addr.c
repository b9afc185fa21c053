#include "base/addr.h"

#include "base/parse.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum fr_err fr_ip_parse(struct fr_span text, struct fr_ip *out)
{
    char copy[FR_IP_TEXT];
    struct fr_ip ip = {0};

    if (!fr_span_copy(text, copy, sizeof copy)) return FR_E_MALFORMED;
    if (inet_pton(AF_INET, copy, ip.b) == 1) {
        ip.family = 4;
    } else if (inet_pton(AF_INET6, copy, ip.b) == 1) {
        ip.family = 6;
    } else {
        return FR_E_MALFORMED;
    }
    *out = ip;
    return FR_OK;
}

void fr_ip_print(const struct fr_ip *ip, char out[FR_IP_TEXT])
{
    int family = ip->family == 6 ? AF_INET6 : AF_INET;

    if (ip->family == 0 || inet_ntop(family, ip->b, out, FR_IP_TEXT) == NULL) {
        memcpy(out, "-", 2);
    }
}

bool fr_ip_equal(const struct fr_ip *a, const struct fr_ip *b)
{
    if (a->family != b->family) return false;
    return memcmp(a->b, b->b, a->family == 6 ? 16 : 4) == 0;
}

bool fr_ip_is_loopback(const struct fr_ip *ip)
{
    if (ip->family == 4) return ip->b[0] == 127;
    return ip->family == 6 && memcmp(ip->b, &in6addr_loopback, 16) == 0;
}

bool fr_ip_is_any(const struct fr_ip *ip)
{
    static const uint8_t zero[16];

    return ip->family != 0 && memcmp(ip->b, zero, ip->family == 6 ? 16 : 4) == 0;
}

/* Splits "host", "host:port", "[v6]", "[v6]:port"; *port is empty when there is none. */
static enum fr_err split_port(struct fr_span text, struct fr_span *host, struct fr_span *port)
{
    if (fr_span_starts(text, "[")) {
        struct fr_span rest;
        if (!fr_span_cut(fr_span(text.p + 1, text.n - 1), ']', host, &rest)) return FR_E_MALFORMED;
        if (rest.n > 0 && rest.p[0] != ':') return FR_E_MALFORMED;
        if (rest.n == 1) return FR_E_MALFORMED;
        *port = rest.n > 0 ? fr_span(rest.p + 1, rest.n - 1) : (struct fr_span){0};
        return memchr(host->p, ':', host->n) != NULL ? FR_OK : FR_E_MALFORMED;
    }
    if (!fr_span_cut(text, ':', host, port)) return FR_OK;
    if (port->n > 0 && memchr(port->p, ':', port->n) != NULL) { /* two colons: a bare v6 address */
        *host = text;
        *port = (struct fr_span){0};
        return FR_OK;
    }
    return port->n > 0 ? FR_OK : FR_E_MALFORMED;
}

enum fr_err fr_addr_parse(struct fr_span text, uint16_t default_port, struct fr_addr *out)
{
    struct fr_span host, port;
    struct fr_addr addr = {.port = default_port};
    enum fr_err err = split_port(text, &host, &port);

    if (!err) err = fr_ip_parse(host, &addr.ip);
    if (err) return err;
    if (port.n > 0) {
        uint64_t v;
        err = fr_parse_u64(port, 1, UINT16_MAX, &v);
        if (err) return err;
        addr.port = (uint16_t)v;
    }
    if (addr.port == 0) return FR_E_MALFORMED;
    *out = addr;
    return FR_OK;
}

void fr_addr_print(const struct fr_addr *addr, char out[FR_ADDR_TEXT])
{
    char ip[FR_IP_TEXT];

    fr_ip_print(&addr->ip, ip);
    (void)snprintf(out, FR_ADDR_TEXT, addr->ip.family == 6 ? "[%s]:%u" : "%s:%u", ip, addr->port);
}

bool fr_addr_equal(const struct fr_addr *a, const struct fr_addr *b)
{
    return a->port == b->port && fr_ip_equal(&a->ip, &b->ip);
}

size_t fr_addr_to_sockaddr(const struct fr_addr *addr, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (addr->ip.family == 6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(addr->port);
        memcpy(&in6->sin6_addr, addr->ip.b, 16);
        return sizeof *in6;
    }
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    in->sin_family = AF_INET;
    in->sin_port = htons(addr->port);
    memcpy(&in->sin_addr, addr->ip.b, 4);
    return sizeof *in;
}

enum fr_err fr_addr_from_sockaddr(const struct sockaddr *sa, struct fr_addr *out)
{
    struct fr_addr addr = {0};

    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;
        addr.ip.family = 4;
        memcpy(addr.ip.b, &in->sin_addr, 4);
        addr.port = ntohs(in->sin_port);
    } else if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;
        bool is_mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
        addr.ip.family = is_mapped ? 4 : 6;
        if (is_mapped) {
            memcpy(addr.ip.b, in6->sin6_addr.s6_addr + 12, 4);
        } else {
            memcpy(addr.ip.b, &in6->sin6_addr, 16);
        }
        addr.port = ntohs(in6->sin6_port);
    } else {
        return FR_E_UNSUPPORTED;
    }
    *out = addr;
    return FR_OK;
}
