#include "dns/tsig_text.h"

#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"

/* Words of a key statement: braces and semicolons end them, quotes and comments are understood. */
static bool next_word(struct fr_span *text, struct fr_span *word)
{
    size_t at = 0;

    while (at < text->n) {
        const uint8_t c = text->p[at];
        if (c == '#' || (c == '/' && at + 1 < text->n && text->p[at + 1] == '/')) {
            while (at < text->n && text->p[at] != '\n') at++;
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ';' || c == '{' ||
                   c == '}') {
            at++;
        } else {
            break;
        }
    }
    const bool is_quoted = at < text->n && text->p[at] == '"';
    if (is_quoted) at++;
    const size_t start = at;
    while (at < text->n && (is_quoted ? text->p[at] != '"' && text->p[at] != '\n'
                                      : strchr(" \t\r\n;{}", text->p[at]) == NULL))
        at++;
    *word = fr_span(text->p + start, at - start);
    if (is_quoted && at < text->n) at++;
    *text = fr_span(text->p + at, text->n - at);
    return word->n > 0;
}

static bool is_word(struct fr_span word, const char *text)
{
    return word.n == strlen(text) && memcmp(word.p, text, word.n) == 0;
}

struct parts {
    struct fr_span name, algorithm, secret;
};

static bool read_statement(struct fr_span text, struct parts *out)
{
    struct fr_span word;

    *out = (struct parts){0}; /* read_lines may have left a piece */
    while (next_word(&text, &word))
        if (is_word(word, "key")) break;
    if (!next_word(&text, &out->name)) return false;
    while ((out->algorithm.n == 0 || out->secret.n == 0) && next_word(&text, &word)) {
        if (is_word(word, "algorithm") && !next_word(&text, &out->algorithm)) return false;
        if (is_word(word, "secret") && !next_word(&text, &out->secret)) return false;
    }
    return out->algorithm.n > 0 && out->secret.n > 0;
}

/* "hmac-sha256:name:secret", perhaps behind "# ". */
static bool read_line(struct fr_span line, struct parts *out)
{
    struct fr_span rest;

    while (line.n > 0 && (*line.p == '#' || *line.p == ' ')) line = fr_span(line.p + 1, line.n - 1);
    while (line.n > 0 && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == ' ')) line.n--;
    return fr_span_cut(line, ':', &out->algorithm, &rest) &&
           fr_span_cut(rest, ':', &out->name, &out->secret) && out->algorithm.n >= 5 &&
           memcmp(out->algorithm.p, "hmac-", 5) == 0 && out->name.n > 0 && out->secret.n > 0;
}

static bool read_lines(struct fr_span text, struct parts *out)
{
    struct fr_span line, rest;

    while (text.n > 0) {
        if (!fr_span_cut(text, '\n', &line, &rest)) {
            line = text;
            rest = (struct fr_span){0};
        }
        if (read_line(line, out)) return true;
        text = rest;
    }
    return false;
}

static enum fr_err take_secret(struct fr_span text, struct fr_diag *diag, struct fr_tsig_key *key)
{
    struct fr_buf secret = FR_BUF_INIT(FR_TSIG_SECRET_MAX);

    enum fr_err err = fr_base64_parse(text, &secret);
    if (err == FR_OK && (secret.n < FR_TSIG_SECRET_MIN || secret.n > FR_TSIG_SECRET_MAX))
        err = FR_E_RANGE;
    if (err == FR_OK) {
        key->n = (uint8_t)secret.n;
        memcpy(key->secret, secret.p, secret.n);
    } else {
        err = fr_diag_fail(diag, err == FR_E_NOMEM ? err : FR_E_RANGE,
                           "the secret is not base64 of %d to %d bytes", FR_TSIG_SECRET_MIN,
                           FR_TSIG_SECRET_MAX);
    }
    fr_buf_deinit_secret(&secret);
    return err;
}

enum fr_err fr_tsig_key_parse(struct fr_span text, struct fr_diag *diag, struct fr_tsig_key *out)
{
    struct parts parts = {0};
    struct fr_tsig_key key = {0};
    char algorithm[32];

    if (text.n > FR_TSIG_TEXT_MAX || (!read_lines(text, &parts) && !read_statement(text, &parts))) {
        enum fr_err err = fr_diag_fail(diag, FR_E_MALFORMED, "there is no TSIG key in it");
        fr_diag_hint(diag, "make one with: tsig-keygen -a hmac-sha256 NAME");
        return err;
    }
    if (!fr_span_copy(parts.algorithm, algorithm, sizeof algorithm) ||
        !fr_tsig_algorithm_parse(algorithm, &key.algorithm))
        return fr_diag_fail(diag, FR_E_UNSUPPORTED,
                            "the key's algorithm is not one of hmac-sha224, -sha256, -sha384, "
                            "-sha512");
    enum fr_err err = fr_dname_parse(parts.name, &key.name);
    if (err) return fr_diag_fail(diag, FR_E_MALFORMED, "the key's name is not a domain name");
    err = take_secret(parts.secret, diag, &key);
    if (err == FR_OK) *out = key;
    fr_secret_zero(&key, sizeof key);
    return err;
}
