#include "base/url.h"

#include "base/addr.h"
#include "base/parse.h"

#include <stdio.h>
#include <string.h>

static bool is_host_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* Letters are put in lower case, so that names compare byte by byte afterwards. */
static enum fr_err copy_host(struct fr_span host, char out[256])
{
    if (host.n == 0 || !fr_span_copy(host, out, 256)) return FR_E_MALFORMED;
    for (size_t i = 0; i < host.n; i++) {
        if (out[i] >= 'A' && out[i] <= 'Z') out[i] = (char)(out[i] | 0x20);
        if (!is_host_char((uint8_t)out[i])) return FR_E_MALFORMED;
    }
    return FR_OK;
}

static enum fr_err parse_authority(struct fr_span text, struct fr_url *url)
{
    struct fr_span host, port;
    struct fr_ip ip;
    bool has_port;
    enum fr_err err;

    if (fr_span_starts(text, "[")) {
        if (!fr_span_cut(fr_span(text.p + 1, text.n - 1), ']', &host, &port)) return FR_E_MALFORMED;
        has_port = port.n > 0;
        if (has_port && port.p[0] != ':') return FR_E_MALFORMED;
        if (has_port) port = fr_span(port.p + 1, port.n - 1);
        err = fr_ip_parse(host, &ip);
        if (err || ip.family != 6) return FR_E_MALFORMED;
        url->is_ip = true;
        fr_ip_print(&ip, url->host);
    } else {
        has_port = fr_span_cut(text, ':', &host, &port);
        err = copy_host(host, url->host);
        if (err) return err;
        err = fr_ip_parse(host, &ip);
        url->is_ip = err == FR_OK;
    }
    if (!has_port) return FR_OK;

    uint64_t v;
    err = fr_parse_u64(port, 1, UINT16_MAX, &v);
    if (err) return err;
    url->port = (uint16_t)v;
    return FR_OK;
}

static enum fr_err parse_path(struct fr_span text, struct fr_url *url)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] <= 0x20 || text.p[i] >= 0x7f || text.p[i] == '#') return FR_E_MALFORMED;
    }
    if (text.n == 0) text = FR_SPAN_LIT("/");
    return fr_span_copy(text, url->path, sizeof url->path) ? FR_OK : FR_E_LIMIT;
}

enum fr_err fr_url_parse(struct fr_span text, struct fr_url *out)
{
    struct fr_url url = {0};
    size_t scheme;
    enum fr_err err;

    if (fr_span_starts(text, "https://")) {
        url.is_tls = true;
        url.port = 443;
        scheme = 8;
    } else if (fr_span_starts(text, "http://")) {
        url.port = 80;
        scheme = 7;
    } else {
        return FR_E_MALFORMED;
    }
    text = fr_span(text.p + scheme, text.n - scheme);
    const uint8_t *slash = text.n > 0 ? memchr(text.p, '/', text.n) : NULL;
    size_t n = slash != NULL ? (size_t)(slash - text.p) : text.n;
    err = parse_authority(fr_span(text.p, n), &url);
    if (!err) err = parse_path(fr_span(text.p + n, text.n - n), &url);
    if (err) return err;
    *out = url;
    return FR_OK;
}

void fr_url_authority(const struct fr_url *url, char out[FR_AUTHORITY_TEXT])
{
    bool is_v6 = url->is_ip && strchr(url->host, ':') != NULL;
    int n = snprintf(out, FR_AUTHORITY_TEXT, is_v6 ? "[%s]" : "%s", url->host);

    if (url->port != (url->is_tls ? 443 : 80)) {
        (void)snprintf(out + n, FR_AUTHORITY_TEXT - (size_t)n, ":%u", url->port);
    }
}
