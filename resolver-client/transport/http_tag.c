#include "transport/http_tag.h"

#include "base/siphash.h"

#include <stdio.h>

void fr_http_tag_make(struct fr_span content, char out[FR_HTTP_TAG_TEXT])
{
    static const struct fr_siphash_key key = {"fedroam http tag"}; /* it guards nothing */
    (void)snprintf(out, FR_HTTP_TAG_TEXT, "\"%016llx\"",
                   (unsigned long long)fr_siphash(&key, content));
}

bool fr_http_tag_is_held(struct fr_span condition, const char *tag)
{
    struct fr_span rest = condition, one;

    while (rest.n > 0) {
        (void)fr_span_cut(rest, ',', &one, &rest);
        one = fr_span_trim(one);
        if (fr_span_starts(one, "W/")) one = fr_span(one.p + 2, one.n - 2);
        if (fr_span_is(one, "*") || fr_span_is(one, tag)) return true;
    }
    return false;
}
