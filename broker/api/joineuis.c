/* JoinEUIs, and blocks of them: /joineuis/{joineui} and /joineuis/{joineui}/{bits}. The caller's own. */
#include "api/call.h"
#include "api/rows.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "store/joineui.h"

#include <stdio.h>
#include <string.h>

#define PAGE_MAX 500
#define ROW_MAX (FR_JOIN_SERVERS_MAX * FR_JOIN_SERVER_TEXT + 256)

/* --- reading --- */

/* The path's one or two segments, as one text. */
static bool read_joineui(struct fr_api_call *call, struct fr_joineui_row *out)
{
    struct fr_diag diag = {0};
    char text[FR_JOINEUI_TEXT];
    const struct fr_span eui = call->params[0], bits = call->params[1];
    const int n = snprintf(text, sizeof text, "%.*s%s%.*s", (int)eui.n, (const char *)eui.p,
                           bits.n ? "/" : "", (int)bits.n, (const char *)bits.p);
    enum fr_err err = n < 0 || (size_t)n >= sizeof text ? FR_E_MALFORMED : FR_OK;
    if (!err) err = fr_joineui_parse(fr_span_str(text), &diag, &out->base, &out->nibbles);
    if (err) fr_api_refuse(call, FR_E_MALFORMED, &diag);
    return !err;
}

/* --- GET --- */

static void write_row(struct fr_json *j, const struct fr_joineui_row *row)
{
    char joineui[FR_JOINEUI_TEXT], server[FR_JOIN_SERVER_TEXT], since[FR_TIME_TEXT];
    fr_joineui_print(row->base, row->nibbles, joineui);
    fr_time_print(row->changed_s, since);
    fr_json_object(j);
    fr_json_put_str(j, "joineui", joineui);
    fr_json_put_str(j, "member", row->member);
    fr_json_key(j, "servers");
    fr_json_array(j);
    for (uint16_t i = 0; i < row->n_servers; i++) {
        fr_join_server_print(&row->servers[i], (uint16_t)(i + 1), server);
        fr_json_str(j, server);
    }
    fr_json_end(j);
    fr_json_put_str(j, "since", since);
    fr_json_end(j);
}

static void refuse_miss(struct fr_api_call *call, const struct fr_joineui_row *row)
{
    struct fr_diag diag = {0};
    char text[FR_JOINEUI_TEXT];
    if (!fr_gate_charge_miss(call->pass->till, call->x, row->base, call->pass->refuse)) return;
    fr_joineui_print(row->base, row->nibbles, text);
    (void)fr_diag_fail(&diag, FR_E_NOT_FOUND, "%s has no JoinEUI %s", call->pass->who->member,
                       text);
    fr_api_refuse(call, FR_E_NOT_FOUND, &diag);
}

void fr_api_joineui_get(struct fr_api_call *call)
{
    struct fr_joineui_row row;
    struct fr_diag diag = {0};
    struct fr_query_value none = {0};
    struct fr_buf text = FR_BUF_INIT(ROW_MAX);
    if (!read_joineui(call, &row) || !fr_api_read_query(call, &none)) return;
    enum fr_err err = fr_joineui_get(call->pass->snap, row.base, row.nibbles, &row);
    if (err == FR_E_NOT_FOUND || (!err && strcmp(row.member, call->pass->who->member) != 0)) {
        refuse_miss(call, &row);
        return;
    }
    struct fr_json j = fr_json(&text);
    if (!err) write_row(&j, &row);
    if (!err) err = fr_buf_err(&text);
    if (err)
        fr_api_refuse(call, FR_E_UNAVAILABLE, &diag);
    else
        fr_api_answer(call, 200, fr_buf_span(&text));
    fr_buf_deinit(&text);
}

struct page {
    struct fr_json json;
    struct fr_joineui_row after, last;
    uint64_t n, limit;
    bool is_after;
};

