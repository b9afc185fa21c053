/* Networks: the peers of a federation, and where the caller's own are reached. */
#include "api/call.h"
#include "api/rows.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "names/netid.h"
#include "store/member.h"
#include "store/network.h"

#include <string.h>

#define PAGE_MAX 1000
#define TEXT_MAX (PAGE_MAX * 2048)

struct page {
    struct fr_api_call *call;
    struct fr_json json;
    uint64_t after, n, limit;
    uint32_t last;
};

/* Who it is, and whom to call at night. */
static enum fr_err write_member(const struct page *page, struct fr_json *j,
                                const struct fr_network_row *row)
{
    struct fr_member_row member;
    char since[FR_TIME_TEXT];
    enum fr_err err = fr_member_get(page->call->pass->snap, row->member, &member);
    if (err) return err;
    fr_time_print(row->created_s, since);
    if (member.org[0]) fr_json_put_str(j, "org", member.org);
    if (member.noc[0]) fr_json_put_str(j, "noc", member.noc);
    fr_json_put_str(j, "since", since);
    return FR_OK;
}

static enum fr_err write_network(const struct page *page, struct fr_json *j,
                                 const struct fr_network_row *row)
{
    char text[FR_ADDR_TEXT], netid[FR_NETID_TEXT];
    const bool is_own = strcmp(row->member, page->call->pass->who->member) == 0;
    fr_netid_print(row->netid, netid);
    fr_json_object(j);
    fr_json_put_str(j, "netid", netid);
    fr_json_put_str(j, "member", row->member);
    enum fr_err err = write_member(page, j, row);
    if (err) return err;
    fr_json_key(j, "endpoints");
    fr_json_array(j);
    for (size_t i = 0; i < row->n_endpoints; i++) {
        fr_addr_print(&row->endpoints[i], text);
        fr_json_str(j, text);
    }
    fr_json_end(j);
    if (is_own) fr_json_put_str(j, "state", fr_network_state_text(row->state));
    if (is_own) fr_json_put_uint(j, "devices", row->devices);
    fr_json_end(j);
    return FR_OK;
}

/* As look-ups have it: a network that is suspended, or whose member is, is told to nobody else. */
static enum fr_err add_network(void *data, const struct fr_network_row *row)
{
    struct page *page = data;
    struct fr_network_row live;
    if (row->netid <= page->after) return FR_OK;
    if (strcmp(row->member, page->call->pass->who->member) != 0) {
        enum fr_err err = fr_network_get_live(page->call->pass->snap, row->netid, &live);
        if (err) return err == FR_E_NOT_FOUND ? FR_OK : err;
    }
    if (page->n == page->limit) return FR_E_CLOSED;
    enum fr_err err = write_network(page, &page->json, row);
    if (err) return err;
    page->last = row->netid;
    page->n++;
    return FR_OK;
}

static void write_page(struct fr_api_call *call, struct page *page)
{
    char text[FR_NETID_TEXT];
    struct fr_buf out = FR_BUF_INIT(TEXT_MAX);
    page->json = fr_json(&out);
    fr_json_object(&page->json);
    fr_json_key(&page->json, "networks");
    fr_json_array(&page->json);
    enum fr_err err = fr_network_each(call->pass->snap, add_network, page);
    fr_json_end(&page->json);
    if (err == FR_E_CLOSED) {
        fr_netid_print(page->last, text);
        fr_json_put_str(&page->json, "next", text);
        err = FR_OK;
    }
    fr_json_end(&page->json);
    if (!err) err = fr_buf_err(&out);
    if (err)
        fr_api_refuse_as(call, 503, FR_E_UNAVAILABLE, FR_API_UNREADABLE);
    else
        fr_api_answer_tagged(call, fr_buf_span(&out));
    fr_buf_deinit(&out);
}

void fr_api_networks_get(struct fr_api_call *call)
{
    struct fr_query_value known[] = {{.name = "after"}, {.name = "limit"}, {0}};
    struct page page = {.call = call};
    struct fr_diag diag = {0};
    uint32_t after = 0;
    if (!fr_api_read_query(call, known)) return;
    enum fr_err err = fr_query_uint(&known[1], 1, PAGE_MAX, PAGE_MAX, &diag, &page.limit);
    if (!err && known[0].is_set && fr_netid_parse(fr_span_str(known[0].text), &after))
        err = fr_diag_fail(&diag, FR_E_INVALID, "after must be a NetID");
    page.after = after;
    if (err)
        fr_api_refuse(call, err, &diag);
    else
        write_page(call, &page);
}

void fr_api_network_put(struct fr_api_call *call)
{
    uint32_t netid;
    json_t *body;
    char text[FR_NETID_TEXT];
    if (!fr_api_read_netid(call, 0, &netid) || !fr_api_read_object(call, &body)) return;
    fr_netid_print(netid, text);
    if (json_object_get(body, "netid") || json_object_set_new(body, "netid", json_string(text))) {
        json_decref(body);
        fr_api_refuse_as(call, 400, FR_E_INVALID, "the network is the one of the path");
        return;
    }
    const struct fr_api_change change = {.op = "network.set", .args = body};
    fr_api_change(call, &change);
}
