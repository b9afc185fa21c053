#include "replica/renewal.h"

#include "base/file.h"
#include "base/mem.h"
#include "ca/server_watch.h"
#include "store/authority.h"
#include "x509/bag.h"
#include "x509/csr.h"

#include <stdio.h>
#include <string.h>

#define TARGET "/.well-known/est/simplereenroll"
#define DEADLINE_MS 60000

struct fr_renewal {
    struct fr_renewal_options options;
    char *chain, *key, *ca;
    struct fr_server_watch watch;
    struct fr_tls_ctx *tls;
    struct fr_http_client *client; /* NULL: nothing is under way */
    bool is_over;                  /* it was answered */
};

/* --- what came --- */

struct issuer {
    const struct fr_cert *leaf;
    struct fr_cert *found;
};

static enum fr_err try_issuer(void *data, const struct fr_authority_row *row)
{
    struct issuer *i = data;
    struct fr_cert *cert = NULL;
    if (i->found || row->kind != FR_AUTHORITY_ISSUING || row->der_size == 0) return FR_OK;
    enum fr_err err = fr_cert_parse(fr_span(row->der, row->der_size), &cert);
    if (!err && fr_cert_is_issued_by(i->leaf, cert)) {
        i->found = cert;
        cert = NULL;
    }
    fr_cert_free(cert);
    return err;
}

static enum fr_err find_issuer(struct fr_store *store, const struct fr_cert *leaf,
                               struct fr_diag *diag, struct fr_cert **out)
{
    struct issuer issuer = {.leaf = leaf};
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(store, &snap);
    if (!err) err = fr_authority_each(snap, try_issuer, &issuer);
    fr_snap_end(snap);
    if (!err && !issuer.found)
        err = fr_diag_fail(diag, FR_E_CRYPTO, "no authority that is known here issued it");
    if (err) {
        fr_cert_free(issuer.found);
        return err;
    }
    *out = issuer.found;
    return FR_OK;
}

/* The same key and the same names, and a life that lasts longer. */
static enum fr_err compare(const struct fr_cert *leaf, const char *path, struct fr_diag *diag)
{
    struct fr_cert_fields now, then;
    struct fr_chain *chain = NULL;
    enum fr_err err = fr_chain_load(path, diag, &chain);
    if (!err) err = fr_cert_read_fields(fr_chain_at(chain, 0), &then);
    if (!err) err = fr_cert_read_fields(leaf, &now);
    fr_chain_free(chain);
    if (err) return err;
    bool is_same = now.dns_count == then.dns_count &&
                   memcmp(now.spki_sha256, then.spki_sha256, sizeof now.spki_sha256) == 0;
    for (size_t i = 0; is_same && i < now.dns_count; i++)
        is_same = strcmp(now.dns[i], then.dns[i]) == 0;
    return is_same ? FR_OK
                   : fr_diag_fail(diag, FR_E_CONFLICT, "it is for another key or other names");
}

static enum fr_err verify(const struct fr_renewal *r, const struct fr_cert *leaf,
                          const struct fr_cert *issuer, struct fr_diag *diag)
{
    const int64_t now_s = fr_clock_real_s(r->options.clock);
    struct fr_cert *root = NULL;
    enum fr_err err = fr_cert_load(r->ca, diag, &root);
    if (!err) err = fr_cert_verify(leaf, issuer, root, FR_CERT_FOR_SERVER, now_s, diag);
    if (!err) err = fr_cert_verify(leaf, issuer, root, FR_CERT_FOR_CLIENT, now_s, diag);
    fr_cert_free(root);
    return err;
}

static enum fr_err save(const struct fr_renewal *r, const struct fr_cert *leaf,
                        const struct fr_cert *issuer, struct fr_diag *diag)
{
    struct fr_buf pem = FR_BUF_INIT(FR_CERT_FILE_MAX);
    enum fr_err err = fr_cert_write_pem(leaf, &pem);
    if (!err) err = fr_cert_write_pem(issuer, &pem);
    if (!err) err = fr_file_write(r->chain, 0600, fr_buf_span(&pem), diag);
    fr_buf_deinit(&pem);
    return err;
}

static enum fr_err take(const struct fr_renewal *r, struct fr_span body, struct fr_diag *diag)
{
    struct fr_cert *certs[FR_BAG_CERTS_MAX], *issuer = NULL;
    size_t n = 0;
    enum fr_err err = fr_bag_read_text(body, certs, &n);
    if (err) return fr_diag_fail(diag, err, "the answer holds no certificate");
    err = find_issuer(r->options.store, certs[0], diag, &issuer);
    if (!err) err = verify(r, certs[0], issuer, diag);
    if (!err) err = compare(certs[0], r->chain, diag);
    if (!err) err = save(r, certs[0], issuer, diag);
    for (size_t i = 0; i < n; i++) fr_cert_free(certs[i]);
    fr_cert_free(issuer);
    return err;
}

