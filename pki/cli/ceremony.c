#include "pki_cli/ceremony.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/parse.h"
#include "x509/secret.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SECONDS_MAX = 20 * 366 * 86400 };

static enum fr_err choose_path(const char *given, const char *dir, const char *name,
                               const char *option, struct fr_diag *diag,
                               char out[FR_CEREMONY_PATH_MAX])
{
    int n = 0;

    if (given == NULL && dir == NULL)
        return fr_diag_fail(diag, FR_E_USAGE, "without a state directory --%s is needed", option);
    n = given != NULL ? snprintf(out, FR_CEREMONY_PATH_MAX, "%s", given)
                      : snprintf(out, FR_CEREMONY_PATH_MAX, "%s/%s", dir, name);
    return n < FR_CEREMONY_PATH_MAX ? FR_OK : FR_E_LIMIT;
}

static enum fr_err choose_federation(const struct fr_cli *cli, const char *federation,
                                     struct fr_diag *diag, struct fr_ceremony *c)
{
    const char *fed = federation != NULL ? federation : fr_cli_opt(cli, "fed");

    if (fed == NULL) return fr_cert_read_organisation(fr_root_cert(c->root), c->federation);
    if (strlen(fed) > FR_FEDERATION_MAX)
        return fr_diag_fail(diag, FR_E_INVALID, "%s is not the name of a federation", fed);
    (void)snprintf(c->federation, sizeof c->federation, "%s", fed);
    return fr_root_check_federation(c->root, fed, diag);
}

static void note_who(struct fr_ceremony *c)
{
    const char *by = fr_cli_opt(c->cli, "by");
    const struct passwd *user = getpwuid(getuid());
    char host[256] = "";

    (void)gethostname(host, sizeof host - 1);
    if (by != NULL) fr_buf_printf(&c->transcript, "by           %s\n", by);
    fr_buf_printf(&c->transcript, "user         %s on %s\n",
                  user != NULL ? user->pw_name : "unknown", host);
}

static void note_hex(struct fr_buf *out, const char *what, const uint8_t *bytes, size_t n)
{
    char text[2 * FR_SHA256_SIZE + 1];

    fr_hex_print(bytes, n, text);
    fr_buf_printf(out, "%-12s %s\n", what, text);
}

static void note_time(struct fr_buf *out, const char *what, int64_t when_s)
{
    char text[FR_TIME_TEXT];

    fr_time_print(when_s, text);
    fr_buf_printf(out, "%-12s %s\n", what, text);
}

static void note_head(struct fr_ceremony *c, const char *pem, const char *key)
{
    const struct fr_cert_fields *root = fr_root_fields(c->root);
    struct fr_buf *t = &c->transcript;

    fr_buf_printf(t, "fedroam: what the root of %s signed\n\n", c->federation);
    note_time(t, "when", c->now_ms / 1000);
    note_who(c);
    fr_buf_printf(t, "program      fedroam %s\n", FR_VERSION);
    fr_buf_printf(t, "root         %s\n", pem);
    note_hex(t, "SHA-256", root->sha256, sizeof root->sha256);
    note_hex(t, "serial", root->serial, root->serial_len);
    note_time(t, "until", root->not_after_s);
    fr_buf_printf(t, "key          %s\n", key);
}

enum fr_err fr_ceremony_begin(const struct fr_cli *cli, const char *dir, const char *federation,
                              struct fr_diag *diag, struct fr_ceremony *out)
{
    char pem[FR_CEREMONY_PATH_MAX], key[FR_CEREMONY_PATH_MAX];
    const char *transcript = fr_cli_opt(cli, "transcript");
    enum fr_err err = choose_path(fr_cli_opt(cli, "root"), dir, "root.pem", "root", diag, pem);

    out->cli = cli;
    out->now_ms = fr_clock_real_ms(fr_clock_system());
    if (!err)
        err = choose_path(fr_cli_opt(cli, "root-key"), dir, "root.key", "root-key", diag, key);
    if (!err && transcript != NULL && fr_file_exists(transcript))
        err = fr_diag_fail(diag, FR_E_EXISTS, "%s is there already: a transcript is kept",
                           transcript);
    if (!err) err = fr_cli_passphrase_find(cli, "root-passphrase-fd", diag, &out->passphrase);
    if (!err) err = fr_root_open(pem, key, &out->passphrase.provider, diag, &out->root);
    if (!err) err = choose_federation(cli, federation, diag, out);
    if (!err) note_head(out, pem, key);
    return err;
}

void fr_ceremony_end(struct fr_ceremony *c)
{
    fr_root_close(c->root);
    fr_cli_passphrase_deinit(&c->passphrase);
    fr_buf_deinit(&c->transcript);
}

enum fr_err fr_ceremony_note_cert(struct fr_ceremony *c, const char *name, struct fr_span csr,
                                  const struct fr_cert *cert)
{
    struct fr_cert_fields fields;
    uint8_t digest[FR_SHA256_SIZE];
    struct fr_buf *t = &c->transcript;
    enum fr_err err = fr_cert_read_fields(cert, &fields);

    if (!err) err = fr_sha256(csr, digest);
    if (err) return err;
    fr_buf_printf(t, "\nissuing CA   %s\n", name);
    note_hex(t, "request", digest, sizeof digest);
    note_hex(t, "public key", fields.spki_sha256, sizeof fields.spki_sha256);
    note_hex(t, "serial", fields.serial, fields.serial_len);
    note_hex(t, "SHA-256", fields.sha256, sizeof fields.sha256);
    note_time(t, "from", fields.not_before_s);
    note_time(t, "until", fields.not_after_s);
    fr_buf_printf(t, "names        %s and below, no address\n", c->federation);
    return fr_cert_write_pem(cert, t);
}

enum fr_err fr_ceremony_note_list(struct fr_ceremony *c, const struct fr_crl_entry *more, size_t n,
                                  const struct fr_crl_fields *fields, struct fr_span der)
{
    uint8_t digest[FR_SHA256_SIZE];
    struct fr_buf *t = &c->transcript;
    enum fr_err err = fr_sha256(der, digest);

    if (err) return err;
    fr_buf_printf(t, "\nlist         number %llu, %zu entries\n",
                  (unsigned long long)fields->number, fields->entries);
    note_hex(t, "SHA-256", digest, sizeof digest);
    note_time(t, "from", fields->this_update_s);
    note_time(t, "until", fields->next_update_s);
    for (size_t i = 0; i < n; i++) {
        note_hex(t, "taken out", more[i].serial, sizeof more[i].serial);
        fr_buf_printf(t, "cause        %u\n", more[i].cause);
    }
    return fr_buf_err(t);
}

enum fr_err fr_ceremony_write(struct fr_ceremony *c, struct fr_diag *diag)
{
    const char *path = fr_cli_opt(c->cli, "transcript");

    if (path == NULL) return FR_OK;
    return fr_file_create(path, 0644, fr_buf_span(&c->transcript), diag);
}

enum fr_err fr_ceremony_seconds(const struct fr_cli *cli, const char *option, int64_t absent,
                                struct fr_diag *diag, int64_t *out)
{
    const char *text = fr_cli_opt(cli, option);
    uint64_t ms = 0;

    *out = absent;
    if (text == NULL) return FR_OK;
    enum fr_err err = fr_parse_duration_ms(fr_span_str(text), 0, (uint64_t)SECONDS_MAX * 1000, &ms);
    if (err) return fr_diag_fail(diag, FR_E_USAGE, "--%s %s: a time as in 548d", option, text);
    *out = (int64_t)(ms / 1000);
    return FR_OK;
}
