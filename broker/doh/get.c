#include "doh/get.h"

#include "base/base64.h"

enum fr_err fr_doh_get_parse(struct fr_span query, struct fr_buf *out)
{
    struct fr_span found = {NULL, 0};
    unsigned count = 0;

    for (struct fr_span rest = query; rest.n > 0;) {
        struct fr_span parameter, name, value = {NULL, 0};
        (void)fr_span_cut(rest, '&', &parameter, &rest);
        (void)fr_span_cut(parameter, '=', &name, &value);
        if (!fr_span_is(name, "dns")) continue;
        found = value;
        count++;
    }
    if (count == 0) return FR_E_NOT_FOUND;
    if (count > 1) return FR_E_MALFORMED;
    /* four characters are three octets: told before any is decoded */
    if (found.n / 4 * 3 > out->max) return FR_E_LIMIT;
    return fr_base64url_parse(found, out);
}
