#include "transport/h1_parse.h"

#include <string.h>

#include "base/parse.h"

#define METHOD_MAX 32

/* RFC 9110 §5.6.2 tchar */
static bool is_token_char(uint8_t c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
    return c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool is_token(struct fr_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_token_char(s.p[i])) return false;
    return s.n > 0;
}

/* RFC 9110 §5.5: visible ASCII, blanks, and bytes above 0x7f */
static bool is_value(struct fr_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f) return false;
    return true;
}

/* All octets are in the set. No branch for each: targets of DoH's GET are long. */
static bool are_all(struct fr_span s, const bool set[static 256])
{
    bool is_in = true;

    for (size_t i = 0; i < s.n; i++) is_in &= set[s.p[i]];
    return is_in;
}

bool fr_h1_is_target(struct fr_span target)
{
    static const bool visible[256] = {['!' ... '"'] = true, ['$' ... '~'] = true}; /* no '#' */

    return target.n > 0 && are_all(target, visible);
}

bool fr_h1_is_authority(struct fr_span authority)
{
    static const bool set[256] = {
        ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['-'] = true,
        ['.'] = true,         ['_'] = true,         ['~'] = true,         [':'] = true,
        ['['] = true,         [']'] = true,
    };

    return authority.n <= 300 && are_all(authority, set);
}

void fr_h1_split_target(struct fr_span target, struct fr_span *path, struct fr_span *query,
                        bool *has_query)
{
    *has_query = fr_span_cut(target, '?', path, query);
    if (!*has_query) *query = (struct fr_span){0};
}

enum fr_err fr_h1_scan(struct fr_span in, size_t *at, size_t *out_n)
{
    while (*at < in.n) {
        const uint8_t *lf = memchr(in.p + *at, '\n', in.n - *at);

        if (!lf) {
            *at = in.n;
            return FR_E_TRUNCATED;
        }
        size_t i = (size_t)(lf - in.p);
        if (i == 0 || in.p[i - 1] != '\r') return FR_E_MALFORMED;
        *at = i + 1;
        if (i >= 3 && in.p[i - 2] == '\n') { /* an empty line after another one */
            *out_n = i + 1;
            return FR_OK;
        }
    }
    return FR_E_TRUNCATED;
}

/* The next line without its CRLF. The caller has checked that every LF follows a CR. */
static bool next_line(struct fr_span *in, struct fr_span *line)
{
    const uint8_t *lf = in->n ? memchr(in->p, '\n', in->n) : NULL;

    if (!lf || lf == in->p) return false;
    size_t n = (size_t)(lf - in->p);
    if (in->p[n - 1] != '\r') return false;
    *line = fr_span(in->p, n - 1);
    *in = fr_span(in->p + n + 1, in->n - n - 1);
    return true;
}

static enum fr_err read_fields(struct fr_span in, struct fr_head *head)
{
    struct fr_span line, name, value;

    while (next_line(&in, &line) && line.n > 0) {
        if (!fr_span_cut(line, ':', &name, &value)) return FR_E_MALFORMED;
        if (!is_token(name) || !is_value(value))
            return FR_E_MALFORMED; /* a fold's "name" starts blank */

        enum fr_err err = fr_head_add(head, name, fr_span_trim(value));
        if (err) return err;
    }
    return in.n == 0 ? FR_OK : FR_E_MALFORMED;
}

/* "close, foo": does the list of a field hold the word? All fields of the name are looked at. */
static bool list_has(const struct fr_head *head, const char *name, const char *word)
{
    for (size_t i = 0; i < head->n; i++) {
        struct fr_span rest = head->fields[i].value, item;

        if (!fr_span_is(head->fields[i].name, name)) continue;
        for (bool more = true; more;) {
            more = fr_span_cut(rest, ',', &item, &rest);
            if (fr_span_equal_nocase(fr_span_trim(item), fr_span_str(word))) return true;
        }
    }
    return false;
}

static bool read_is_kept(const struct fr_head *head, enum fr_http_proto proto)
{
    if (list_has(head, "connection", "close")) return false;
    return proto == FR_HTTP_1_1 || list_has(head, "connection", "keep-alive");
}

