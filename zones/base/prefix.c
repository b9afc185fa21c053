#include "base/prefix.h"

#include "base/parse.h"

#include <string.h>

static unsigned full_length(const struct fr_ip *ip)
{
    return ip->family == 4 ? 32 : 128;
}

/* The bits of byte `at` that belong to a prefix of that length. */
static uint8_t mask(unsigned bits, unsigned at)
{
    if (bits >= 8 * (at + 1)) return 0xff;
    if (bits <= 8 * at) return 0;
    return (uint8_t)(0xff << (8 - bits % 8));
}

enum fr_err fr_prefix_parse(struct fr_span text, struct fr_prefix *out)
{
    struct fr_span head, rest;
    struct fr_prefix p = {0};
    uint64_t bits = 0;

    bool has_length = fr_span_cut(text, '/', &head, &rest);
    enum fr_err err = fr_ip_parse(head, &p.ip);
    if (err) return err;
    unsigned full = full_length(&p.ip);
    err = has_length ? fr_parse_u64(rest, 0, full, &bits) : FR_OK;
    if (err) return err;
    p.bits = has_length ? (uint8_t)bits : (uint8_t)full;
    for (unsigned i = 0; i < full / 8; i++)
        if ((p.ip.b[i] & ~mask(p.bits, i)) != 0) return FR_E_INVALID;
    *out = p;
    return FR_OK;
}

bool fr_prefix_has(const struct fr_prefix *prefix, const struct fr_ip *ip)
{
    if (prefix->ip.family != ip->family) return false;
    for (unsigned i = 0; i < full_length(ip) / 8; i++)
        if (((prefix->ip.b[i] ^ ip->b[i]) & mask(prefix->bits, i)) != 0) return false;
    return true;
}
