#include "transport/proxy_v2.h"

#include "base/wire.h"

#include <string.h>

static const uint8_t SIGNATURE[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                      0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

enum { VERSION = 2, LOCAL = 0, PROXY = 1 };
enum { UNSPEC = 0x00, TCP4 = 0x11, TCP6 = 0x21, UNIX_STREAM = 0x31 }; /* family and transport */

enum fr_err fr_proxy_size(struct fr_span in, size_t *out)
{
    size_t known = in.n < sizeof SIGNATURE ? in.n : sizeof SIGNATURE;

    if (known > 0 && memcmp(in.p, SIGNATURE, known) != 0) return FR_E_MALFORMED;
    if (in.n > sizeof SIGNATURE && in.p[sizeof SIGNATURE] >> 4 != VERSION) return FR_E_MALFORMED;
    if (in.n < FR_PROXY_HEAD) return FR_E_TRUNCATED;

    struct fr_rd r = fr_rd(in);
    fr_rd_skip(&r, FR_PROXY_HEAD - 2);
    size_t n = FR_PROXY_HEAD + fr_rd_u16(&r);
    if (n > FR_PROXY_MAX) return FR_E_LIMIT;
    *out = n;
    return FR_OK;
}

/* Both addresses, then both ports; the proxy's own are not needed. */
static void read_client(struct fr_rd *r, uint8_t family, struct fr_addr *client)
{
    size_t n = family == 4 ? 4 : 16;

    client->ip.family = family;
    fr_rd_bytes(r, client->ip.b, n);
    fr_rd_skip(r, n);
    client->port = fr_rd_u16(r);
    fr_rd_skip(r, 2);
}

enum fr_err fr_proxy_read(struct fr_span in, struct fr_proxy_head *out)
{
    struct fr_proxy_head head = {0};
    size_t n = 0;
    enum fr_err err = fr_proxy_size(in, &n);

    if (err) return err;
    if (in.n != n) return in.n < n ? FR_E_TRUNCATED : FR_E_MALFORMED;

    struct fr_rd r = fr_rd(in);
    fr_rd_skip(&r, sizeof SIGNATURE);
    uint8_t command = fr_rd_u8(&r) & 0x0f;
    uint8_t kind = fr_rd_u8(&r);
    fr_rd_skip(&r, 2);
    if (command != LOCAL && command != PROXY) return FR_E_MALFORMED;
    if (command == PROXY) {
        switch (kind) {
        case UNSPEC:
        case UNIX_STREAM: break; /* no address: as if the proxy spoke for itself */
        case TCP4: read_client(&r, 4, &head.client); break;
        case TCP6: read_client(&r, 6, &head.client); break;
        default: return FR_E_UNSUPPORTED;
        }
    }
    if (fr_rd_err(&r)) return FR_E_MALFORMED; /* shorter than its own addresses */
    head.has_client = head.client.ip.family != 0;
    *out = head;
    return FR_OK;
}
