/* A member's devices, page by page: GET /devices.
 *
 * The table is in order of DevEUI and has no index by network, so that a device costs nothing but its row. Who has few devices in a
 * large table is looked for slice by slice, the worker's other requests between them, until the page is full, all that the
 * networks' counts promise have been met (while nothing changes), or LOOK_MS is over: then the page says where to go on. */
#include "api/api_priv.h"
#include "api/call.h"
#include "api/rows.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "names/eui.h"
#include "names/netid.h"
#include "store/device.h"
#include "store/network.h"

#include <string.h>

#define PAGE_MAX 10000
#define PAGE_DEFAULT 1000
#define TEXT_MAX (PAGE_MAX * 128 + 256)
#define SLICE_MS 2      /* the worker's others wait for one slice */
#define SLICE_ROWS 8192 /* at least, and between two looks at the clock */
#define PAUSE_MS 1
#define LOOK_MS 10000
#define NETIDS_MAX 256
#define ALL UINT64_MAX

/* One request, until it is answered. */
struct fr_api_page {
    struct fr_api *api;
    struct fr_api_page *next;
    struct fr_http_exchange *x;
    char member[FR_MEMBER_ID_MAX + 1];
    uint32_t netid; /* 0: any of the member's */
    uint64_t from;  /* the next EUI to look at */
    uint64_t n, limit;
    uint64_t promised; /* devices that are still to come; ALL: not known */
    uint64_t txn;      /* of the store, when that was counted */
    bool is_over;      /* there are no more behind */
    int64_t until_ms;
    struct fr_buf text;
    struct fr_json json;
};

/* A slice. */
struct slice {
    struct fr_api_page *page;
    uint32_t netids[NETIDS_MAX]; /* the member's, as they are now */
    size_t n_netids;
    uint64_t devices; /* of theirs, as they are counted */
    uint64_t rows;
    int64_t until_ms;
};

static enum fr_err add_netid(void *data, const struct fr_network_row *row)
{
    struct slice *s = data;
    if (s->page->netid && row->netid != s->page->netid) return FR_OK;
    if (s->n_netids == NETIDS_MAX) return FR_E_LIMIT;
    s->netids[s->n_netids++] = row->netid;
    s->devices += row->devices;
    return FR_OK;
}

static bool is_own(const struct slice *s, uint32_t netid)
{
    for (size_t i = 0; i < s->n_netids; i++)
        if (s->netids[i] == netid) return true;
    return false;
}

static bool is_late(const struct slice *s)
{
    return s->rows % SLICE_ROWS == 0 && fr_clock_mono_ms(fr_clock_system()) >= s->until_ms;
}

static enum fr_err add_device(void *data, const struct fr_device_row *row)
{
    struct slice *s = data;
    struct fr_api_page *page = s->page;
    page->from = row->deveui + 1;
    s->rows++;
    if (is_own(s, row->netid)) {
        fr_api_write_device(&page->json, row);
        page->n++;
        if (page->promised != ALL) page->promised--;
    }
    page->is_over = page->promised == 0 || page->from == 0;
    return page->is_over || page->n == page->limit || is_late(s) ? FR_E_CLOSED : FR_OK;
}

/* zone check names it. */
static void pass_over(void *data, uint64_t deveui, enum fr_err err)
{
    (void)data;
    (void)deveui;
    (void)err;
}

static enum fr_err read_slice(struct fr_api_page *page, struct fr_snap *snap)
{
    struct slice s = {.page = page, .until_ms = fr_clock_mono_ms(fr_clock_system()) + SLICE_MS};
    enum fr_err err = fr_network_each_of(snap, page->member, add_netid, &s);
    if (err) return err;
    const uint64_t txn = fr_snap_txn(snap);
    if (page->from == 0) {
        page->promised = s.devices;
        page->txn = txn;
    } else if (page->txn != txn) {
        page->promised = ALL; /* some may have come behind those that were met, others gone */
    }
    page->is_over = s.devices == 0;
    if (page->is_over) return FR_OK;
    err = fr_device_each_sound(snap, page->from, add_device, pass_over, &s);
    if (!err) page->is_over = true;
    return err == FR_E_CLOSED ? FR_OK : err;
}

/* The page is whole, or as much as there was time for. */
static bool is_done(const struct fr_api_page *page)
{
    return page->is_over || page->n == page->limit ||
           fr_clock_mono_ms(fr_clock_system()) >= page->until_ms;
}

static void answer(struct fr_api_page *page, enum fr_err err)
{
    char text[FR_EUI_TEXT];
    struct fr_api_call call = {.api = page->api, .x = page->x};
    fr_json_end(&page->json);
    if (!page->is_over) { /* there may be more */
        fr_eui_print(page->from - 1, text);
        fr_json_put_str(&page->json, "next", text);
    }
    fr_json_end(&page->json);
    fr_api_answer_text(&call, err, &page->text);
}

static void page_free(struct fr_api_page *page)
{
    if (!page) return;
    fr_buf_deinit(&page->text);
    fr_free(page);
}

/* --- the slices behind the first --- */

