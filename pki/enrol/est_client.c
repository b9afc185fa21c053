#include "enrol/est_client.h"

#include "base/base64.h"
#include "base/parse.h"
#include "enrol/exchange.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

enum { RETRY_DEFAULT_S = 5, RETRY_MAX_S = 3600, ANSWER_MAX = 2 * FR_BAG_MAX };

/* --- the place --- */

static enum fr_err add_addr(struct fr_est_place *place, const struct fr_addr *addr)
{
    if (place->n_addrs < FR_EST_PLACE_ADDRS) place->addrs[place->n_addrs++] = *addr;
    return FR_OK;
}

static enum fr_err look_up(struct fr_est_place *place, struct fr_diag *diag)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int rc = getaddrinfo(place->url.host, NULL, &hints, &list);

    for (const struct addrinfo *a = rc == 0 ? list : NULL; a != NULL; a = a->ai_next) {
        struct fr_addr addr;
        if (fr_addr_from_sockaddr(a->ai_addr, &addr) != FR_OK) continue; /* other families */
        addr.port = place->url.port;
        (void)add_addr(place, &addr);
    }
    if (rc == 0) freeaddrinfo(list);
    if (place->n_addrs > 0) return FR_OK;
    enum fr_err err = fr_diag_fail(diag, FR_E_NET, "%s has no address in public DNS%s%s",
                                   place->url.host, rc ? ": " : "", rc ? gai_strerror(rc) : "");
    fr_diag_hint(diag, "where it is can be said with --broker-address ADDRESS[:PORT]");
    return err;
}

enum fr_err fr_est_place_find(const char *url, const char *const *addresses, size_t n,
                              struct fr_diag *diag, struct fr_est_place *out)
{
    struct fr_est_place place = {0};

    if (fr_url_parse(fr_span_str(url), &place.url) != FR_OK || !place.url.is_tls)
        return fr_diag_fail(diag, FR_E_MALFORMED, "\"%s\" is not an https URL", url);
    const size_t end = strlen(place.url.path);
    if (end > 0 && place.url.path[end - 1] == '/') place.url.path[end - 1] = '\0';
    for (size_t i = 0; i < n; i++) {
        struct fr_addr addr = {.port = place.url.port};
        if (fr_ip_parse(fr_span_str(addresses[i]), &addr.ip) != FR_OK)
            return fr_diag_fail(diag, FR_E_MALFORMED, "\"%s\" is not an IP address", addresses[i]);
        (void)add_addr(&place, &addr);
    }
    enum fr_err err = place.n_addrs > 0 ? FR_OK : look_up(&place, diag);
    if (!err) *out = place;
    return err;
}

void fr_est_bag_free(struct fr_est_bag *bag)
{
    for (size_t i = 0; i < bag->n; i++) fr_cert_free(bag->certs[i]);
    bag->n = 0;
}

/* --- what an answer means --- */

static unsigned retry_of(const struct fr_exchange_answer *answer)
{
    uint64_t s = RETRY_DEFAULT_S;

    if (fr_parse_u64(fr_span_str(answer->retry_after), 1, RETRY_MAX_S, &s) != FR_OK)
        s = RETRY_DEFAULT_S;
    return (unsigned)s;
}

static enum fr_err refuse(struct fr_diag *diag, enum fr_err err, const char *what,
                          const struct fr_exchange_answer *answer, const char *hint)
{
    const struct fr_span body = fr_span_trim(fr_buf_span(&answer->body));
    const int n = (int)(body.n < 200 ? body.n : 200);

    (void)fr_diag_fail(diag, err, "%s (HTTP %u)%s%.*s", what, answer->status, n > 0 ? ": " : "", n,
                       n > 0 ? (const char *)body.p : "");
    if (hint) fr_diag_hint(diag, "%s", hint);
    return err;
}

static enum fr_err judge(const struct fr_exchange_answer *answer, bool has_token,
                         struct fr_diag *diag, unsigned *retry_s)
{
    switch (answer->status) {
    case 200: return FR_OK;
    case 202:
        *retry_s = retry_of(answer);
        return refuse(diag, FR_E_PENDING, "the request waits for the operator's approval", answer,
                      "the operator lets it through with fedroam token approve");
    case 401:
        return has_token ? refuse(diag, FR_E_AUTH, "the token is not accepted", answer,
                                  "it is unknown, used by another machine, revoked or over: ask "
                                  "the operator for a new one")
                         : refuse(diag, FR_E_AUTH, "the certificate is not accepted", answer, NULL);
    case 403:
        return refuse(diag, FR_E_DENIED, "the federation refuses", answer,
                      "ask its operator, who sees why with fedroam cert list and member show");
    case 409: return refuse(diag, FR_E_CONFLICT, "this key is another's or blocked", answer, NULL);
    case 429:
    case 503:
        *retry_s = retry_of(answer);
        return refuse(diag, FR_E_BUSY, "the federation is busy", answer, "try again in a moment");
    case 400: return refuse(diag, FR_E_INVALID, "the request is refused", answer, NULL);
    default:
        return refuse(diag, FR_E_UNAVAILABLE, "the federation does not enrol there", answer, NULL);
    }
}

