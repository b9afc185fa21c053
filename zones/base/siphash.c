#include "base/siphash.h"

/* Aumasson and Bernstein, "SipHash: a fast short-input PRF"; 2 rounds a word, 4 at the end. */

static uint64_t rotl(uint64_t v, unsigned n)
{
    return v << n | v >> (64 - n);
}

static void sip_rounds(uint64_t v[4], unsigned rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1];
        v[1] = rotl(v[1], 13) ^ v[0];
        v[0] = rotl(v[0], 32);
        v[2] += v[3];
        v[3] = rotl(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotl(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotl(v[1], 17) ^ v[2];
        v[2] = rotl(v[2], 32);
    }
}

static uint64_t word(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    while (n-- > 0) v = v << 8 | p[n];
    return v;
}

static void mix(uint64_t v[4], uint64_t m)
{
    v[3] ^= m;
    sip_rounds(v, 2);
    v[0] ^= m;
}

uint64_t fr_siphash(const struct fr_siphash_key *key, struct fr_span bytes)
{
    uint64_t k0 = word(key->b, 8), k1 = word(key->b + 8, 8);
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
                     k1 ^ 0x7465646279746573};
    size_t i = 0;

    for (; bytes.n - i >= 8; i += 8) mix(v, word(bytes.p + i, 8));
    mix(v, (uint64_t)bytes.n << 56 | word(bytes.n > i ? bytes.p + i : key->b, bytes.n - i));
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
