#include "est/est_reply.h"

#include "base/base64.h"
#include "base/buf.h"
#include "x509/bag.h"

#define BAG_MAX (256 * 1024)

void fr_est_reply_bag(struct fr_http_exchange *x, const struct fr_span *ders, size_t n)
{
    const struct fr_http_field fields[] = {
        FR_HTTP_FIELD("content-type", "application/pkcs7-mime; smime-type=certs-only"),
        FR_HTTP_FIELD("content-transfer-encoding", "base64"),
        FR_HTTP_FIELD("cache-control", "no-store"),
    };
    struct fr_buf bag = FR_BUF_INIT(BAG_MAX), text = FR_BUF_INIT(2 * BAG_MAX);
    enum fr_err err = fr_bag_write(ders, n, &bag);
    if (!err) err = fr_base64_print(fr_buf_span(&bag), &text);
    if (err)
        fr_est_reply_status(x, 503, "Out of memory; try again.");
    else
        fr_http_reply(x, 200, fields, 3, fr_buf_span(&text));
    fr_buf_deinit(&text);
    fr_buf_deinit(&bag);
}

static const char *when_again(unsigned status)
{
    switch (status) {
    case 202: return "5";
    case 429: return "30";
    case 503: return "5";
    default: return NULL;
    }
}

void fr_est_reply_status(struct fr_http_exchange *x, unsigned status, const char *text)
{
    const struct fr_http_field ask = FR_HTTP_FIELD("www-authenticate", "Basic realm=\"est\"");
    const char *again = when_again(status);
    if (status == 401) {
        fr_http_reply_close(x, status, &ask, 1, (struct fr_span){0});
        return;
    }
    if (!again && text) {
        fr_http_reply_text(x, status, text);
        return;
    }
    const bool has_words =
        status == 503 && text; /* with 202 and 429 a client may choke on a body */
    const struct fr_http_field fields[] = {
        FR_HTTP_FIELD("retry-after", again ? again : ""),
        FR_HTTP_FIELD("content-type", "text/plain; charset=utf-8"),
    };
    fr_http_reply(x, status, fields,
                  has_words ? 2
                  : again   ? 1
                            : 0,
                  has_words ? fr_span_str(text) : (struct fr_span){0});
}

unsigned fr_est_status_of(enum fr_err err)
{
    switch ((int)err) {
    case FR_OK: return 200;
    case FR_E_PENDING: return 202;
    case FR_E_AUTH: return 401;
    case FR_E_DENIED:
    case FR_E_REVOKED:
    case FR_E_NOT_FOUND: return 403;
    case FR_E_CONFLICT: return 409;
    case FR_E_MALFORMED:
    case FR_E_CRYPTO:
    case FR_E_INVALID: return 400;
    default: return 503;
    }
}