/* As the table is sorted: a JoinEUI before the blocks that begin with it. */
static bool is_behind(const struct fr_joineui_row *row, const struct fr_joineui_row *after)
{
    if (row->base != after->base) return row->base > after->base;
    return row->nibbles % FR_JOINEUI_NIBBLES > after->nibbles % FR_JOINEUI_NIBBLES;
}

static enum fr_err add_row(void *data, const struct fr_joineui_row *row)
{
    struct page *page = data;
    if (page->is_after && !is_behind(row, &page->after)) return FR_OK;
    if (page->n == page->limit) return FR_E_CLOSED;
    write_row(&page->json, row);
    page->last = *row;
    page->n++;
    return FR_OK;
}

static void write_page(struct fr_api_call *call, struct page *page)
{
    char text[FR_JOINEUI_TEXT];
    struct fr_diag diag = {0};
    struct fr_buf out = FR_BUF_INIT(PAGE_MAX * ROW_MAX);
    page->json = fr_json(&out);
    fr_json_object(&page->json);
    fr_json_key(&page->json, "joineuis");
    fr_json_array(&page->json);
    enum fr_err err = fr_joineui_each(call->pass->snap, call->pass->who->member, add_row, page);
    fr_json_end(&page->json);
    if (err == FR_E_CLOSED) {
        fr_joineui_print(page->last.base, page->last.nibbles, text);
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

void fr_api_joineuis_get(struct fr_api_call *call)
{
    struct fr_query_value known[] = {{.name = "after"}, {.name = "limit"}, {0}};
    struct page page = {0};
    struct fr_diag diag = {0};
    if (!fr_api_read_query(call, known)) return;
    enum fr_err err = fr_query_uint(&known[1], 1, PAGE_MAX, PAGE_MAX, &diag, &page.limit);
    page.is_after = known[0].is_set;
    if (!err && page.is_after)
        err = fr_joineui_parse(fr_span_str(known[0].text), &diag, &page.after.base,
                               &page.after.nibbles);
    if (err)
        fr_api_refuse(call, FR_E_INVALID, &diag);
    else
        write_page(call, &page);
}

/* --- PUT, DELETE --- */

static unsigned status_put(const struct fr_admin_reply *reply)
{
    return fr_admin_reply_bool(reply, "added") ? 201 : 200;
}

static unsigned status_deleted(const struct fr_admin_reply *reply)
{
    (void)reply;
    return 204;
}

static bool set_text(json_t *object, const char *key, const char *text)
{
    return json_object_set_new(object, key, json_string(text)) == 0;
}

void fr_api_joineui_put(struct fr_api_call *call)
{
    struct fr_joineui_row row;
    char text[FR_JOINEUI_TEXT];
    json_t *body;
    if (!read_joineui(call, &row) || !fr_api_read_object(call, &body)) return;
    fr_joineui_print(row.base, row.nibbles, text);
    if (json_object_get(body, "joineui") || json_object_get(body, "member")) {
        json_decref(body);
        fr_api_refuse_as(call, 400, FR_E_INVALID,
                         "the JoinEUI is the one of the path, the member the one who asks");
        return;
    }
    if (!set_text(body, "joineui", text) || !set_text(body, "member", call->pass->who->member)) {
        json_decref(body);
        fr_api_refuse_as(call, 503, FR_E_NOMEM, "out of memory");
        return;
    }
    const struct fr_api_change change = {.op = "joineui.add", .args = body, .status = status_put};
    fr_api_change(call, &change);
}

void fr_api_joineui_delete(struct fr_api_call *call)
{
    struct fr_joineui_row row;
    char text[FR_JOINEUI_TEXT];
    if (!read_joineui(call, &row)) return;
    fr_joineui_print(row.base, row.nibbles, text);
    const struct fr_api_change change = {
        .op = "joineui.remove",
        .args = json_pack("{s:s}", "joineui", text),
        .status = status_deleted,
    };
    if (change.args)
        fr_api_change(call, &change);
    else
        fr_api_refuse_as(call, 503, FR_E_NOMEM, "out of memory");
}
