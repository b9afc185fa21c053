#include "session/passphrase.h"

#include <stdio.h>
#include <string.h>

static enum fr_err give(void *data, const char *path, struct fr_diag *diag, struct fr_buf *out)
{
    struct fr_cli_passphrase *p = data;
    char prompt[512];
    enum fr_err err = FR_OK;

    if (p->secret.n == 0) {
        (void)snprintf(prompt, sizeof prompt, "passphrase of %s: ", path);
        err = fr_passphrase_ask(prompt, false, diag, &p->secret);
        if (!err && p->keeper != NULL) fr_buf_add_span(&p->keeper->secret, fr_buf_span(&p->secret));
    }
    if (!err) fr_buf_add_span(out, fr_buf_span(&p->secret));
    return err;
}

enum fr_err fr_cli_passphrase_find(const struct fr_cli *cli, const char *option,
                                   struct fr_diag *diag, struct fr_cli_passphrase *out)
{
    const char *fd = fr_cli_opt(cli, option);
    struct fr_cli_keeper *keeper = strcmp(option, "passphrase-fd") == 0 ? fr_cli_data(cli) : NULL;
    enum fr_err err = FR_OK;

    out->keeper = keeper;
    if (keeper != NULL && keeper->secret.n > 0) {
        fr_buf_add_span(&out->secret, fr_buf_span(&keeper->secret));
    } else if (fd != NULL) {
        err = fr_passphrase_read_fd(fd, diag, &out->secret);
    } else if (keeper != NULL && keeper->credentials != NULL) {
        err = fr_passphrase_read_credential(keeper->credentials, NULL, &out->secret);
        if (err == FR_E_NOT_FOUND) err = FR_OK;
        if (err) (void)fr_diag_fail(diag, err, "the credential ca-passphrase cannot be read");
    }
    if (!err && keeper != NULL && keeper->secret.n == 0)
        fr_buf_add_span(&keeper->secret, fr_buf_span(&out->secret));
    out->provider = (struct fr_passphrase){give, out, out->secret.n > 0};
    return err;
}

void fr_cli_passphrase_deinit(struct fr_cli_passphrase *passphrase)
{
    fr_buf_deinit_secret(&passphrase->secret);
}
