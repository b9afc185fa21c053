/* fedroam export: what is in the wallet, in other programs' forms. */
#include "member_cli/cmds.h"

#include "base/base64.h"
#include "base/file.h"
#include "base/url.h"
#include "dns/query.h"
#include "enrol/files.h"
#include "member_cli/join_server.h"
#include "member_cli/place.h"
#include "names/netid.h"
#include "names/owner.h"
#include "x509/p12.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EXPORT_MAX = 1024 * 1024, PASSPHRASE_MAX = 256 };

/* --- which certificate --- */

static enum fr_err choose(const struct fr_cli *cli, const struct fr_place *place,
                          struct fr_diag *diag, const struct fr_pair **out)
{
    const char *name = fr_cli_opt(cli, "certificate");

    for (size_t i = 0; i < place->pairs->n; i++) {
        const struct fr_pair *p = &place->pairs->list[i];
        if (name ? strcmp(p->subject.name, name) == 0 : place->pairs->n == 1) {
            *out = p;
            return FR_OK;
        }
    }
    enum fr_err err = name ? fr_diag_fail(diag, FR_E_NOT_FOUND, "%s has no certificate %s",
                                          place->entry->name, name)
                           : fr_diag_fail(diag, FR_E_USAGE,
                                          "%s has %zu certificates: say which with --certificate "
                                          "NAME",
                                          place->entry->name, place->pairs->n);
    fr_diag_hint(diag, "fedroam wallet show %s lists them", place->entry->name);
    return err;
}

/* A new file for its owner's eyes, or stdout for "-". */
static enum fr_err deliver(const struct fr_cli *cli, struct fr_span bytes, struct fr_diag *diag)
{
    const char *path = fr_cli_opt(cli, "out");

    if (strcmp(path, "-") != 0) return fr_file_create(path, 0600, bytes, diag);
    return fwrite(bytes.p, 1, bytes.n, fr_cli_out(cli)) == bytes.n ? FR_OK : FR_E_IO;
}

static enum fr_exit end(const struct fr_cli *cli, struct fr_place *place, enum fr_err err,
                        const struct fr_diag *diag)
{
    fr_place_close(place);
    return err ? fr_cli_fail(cli, err, diag) : FR_EXIT_OK;
}

/* --- pem, p12 --- */

enum fr_exit fr_cmd_export_pem(struct fr_cli *cli)
{
    struct fr_buf text = FR_BUF_INIT(EXPORT_MAX);
    struct fr_place place = {0};
    const struct fr_pair *pair = NULL;
    struct fr_diag diag = {0};
    enum fr_err err = fr_place_open(cli, NULL, &diag, &place);

    if (!err) err = choose(cli, &place, &diag, &pair);
    if (!err) err = fr_file_read_private(pair->key, &diag, &text);
    if (!err) err = fr_file_read(pair->chain, &diag, &text);
    if (!err) err = deliver(cli, fr_buf_span(&text), &diag);
    fr_buf_deinit_secret(&text);
    return end(cli, &place, err, &diag);
}

/* The first line of a file whose name or descriptor was given; never of the command line. */
static enum fr_err read_passphrase(const struct fr_cli *cli, struct fr_diag *diag,
                                   char out[PASSPHRASE_MAX])
{
    const char *path = fr_cli_opt(cli, "passphrase-file");
    struct fr_buf text = FR_BUF_INIT(PASSPHRASE_MAX);
    struct fr_span line, rest;
    enum fr_err err = FR_OK;

    if (strcmp(path, "-") == 0) {
        char bytes[PASSPHRASE_MAX];
        const size_t n = fread(bytes, 1, sizeof bytes, fr_cli_in(cli));
        fr_buf_add(&text, bytes, n);
        explicit_bzero(bytes, sizeof bytes);
        err = fr_buf_err(&text);
    } else {
        err = fr_file_read_private(path, diag, &text);
    }
    (void)fr_span_cut(fr_buf_span(&text), '\n', &line, &rest);
    if (!err && (line.n == 0 || !fr_span_copy(line, out, PASSPHRASE_MAX)))
        err = fr_diag_fail(diag, FR_E_INVALID, "the passphrase is empty or too long");
    fr_buf_deinit_secret(&text);
    return err;
}

enum fr_exit fr_cmd_export_p12(struct fr_cli *cli)
{
    struct fr_buf der = FR_BUF_INIT(EXPORT_MAX);
    char passphrase[PASSPHRASE_MAX] = "";
    struct fr_place place = {0};
    const struct fr_pair *pair = NULL;
    struct fr_key *key = NULL;
    struct fr_chain *chain = NULL;
    struct fr_diag diag = {0};
    enum fr_err err = fr_place_open(cli, NULL, &diag, &place);