static void end_page(struct fr_api_page *page, enum fr_err err)
{
    if (page->x->conn)
        answer(page, err);
    else
        fr_http_drop(page->x);
    fr_api_give_place(page->api, page->member);
    page_free(page);
}

static enum fr_err read_more(struct fr_api_page *page)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(page->api->options.store, &snap);
    if (!err) err = read_slice(page, snap);
    fr_snap_end(snap);
    return err;
}

/* Everybody's turn comes. */
static void move_to_end(struct fr_api *api)
{
    struct fr_api_page *page = api->pages, **end = &api->pages;
    api->pages = page->next;
    page->next = NULL;
    while (*end) end = &(*end)->next;
    *end = page;
}

static void on_slice(struct fr_timer *timer)
{
    struct fr_api *api = timer->data;
    struct fr_api_page *page = api->pages;
    enum fr_err err = page->x->conn ? read_more(page) : FR_OK;
    if (err || !page->x->conn || is_done(page)) {
        api->pages = page->next;
        end_page(page, err);
    } else {
        move_to_end(api);
    }
    if (api->pages) fr_timer_start(api->options.loop, &api->slice, PAUSE_MS);
}

void fr_api_pages_init(struct fr_api *api)
{
    fr_timer_init(&api->slice, on_slice, api);
}

void fr_api_pages_stop(struct fr_api *api)
{
    fr_timer_stop(&api->slice);
    while (api->pages) {
        struct fr_api_page *page = api->pages;
        api->pages = page->next;
        end_page(page, FR_OK);
    }
}

/* --- the request --- */

static struct fr_api_page *page_new(const struct fr_api_call *call)
{
    struct fr_api_page *page = fr_calloc(1, sizeof *page);
    if (!page) return NULL;
    page->api = call->api;
    page->x = call->x;
    memcpy(page->member, call->pass->who->member, sizeof page->member);
    page->promised = ALL;
    page->until_ms = fr_clock_mono_ms(fr_clock_system()) + LOOK_MS;
    page->text = FR_BUF_INIT(TEXT_MAX);
    page->json = fr_json(&page->text);
    fr_json_object(&page->json);
    fr_json_key(&page->json, "devices");
    fr_json_array(&page->json);
    return page;
}

static enum fr_err read_wishes(struct fr_api_call *call, const struct fr_query_value *known,
                               struct fr_api_page *page, struct fr_diag *diag)
{
    uint64_t after = 0;
    enum fr_err err = fr_query_uint(&known[1], 1, PAGE_MAX, PAGE_DEFAULT, diag, &page->limit);
    if (err) return err;
    if (known[0].is_set && fr_eui_parse(fr_span_str(known[0].text), &after))
        return fr_diag_fail(diag, FR_E_INVALID, "after must be an EUI");
    page->from = after + (known[0].is_set && after != UINT64_MAX);
    if (!known[2].is_set) return FR_OK;
    if (fr_netid_parse(fr_span_str(known[2].text), &page->netid))
        return fr_diag_fail(diag, FR_E_INVALID, "netid must be a NetID");
    if (!fr_api_is_own(call, page->netid))
        return fr_diag_fail(diag, FR_E_DENIED, "this NetID is not one of %s",
                            call->pass->who->member);
    return FR_OK;
}

/* Goes on when others have had their turn. Takes the page over, unless it fails. */
static enum fr_err go_on_later(struct fr_api_page *page, struct fr_diag *diag)
{
    struct fr_api *api = page->api;
    enum fr_err err = fr_api_take_place(api, page->member);
    if (err == FR_E_LIMIT)
        (void)fr_diag_fail(diag, err, "this member has too many requests under way");
    if (err) return err;
    if (!api->pages) fr_timer_start(api->options.loop, &api->slice, PAUSE_MS);
    page->next = api->pages;
    api->pages = page;
    return FR_OK;
}

static enum fr_err read_page(struct fr_api_call *call, const struct fr_query_value *known,
                             struct fr_api_page **page, struct fr_diag *diag)
{
    enum fr_err err = read_wishes(call, known, *page, diag);
    if (err) return err;
    err = read_slice(*page, call->pass->snap);
    if (err) return fr_diag_fail(diag, FR_E_UNAVAILABLE, FR_API_UNREADABLE);
    if (is_done(*page) || call->api->is_stopping) {
        answer(*page, FR_OK);
        return FR_OK;
    }
    err = go_on_later(*page, diag);
    if (!err) *page = NULL;
    return err;
}

void fr_api_devices_get(struct fr_api_call *call)
{
    struct fr_query_value known[] = {{.name = "after"}, {.name = "limit"}, {.name = "netid"}, {0}};
    struct fr_diag diag = {0};
    if (!fr_api_read_query(call, known)) return;
    struct fr_api_page *page = page_new(call);
    enum fr_err err = page ? read_page(call, known, &page, &diag) : FR_E_NOMEM;
    if (err == FR_E_LIMIT)
        fr_api_refuse_busy(call, &diag);
    else if (err)
        fr_api_refuse(call, err, &diag);
    page_free(page);
}
