#pragma once
/*
 * One request of the API as its handler sees it, and the ways to answer it. Inside of broker/api.
 *
 * Model: the dispatcher has matched the path and asked the gate. The handler reads parameters and
 *   body, and ends with exactly one of fr_api_answer, fr_api_refuse and fr_api_change. A body is one
 *   JSON object, decoded strictly by rows (admin/args.h).
 * Owns: a call lives as long as the handler runs; x lives until it is answered.
 * Threads: the worker's. Errors: what is wrong becomes the answer: the functions that read return
 *   false when they have answered already.
 * Trust: parameters, query and body are a peer's.
 */

#include "admin/admin.h"
#include "api/api.h"
#include "api/query.h"
#include "api/route.h"

#include <jansson.h>

struct fr_api_call {
    struct fr_api *api;
    struct fr_http_exchange *x;
    const struct fr_gate_pass *pass; /* who asks, and the snapshot to read from */
    const struct fr_api_route *route;
    struct fr_span params[FR_API_PARAMS];
};

/* Reading. False: answered (400, 413, 415). */
bool fr_api_read_eui(struct fr_api_call *call, size_t param, uint64_t *out);
bool fr_api_read_netid(struct fr_api_call *call, size_t param, uint32_t *out);
bool fr_api_read_query(struct fr_api_call *call, struct fr_query_value *known);
/* The body, one JSON object; the caller's. */
bool fr_api_read_object(struct fr_api_call *call, json_t **out);

/* Status 200 or so with a body of JSON text; an empty one has no content-type. */
void fr_api_answer(struct fr_api_call *call, unsigned status, struct fr_span json);

/* Status 200 with a tag of the body, or 304 to whoever has it already (If-None-Match). */
void fr_api_answer_tagged(struct fr_api_call *call, struct fr_span json);

#define FR_API_UNREADABLE "the registry cannot be read now"

/* 200 with what was written, or 503 where that could not be read or written. */
void fr_api_answer_text(struct fr_api_call *call, enum fr_err err, const struct fr_buf *text);

/* The refusal of an error code, as broker/admin maps them to statuses. */
void fr_api_refuse(struct fr_api_call *call, enum fr_err err, const struct fr_diag *diag);
void fr_api_refuse_as(struct fr_api_call *call, unsigned status, enum fr_err err, const char *what);

/* Too much at once of this member: 429. */
void fr_api_refuse_busy(struct fr_api_call *call, const struct fr_diag *diag);

/* This member asked about a device that it does not have: charged, then answered with 404. */
void fr_api_refuse_miss(struct fr_api_call *call, uint64_t deveui);

/*
 * Hands a change to the writer and answers when it is on disk: with `status` of the reply and the
 * reply as body (204: none), or with a refusal. ?dry_run=true and ?reason=… of the query are seen to
 * here, so no handler that changes reads a query of its own. A conflict or a miss is charged as
 * look-ups of all "devices", or of the "joineui", of the arguments would be.
 */
struct fr_api_change {
    const char *op;
    json_t *args;                                           /* taken over, also on failure */
    unsigned (*status)(const struct fr_admin_reply *reply); /* NULL: 200 */
};
void fr_api_change(struct fr_api_call *call, const struct fr_api_change *change);

/* The same with a request that is complete: its answer is the reply. */
void fr_api_ask(struct fr_api_call *call, const struct fr_admin_request *request);

struct fr_json;
struct fr_device_row;
/* {"deveui":…,"netid":…,"hidden":…} */
void fr_api_write_device(struct fr_json *json, const struct fr_device_row *row);

/* Whether the caller holds this NetID. */
bool fr_api_is_own(const struct fr_api_call *call, uint32_t netid);
