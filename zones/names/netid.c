#include "names/netid.h"

#include "base/hex.h"
#include "names/digits.h"

enum fr_err fr_netid_parse(struct fr_span text, uint32_t *out)
{
    uint64_t v;
    enum fr_err err = fr_digits_parse(text, 6, &v);

    if (err) return err;
    *out = (uint32_t)v;
    return FR_OK;
}

void fr_netid_print(uint32_t netid, char out[FR_NETID_TEXT])
{
    fr_hex_print_u64(netid, 6, out);
}

unsigned fr_netid_type(uint32_t netid)
{
    return netid >> 21 & 7;
}

uint32_t fr_netid_id(uint32_t netid)
{
    static const unsigned id_bits[8] = {6, 6, 9, 21, 21, 21, 21, 21};

    return netid & ((1u << id_bits[fr_netid_type(netid)]) - 1);
}

bool fr_netid_has_rfu(uint32_t netid)
{
    return (netid & 0x1fffff) != fr_netid_id(netid);
}

bool fr_netid_is_reserved(uint32_t netid)
{
    return netid <= 1;
}

enum fr_err fr_netid_check(uint32_t netid, struct fr_diag *diag)
{
    char text[FR_NETID_TEXT];
    enum fr_err err;

    if (netid > FR_NETID_MAX) return fr_diag_fail(diag, FR_E_INVALID, "a NetID has 24 bits");
    fr_netid_print(netid, text);
    if (fr_netid_is_reserved(netid)) {
        err = fr_diag_fail(diag, FR_E_INVALID,
                           "NetID %s is for experiments and networks that never roam (000000 is "
                           "ChirpStack's default)",
                           text);
        fr_diag_hint(diag, "choose a NetID of your own and set it in the network server "
                           "(ChirpStack: [network] net_id)");
        return err;
    }
    if (fr_netid_has_rfu(netid)) {
        char low[FR_NETID_TEXT];
        fr_netid_print((netid & 0xe00000) | fr_netid_id(netid), low);
        err = fr_diag_fail(diag, FR_E_INVALID,
                           "NetID %s has reserved bits set, which a NetID of type %u must not",
                           text, fr_netid_type(netid));
        fr_diag_hint(diag, "without them it is %s", low);
        return err;
    }
    return FR_OK;
}
