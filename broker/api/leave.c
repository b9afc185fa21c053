/* The machine that asks leaves the federation: POST /leave. */
#include "api/call.h"
#include "api/rows.h"

void fr_api_leave(struct fr_api_call *call)
{
    struct fr_diag diag = {0};
    const struct fr_api_change change = {.op = "member.leave", .args = json_object()};

    if (change.args)
        fr_api_change(call, &change);
    else
        fr_api_refuse(call, FR_E_BUSY, &diag);
}
