#include "agent/answer_json.h"

#include "base/hex.h"
#include "base/json_out.h"
#include "names/eui.h"
#include "names/netid.h"
#include "transport/http.h"

unsigned fr_answer_status(const struct fedroam_answer *a)
{
    switch (fedroam_answer_result(a)) {
    case FEDROAM_FOUND: return 200;
    case FEDROAM_UNKNOWN: return 404;
    case FEDROAM_REFUSED: return 403;
    case FEDROAM_OVER_BUDGET: return 429;
    case FEDROAM_NO_BROKER: return 503;
    case FEDROAM_BAD_ANSWER: return 502;
    case FEDROAM_FAILED: break;
    }
    return 500;
}

static void put_id(struct fr_json *j, const struct fedroam_answer *a)
{
    char text[FR_EUI_TEXT];
    bool is_network = fedroam_answer_kind(a) == FEDROAM_NETWORK;

    fr_hex_print_u64(fedroam_answer_id(a), is_network ? 6 : 16, text);
    fr_json_put_str(j, "id", text);
}

/* One text of each endpoint. */
static void put_each(struct fr_json *j, const char *key, const struct fedroam_answer *a,
                     const char *(*text)(const struct fedroam_answer *a, size_t i))
{
    fr_json_key(j, key);
    fr_json_array(j);
    for (size_t i = 0; i < fedroam_answer_endpoint_count(a); i++) fr_json_str(j, text(a, i));
    fr_json_end(j);
}

static void put_or_null(struct fr_json *j, const char *key, const char *text)
{
    fr_json_put_str(j, key, text[0] != 0 ? text : NULL);
}

static void put_pins(struct fr_json *j, const struct fedroam_answer *a)
{
    char hex[65];

    fr_json_key(j, "pins");
    fr_json_array(j);
    for (size_t i = 0; i < fedroam_answer_pin_count(a); i++) {
        fr_hex_print(fedroam_answer_pin(a, i), 32, hex);
        fr_json_str(j, hex);
    }
    fr_json_end(j);
}

/* Of Join Servers, and of what public trees have. */
static bool has_services(const struct fedroam_answer *a)
{
    return fedroam_answer_kind(a) == FEDROAM_JOIN_SERVER || fedroam_answer_tree(a)[0] != 0;
}

static void put_services(struct fr_json *j, const struct fedroam_answer *a)
{
    put_each(j, "urls", a, fedroam_answer_endpoint_url);
    put_each(j, "tls_names", a, fedroam_answer_endpoint_tls_name);
    put_or_null(j, "tree", fedroam_answer_tree(a));
    put_or_null(j, "detail", fedroam_answer_reason(a)); /* why there is no endpoint */
}

static void put_found(struct fr_json *j, const struct fedroam_answer *a)
{
    static const char *const FRESHNESS[] = {
        [FEDROAM_FRESH] = "fresh", [FEDROAM_CACHED] = "cached", [FEDROAM_STALE] = "stale"};
    uint32_t netid = fedroam_answer_netid(a);
    char text[FR_NETID_TEXT];

    if (netid != FEDROAM_NO_NETID) fr_netid_print(netid, text);
    fr_json_put_str(j, "result", fedroam_result_text(FEDROAM_FOUND));
    put_id(j, a);
    put_or_null(j, "federation", fedroam_answer_federation(a));
    fr_json_put_str(j, "netid", netid != FEDROAM_NO_NETID ? text : NULL);
    put_each(j, "endpoints", a, fedroam_answer_endpoint_text);
    put_each(j, "hosts", a, fedroam_answer_endpoint_host);
    if (has_services(a)) put_services(j, a);
    put_or_null(j, "tls_name", fedroam_answer_tls_name(a));
    put_pins(j, a);
    put_or_null(j, "ca", fedroam_answer_ca_path(a));
    put_or_null(j, "certificate", fedroam_answer_chain_path(a));
    put_or_null(j, "key", fedroam_answer_key_path(a));
    fr_json_put_uint(j, "ttl", fedroam_answer_ttl(a));
    fr_json_put_str(j, "freshness", FRESHNESS[fedroam_answer_freshness(a)]);
}

static void begin_problem(struct fr_json *j, unsigned status, const char *detail)
{
    fr_json_object(j);
    fr_json_put_str(j, "title", fr_http_reason(status));
    fr_json_put_uint(j, "status", status);
    fr_json_put_str(j, "detail", detail);
}

static void put_problem(struct fr_json *j, const struct fedroam_answer *a)
{
    const char *reason = fedroam_answer_reason(a);
    const char *federation = fedroam_answer_federation(a);

    begin_problem(j, fr_answer_status(a), reason[0] != 0 ? reason : "no federation knows it");
    fr_json_put_str(j, "result", fedroam_result_text(fedroam_answer_result(a)));
    put_id(j, a);
    put_or_null(j, "federation", federation);
}

void fr_answer_json(const struct fedroam_answer *a, struct fr_buf *out)
{
    struct fr_json j = fr_json(out);

    if (fedroam_answer_result(a) == FEDROAM_FOUND) {
        fr_json_object(&j);
        put_found(&j, a);
    } else {
        put_problem(&j, a);
    }
    fr_json_end(&j);
    fr_buf_add_char(out, '\n');
}

void fr_problem_json(unsigned status, const char *detail, struct fr_buf *out)
{
    struct fr_json j = fr_json(out);

    begin_problem(&j, status, detail);
    fr_json_end(&j);
    fr_buf_add_char(out, '\n');
}