/* RFC 9112 §6: one length or one "chunked", or none; anything else could be read in two ways. */
static enum fr_err read_framing(const struct fr_head *head, struct fr_h1_message *m, bool *has_any)
{
    size_t lengths = fr_http_count(head->fields, head->n, "content-length");
    size_t codings = fr_http_count(head->fields, head->n, "transfer-encoding");

    *has_any = lengths + codings > 0;
    m->framing = FR_H1_NO_BODY;
    if (lengths + codings == 0) return FR_OK;
    if (lengths + codings > 1) return FR_E_MALFORMED;
    if (codings == 1) {
        struct fr_span coding = fr_http_find(head->fields, head->n, "transfer-encoding");

        if (m->proto == FR_HTTP_1_0) return FR_E_MALFORMED;
        if (!fr_span_equal_nocase(coding, fr_span_str("chunked"))) return FR_E_UNSUPPORTED;
        m->framing = FR_H1_CHUNKED;
        return FR_OK;
    }
    struct fr_span length = fr_http_find(head->fields, head->n, "content-length");
    if (length.n > 19 || fr_parse_u64(length, 0, INT64_MAX, &m->length) != FR_OK)
        return FR_E_MALFORMED;
    m->framing = m->length > 0 ? FR_H1_LENGTH : FR_H1_NO_BODY;
    return FR_OK;
}

/* "HTTP/1.0" or "HTTP/1.1"; a later 1.x is spoken to as 1.1 (RFC 9110 §2.5). */
static enum fr_err read_version(struct fr_span text, enum fr_http_proto *out)
{
    if (text.n != 8 || memcmp(text.p, "HTTP/", 5) != 0 || text.p[6] != '.') return FR_E_MALFORMED;
    if (text.p[5] < '0' || text.p[5] > '9' || text.p[7] < '0' || text.p[7] > '9')
        return FR_E_MALFORMED;
    if (text.p[5] != '1') return FR_E_UNSUPPORTED;
    *out = text.p[7] == '0' ? FR_HTTP_1_0 : FR_HTTP_1_1;
    return FR_OK;
}

/* Takes "http://host" off an absolute-form target. */
static bool cut_absolute(struct fr_span *target, struct fr_span *authority)
{
    size_t skip = fr_span_starts(*target, "http://")    ? 7
                  : fr_span_starts(*target, "https://") ? 8
                                                        : 0;
    if (skip == 0) return false;

    struct fr_span rest = fr_span(target->p + skip, target->n - skip);
    size_t n = 0;

    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?') n++;
    *authority = fr_span(rest.p, n);
    *target = fr_span(rest.p + n, rest.n - n);
    return n > 0;
}

static enum fr_err read_target(struct fr_span target, struct fr_span method, struct fr_head *head,
                               struct fr_h1_message *out, struct fr_span *authority)
{
    struct fr_span path, query;

    if (!fr_h1_is_target(target)) return FR_E_MALFORMED;
    if (target.p[0] != '/' && !(fr_span_is(target, "*") && fr_span_is(method, "OPTIONS")) &&
        !cut_absolute(&target, authority))
        return FR_E_MALFORMED;

    fr_h1_split_target(target, &path, &query, &out->has_query);
    if (path.n == 0) path = FR_SPAN_LIT("/"); /* "http://host" and "http://host?x" */

    enum fr_err err = fr_head_text(head, path, &out->path);
    return err ? err : fr_head_text(head, query, &out->query);
}

static enum fr_err read_request_line(struct fr_span line, struct fr_head *head,
                                     struct fr_h1_message *out, struct fr_span *authority,
                                     unsigned *status)
{
    struct fr_span method, target, version, rest;

    if (!fr_span_cut(line, ' ', &method, &rest) || !fr_span_cut(rest, ' ', &target, &version))
        return FR_E_MALFORMED;
    if (!is_token(method) || method.n > METHOD_MAX) return FR_E_MALFORMED;

    enum fr_err err = read_version(version, &out->proto);
    if (err) {
        if (err == FR_E_UNSUPPORTED) *status = 505;
        return err;
    }
    if (fr_span_is(method, "CONNECT")) {
        *status = 501;
        return FR_E_UNSUPPORTED;
    }
    err = fr_head_text(head, method, &out->method);
    return err ? err : read_target(target, method, head, out, authority);
}

static enum fr_err read_host(struct fr_head *head, struct fr_h1_message *out,
                             struct fr_span authority)
{
    size_t hosts = fr_http_count(head->fields, head->n, "host");

