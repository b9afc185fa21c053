#include "dns/svcb.h"

#include "base/wire.h"

/* RFC 9460 14.3.2, RFC 9461 9 */
enum svcb_key {
    KEY_MANDATORY = 0,
    KEY_ALPN = 1,
    KEY_NO_DEFAULT_ALPN = 2,
    KEY_PORT = 3,
    KEY_IPV4HINT = 4,
    KEY_ECH = 5,
    KEY_IPV6HINT = 6,
    KEY_DOHPATH = 7,
    KEYS_KNOWN = 8,
};

/* What `mandatory` of one record says and what the record has. */
struct keys {
    uint8_t seen; /* one bit for each known key */
    uint8_t wanted;
    bool wants_strange; /* one that we do not know, or cannot do */
};

/* Keys in ascending order, each once, not itself (RFC 9460 8). */
static void mandatory_read(struct fr_rd *r, struct keys *keys)
{
    int last = KEY_MANDATORY;
    do {
        uint16_t key = fr_rd_u16(r);
        if (key <= last) fr_rd_fail(r, FR_E_MALFORMED);
        last = key;
        if (key >= KEYS_KNOWN || key == KEY_ECH) keys->wants_strange = true;
        if (key < KEYS_KNOWN) keys->wanted |= (uint8_t)(1u << key);
    } while (fr_rd_left(r) > 0);
}

static void alpn_read(struct fr_rd *r, struct fr_svcb *out)
{
    do {
        uint8_t n = fr_rd_u8(r);
        struct fr_span id = fr_rd_span(r, n);
        if (n == 0) fr_rd_fail(r, FR_E_MALFORMED);
        if (fr_span_is(id, "h2")) out->has_h2 = true;
    } while (fr_rd_left(r) > 0);
}

static void hints_read(struct fr_rd *r, uint8_t family, struct fr_svcb *out)
{
    do {
        struct fr_ip ip = {.family = family};
        fr_rd_bytes(r, ip.b, family == 4 ? 4 : 16);
        if (out->n_hints < FR_SVCB_HINTS_MAX) out->hints[out->n_hints++] = ip;
    } while (fr_rd_left(r) > 0);
}

/* The value of one key, all of it. An empty one is as wrong as a cut one, but where it says so by being
 * there. */
static enum fr_err value_read(uint16_t key, struct fr_span value, struct keys *keys,
                              struct fr_svcb *out)
{
    struct fr_rd r = fr_rd(value);
    switch (key) {
    case KEY_MANDATORY: mandatory_read(&r, keys); break;
    case KEY_ALPN: alpn_read(&r, out); break;
    case KEY_NO_DEFAULT_ALPN: break;
    case KEY_PORT: out->port = fr_rd_u16(&r); break;
    case KEY_IPV4HINT: hints_read(&r, 4, out); break;
    case KEY_IPV6HINT: hints_read(&r, 6, out); break;
    case KEY_DOHPATH:
        out->dohpath = fr_rd_rest(&r);
        if (out->dohpath.n == 0) return FR_E_MALFORMED;
        break;
    default: (void)fr_rd_rest(&r); break;
    }
    return fr_rd_end(&r);
}

static enum fr_err params_read(struct fr_rd *r, struct fr_svcb *out)
{
    struct keys keys = {0};
    int last = -1;
    while (fr_rd_left(r) > 0) {
        uint16_t key = fr_rd_u16(r);
        struct fr_span value = fr_rd_span(r, fr_rd_u16(r));
        if (fr_rd_err(r)) return fr_rd_err(r);
        if (key <= last) return FR_E_MALFORMED;
        last = key;
        if (key < KEYS_KNOWN) keys.seen |= (uint8_t)(1u << key);
        enum fr_err err = value_read(key, value, &keys, out);
        if (err) return err;
    }
    if (keys.wanted & ~keys.seen) return FR_E_MALFORMED; /* it wants what it has not */
    out->has_strange_mandatory = keys.wants_strange;
    /* Without ALPN there is nothing that no-default-alpn could leave over (RFC 9460 7.1.1). */
    bool has_alpn = keys.seen & 1u << KEY_ALPN;
    return keys.seen & 1u << KEY_NO_DEFAULT_ALPN && !has_alpn ? FR_E_MALFORMED : FR_OK;
}

enum fr_err fr_svcb_read(struct fr_span rdata, struct fr_svcb *out)
{
    struct fr_rd r = fr_rd(rdata);
    struct fr_svcb svcb = {.priority = fr_rd_u16(&r)};
    struct fr_rd behind = r;
    /* Never compressed (RFC 9460 2.2). */
    svcb.target.n = (uint8_t)fr_dname_length(fr_rd_rest(&behind));
    if (svcb.target.n == 0) return FR_E_MALFORMED;
    fr_rd_bytes(&r, svcb.target.b, svcb.target.n);
    enum fr_err err = fr_rd_err(&r);
    /* Parameters in AliasMode do not matter, whatever they are (RFC 9460 2.4.2). */
    if (!err && svcb.priority > 0) err = params_read(&r, &svcb);
    if (!err) *out = svcb;
    return err;
}
