#include "notify/lookup.h"

#include <string.h>

static bool has(const struct fr_addr *list, size_t n, const struct fr_addr *addr)
{
    for (size_t i = 0; i < n; i++)
        if (fr_addr_equal(&list[i], addr)) return true;
    return false;
}

/* Up to the first blank. */
static struct fr_span first_word(struct fr_span line)
{
    size_t n = 0;

    while (n < line.n && line.p[n] != ' ' && line.p[n] != '\t') n++;
    return fr_span(line.p, n);
}

size_t fr_lookup_read(struct fr_span output, uint16_t port, struct fr_addr *out, size_t room)
{
    size_t n = 0;

    while (output.n > 0 && n < room) {
        const uint8_t *end = memchr(output.p, '\n', output.n);
        const size_t length = end ? (size_t)(end - output.p) : output.n;
        const size_t used = end ? length + 1 : length;
        struct fr_addr addr = {.port = port};
        if (fr_ip_parse(first_word(fr_span(output.p, length)), &addr.ip) == FR_OK &&
            !has(out, n, &addr))
            out[n++] = addr;
        output = fr_span(output.p + used, output.n - used);
    }
    return n;
}
