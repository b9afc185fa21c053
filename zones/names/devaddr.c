#include "names/devaddr.h"

#include "base/hex.h"
#include "names/digits.h"
#include "names/netid.h"

#include <stdio.h>

/* Backend Interfaces 1.0 errata, as LoRaWAN 1.1 and everybody in the field: types 3 and 4 have
 * 11 and 12 bits, where the first print had 10 and 11. */
static const unsigned nwkid_bits[8] = {6, 6, 9, 11, 12, 13, 15, 17};

/* The `len` top bits; len 0 to 31. */
static uint32_t top_bits(unsigned len)
{
    return len > 0 ? UINT32_MAX << (32 - len) : 0;
}

static unsigned prefix_length(unsigned type)
{
    return type + 1 + nwkid_bits[type]; /* the ones, the zero, NwkID */
}

enum fr_err fr_devaddr_parse(struct fr_span text, uint32_t *out)
{
    uint64_t v;
    enum fr_err err = fr_digits_parse(text, 8, &v);

    if (err) return err;
    *out = (uint32_t)v;
    return FR_OK;
}

void fr_devaddr_print(uint32_t addr, char out[FR_DEVADDR_TEXT])
{
    fr_hex_print_u64(addr, 8, out);
}

int fr_devaddr_type(uint32_t addr)
{
    for (int type = 0; type < 8; type++) {
        if ((addr & 0x80000000u >> type) == 0) return type;
    }
    return -1;
}

enum fr_err fr_devaddr_nwkid(uint32_t addr, uint32_t *out)
{
    int type = fr_devaddr_type(addr);

    if (type < 0) return FR_E_INVALID;
    unsigned len = prefix_length((unsigned)type);
    *out = addr >> (32 - len) & ((1u << nwkid_bits[type]) - 1);
    return FR_OK;
}

struct fr_devaddr_prefix fr_devaddr_prefix(uint32_t netid)
{
    unsigned type = fr_netid_type(netid);
    unsigned len = prefix_length(type);
    uint32_t nwkid = fr_netid_id(netid) & ((1u << nwkid_bits[type]) - 1);

    return (struct fr_devaddr_prefix){top_bits(type) | nwkid << (32 - len), len};
}

uint32_t fr_devaddr_count(struct fr_devaddr_prefix prefix)
{
    return 1u << (32 - prefix.len);
}

void fr_devaddr_prefix_print(struct fr_devaddr_prefix prefix, char out[FR_DEVADDR_PREFIX_TEXT])
{
    (void)snprintf(out, FR_DEVADDR_PREFIX_TEXT, "%08x/%u", prefix.base, prefix.len % 100);
}

uint32_t fr_devaddr_with_netid(uint32_t addr, uint32_t netid)
{
    struct fr_devaddr_prefix prefix = fr_devaddr_prefix(netid);

    return prefix.base | (addr & ~top_bits(prefix.len));
}

bool fr_devaddr_match(uint32_t addr, uint32_t netid)
{
    struct fr_devaddr_prefix prefix = fr_devaddr_prefix(netid);

    return (addr & top_bits(prefix.len)) == prefix.base;
}

bool fr_netid_same_prefix(uint32_t a, uint32_t b)
{
    struct fr_devaddr_prefix x = fr_devaddr_prefix(a), y = fr_devaddr_prefix(b);

    return x.base == y.base && x.len == y.len;
}

bool fr_netid_prefix_is_shared(uint32_t netid)
{
    return fr_netid_type(netid) >= 3;
}
