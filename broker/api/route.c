#include "api/route.h"

#include <stdio.h>
#include <string.h>

/* Takes one segment off the front: what stands between two slashes. */
static struct fr_span take_segment(struct fr_span *path)
{
    struct fr_span segment, rest;
    (void)fr_span_cut(fr_span(path->p + 1, path->n - 1), '/', &segment, &rest);
    const size_t used = 1 + segment.n;
    *path = fr_span(path->p + used, path->n - used);
    return segment;
}

static bool is_path(const char *pattern, struct fr_span path, struct fr_span *params)
{
    struct fr_span want = fr_span_str(pattern);
    size_t n = 0;
    memset(params, 0, FR_API_PARAMS * sizeof *params);
    while (want.n > 0 && path.n > 0) {
        if (path.p[0] != '/') return false;
        struct fr_span a = take_segment(&want), b = take_segment(&path);
        const bool is_variable = a.n > 0 && a.p[0] == '{';
        if (!is_variable && !fr_span_equal(a, b)) return false;
        if (!is_variable) continue;
        if (b.n == 0 || memchr(b.p, '%', b.n) || n == FR_API_PARAMS) return false;
        params[n++] = b;
    }
    return want.n == 0 && path.n == 0;
}

static bool is_method(const struct fr_api_route *route, struct fr_span method)
{
    if (fr_span_is(method, route->method)) return true;
    return fr_span_is(method, "HEAD") && strcmp(route->method, "GET") == 0;
}

static void allow(struct fr_api_match *match, const char *method)
{
    const size_t at = strlen(match->allow);
    (void)snprintf(match->allow + at, sizeof match->allow - at, "%s%s%s", at ? ", " : "", method,
                   strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

enum fr_err fr_api_match(const struct fr_api_route *routes, struct fr_span method,
                         struct fr_span path, struct fr_api_match *out)
{
    struct fr_api_match match = {0};
    for (const struct fr_api_route *route = routes; route->method; route++) {
        if (!is_path(route->path, path, match.params)) continue;
        if (is_method(route, method)) {
            match.route = route;
            match.allow[0] = '\0';
            *out = match;
            return FR_OK;
        }
        allow(&match, route->method);
    }
    if (!match.allow[0]) return FR_E_NOT_FOUND;
    memset(match.params, 0, sizeof match.params);
    *out = match;
    return FR_E_UNSUPPORTED;
}
