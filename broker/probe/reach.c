#include "probe/reach.h"

#include <string.h>

struct special {
    uint8_t family, bits;
    uint8_t b[16];
    enum fr_reach reach;
};

/* The first that fits counts. */
static const struct special table[] = {
    {4, 8, {0}, FR_REACH_NONE},
    {4, 8, {10}, FR_REACH_PRIVATE},
    {4, 10, {100, 64}, FR_REACH_PRIVATE}, /* carriers' translation */
    {4, 8, {127}, FR_REACH_PRIVATE},
    {4, 16, {169, 254}, FR_REACH_NONE},
    {4, 12, {172, 16}, FR_REACH_PRIVATE},
    {4, 24, {192, 0, 0}, FR_REACH_PRIVATE},
    {4, 24, {192, 88, 99}, FR_REACH_PRIVATE}, /* to 6to4 relays */
    {4, 16, {192, 168}, FR_REACH_PRIVATE},
    {4, 15, {198, 18}, FR_REACH_PRIVATE}, /* benches */
    {4, 3, {224}, FR_REACH_NONE},         /* multicast, reserved, broadcast */
    {6, 128, {[15] = 1}, FR_REACH_PRIVATE},
    {6, 96, {[10] = 0xff, [11] = 0xff}, FR_REACH_NONE},  /* of IPv4, written as IPv6 */
    {6, 96, {0}, FR_REACH_NONE},                         /* unspecified, "compatible" */
    {6, 32, {0x00, 0x64, 0xff, 0x9b}, FR_REACH_PRIVATE}, /* translated to IPv4 */
    {6, 32, {0x20, 0x01, 0, 0}, FR_REACH_PRIVATE},       /* Teredo */
    {6, 16, {0x20, 0x02}, FR_REACH_PRIVATE},             /* 6to4 */
    {6, 10, {0xfe, 0x80}, FR_REACH_NONE},
    {6, 10, {0xfe, 0xc0}, FR_REACH_PRIVATE},
    {6, 7, {0xfc}, FR_REACH_PRIVATE},
    {6, 8, {0xff}, FR_REACH_NONE},
};

static bool has(const struct special *row, const struct fr_ip *ip)
{
    const size_t whole = row->bits / 8, rest = row->bits % 8;

    if (row->family != ip->family || memcmp(row->b, ip->b, whole) != 0) return false;
    return rest == 0 || ((row->b[whole] ^ ip->b[whole]) >> (8 - rest)) == 0;
}

enum fr_reach fr_reach_of(const struct fr_ip *ip)
{
    if (ip->family != 4 && ip->family != 6) return FR_REACH_NONE;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (has(&table[i], ip)) return table[i].reach;
    return FR_REACH_PUBLIC;
}
