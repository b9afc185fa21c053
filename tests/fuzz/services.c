/* What discovery makes of an answer from public DNS: the bytes are the response to _dns.broker.fed.test SVCB. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/services.h"

/* What comes out can be asked: a port, a path on the same authority, nothing that would end a line. */
static void check(const struct fr_service *s)
{
    size_t n = strnlen(s->path, sizeof s->path);
    if (s->priority == 0 || s->port == 0 || n == sizeof s->path || s->path[0] != '/' ||
        s->path[1] == '/' || s->n_hints > FR_SVCB_HINTS_MAX)
        abort();
    for (size_t i = 0; i < n; i++)
        if (s->path[i] <= ' ' || s->path[i] > '~') abort();
    if (fr_dname_check(fr_dname_span(&s->target)) != FR_OK) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_dns_response response;
    struct fr_services services;
    if (fr_dns_response_read(fr_span(data, size), &response) != FR_OK) return 0;
    fr_services_read(&response, &services);
    if (services.n > FR_SERVICES_MAX || (services.is_alias && services.n > 0)) abort();
    if (services.is_alias && fr_dname_check(fr_dname_span(&services.alias)) != FR_OK) abort();
    if ((services.n > 0 || services.is_alias) != (services.why[0] == '\0')) abort();
    for (size_t i = 0; i < services.n; i++) {
        check(&services.list[i]);
        if (i > 0 && services.list[i].priority < services.list[i - 1].priority) abort();
    }
    return 0;
}
