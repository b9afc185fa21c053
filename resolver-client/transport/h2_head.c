#include "transport/h2_head.h"

#include <string.h>

#define NEVER_HUFFMAN 0x7f /* a length that needs more than its seven bits has all of them set */
#define NOT_INDEXED 0x0f   /* the same for the four bits of a name's number */

/* Names of answers in HPACK's static table. RFC 7541 appendix A */
enum {
    INDEX_STATUS = 8,
    INDEX_STATUS_200 = 8,
    INDEX_CONTENT_LENGTH = 28,
    INDEX_DATE = 33,
};

static const struct {
    uint8_t index;
    const char *name;
} NAMES[] = {
    {22, "allow"},
    {24, "cache-control"},
    {26, "content-encoding"},
    {31, "content-type"},
    {34, "etag"},
    {44, "last-modified"},
    {46, "location"},
    {53, "retry-after"},
    {54, "server"},
    {56, "strict-transport-security"},
    {59, "vary"},
    {61, "www-authenticate"},
};

/* Statuses that the table has whole; the others are literal behind its name. */
static unsigned status_index(unsigned status)
{
    switch (status) {
    case 200: return INDEX_STATUS_200;
    case 204: return 9;
    case 206: return 10;
    case 304: return 11;
    case 400: return 12;
    case 404: return 13;
    case 500: return 14;
    default: return 0;
    }
}

void fr_h2_heads_init(struct fr_h2_heads *heads)
{
    *heads = (struct fr_h2_heads){0};
    for (size_t i = 0; i < FR_H2_HEADS_KEPT; i++) fr_buf_init(&heads->kept[i].block, SIZE_MAX - 1);
    fr_buf_init(&heads->large, SIZE_MAX - 1);
}

void fr_h2_heads_deinit(struct fr_h2_heads *heads)
{
    for (size_t i = 0; i < FR_H2_HEADS_KEPT; i++) fr_buf_deinit(&heads->kept[i].block);
    fr_buf_deinit(&heads->large);
}

/* RFC 7541 §5.1, behind high bits that are 0 */
static size_t write_number(uint8_t *p, size_t v, uint8_t mask)
{
    size_t at = 0;

    if (v < mask) {
        p[at++] = (uint8_t)v;
        return at;
    }
    p[at++] = mask;
    for (v -= mask; v >= 0x80; v >>= 7) p[at++] = (uint8_t)(0x80 | (v & 0x7f));
    p[at++] = (uint8_t)v;
    return at;
}

static void put_number(struct fr_buf *b, size_t v, uint8_t mask)
{
    uint8_t room[12];

    fr_buf_add(b, room, write_number(room, v, mask));
}

static void put_text(struct fr_buf *b, struct fr_span text)
{
    put_number(b, text.n, NEVER_HUFFMAN);
    fr_buf_add_span(b, text);
}

static void put_field(struct fr_buf *b, unsigned index, struct fr_span name, struct fr_span value)
{
    put_number(b, index, NOT_INDEXED);
    if (index == 0) put_text(b, name);
    put_text(b, value);
}

static unsigned name_index(struct fr_span name)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (fr_span_is(name, NAMES[i].name)) return NAMES[i].index;
    return 0;
}

static void put_status(struct fr_buf *b, unsigned status)
{
    const uint8_t digits[3] = {(uint8_t)('0' + status / 100 % 10),
                               (uint8_t)('0' + status / 10 % 10), (uint8_t)('0' + status % 10)};
    unsigned index = status_index(status);

    if (index)
        fr_buf_add_char(b, (char)(0x80 | index));
    else
        put_field(b, INDEX_STATUS, (struct fr_span){NULL, 0}, fr_span(digits, sizeof digits));
}

static struct fr_span write_block(struct fr_buf *b, unsigned status, const char *date,
                                  const struct fr_http_field *fields, size_t n)
{
    fr_buf_reset(b);
    put_status(b, status);
    if (date) put_field(b, INDEX_DATE, (struct fr_span){NULL, 0}, fr_span_str(date));
    for (size_t i = 0; i < n; i++)
        put_field(b, name_index(fields[i].name), fields[i].name, fields[i].value);
    if (fr_buf_err(b)) return (struct fr_span){NULL, 0};
    return fr_buf_span(b);
}

static bool is_kept(const struct fr_h2_head *kept, unsigned status, int64_t date_s,
                    const struct fr_http_field *fields, size_t n)
{
    const uint8_t *at = kept->text;

    if (kept->status != status || kept->date_s != date_s || kept->n != n) return false;
    for (size_t i = 0; i < n; i++) {
        if (kept->name_n[i] != fields[i].name.n || kept->value_n[i] != fields[i].value.n)
            return false;
        if (!fr_span_equal(fr_span(at, kept->name_n[i]), fields[i].name)) return false;
        at += kept->name_n[i];
        if (!fr_span_equal(fr_span(at, kept->value_n[i]), fields[i].value)) return false;
        at += kept->value_n[i];
    }
    return true;
}

static size_t text_size(const struct fr_http_field *fields, size_t n)
{
    size_t size = 0;

    for (size_t i = 0; i < n; i++) size += fields[i].name.n + fields[i].value.n;
    return size;
}

static void keep(struct fr_h2_head *kept, unsigned status, int64_t date_s,
                 const struct fr_http_field *fields, size_t n)
{
    uint8_t *at = kept->text;

    kept->status = status;
    kept->date_s = date_s;
    kept->n = n;
    for (size_t i = 0; i < n; i++) {
        const struct fr_span name = fields[i].name, value = fields[i].value;

        kept->name_n[i] = name.n;
        kept->value_n[i] = value.n;
        if (name.n > 0) memcpy(at, name.p, name.n);
        at += name.n;
        if (value.n > 0) memcpy(at, value.p, value.n);
        at += value.n;
    }
}

struct fr_span fr_h2_heads_get(struct fr_h2_heads *heads, unsigned status, int64_t date_s,
                               const char *date, const struct fr_http_field *fields, size_t n)
{
    for (size_t i = 0; i < FR_H2_HEADS_KEPT; i++)
        if (is_kept(&heads->kept[i], status, date_s, fields, n))
            return fr_buf_span(&heads->kept[i].block);
    if (n > FR_H2_HEADS_FIELDS || text_size(fields, n) > FR_H2_HEADS_TEXT)
        return write_block(&heads->large, status, date, fields, n);

    struct fr_h2_head *kept = &heads->kept[heads->next++ % FR_H2_HEADS_KEPT];
    kept->status = 0;
    struct fr_span block = write_block(&kept->block, status, date, fields, n);
    if (block.p) keep(kept, status, date_s, fields, n);
    return block;
}

size_t fr_h2_length_write(uint8_t *p, size_t length)
{
    uint8_t digits[20];
    size_t at = sizeof digits, n;

    do digits[--at] = (uint8_t)('0' + length % 10);
    while ((length /= 10) > 0);
    n = write_number(p, INDEX_CONTENT_LENGTH, NOT_INDEXED);
    p[n++] = (uint8_t)(sizeof digits - at);
    memcpy(p + n, digits + at, sizeof digits - at);
    return n + sizeof digits - at;
}
