#pragma once
/*
 * The rows of the API: which method and path goes to which handler, and what right it needs. Pure.
 *
 * Model: a pattern is a path with variables that stand for one segment each: "/api/v1/devices/{eui}".
 *   Segments are compared byte by byte; a percent-encoded one is no segment of ours. GET answers HEAD.
 *   One row has one method; rows of one path stand together.
 * Errors: FR_E_NOT_FOUND (no such path), FR_E_UNSUPPORTED (another method; `allow` says which).
 * Trust: method and path are a peer's bytes.
 * Adding a row: a handler in a file named after what it is about, a line in routes.c, and the path
 *   in docs/api/openapi.yaml (a test compares the two).
 */

#include "base/err.h"
#include "base/span.h"

#define FR_API_ROOT "/api/v1"
#define FR_API_FEED FR_API_ROOT "/feed" /* of replicas */
#define FR_API_PARAMS 2
#define FR_API_ALLOW 64

struct fr_api_call;

struct fr_api_route {
    const char *method;
    const char *path;
    uint32_t rights; /* enum fr_right, or-ed; all are needed. 0: any member */
    void (*run)(struct fr_api_call *call);
};

extern const struct fr_api_route fr_api_routes[]; /* ends with a NULL method */

struct fr_api_match {
    const struct fr_api_route *route;
    struct fr_span params[FR_API_PARAMS]; /* what stood for the variables, in order */
    char allow[FR_API_ALLOW];             /* with FR_E_UNSUPPORTED: "GET, HEAD, PUT" */
};

enum fr_err fr_api_match(const struct fr_api_route *routes, struct fr_span method,
                         struct fr_span path, struct fr_api_match *out);
