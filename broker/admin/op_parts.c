#include "admin/op_parts.h"

#include "store/cert.h"
#include "store/network.h"

enum fr_err fr_op_parse_endpoints(struct fr_op_ctx *ctx, const struct fr_arg_texts *texts,
                                  struct fr_addr *out, size_t max, size_t *n)
{
    if (texts->n > max) return fr_diag_fail(ctx->diag, FR_E_LIMIT, "more than %zu endpoints", max);
    for (size_t i = 0; i < texts->n; i++) {
        enum fr_err err = fr_endpoint_parse(fr_span_str(texts->items[i]), ctx->diag, &out[i]);
        if (err) return err;
    }
    *n = texts->n;
    return FR_OK;
}

enum fr_err fr_op_parse_profile(struct fr_op_ctx *ctx, const char *text, enum fr_profile *out)
{
    if (fr_profile_parse(text, out) == FR_OK) return FR_OK;
    enum fr_err err = fr_diag_fail(ctx->diag, FR_E_INVALID, "\"%s\" is not a profile", text);
    fr_diag_hint(ctx->diag, "broker, doh, ns, js");
    return err;
}

json_t *fr_op_endpoints(struct fr_op_ctx *ctx, const struct fr_addr *endpoints, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        char text[FR_ADDR_TEXT];
        fr_addr_print(&endpoints[i], text);
        fr_op_push(ctx, list, json_string(text));
    }
    return list;
}

enum fr_err fr_op_parse_rights(struct fr_op_ctx *ctx, const struct fr_arg_texts *texts,
                               uint32_t *out)
{
    uint32_t rights = 0;
    for (size_t i = 0; i < texts->n; i++) {
        enum fr_right right;
        if (fr_right_parse(texts->items[i], &right)) {
            enum fr_err err =
                fr_diag_fail(ctx->diag, FR_E_INVALID, "\"%s\" is not a right", texts->items[i]);
            fr_diag_hint(ctx->diag, "lookup, publish, roam, enrol, replica, secondary");
            return err;
        }
        rights |= (uint32_t)right;
    }
    *out = rights;
    return FR_OK;
}

json_t *fr_op_rights(struct fr_op_ctx *ctx, uint32_t rights)
{
    json_t *list = json_array();
    for (uint32_t bit = 1; bit <= FR_RIGHTS_ALL; bit <<= 1)
        if (rights & bit) fr_op_push(ctx, list, json_string(fr_right_text((enum fr_right)bit)));
    return list;
}
