/* Every certificate that was ever issued to a member or for one of its NetIDs: /certificates. */
#include "api/call.h"
#include "api/rows.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "ca/revoke.h"
#include "names/eui.h"
#include "names/netid.h"
#include "store/network.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT_MAX 1000
#define LIMIT_DEFAULT 100
#define TEXT_MAX (4 * 1024 * 1024)

/* The first serials above `after` of several scopes; more than one page of them, so that it is known
 * whether there is another. */
struct page {
    struct fr_snap *snap;
    const uint8_t *after; /* or NULL */
    size_t limit;
    size_t in_scope;
    struct fr_buf serials;
};

static enum fr_err add_serial(void *data, const struct fr_cert_row *row)
{
    struct page *page = data;
    if (page->in_scope > page->limit) return FR_E_CANCELLED;
    page->in_scope++;
    fr_buf_add(&page->serials, row->serial, FR_SERIAL_SIZE);
    return fr_buf_err(&page->serials);
}

static enum fr_err add_scope(struct page *page, const struct fr_cert_scope *scope)
{
    page->in_scope = 0;
    enum fr_err err = fr_cert_row_each_after(page->snap, scope, page->after, add_serial, page);
    return err == FR_E_CANCELLED ? FR_OK : err;
}

static enum fr_err add_network(void *data, const struct fr_network_row *row)
{
    const struct fr_cert_scope scope = {.has_netid = true, .netid = row->netid};
    return add_scope(data, &scope);
}

static int by_serial(const void *a, const void *b)
{
    return memcmp(a, b, FR_SERIAL_SIZE);
}

/* Sorts them, each once; how many there are. */
static size_t settle(struct page *page)
{
    uint8_t *p = page->serials.p;
    const size_t all = page->serials.n / FR_SERIAL_SIZE;
    size_t n = 0;
    if (all) qsort(p, all, FR_SERIAL_SIZE, by_serial);
    for (size_t i = 0; i < all; i++) {
        const uint8_t *one = p + i * FR_SERIAL_SIZE;
        if (n && memcmp(p + (n - 1) * FR_SERIAL_SIZE, one, FR_SERIAL_SIZE) == 0) continue;
        memmove(p + n * FR_SERIAL_SIZE, one, FR_SERIAL_SIZE);
        n++;
    }
    return n;
}

/* --- one certificate --- */

static void put_hex(struct fr_json *j, const char *key, const uint8_t *p, size_t n)
{
    char text[2 * FR_DIGEST_SIZE + 1];
    fr_hex_print(p, n, text);
    fr_json_put_str(j, key, text);
}

static void put_time(struct fr_json *j, const char *key, int64_t when_s)
{
    char text[FR_TIME_TEXT];
    fr_time_print(when_s, text);
    fr_json_put_str(j, key, text);
}

static void put_holder(struct fr_json *j, const struct fr_cert_row *row, bool is_own)
{
    char netid[FR_NETID_TEXT], joineui[FR_EUI_TEXT];
    fr_json_put_str(j, "member", row->member);
    if (row->profile == FR_PROFILE_NS) {
        fr_netid_print(row->netid, netid);
        fr_json_put_str(j, "netid", netid);
    }
    if (row->profile == FR_PROFILE_JS) {
        fr_eui_print(row->joineui, joineui);
        fr_json_put_str(j, "joineui", joineui);
    }
    /* Another member's machines are its own affair. */
    if (is_own && row->host[0]) fr_json_put_str(j, "host", row->host);
}

static void put_row(struct fr_json *j, const struct fr_cert_row *row, bool is_own)
{
    fr_json_object(j);
    put_hex(j, "serial", row->serial, sizeof row->serial);
    fr_json_put_str(j, "status", fr_cert_status_text(row->status));
    fr_json_put_str(j, "profile", fr_profile_text(row->profile));
    put_holder(j, row, is_own);
    fr_json_key(j, "names");
    fr_json_array(j);
    for (size_t i = 0; i < row->n_names; i++) fr_json_str(j, row->names[i]);
    fr_json_end(j);
    put_time(j, "not_before", row->not_before_s);
    put_time(j, "not_after", row->not_after_s);
    if (row->status != FR_CERT_INTENT) put_hex(j, "sha256", row->sha256, sizeof row->sha256);
    put_hex(j, "spki", row->spki, sizeof row->spki);
    fr_json_put_str(j, "issuer", row->authority);
    put_time(j, "created", row->created_s);
    if (row->status == FR_CERT_REVOKED) {
        put_time(j, "revoked", row->revoked_s);
        fr_json_put_str(j, "cause", fr_revoke_cause_text(row->revoked_cause));
    }
    fr_json_end(j);
}

static enum fr_err write_page(const struct fr_api_call *call, const struct page *page, size_t n,
                              struct fr_buf *text)
{
    struct fr_json j = fr_json(text);
    const size_t shown = n < page->limit ? n : page->limit;
    const uint8_t *p = page->serials.p;
    enum fr_err err = FR_OK;
    fr_json_object(&j);
    fr_json_key(&j, "certificates");
    fr_json_array(&j);
    for (size_t i = 0; !err && i < shown; i++) {
        struct fr_cert_row row;
        err = fr_cert_row_get(page->snap, p + i * FR_SERIAL_SIZE, &row);
        if (!err) put_row(&j, &row, strcmp(row.member, call->pass->who->member) == 0);
    }
    fr_json_end(&j);
    if (n > shown) put_hex(&j, "after", p + (shown - 1) * FR_SERIAL_SIZE, FR_SERIAL_SIZE);
    fr_json_end(&j);
    return err ? err : fr_buf_err(text);
}

/* --- the row --- */

static bool read_page(struct fr_api_call *call, uint8_t after[FR_SERIAL_SIZE], struct page *page)
{
    struct fr_query_value known[] = {{.name = "after"}, {.name = "limit"}, {0}};
    struct fr_diag diag = {0};
    uint64_t limit = 0;
    if (!fr_api_read_query(call, known)) return false;
    enum fr_err err = fr_query_uint(&known[1], 1, LIMIT_MAX, LIMIT_DEFAULT, &diag, &limit);
    if (!err && known[0].is_set) {
        err = fr_serial_parse(fr_span_str(known[0].text), &diag, after);
        if (err) err = FR_E_INVALID;
        page->after = after;
    }
    if (err) {
        fr_api_refuse(call, err, &diag);
        return false;
    }
    page->limit = (size_t)limit;
    return true;
}

static enum fr_err collect(const struct fr_api_call *call, struct page *page)
{
    const char *member = call->pass->who->member;
    const struct fr_cert_scope own = {.member = member};
    enum fr_err err = add_scope(page, &own);
    return err ? err : fr_network_each_of(page->snap, member, add_network, page);
}

void fr_api_certificates_get(struct fr_api_call *call)
{
    uint8_t after[FR_SERIAL_SIZE];
    struct page page = {.snap = call->pass->snap, .serials = FR_BUF_INIT(TEXT_MAX)};
    struct fr_buf text = FR_BUF_INIT(TEXT_MAX);
    if (!read_page(call, after, &page)) return;
    enum fr_err err = collect(call, &page);
    if (!err) err = write_page(call, &page, settle(&page), &text);
    fr_api_answer_text(call, err, &text);
    fr_buf_deinit(&text);
    fr_buf_deinit(&page.serials);
}
