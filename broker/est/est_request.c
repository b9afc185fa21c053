#include "est/est_request.h"

#include "base/base64.h"
#include "base/hex.h"
#include "base/mem.h"
#include "x509/csr.h"
#include "x509/secret.h"

#include <string.h>

#define BASIC_MAX 512

static const char *const op_texts[FR_EST_OPS] = {
    [FR_EST_CACERTS] = "cacerts",
    [FR_EST_CSRATTRS] = "csrattrs",
    [FR_EST_ENROLL] = "simpleenroll",
    [FR_EST_REENROLL] = "simplereenroll",
};

const char *fr_est_op_text(enum fr_est_op op)
{
    return op_texts[op];
}

static bool find_op(struct fr_span text, enum fr_est_op *out)
{
    for (int op = 0; op < FR_EST_OPS; op++) {
        if (!fr_span_is(text, op_texts[op])) continue;
        *out = (enum fr_est_op)op;
        return true;
    }
    return false;
}

enum fr_err fr_est_path_parse(struct fr_span path, struct fr_est_path *out)
{
    const size_t n = sizeof FR_EST_ROOT; /* with the slash */
    struct fr_est_path found = {0};
    struct fr_span label, op;
    char word[8];
    if (!fr_span_starts(path, FR_EST_ROOT "/")) return FR_E_NOT_FOUND;
    found.has_profile = fr_span_cut(fr_span(path.p + n, path.n - n), '/', &label, &op);
    if (!found.has_profile) op = label;
    if (!find_op(op, &found.op)) return FR_E_NOT_FOUND;
    if (found.has_profile && (!fr_span_copy(label, word, sizeof word) ||
                              fr_profile_parse(word, &found.profile) != FR_OK))
        return FR_E_NOT_FOUND;
    *out = found;
    return FR_OK;
}

/* --- Basic --- */

static enum fr_err read_credentials(struct fr_span text, uint8_t *id, uint8_t *secret)
{
    struct fr_span user, password;
    struct fr_buf raw = FR_BUF_INIT(BASIC_MAX);
    enum fr_err err = FR_E_AUTH;
    if (!fr_span_cut(text, ':', &user, &password)) return err;
    if (fr_hex_parse(user, id, FR_TOKEN_ID_SIZE) == FR_OK &&
        fr_base64url_parse(password, &raw) == FR_OK && raw.n > 0)
        err = fr_sha256(fr_buf_span(&raw), secret);
    fr_buf_deinit_secret(&raw);
    return err;
}

enum fr_err fr_est_basic_parse(struct fr_span authorization, uint8_t id[FR_TOKEN_ID_SIZE],
                               uint8_t secret[FR_DIGEST_SIZE])
{
    struct fr_span scheme, rest;
    struct fr_buf text = FR_BUF_INIT(BASIC_MAX);
    enum fr_err err = FR_E_AUTH;
    if (!fr_span_cut(authorization, ' ', &scheme, &rest) ||
        !fr_span_equal_nocase(scheme, FR_SPAN_LIT("basic")))
        return err;
    if (fr_base64_parse(fr_span_trim(rest), &text) == FR_OK)
        err = read_credentials(fr_buf_span(&text), id, secret);
    fr_buf_deinit_secret(&text);
    return err;
}

/* --- the body --- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Between the lines that begin with dashes; the text itself when there are none. */
static enum fr_err take_armour(struct fr_span *text)
{
    struct fr_span line, rest, inside;
    if (!fr_span_starts(*text, "-----")) return FR_OK;
    if (!fr_span_cut(*text, '\n', &line, &rest) || !fr_span_starts(line, "-----BEGIN ") ||
        !fr_span_cut(rest, '-', &inside, &rest) || !fr_span_starts(rest, "----END "))
        return FR_E_MALFORMED;
    *text = inside;
    return FR_OK;
}

enum fr_err fr_est_body_read(struct fr_span body, struct fr_buf *der)
{
    struct fr_span text = fr_span_trim(body);
    struct fr_buf dense = FR_BUF_INIT(FR_CSR_MAX / 3 * 4 + 8);
    enum fr_err err = take_armour(&text);
    for (size_t i = 0; !err && i < text.n; i++) {
        if (is_blank(text.p[i])) continue;
        fr_buf_add_char(&dense, (char)text.p[i]);
        err = fr_buf_err(&dense);
    }
    if (!err && dense.n == 0) err = FR_E_MALFORMED;
    if (!err) err = fr_base64_parse(fr_buf_span(&dense), der);
    fr_buf_deinit(&dense);
    return err;
}