static enum fr_err read_bag(const struct fr_exchange_answer *answer, struct fr_diag *diag,
                            struct fr_est_bag *out)
{
    struct fr_est_bag bag = {0};
    enum fr_err err = fr_bag_read_text(fr_buf_span(&answer->body), bag.certs, &bag.n);

    if (err) return fr_diag_fail(diag, err, "the federation's answer holds no certificates");
    *out = bag;
    return FR_OK;
}

/* --- requests --- */

enum fr_err fr_est_fetch_authorities(const struct fr_est_place *place, struct fr_tls_ctx *tls,
                                     struct fr_diag *diag, struct fr_est_bag *out)
{
    struct fr_exchange_answer answer = FR_EXCHANGE_ANSWER_INIT(ANSWER_MAX);
    char target[sizeof place->url.path + 16];
    unsigned retry_s = 0;

    (void)snprintf(target, sizeof target, "%s/cacerts", place->url.path);
    enum fr_err err = fr_exchange(
        &(struct fr_exchange_request){
            .place = place, .tls = tls, .method = "GET", .target = target},
        diag, &answer);
    if (!err) err = judge(&answer, false, diag, &retry_s);
    if (!err) err = read_bag(&answer, diag, out);
    fr_buf_deinit(&answer.body);
    return err;
}

/* The base64 of a PEM text is DER's: what stands between its two lines of armour. */
static void put_request(struct fr_span pem, struct fr_buf *out)
{
    struct fr_span line;

    while (pem.n > 0) {
        (void)fr_span_cut(pem, '\n', &line, &pem);
        if (!fr_span_starts(line, "-----")) fr_buf_add_span(out, fr_span_trim(line));
    }
}

static enum fr_err put_basic(const struct fr_est_wish *wish, struct fr_buf *out)
{
    struct fr_buf plain = FR_BUF_INIT(512);

    fr_buf_printf(&plain, "%s:%s", wish->user, wish->password);
    fr_buf_add_str(out, "Basic ");
    enum fr_err err = fr_buf_err(&plain);
    if (!err) err = fr_base64_print(fr_buf_span(&plain), out);
    fr_buf_deinit_secret(&plain);
    return err;
}

enum fr_err fr_est_enrol(const struct fr_est_place *place, struct fr_tls_ctx *tls,
                         const struct fr_est_wish *wish, struct fr_diag *diag, unsigned *retry_s,
                         struct fr_cert **out)
{
    struct fr_exchange_answer answer = FR_EXCHANGE_ANSWER_INIT(ANSWER_MAX);
    struct fr_buf basic = FR_BUF_INIT(1024), body = FR_BUF_INIT(65536);
    struct fr_est_bag bag = {0};
    char target[sizeof place->url.path + 32];
    enum fr_err err = wish->user ? put_basic(wish, &basic) : FR_OK;

    put_request(wish->csr, &body);
    if (!err) err = fr_buf_err(&body);
    if (err) goto out;
    (void)snprintf(target, sizeof target, "%s/%s/%s", place->url.path,
                   fr_wallet_profile_text(wish->profile),
                   wish->is_renewal ? "simplereenroll" : "simpleenroll");
    const struct fr_http_field fields[] = {
        FR_HTTP_FIELD("content-type", "application/pkcs10"),
        FR_HTTP_FIELD("content-transfer-encoding", "base64"),
        {fr_span_str("authorization"), fr_buf_span(&basic)},
    };
    const struct fr_exchange_request request = {.place = place,
                                                .tls = tls,
                                                .method = "POST",
                                                .target = target,
                                                .fields = fields,
                                                .n_fields = wish->user ? 3 : 2,
                                                .body = fr_buf_span(&body)};
    err = fr_exchange(&request, diag, &answer);
    if (!err) err = judge(&answer, wish->user != NULL, diag, retry_s);
    if (!err) err = read_bag(&answer, diag, &bag);
    if (!err) {
        *out = bag.certs[0];
        bag.certs[0] = NULL;
    }
out:
    fr_est_bag_free(&bag);
    fr_buf_deinit_secret(&basic);
    fr_buf_deinit(&body);
    fr_buf_deinit(&answer.body);
    return err;
}
