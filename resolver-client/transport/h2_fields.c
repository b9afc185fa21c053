#include "transport/h2_fields.h"

#include <nghttp2/nghttp2.h>

#include "base/parse.h"

/* Beside the bits of enum fr_h2_field. */
enum { SEEN_HOST = 1 << 8, SEEN_REGULAR = 1 << 9 };

static bool has(const struct fr_h2_fields *f, enum fr_h2_field what)
{
    return f->seen & 1u << what;
}

static enum fr_h2_field pseudo_field(struct fr_span name)
{
    if (fr_span_is(name, ":path")) return FR_H2_PATH;
    if (fr_span_is(name, ":method")) return FR_H2_METHOD;
    if (fr_span_is(name, ":scheme")) return FR_H2_SCHEME;
    if (fr_span_is(name, ":authority")) return FR_H2_AUTHORITY;
    return FR_H2_MALFORMED;
}

static enum fr_h2_field note_pseudo(struct fr_h2_fields *f, struct fr_span name,
                                    struct fr_span value)
{
    enum fr_h2_field what = pseudo_field(name);

    if (what == FR_H2_MALFORMED || has(f, what) || f->seen & SEEN_REGULAR) return FR_H2_MALFORMED;
    if (value.n == 0 && what != FR_H2_AUTHORITY) return FR_H2_MALFORMED;
    if (what == FR_H2_METHOD && !nghttp2_check_method(value.p, value.n)) return FR_H2_MALFORMED;
    if (what == FR_H2_METHOD) f->is_connect = fr_span_is(value, "CONNECT");
    f->seen |= 1u << what;
    return what;
}

/* Fields that belong to one connection of HTTP/1. RFC 9113 §8.2.2 */
static bool is_of_connection(struct fr_span name, struct fr_span value)
{
    switch (name.n) {
    case 2: return fr_span_is(name, "te") && !fr_span_equal_nocase(value, FR_SPAN_LIT("trailers"));
    case 7: return fr_span_is(name, "upgrade");
    case 10: return fr_span_is(name, "connection") || fr_span_is(name, "keep-alive");
    case 16: return fr_span_is(name, "proxy-connection");
    case 17: return fr_span_is(name, "transfer-encoding");
    default: return false;
    }
}

enum fr_h2_field fr_h2_trailer_check(struct fr_span name, struct fr_span value)
{
    if (name.n == 0 || name.p[0] == ':') return FR_H2_MALFORMED;
    if (!nghttp2_check_header_name(name.p, name.n)) return FR_H2_MALFORMED;
    if (!nghttp2_check_header_value_rfc9113(value.p, value.n)) return FR_H2_MALFORMED;
    return is_of_connection(name, value) ? FR_H2_MALFORMED : FR_H2_REGULAR;
}

static bool note_length(struct fr_h2_fields *f, struct fr_span value)
{
    if (f->has_length) return false;
    f->has_length = true;
    return fr_parse_u64(value, 0, INT64_MAX, &f->length) == FR_OK;
}

enum fr_h2_field fr_h2_fields_note(struct fr_h2_fields *f, struct fr_span name,
                                   struct fr_span value)
{
    if (name.n > 0 && name.p[0] == ':') return note_pseudo(f, name, value);
    f->seen |= SEEN_REGULAR;
    if (fr_h2_trailer_check(name, value) == FR_H2_MALFORMED) return FR_H2_MALFORMED;
    if (fr_span_is(name, "content-length") && !note_length(f, value)) return FR_H2_MALFORMED;
    if (fr_span_is(name, "host")) {
        if (f->seen & SEEN_HOST) return FR_H2_MALFORMED;
        f->seen |= SEEN_HOST;
    }
    if (fr_span_is(name, "expect"))
        f->expects = fr_span_equal_nocase(value, FR_SPAN_LIT("100-continue"));
    return FR_H2_REGULAR;
}

bool fr_h2_fields_is_request(const struct fr_h2_fields *f)
{
    if (!has(f, FR_H2_METHOD)) return false;
    if (f->is_connect)
        return has(f, FR_H2_AUTHORITY) && !has(f, FR_H2_PATH) && !has(f, FR_H2_SCHEME);
    return has(f, FR_H2_PATH) && has(f, FR_H2_SCHEME) &&
           (has(f, FR_H2_AUTHORITY) || f->seen & SEEN_HOST);
}
