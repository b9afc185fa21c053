#include "resolver_cli/report.h"

#include "base/hex.h"
#include "base/table.h"
#include "names/eui.h"
#include "names/netid.h"

static void put_text(struct fr_table *t, const char *text)
{
    fr_table_text(t, text[0] ? text : NULL);
}

static void put_uint(struct fr_table *t, uint64_t v, bool is_there)
{
    if (is_there)
        fr_table_uint(t, v);
    else
        fr_table_none(t);
}

static void put_result(struct fr_table *t, const struct fr_lookup_report *r)
{
    fr_table_text(t, fedroam_result_text(fedroam_answer_result(r->answer)));
}

static void put_id(struct fr_table *t, const struct fr_lookup_report *r)
{
    char text[FR_EUI_TEXT];
    bool is_network = fedroam_answer_kind(r->answer) == FEDROAM_NETWORK;
    fr_hex_print_u64(fedroam_answer_id(r->answer), is_network ? 6 : 16, text);
    fr_table_text(t, text);
}

static void put_federation(struct fr_table *t, const struct fr_lookup_report *r)
{
    put_text(t, fedroam_answer_federation(r->answer));
}

static void put_netid(struct fr_table *t, const struct fr_lookup_report *r)
{
    char text[FR_NETID_TEXT];
    uint32_t netid = fedroam_answer_netid(r->answer);
    if (netid == FEDROAM_NO_NETID) {
        fr_table_none(t);
        return;
    }
    fr_netid_print(netid, text);
    fr_table_text(t, text);
}

enum { LISTED_MAX = 64 };

/* One text of each endpoint. */
static void put_each(struct fr_table *t, const struct fedroam_answer *a,
                     const char *(*text)(const struct fedroam_answer *a, size_t i))
{
    const char *texts[LISTED_MAX];
    size_t n = fedroam_answer_endpoint_count(a);
    if (n > LISTED_MAX) n = LISTED_MAX;
    for (size_t i = 0; i < n; i++) texts[i] = text(a, i);
    fr_table_texts(t, texts, n);
}

static void put_endpoints(struct fr_table *t, const struct fr_lookup_report *r)
{
    put_each(t, r->answer, fedroam_answer_endpoint_text);
}

static void put_hosts(struct fr_table *t, const struct fr_lookup_report *r)
{
    put_each(t, r->answer, fedroam_answer_endpoint_host);
}

static void put_urls(struct fr_table *t, const struct fr_lookup_report *r)
{
    put_each(t, r->answer, fedroam_answer_endpoint_url);
}

static void put_tls_names(struct fr_table *t, const struct fr_lookup_report *r)
{
    put_each(t, r->answer, fedroam_answer_endpoint_tls_name);
}

static void put_tree(struct fr_table *t, const struct fr_lookup_report *r)
{
    put_text(t, fedroam_answer_tree(r->answer));
}

static void put_tls_name(struct fr_table *t, const struct fr_lookup_report *r)
{
    put_text(t, fedroam_answer_tls_name(r->answer));
}

static void put_pins(struct fr_table *t, const struct fr_lookup_report *r)
{
    char hex[LISTED_MAX][65];
    const char *texts[LISTED_MAX];
    size_t n = fedroam_answer_pin_count(r->answer);
    if (n > LISTED_MAX) n = LISTED_MAX;
    for (size_t i = 0; i < n; i++) {
        fr_hex_print(fedroam_answer_pin(r->answer, i), 32, hex[i]);
        texts[i] = hex[i];
    }
    fr_table_texts(t, texts, n);
}

static void put_ca(struct fr_table *t, const struct fr_lookup_report *r)
{
    put_text(t, fedroam_answer_ca_path(r->answer));
}

static void put_chain(struct fr_table *t, const struct fr_lookup_report *r)
{
    put_text(t, fedroam_answer_chain_path(r->answer));
}

static void put_key(struct fr_table *t, const struct fr_lookup_report *r)
{
    put_text(t, fedroam_answer_key_path(r->answer));
}

/* Found and unknown stand for a while; everything else is of the moment. */
static bool is_settled(const struct fedroam_answer *a)
{
    enum fedroam_result result = fedroam_answer_result(a);
    return result == FEDROAM_FOUND || result == FEDROAM_UNKNOWN;
}

