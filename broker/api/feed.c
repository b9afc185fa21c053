/* What replicas follow: /feed. */
#include "api/api_priv.h"
#include "api/call.h"
#include "api/rows.h"

void fr_api_feed(struct fr_api_call *call)
{
    fr_feeder_request(call->api->options.feeder, call->x, call->pass->who);
}
