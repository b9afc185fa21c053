#include "admin/op_tsig.h"

#include "admin/transfer.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/random.h"
#include "names/dname.h"

#include <stdio.h>

enum fr_err fr_op_dns_name(struct fr_op_ctx *ctx, const char *text, const char *what, char *out,
                           size_t size)
{
    struct fr_dname name;
    char plain[FR_DNAME_TEXT];
    if (fr_dname_parse(fr_span_str(text), &name))
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "%s \"%s\" is not a domain name", what, text);
    fr_dname_print(fr_dname_span(&name), plain);
    for (char *p = plain; *p; p++)
        if (*p >= 'A' && *p <= 'Z') *p = (char)(*p + ('a' - 'A'));
    if (!fr_span_copy(fr_span_str(plain), out, size))
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "%s \"%s\" is too long", what, text);
    return FR_OK;
}

enum fr_err fr_op_tsig_algorithm(struct fr_op_ctx *ctx, const char *text, char out[16])
{
    enum fr_tsig_algorithm algorithm = FR_TSIG_SHA256;
    if (text && !fr_tsig_algorithm_parse(text, &algorithm))
        return fr_diag_fail(ctx->diag, FR_E_INVALID,
                            "the TSIG algorithm \"%s\" is not one of hmac-sha224, -sha256, "
                            "-sha384, -sha512",
                            text);
    (void)snprintf(out, 16, "%s", fr_tsig_algorithm_text(algorithm));
    return FR_OK;
}

enum fr_err fr_op_tsig_secret(struct fr_op_ctx *ctx, struct fr_span secret,
                              uint8_t id[FR_PRIMARY_KEY_ID_SIZE])
{
    char path[FR_PRIMARY_KEY_PATH_MAX];
    if (secret.n < FR_TSIG_SECRET_MIN || secret.n > FR_TSIG_SECRET_MAX)
        return fr_diag_fail(ctx->diag, FR_E_INVALID, "a TSIG secret has %d to %d bytes, not %zu",
                            FR_TSIG_SECRET_MIN, FR_TSIG_SECRET_MAX, secret.n);
    enum fr_err err = fr_random(id, FR_PRIMARY_KEY_ID_SIZE);
    if (err || ctx->dry_run) return err;
    char *folder = fr_path_join(fr_op_state(ctx), "transfer");
    err = folder ? fr_dir_make(folder, 0700, ctx->diag) : FR_E_NOMEM;
    fr_free(folder);
    if (!err) err = fr_primary_key_path(fr_op_state(ctx), id, path);
    return err ? err : fr_file_write(path, 0600, secret, ctx->diag);
}
