/* fedroam zone public: the few records of a federation that stand in ordinary DNS */
#include "pki_cli/cmds.h"

#include "base/addr.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/url.h"
#include "session/session.h"
#include "store/authority.h"
#include "x509/cert.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TTL_S 3600
#define TEXT_MAX (256 * 1024)

struct page {
    struct fr_cli *cli;
    const char *fed;
    struct fr_url url;
    struct fr_buf text;
    struct fr_diag *diag;
};

static void add_row(struct page *page, const char *label, const char *type, const char *data)
{
    fr_buf_printf(&page->text, "%s%s%s. %d IN %s %s\n", label, label[0] ? "." : "", page->fed,
                  TTL_S, type, data);
}

/* --- addresses --- */

static enum fr_err add_addresses(struct page *page, const char *label)
{
    const char *text;

    for (size_t i = 0; (text = fr_cli_opt_at(page->cli, "address", i)) != NULL; i++) {
        struct fr_ip ip;
        char plain[FR_IP_TEXT];
        if (fr_ip_parse(fr_span_str(text), &ip) || fr_ip_is_any(&ip))
            return fr_diag_fail(page->diag, FR_E_USAGE, "\"%s\" is not an address", text);
        fr_ip_print(&ip, plain);
        add_row(page, label, ip.family == 4 ? "A" : "AAAA", plain);
    }
    return FR_OK;
}

/* --- pins --- */

static enum fr_err add_pin(struct page *page, unsigned usage, const struct fr_cert *cert)
{
    struct fr_cert_fields fields;
    char hex[2 * FR_SHA256_SIZE + 1], data[sizeof hex + 16], label[64];

    enum fr_err err = fr_cert_read_fields(cert, &fields);
    if (err) return err;
    fr_hex_print(fields.spki_sha256, sizeof fields.spki_sha256, hex);
    (void)snprintf(data, sizeof data, "%u 1 1 %s", usage, hex);
    (void)snprintf(label, sizeof label, "_%u._tcp.broker", (unsigned)page->url.port);
    add_row(page, label, "TLSA", data);
    return FR_OK;
}

/* Every issuing CA that is trusted, the next one too: whatever certificate the broker shows, now or after a renewal, with whatever
 * key, one of these stands in its chain. */
static enum fr_err add_authority(void *data, const struct fr_authority_row *row)
{
    struct fr_cert *cert = NULL;

    if (row->kind == FR_AUTHORITY_ROOT || row->der_size == 0 || !fr_authority_is_trusted(row))
        return FR_OK;
    enum fr_err err = fr_cert_parse(fr_span(row->der, row->der_size), &cert);
    if (!err) err = add_pin(data, 2, cert);
    fr_cert_free(cert);
    return err;
}

static enum fr_err add_pins(struct page *page, struct fr_snap *snap)
{
    struct fr_chain *chain = NULL;
    char *path = fr_path_join(fr_store_dir(fr_snap_store(snap)), "server.chain.pem");

    if (!path) return FR_E_NOMEM;
    enum fr_err err = fr_chain_load(path, page->diag, &chain);
    if (!err) err = add_pin(page, 3, fr_chain_at(chain, 0));
    if (!err) err = fr_authority_each(snap, add_authority, page);
    fr_chain_free(chain);
    fr_free(path);
    return err;
}

/* --- the page --- */

static void add_service(struct page *page)
{
    char data[sizeof page->url.path + 320];
    const char *path = page->url.path;
    const size_t n = strcspn(path, "?{");

    (void)snprintf(data, sizeof data, "1 broker.%s. alpn=\"h2\" port=%u key7=\"%.*s{?dns}\"",
                   page->fed, (unsigned)page->url.port, (int)n, path);
    add_row(page, "_dns.broker", "SVCB", data);
}

/* Nobody answers there; what counts is that the zone has no DS for them, so that a validating resolver with a copy of the private
 * zone does not prove it away. */
static void add_delegations(struct page *page)
{
    static const char *const names[] = {"deveui", "netid", "joineui"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        add_row(page, names[i], "NS", "localhost.");
}

static enum fr_err add_head(struct page *page)
{
    const char *first = fr_cli_opt_at(page->cli, "ns", 0), *ns;
    char data[768];

    if (first == NULL)
        return fr_diag_fail(page->diag, FR_E_USAGE, "--zone needs --ns, a public name server");
    (void)snprintf(data, sizeof data, "%s. hostmaster.%s. %" PRIu32 " 3600 600 1209600 300", first,
                   page->fed, (uint32_t)fr_clock_real_s(fr_clock_system()));
    add_row(page, "", "SOA", data);
    for (size_t i = 0; (ns = fr_cli_opt_at(page->cli, "ns", i)) != NULL; i++) {
        (void)snprintf(data, sizeof data, "%s.", ns);
        add_row(page, "", "NS", data);
    }
    return FR_OK;
}

static enum fr_err write_page(struct page *page, struct fr_snap *snap)
{
    static const char *const hosts[] = {"broker", "ca", "crl"};
    enum fr_err err = fr_cli_flag(page->cli, "zone") ? add_head(page) : FR_OK;

    for (size_t i = 0; !err && i < sizeof hosts / sizeof hosts[0]; i++) {
        err = add_addresses(page, hosts[i]);
        add_row(page, hosts[i], "CAA", "0 issue \";\"");
    }
    add_service(page);
    if (!err) err = add_pins(page, snap);
    add_delegations(page);
    return err ? err : fr_buf_err(&page->text);
}

static enum fr_err check_options(struct fr_cli *cli, struct fr_diag *diag)
{
    if (fr_cli_flag(cli, "zone") == fr_cli_flag(cli, "records"))
        return fr_diag_fail(diag, FR_E_USAGE, "either --records or --zone");
    if (fr_cli_flag(cli, "records") && fr_cli_opt_at(cli, "ns", 0) != NULL)
        return fr_diag_fail(diag, FR_E_USAGE, "--ns belongs to --zone");
    if (fr_cli_output(cli) == FR_OUTPUT_JSON)
        return fr_diag_fail(diag, FR_E_USAGE, "a master file has no JSON form");
    return FR_OK;
}

enum fr_exit fr_cmd_zone_public(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_store_info info;
    struct fr_diag diag = {0};
    struct page page = {.cli = cli, .text = FR_BUF_INIT(TEXT_MAX), .diag = &diag};

    enum fr_err err = check_options(cli, &diag);
    if (!err) err = fr_session_open(cli, &diag, &session);
    if (!err) err = fr_store_read_info(session.store, &info);
    if (err) goto out;
    page.fed = info.federation;
    if (fr_url_parse(fr_span_str(info.url), &page.url)) {
        err = fr_diag_fail(&diag, FR_E_INVALID, "the federation has no URL of its broker");
        goto out;
    }
    err = write_page(&page, session.snap);
    if (!err) (void)fputs(fr_buf_str(&page.text), fr_cli_out(cli));
out:
    fr_session_close(&session);
    fr_buf_deinit(&page.text);
    return fr_cli_fail(cli, err, &diag);
}
