#include "names/dname.h"

#include "base/wire.h"

#include <stdio.h>

enum { MAX_LABEL = 63 };

/* One character of text, escapes resolved; *i moves behind it. False when an escape is broken. */
static bool take_char(struct fr_span text, size_t *i, uint8_t *out)
{
    uint8_t c = text.p[(*i)++];

    if (c != '\\') {
        *out = c;
        return true;
    }
    if (*i >= text.n) return false;
    c = text.p[(*i)++];
    if (c < '0' || c > '9') {
        *out = c;
        return true;
    }
    if (text.n - *i < 2) return false;
    unsigned v = (unsigned)(c - '0');
    for (int k = 0; k < 2; k++) {
        c = text.p[(*i)++];
        if (c < '0' || c > '9') return false;
        v = v * 10 + (unsigned)(c - '0');
    }
    if (v > 255) return false;
    *out = (uint8_t)v;
    return true;
}

enum fr_err fr_dname_parse(struct fr_span text, struct fr_dname *out)
{
    struct fr_dname name = {0};
    uint8_t label[MAX_LABEL];
    size_t n = 0;
    struct fr_wr w = fr_wr(name.b, sizeof name.b);

    if (text.n == 0) return FR_E_MALFORMED;
    if (fr_span_is(text, ".")) text.n = 0;
    for (size_t i = 0; i < text.n;) {
        bool is_dot = text.p[i] == '.';
        if (is_dot) {
            i++;
        } else {
            if (n == MAX_LABEL) return FR_E_LIMIT;
            if (!take_char(text, &i, &label[n++])) return FR_E_MALFORMED;
        }
        if (!is_dot && i < text.n) continue;
        if (n == 0) return FR_E_MALFORMED; /* an empty label */
        fr_wr_u8(&w, (uint8_t)n);
        fr_wr_bytes(&w, label, n);
        n = 0;
    }
    fr_wr_u8(&w, 0);
    if (fr_wr_err(&w)) return fr_wr_err(&w);
    name.n = (uint8_t)w.at;
    *out = name;
    return FR_OK;
}

static bool is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

void fr_dname_print(struct fr_span wire, char out[FR_DNAME_TEXT])
{
    struct fr_rd r = fr_rd(wire);
    size_t at = 0;

    for (unsigned n; (n = fr_rd_u8(&r)) > 0;) {
        struct fr_span label = fr_rd_span(&r, n);
        if (at > 0 && at < FR_DNAME_TEXT - 1) out[at++] = '.';
        for (size_t i = 0; i < label.n && at + 5 < FR_DNAME_TEXT; i++) {
            if (is_plain(label.p[i])) {
                out[at++] = (char)label.p[i];
            } else {
                at += (size_t)snprintf(out + at, 5, "\\%03u", label.p[i]);
            }
        }
    }
    if (at == 0) out[at++] = '.';
    out[at] = '\0';
}

size_t fr_dname_length(struct fr_span wire)
{
    struct fr_rd r = fr_rd(wire);
    uint8_t n;

    do {
        n = fr_rd_u8(&r);
        if (n > MAX_LABEL) return 0;
        fr_rd_skip(&r, n);
    } while (n > 0);
    return fr_rd_err(&r) || r.at > FR_DNAME_WIRE ? 0 : r.at;
}

enum fr_err fr_dname_check(struct fr_span wire)
{
    struct fr_rd r = fr_rd(wire);
    uint8_t n;

    do {
        n = fr_rd_u8(&r);
        if (n > MAX_LABEL) return FR_E_MALFORMED; /* a compression pointer, or a reserved kind */
        fr_rd_skip(&r, n);
    } while (n > 0);
    if (fr_rd_err(&r)) return fr_rd_err(&r);
    if (r.at > FR_DNAME_WIRE) return FR_E_LIMIT;
    return fr_rd_end(&r);
}

bool fr_dname_equal(struct fr_span a, struct fr_span b)
{
    return fr_span_equal_nocase(a, b); /* length bytes are below 'A', so they compare as they are */
}

bool fr_dname_is_under(struct fr_span name, struct fr_span zone)
{
    struct fr_rd r = fr_rd(name);

    while (fr_rd_left(&r) > zone.n) fr_rd_skip(&r, fr_rd_u8(&r));
    return fr_rd_left(&r) == zone.n && fr_dname_equal(fr_span(name.p + r.at, zone.n), zone);
}

struct fr_span fr_dname_span(const struct fr_dname *name)
{
    return fr_span(name->b, name->n);
}
