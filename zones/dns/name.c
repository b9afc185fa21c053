#include "dns/name.h"

#include "base/buf.h"
#include "base/wire.h"
#include "dns/types.h"

void fr_dns_name_read(struct fr_rd *r, struct fr_dname *out)
{
    struct fr_rd cursor = *r; /* follows the pointers; r stays behind the name's own bytes */
    size_t limit = r->at;     /* a pointer must lead before this, so there are no loops */
    bool jumped = false;
    unsigned n = 0;

    for (;;) {
        uint8_t length = fr_rd_u8(&cursor);
        if ((length & 0xc0) == 0xc0) {
            size_t target = (size_t)(length & 0x3f) << 8 | fr_rd_u8(&cursor);
            if (fr_rd_err(&cursor) != FR_OK) break;
            if (!jumped) *r = cursor;
            jumped = true;
            if (target >= limit || target < FR_DNS_HEADER_SIZE) {
                fr_rd_fail(r, FR_E_MALFORMED);
                return;
            }
            limit = target;
            fr_rd_seek(&cursor, target);
            continue;
        }
        if (length > 63 || n + 1u + length > FR_DNAME_WIRE) {
            fr_rd_fail(r, FR_E_MALFORMED);
            return;
        }
        out->b[n++] = length;
        fr_rd_bytes(&cursor, out->b + n, length);
        n += length;
        if (length == 0)
            break; /* the root label, or the end of the message: the error says which */
    }
    out->n = (uint8_t)n;
    if (!jumped || fr_rd_err(&cursor) != FR_OK) *r = cursor;
}

void fr_dns_name_print(const struct fr_dname *name, struct fr_buf *out)
{
    char text[FR_DNAME_TEXT];

    fr_dname_print(fr_dname_span(name), text);
    fr_buf_add_str(out, text);
    if (name->n > 1) fr_buf_add_char(out, '.');
}
