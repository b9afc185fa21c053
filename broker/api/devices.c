/* One device: /devices/{eui}, and what its member decides about it. */
#include "api/call.h"
#include "api/rows.h"
#include "base/json_out.h"
#include "names/eui.h"
#include "names/netid.h"
#include "store/device.h"

#define DEVICE_TEXT 256

void fr_api_write_device(struct fr_json *j, const struct fr_device_row *row)
{
    char eui[FR_EUI_TEXT], netid[FR_NETID_TEXT];
    fr_eui_print(row->deveui, eui);
    fr_netid_print(row->netid, netid);
    fr_json_object(j);
    fr_json_put_str(j, "deveui", eui);
    fr_json_put_str(j, "netid", netid);
    fr_json_put_bool(j, "hidden", (row->flags & FR_DEVICE_HIDDEN) != 0);
    fr_json_end(j);
}

void fr_api_device_get(struct fr_api_call *call)
{
    struct fr_device_row row;
    struct fr_diag diag = {0};
    uint64_t eui;
    struct fr_buf text = FR_BUF_INIT(DEVICE_TEXT);
    struct fr_query_value none = {0};
    if (!fr_api_read_eui(call, 0, &eui) || !fr_api_read_query(call, &none)) return;
    enum fr_err err = fr_device_get(call->pass->snap, eui, &row);
    if (err && err != FR_E_NOT_FOUND) {
        fr_api_refuse_as(call, 503, FR_E_UNAVAILABLE, FR_API_UNREADABLE);
    } else if (err || !fr_api_is_own(call, row.netid)) {
        fr_api_refuse_miss(call, eui);
    } else {
        struct fr_json j = fr_json(&text);
        fr_api_write_device(&j, &row);
        if (fr_buf_err(&text))
            fr_api_refuse(call, FR_E_BUSY, &diag);
        else
            fr_api_answer(call, 200, fr_buf_span(&text));
    }
    fr_buf_deinit(&text);
}

static unsigned status_put(const struct fr_admin_reply *reply)
{
    return fr_admin_reply_uint(reply, "added", 0) ? 201 : 200;
}

static unsigned status_deleted(const struct fr_admin_reply *reply)
{
    (void)reply;
    return 204;
}

/* {"netid": …} and the device of the path, as the operation wants them. NULL: no memory. */
static json_t *device_args(uint64_t eui, json_t *body)
{
    char text[FR_EUI_TEXT];
    fr_eui_print(eui, text);
    json_t *args = body ? body : json_object();
    if (json_object_set_new(args, "devices", json_pack("[s]", text)) == 0) return args;
    json_decref(args);
    return NULL;
}

static void change_device(struct fr_api_call *call, const char *op, uint64_t eui, json_t *body,
                          unsigned (*status)(const struct fr_admin_reply *reply))
{
    struct fr_diag diag = {0};
    const struct fr_api_change change = {
        .op = op,
        .args = device_args(eui, body),
        .status = status,
    };
    if (change.args)
        fr_api_change(call, &change);
    else
        fr_api_refuse(call, FR_E_BUSY, &diag);
}

/* A change of one device, whose other arguments are the body. */
static void change_by_body(struct fr_api_call *call, const char *op,
                           unsigned (*status)(const struct fr_admin_reply *reply))
{
    uint64_t eui;
    json_t *body;
    if (!fr_api_read_eui(call, 0, &eui) || !fr_api_read_object(call, &body)) return;
    if (json_object_get(body, "devices")) {
        json_decref(body);
        fr_api_refuse_as(call, 400, FR_E_INVALID, "the device is the one of the path");
        return;
    }
    change_device(call, op, eui, body, status);
}

void fr_api_device_put(struct fr_api_call *call)
{
    change_by_body(call, "device.add", status_put);
}

void fr_api_device_delete(struct fr_api_call *call)
{
    uint64_t eui;
    if (fr_api_read_eui(call, 0, &eui))
        change_device(call, "device.remove", eui, NULL, status_deleted);
}

/* --- hidden, released, claimed --- */

void fr_api_device_hide(struct fr_api_call *call)
{
    change_by_body(call, "device.set", NULL);
}

void fr_api_device_claim(struct fr_api_call *call)
{
    change_by_body(call, "device.claim", NULL);
}

void fr_api_device_release(struct fr_api_call *call)
{
    change_by_body(call, "device.release", NULL);
}

void fr_api_device_withdraw(struct fr_api_call *call)
{
    uint64_t eui;
    json_t *args = json_pack("{s:b}", "withdraw", 1);
    if (!args)
        fr_api_refuse_as(call, 503, FR_E_NOMEM, "out of memory");
    else if (fr_api_read_eui(call, 0, &eui))
        change_device(call, "device.release", eui, args, status_deleted);
    else
        json_decref(args);
}
