/* A member's devices, page by page: GET /devices. */
#include "api/call.h"
#include "api/rows.h"
#include "base/json_out.h"
#include "names/eui.h"
#include "names/netid.h"
#include "store/device.h"
#include "store/network.h"

#include <string.h>

#define PAGE_MAX 10000
#define PAGE_DEFAULT 1000
#define TEXT_MAX (PAGE_MAX * 128 + 256)
#define SCANNED_MAX 200000 /* rows of the table that one request looks at: others wait for it */
#define NETIDS_MAX 256

struct page {
    uint32_t netids[NETIDS_MAX]; /* the caller's, ascending */
    size_t n_netids;
    struct fr_json json;
    uint64_t n, limit, scanned, last;
};

static enum fr_err add_netid(void *data, const struct fr_network_row *row)
{
    struct page *page = data;
    if (page->n_netids == NETIDS_MAX) return FR_E_LIMIT;
    page->netids[page->n_netids++] = row->netid;
    return FR_OK;
}

static bool is_own(const struct page *page, uint32_t netid)
{
    for (size_t i = 0; i < page->n_netids; i++)
        if (page->netids[i] == netid) return true;
    return false;
}

static enum fr_err add_device(void *data, const struct fr_device_row *row)
{
    struct page *page = data;
    page->last = row->deveui;
    page->scanned++;
    if (is_own(page, row->netid)) {
        fr_api_write_device(&page->json, row);
        page->n++;
    }
    return page->n == page->limit || page->scanned == SCANNED_MAX ? FR_E_CLOSED : FR_OK;
}

static enum fr_err read_page(struct fr_api_call *call, uint64_t from, struct page *page)
{
    enum fr_err err = FR_OK;
    if (!page->n_netids)
        err = fr_network_each_of(call->pass->snap, call->pass->who->member, add_netid, page);
    return err ? err : fr_device_each(call->pass->snap, from, 0, add_device, page);
}

static void write_page(struct fr_api_call *call, uint64_t from, struct page *page)
{
    char text[FR_EUI_TEXT];
    struct fr_diag diag = {0};
    struct fr_buf out = FR_BUF_INIT(TEXT_MAX);
    page->json = fr_json(&out);
    fr_json_object(&page->json);
    fr_json_key(&page->json, "devices");
    fr_json_array(&page->json);
    enum fr_err err = read_page(call, from, page);
    fr_json_end(&page->json);
    if (err == FR_E_CLOSED) { /* there may be more */
        fr_eui_print(page->last, text);
        fr_json_put_str(&page->json, "next", text);
        err = FR_OK;
    }
    fr_json_end(&page->json);
    if (!err) err = fr_buf_err(&out);
    if (err)
        fr_api_refuse(call, FR_E_UNAVAILABLE, &diag);
    else
        fr_api_answer(call, 200, fr_buf_span(&out));
    fr_buf_deinit(&out);
}

void fr_api_devices_get(struct fr_api_call *call)
{
    struct fr_query_value known[] = {{.name = "after"}, {.name = "limit"}, {.name = "netid"}, {0}};
    struct page page = {0};
    struct fr_diag diag = {0};
    uint64_t after = 0;
    if (!fr_api_read_query(call, known)) return;
    enum fr_err err = fr_query_uint(&known[1], 1, PAGE_MAX, PAGE_DEFAULT, &diag, &page.limit);
    if (!err && known[0].is_set && fr_eui_parse(fr_span_str(known[0].text), &after))
        err = fr_diag_fail(&diag, FR_E_INVALID, "after must be an EUI");
    if (!err && known[2].is_set) {
        page.n_netids = 1;
        if (fr_netid_parse(fr_span_str(known[2].text), &page.netids[0]))
            err = fr_diag_fail(&diag, FR_E_INVALID, "netid must be a NetID");
        else if (!fr_api_is_own(call, page.netids[0]))
            err = fr_diag_fail(&diag, FR_E_DENIED, "this NetID is not one of %s",
                               call->pass->who->member);
    }
    if (err)
        fr_api_refuse(call, err, &diag);
    else
        write_page(call, after + (known[0].is_set && after != UINT64_MAX), &page);
}
