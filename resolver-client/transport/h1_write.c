#include "transport/h1_write.h"

static void add_text(struct fr_buf *out, const char *text)
{
    fr_buf_add_str(out, text);
}

static void add_uint(struct fr_buf *out, size_t v)
{
    char digits[24];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    fr_buf_add(out, digits + at, sizeof digits - at);
}

static bool is_clean(struct fr_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f) return false;
    return true;
}

/* "content-type" → "Content-Type" */
static void add_name(struct fr_buf *out, struct fr_span name)
{
    uint8_t *p = fr_buf_reserve(out, name.n);
    bool is_first = true;

    if (!p) return;
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];

        p[i] = is_first && c >= 'a' && c <= 'z' ? (uint8_t)(c - ('a' - 'A')) : c;
        is_first = c == '-';
    }
    fr_buf_commit(out, name.n);
}

static void add_fields(struct fr_buf *out, const struct fr_http_field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_clean(fields[i].name) || !is_clean(fields[i].value)) continue;
        add_name(out, fields[i].name);
        fr_buf_add(out, ": ", 2);
        fr_buf_add_span(out, fields[i].value);
        fr_buf_add(out, "\r\n", 2);
    }
    fr_buf_add(out, "\r\n", 2);
}

static void add_length(struct fr_buf *out, size_t n)
{
    add_text(out, "Content-Length: ");
    add_uint(out, n);
    fr_buf_add(out, "\r\n", 2);
}

void fr_h1_write_response(struct fr_buf *out, unsigned status, const char *date,
                          enum fr_h1_keep keep, size_t body_n, const struct fr_http_field *fields,
                          size_t n)
{
    add_text(out, "HTTP/1.1 ");
    add_uint(out, status);
    add_text(out, " ");
    add_text(out, fr_http_reason(status));
    add_text(out, "\r\nDate: ");
    add_text(out, date);
    add_text(out, "\r\n");
    if (keep == FR_H1_CLOSE) add_text(out, "Connection: close\r\n");
    if (keep == FR_H1_KEEP_SAY) add_text(out, "Connection: keep-alive\r\n");
    if (status != 204) add_length(out, body_n);
    add_fields(out, fields, n);
}

void fr_h1_write_request(struct fr_buf *out, struct fr_span method, struct fr_span target,
                         const char *authority, bool has_body, size_t body_n,
                         const struct fr_http_field *fields, size_t n)
{
    fr_buf_add_span(out, method);
    add_text(out, " ");
    fr_buf_add_span(out, target);
    add_text(out, " HTTP/1.1\r\nHost: ");
    add_text(out, authority);
    add_text(out, "\r\n");
    if (has_body) add_length(out, body_n);
    add_fields(out, fields, n);
}
