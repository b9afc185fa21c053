/* Any operation that members may ask for, as it is: POST /operations/{op}. What `fedroam --broker` sends. */
#include "admin/message.h"
#include "api/call.h"
#include "api/rows.h"

#define OP_MAX 64

void fr_api_operation_post(struct fr_api_call *call)
{
    struct fr_admin_message message = {0};
    struct fr_diag diag = {0};
    char op[OP_MAX];
    if (!fr_http_is_type(fr_http_exchange_field(call->x, "content-type"), "application/json")) {
        fr_api_refuse_as(call, 415, FR_E_UNSUPPORTED, "the body must be application/json");
        return;
    }
    if (!fr_span_copy(call->params[0], op, sizeof op)) {
        fr_api_refuse_as(call, 404, FR_E_NOT_FOUND, "there is no such operation");
        return;
    }
    enum fr_err err = fr_admin_message_read(false, call->x->body, &diag, &message);
    if (err) {
        fr_api_refuse(call, FR_E_INVALID, &diag);
        return;
    }
    message.request.op = op;
    fr_api_ask(call, &message.request);
    fr_admin_message_free(&message);
}