static void put_ttl(struct fr_table *t, const struct fr_lookup_report *r)
{
    put_uint(t, fedroam_answer_ttl(r->answer), is_settled(r->answer));
}

static void put_freshness(struct fr_table *t, const struct fr_lookup_report *r)
{
    static const char *const words[] = {
        [FEDROAM_FRESH] = "fresh", [FEDROAM_CACHED] = "cached", [FEDROAM_STALE] = "stale"};
    fr_table_text(t, is_settled(r->answer) ? words[fedroam_answer_freshness(r->answer)] : NULL);
}

static void put_reason(struct fr_table *t, const struct fr_lookup_report *r)
{
    put_text(t, fedroam_answer_reason(r->answer));
}

static void put_status(struct fr_table *t, const struct fr_lookup_report *r)
{
    unsigned status = fedroam_answer_http_status(r->answer);
    put_uint(t, status, status != 0);
}

static void put_ede(struct fr_table *t, const struct fr_lookup_report *r)
{
    int ede = fedroam_answer_ede(r->answer);
    put_uint(t, (uint64_t)ede, ede >= 0);
}

static void put_alert(struct fr_table *t, const struct fr_lookup_report *r)
{
    put_text(t, fedroam_answer_tls_alert(r->answer));
}

static void put_retry(struct fr_table *t, const struct fr_lookup_report *r)
{
    uint32_t s = fedroam_answer_retry_after(r->answer);
    put_uint(t, s, s != 0);
}

static void put_exchanges(struct fr_table *t, const struct fr_lookup_report *r)
{
    fr_table_uint(t, r->exchanges);
}

static void put_ms(struct fr_table *t, const struct fr_lookup_report *r)
{
    fr_table_uint(t, (uint64_t)r->ms);
}

/* JSON has every field; text leaves out what such a result never has. */
enum { FOUND = 1, NOT_FOUND = 2, SERVES = 4, ALWAYS = 7 };

static const struct field {
    const char *key;
    void (*put)(struct fr_table *t, const struct fr_lookup_report *r);
    unsigned when;
} fields[] = {
    {"result", put_result, ALWAYS},
    {"id", put_id, ALWAYS},
    {"federation", put_federation, ALWAYS},
    {"tree", put_tree, SERVES},
    {"netid", put_netid, FOUND},
    {"endpoints", put_endpoints, FOUND},
    {"hosts", put_hosts, FOUND},
    {"urls", put_urls, SERVES},
    {"tls_names", put_tls_names, SERVES},
    {"tls_name", put_tls_name, FOUND},
    {"pins", put_pins, FOUND},
    {"ca", put_ca, FOUND},
    {"certificate", put_chain, FOUND},
    {"key", put_key, FOUND},
    {"ttl", put_ttl, ALWAYS},
    {"freshness", put_freshness, ALWAYS},
    {"reason", put_reason, NOT_FOUND},
    {"http_status", put_status, NOT_FOUND},
    {"ede", put_ede, NOT_FOUND},
    {"tls_alert", put_alert, NOT_FOUND},
    {"retry_after", put_retry, NOT_FOUND},
    {"exchanges", put_exchanges, ALWAYS},
    {"ms", put_ms, ALWAYS},
};

enum { FIELDS = sizeof fields / sizeof *fields };

enum fr_err fr_lookup_report_print(const struct fr_lookup_report *r, enum fr_output output,
                                   FILE *out)
{
    struct fr_column columns[FIELDS + 1] = {0};
    struct fr_table *t = NULL;
    size_t n = 0;
    unsigned now = fedroam_answer_result(r->answer) == FEDROAM_FOUND ? FOUND : NOT_FOUND;
    bool is_elsewhere = fedroam_answer_tree(r->answer)[0] != 0;
    if (now == FOUND && (is_elsewhere || fedroam_answer_kind(r->answer) == FEDROAM_JOIN_SERVER))
        now |= SERVES;
    if (output == FR_OUTPUT_JSON) now = ALWAYS;
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].when & now) columns[n++].key = fields[i].key;
    enum fr_err err = fr_table_new(columns, &t);
    if (err) return err;
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].when & now) fields[i].put(t, r);
    err = fr_table_print_record(t, output, out);
    fr_table_free(t);
    return err;
}
