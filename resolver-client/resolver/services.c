#include "resolver/services.h"

#include <string.h>

/* ---- the template ---- */

/* What a path may hold as it stands. A second slash at the front would begin another authority; a fragment, a
 * variable anywhere else, blanks and what is not ASCII have no place here. */
static bool is_path(struct fr_span path)
{
    if (path.n == 0 || path.p[0] != '/' || (path.n > 1 && path.p[1] == '/')) return false;
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] <= ' ' || path.p[i] >= 0x7f || strchr("\"#<>\\^`{|}", path.p[i]))
            return false;
    return true;
}

/* "dns" or "a,dns,b": is ours among them? */
static bool has_dns(struct fr_span names)
{
    struct fr_span name;
    bool has_more, found = false;
    do {
        has_more = fr_span_cut(names, ',', &name, &names);
        if (fr_span_is(name, "dns")) found = true;
    } while (has_more);
    return found;
}

/* A POST has no variables, so the expression expands to nothing (RFC 6570 3.2.8, 3.2.9). */
enum fr_err fr_dohpath_expand(struct fr_span template_, char out[FR_SERVICE_PATH])
{
    struct fr_span path, expression, names, rest;
    if (!fr_span_cut(template_, '{', &path, &expression) || expression.n < 2) return FR_E_MALFORMED;
    bool has_query = path.n > 0 && memchr(path.p, '?', path.n);
    if (expression.p[0] != (has_query ? '&' : '?')) return FR_E_MALFORMED;
    if (!fr_span_cut(fr_span(expression.p + 1, expression.n - 1), '}', &names, &rest) ||
        rest.n > 0 || !has_dns(names) || !is_path(path))
        return FR_E_MALFORMED;
    return fr_span_copy(path, out, FR_SERVICE_PATH) ? FR_OK : FR_E_LIMIT;
}

/* ---- the records ---- */

/* RFC 9460 2.5: "." is the owner in ServiceMode. RFC 9461 4.2: HTTP's own port where none is said. */
static bool service_from(const struct fr_svcb *svcb, const struct fr_dname *owner,
                         struct fr_service *out)
{
    if (svcb->has_strange_mandatory || !svcb->has_h2) return false;
    *out = (struct fr_service){.priority = svcb->priority,
                               .port = svcb->port ? svcb->port : 443,
                               .target = svcb->target.n == 1 ? *owner : svcb->target,
                               .n_hints = svcb->n_hints};
    memcpy(out->hints, svcb->hints, sizeof out->hints);
    return fr_dohpath_expand(svcb->dohpath, out->path) == FR_OK;
}

/* Behind those of its priority; the last one falls off a full list. */
static void insert(struct fr_services *all, const struct fr_service *service)
{
    size_t at = 0;
    while (at < all->n && all->list[at].priority <= service->priority) at++;
    if (at == FR_SERVICES_MAX) return;
    if (all->n < FR_SERVICES_MAX) all->n++;
    memmove(&all->list[at + 1], &all->list[at], (all->n - at - 1) * sizeof all->list[0]);
    all->list[at] = *service;
}

static void nothing(struct fr_services *out, const char *why)
{
    *out = (struct fr_services){.ttl_s = out->ttl_s, .why = why};
}

void fr_services_read(const struct fr_dns_response *response, struct fr_services *out)
{
    struct fr_dname owner;
    struct fr_svcb svcb;
    struct fr_rr rr;
    unsigned n = 0;
    *out = (struct fr_services){.ttl_s = UINT32_MAX, .why = ""};
    if (fr_dns_response_chain(response, &owner, &out->ttl_s) != FR_OK) {
        nothing(out, "its aliases run in a circle or are too many");
        return;
    }
    while (fr_dns_response_find(response, FR_DNS_ANSWER, &owner, FR_DNS_SVCB, n, &rr)) {
        struct fr_service service;
        n++;
        if (rr.ttl < out->ttl_s) out->ttl_s = rr.ttl;
        if (fr_svcb_read(rr.data.raw, &svcb) != FR_OK) {
            nothing(out, "one of its records is malformed");
            return;
        }
        if (svcb.priority == 0 && !out->is_alias) {
            out->is_alias =
                true; /* the first of several: one is as good as another (RFC 9460 2.4.2) */
            out->alias = svcb.target;
        }
        if (svcb.priority > 0 && service_from(&svcb, &owner, &service)) insert(out, &service);
    }
    if (n == 0) {
        uint32_t negative_s = 0;
        if (fr_dns_response_negative_ttl(response, &negative_s) && negative_s < out->ttl_s)
            out->ttl_s = negative_s;
        nothing(out, response->rcode == FR_DNS_NXDOMAIN ? "there is no such name"
                                                        : "it has no SVCB record");
        out->is_empty = true;
    } else if (out->is_alias && out->alias.n == 1) {
        nothing(out, "it says that there is no service"); /* RFC 9460 2.5.1 */
    } else if (out->is_alias) {
        out->n = 0; /* an alias hides the services beside it */
    } else if (out->n == 0) {
        nothing(out, "none of its records offers DNS over HTTP/2 that we can use");
    }
}