    if (!err) err = choose(cli, &place, &diag, &pair);
    if (!err) err = read_passphrase(cli, &diag, passphrase);
    if (!err) err = fr_key_load(pair->key, &diag, &key);
    if (!err) err = fr_chain_load(pair->chain, &diag, &chain);
    if (!err) err = fr_p12_write(key, chain, pair->subject.name, passphrase, &der);
    if (!err) err = deliver(cli, fr_buf_span(&der), &diag);
    explicit_bzero(passphrase, sizeof passphrase);
    fr_key_free(key);
    fr_chain_free(chain);
    fr_buf_deinit_secret(&der);
    return end(cli, &place, err, &diag);
}

/* --- ChirpStack --- */

static enum fr_exit export_chirpstack(struct fr_cli *cli, enum fr_wallet_lns lns,
                                      enum fr_err (*print)(const struct fr_chirpstack *,
                                                           struct fr_buf *))
{
    struct fr_buf text = FR_BUF_INIT(EXPORT_MAX);
    struct fr_server server = {0};
    struct fr_diag diag = {0};
    char dir[FR_WALLET_PATH];
    enum fr_err err = fr_place_dir(cli, &diag, dir);

    if (!err) err = fr_server_open(dir, lns, NULL, NULL, &diag, &server);
    if (!err && server.view.n == 0)
        err = fr_diag_fail(
            &diag, FR_E_NOT_FOUND,
            "no federation of %s was joined with --lns %s and a certificate of profile "
            "ns",
            dir, fr_wallet_lns_text(lns));
    if (!err) err = print(&server.view, &text);
    if (!err && fwrite(fr_buf_str(&text), 1, text.n, fr_cli_out(cli)) != text.n) err = FR_E_IO;
    fr_buf_deinit(&text);
    fr_server_close(&server);
    return err ? fr_cli_fail(cli, err, &diag) : FR_EXIT_OK;
}

enum fr_exit fr_cmd_export_chirpstack_v3(struct fr_cli *cli)
{
    return export_chirpstack(cli, FR_LNS_CHIRPSTACK_V3, fr_chirpstack_print_v3);
}

enum fr_exit fr_cmd_export_chirpstack_v4(struct fr_cli *cli)
{
    return export_chirpstack(cli, FR_LNS_CHIRPSTACK_V4, fr_chirpstack_print_v4);
}

/* --- curl --- */

/* The question for a device, as it stands in the URL (RFC 8484 §4.1). */
static enum fr_err put_question(const char *fed, struct fr_buf *out)
{
    const struct fr_owner owner = {.kind = FR_OWNER_DEVEUI, .eui = 0xffffffffffffffffu};
    struct fr_buf query = FR_BUF_INIT(512);
    struct fr_dname zone, name;
    enum fr_err err = fr_dname_parse(fr_span_str(fed), &zone);

    if (!err) err = fr_owner_write(&owner, &zone, &name);
    if (!err) err = fr_dns_query_write(&name, FR_DNS_A, 0, &query);
    if (!err) err = fr_base64url_print(fr_buf_span(&query), out);
    fr_buf_deinit(&query);
    return err;
}

enum fr_exit fr_cmd_export_curl(struct fr_cli *cli)
{
    struct fr_buf question = FR_BUF_INIT(1024);
    struct fr_place place = {0};
    struct fr_diag diag = {0};
    struct fr_url url;
    enum fr_err err = fr_place_open(cli, NULL, &diag, &place);
    const struct fr_pair *pair =
        err ? NULL : fr_wallet_file_pair(FR_FILE_RESOLVER, place.entry, place.pairs);

    if (!err && (pair == NULL || place.entry->broker == NULL))
        err = fr_diag_fail(&diag, FR_E_NOT_FOUND, "no certificate of %s is for look-ups",
                           place.entry->name);
    if (!err) err = fr_url_parse(fr_span_str(place.entry->broker), &url);
    if (!err) err = put_question(place.entry->name, &question);
    if (!err) {
        FILE *out = fr_cli_out(cli);
        (void)fprintf(out, "curl --cacert '%s/root.pem' --cert '%s' --key '%s'", place.folder,
                      pair->chain, pair->key);
        if (place.entry->n_addresses > 0)
            (void)fprintf(out, " --resolve '%s:%u:%s'", url.host, (unsigned)url.port,
                          place.entry->addresses[0]);
        (void)fprintf(out, " --output - '%s?dns=%s'\n", place.entry->broker, fr_buf_str(&question));
    }
    fr_buf_deinit(&question);
    return end(cli, &place, err, &diag);
}