static void tell(const struct fr_renewal *r, enum fr_err err, const struct fr_diag *diag)
{
    const char *why = diag->what[0] ? diag->what : fr_err_text(err);
    FR_LOG(r->options.log, err ? FR_LOG_ERROR : FR_LOG_INFO,
           err ? "replica.not_renewed" : "replica.renewed",
           FR_STR("federation", fr_store_federation(r->options.store)), FR_STR("file", r->chain),
           FR_STR("why", err ? why : NULL));
}

static void on_answer(void *data, const struct fr_http_result *result)
{
    struct fr_renewal *r = data;
    struct fr_diag diag = {0};
    enum fr_err err = FR_OK;
    r->is_over = true;
    if (result->fault == FR_HTTP_CANCELLED) return;
    if (result->fault != FR_HTTP_OK)
        err = fr_diag_fail(&diag, FR_E_NET, "%s", result->text);
    else if (result->status != 200)
        err = fr_diag_fail(&diag, FR_E_UNAVAILABLE, "HTTP %u: %.*s", result->status,
                           (int)(result->body.n < 160 ? result->body.n : 160),
                           (const char *)result->body.p);
    else
        err = take(r, result->body, &diag);
    tell(r, err, &diag);
}

/* --- asking --- */

/* Its subject's name is the certificate's, or the primary would wonder what is asked for. */
static enum fr_err build_request(const struct fr_renewal *r, struct fr_diag *diag,
                                 struct fr_buf *csr)
{
    struct fr_cert_fields leaf;
    struct fr_chain *chain = NULL;
    struct fr_key *key = NULL;
    enum fr_err err = fr_chain_load(r->chain, diag, &chain);
    if (!err) err = fr_cert_read_fields(fr_chain_at(chain, 0), &leaf);
    if (!err) err = fr_key_load(r->key, diag, &key);
    if (!err) err = fr_csr_build(key, leaf.cn, csr);
    fr_key_free(key);
    fr_chain_free(chain);
    return err;
}

static enum fr_err connect_to(struct fr_renewal *r, const struct fr_http_client_conf *to,
                              struct fr_diag *diag)
{
    const struct fr_tls_files files = {r->chain, r->key, r->ca};
    char host[FR_FEDERATION_MAX + sizeof "ca."];
    enum fr_err err = fr_tls_client_load(&files, diag, &r->tls);
    if (err) return err;
    struct fr_http_client_conf conf = *to;
    (void)snprintf(host, sizeof host, "ca.%s", fr_store_federation(r->options.store));
    conf.host = host;
    conf.tls = r->tls;
    conf.body_bytes = 2 * FR_BAG_MAX;
    return fr_http_client_new(r->options.loop, &conf, &r->client);
}

static enum fr_err ask(struct fr_renewal *r, const struct fr_http_client_conf *to,
                       struct fr_diag *diag)
{
    const struct fr_http_field fields[] = {
        FR_HTTP_FIELD("content-type", "application/pkcs10"),
        FR_HTTP_FIELD("content-transfer-encoding", "base64"),
    };
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    enum fr_err err = build_request(r, diag, &csr);
    if (!err) err = connect_to(r, to, diag);
    const struct fr_http_request request = {.method = "POST",
                                            .target = TARGET,
                                            .fields = fields,
                                            .n_fields = sizeof fields / sizeof fields[0],
                                            .body = fr_buf_span(&csr)};
    if (!err) err = fr_http_send(r->client, &request, DEADLINE_MS, on_answer, r, NULL);
    fr_buf_deinit(&csr);
    return err;
}

void fr_renewal_look(struct fr_renewal *r, const struct fr_http_client_conf *to)
{
    struct fr_diag diag = {0};
    if (r->is_over) fr_renewal_disconnect(r); /* not in the call-back, where it is in use */
    if (r->client) return;
    if (!fr_server_watch_is_due(&r->watch, r->chain, r->options.store, r->options.clock)) return;
    fr_server_watch_asked(&r->watch, r->options.clock);
    enum fr_err err = ask(r, to, &diag);
    if (!err) return;
    tell(r, err, &diag);
    fr_renewal_disconnect(r);
}

void fr_renewal_disconnect(struct fr_renewal *r)
{
    fr_http_client_free(r->client);
    r->client = NULL;
    fr_tls_ctx_unref(r->tls);
    r->tls = NULL;
    r->is_over = false;
}

/* --- handle --- */

enum fr_err fr_renewal_new(const struct fr_renewal_options *options, struct fr_renewal **out)
{
    struct fr_renewal *r = fr_calloc(1, sizeof *r);
    if (!r) return FR_E_NOMEM;
    r->options = *options;
    r->chain = fr_strdup(options->chain);
    r->key = fr_strdup(options->key);
    r->ca = fr_strdup(options->ca);
    if (!r->chain || !r->key || !r->ca) {
        fr_renewal_free(r);
        return FR_E_NOMEM;
    }
    *out = r;
    return FR_OK;
}

void fr_renewal_free(struct fr_renewal *r)
{
    if (!r) return;
    fr_renewal_disconnect(r);
    fr_free(r->chain);
    fr_free(r->key);
    fr_free(r->ca);
    fr_free(r);
}