    if (hosts > 1 || (hosts == 0 && out->proto == FR_HTTP_1_1)) return FR_E_MALFORMED;

    struct fr_span host = fr_http_find(head->fields, head->n, "host");
    if (!fr_h1_is_authority(host)) return FR_E_MALFORMED;
    if (authority.n == 0) authority = host; /* an absolute target wins, RFC 9112 §3.2.2 */
    if (!fr_h1_is_authority(authority)) return FR_E_MALFORMED;
    for (size_t i = 0; i < head->n; i++)
        if (fr_span_is(head->fields[i].name, "host") && authority.p == host.p) {
            out->authority = head->values[i]; /* already in the head's text */
            return FR_OK;
        }
    return fr_head_text(head, authority, &out->authority);
}

enum fr_err fr_h1_request_read(struct fr_span in, const struct fr_h1_limits *limits,
                               struct fr_head *head, struct fr_h1_message *out, unsigned *status)
{
    struct fr_h1_message m = {0};
    struct fr_span line, authority = {0};
    bool has_framing;

    *status = 400;
    if (!next_line(&in, &line)) return FR_E_MALFORMED;
    if (line.n > limits->target_bytes + METHOD_MAX + 10) {
        *status = 414;
        return FR_E_LIMIT;
    }
    enum fr_err err = read_request_line(line, head, &m, &authority, status);
    if (!err) err = read_fields(in, head);
    if (err) {
        if (err == FR_E_LIMIT) *status = 431;
        if (err == FR_E_NOMEM) *status = 503;
        return err;
    }
    fr_head_seal(head);
    err = read_host(head, &m, authority);
    if (!err) err = read_framing(head, &m, &has_framing);
    if (err) {
        if (err == FR_E_UNSUPPORTED) *status = 501;
        if (err == FR_E_LIMIT) *status = 431;
        if (err == FR_E_NOMEM) *status = 503;
        return err;
    }
    m.is_kept = read_is_kept(head, m.proto);
    struct fr_span expect = fr_http_find(head->fields, head->n, "expect");
    if (expect.n > 0 && m.proto == FR_HTTP_1_1) {
        if (!fr_span_equal_nocase(expect, fr_span_str("100-continue"))) {
            *status = 417;
            return FR_E_UNSUPPORTED;
        }
        m.has_expect = m.framing != FR_H1_NO_BODY;
    }
    fr_head_seal(head); /* read_host may have moved the text */
    *out = m;
    return FR_OK;
}

/* "HTTP/1.1 200 OK" */
static enum fr_err read_status_line(struct fr_span line, struct fr_h1_message *out)
{
    struct fr_span version, code, rest, reason;
    uint64_t status = 0;

    if (!fr_span_cut(line, ' ', &version, &rest)) return FR_E_MALFORMED;
    (void)fr_span_cut(rest, ' ', &code, &reason); /* the reason and its blank may be missing */
    enum fr_err err = read_version(version, &out->proto);
    if (err) return err;
    if (code.n != 3 || fr_parse_u64(code, 100, 599, &status) != FR_OK || !is_value(reason))
        return FR_E_MALFORMED;
    out->status = (unsigned)status;
    return FR_OK;
}

enum fr_err fr_h1_response_read(struct fr_span in, const struct fr_h1_limits *limits,
                                const char *method, struct fr_head *head, struct fr_h1_message *out)
{
    struct fr_h1_message m = {0};
    struct fr_span line;
    bool has_framing;

    if (in.n > limits->head_bytes) return FR_E_LIMIT;
    if (!next_line(&in, &line)) return FR_E_MALFORMED;
    enum fr_err err = read_status_line(line, &m);
    if (!err) err = read_fields(in, head);
    if (err) return err;
    fr_head_seal(head);
    err = read_framing(head, &m, &has_framing);
    if (err) return err;
    m.is_kept = read_is_kept(head, m.proto);
    if (m.status < 200 || m.status == 204 || m.status == 304 || strcmp(method, "HEAD") == 0)
        m.framing = FR_H1_NO_BODY;
    else if (!has_framing)
        m.framing = FR_H1_UNTIL_CLOSE;
    if (m.framing == FR_H1_UNTIL_CLOSE) m.is_kept = false;
    *out = m;
    return FR_OK;
}
