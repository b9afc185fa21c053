#include "main/ident.h"

#include "base/mem.h"
#include "base/siphash.h"
#include "store/authority.h"
#include "x509/cert.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct fr_ident {
    atomic_uint refs;
    struct fr_tls_ctx *ctx;
    char federation[FR_FEDERATION_MAX + 1];
    uint64_t authorities;
};

/* Fixed keys: the digests separate what an operator made, they guard nothing. */
static const struct fr_siphash_key key_a = {"fedroam authorit"}, key_b = {"fedroam sessions"};

/* --- marks --- */

enum fr_err fr_ident_mark_read(const char *state, struct fr_store *store, struct fr_ident_mark *out)
{
    enum fr_err err = FR_E_NOMEM;
    struct fr_snap *snap = NULL;
    struct fr_ident_mark mark;
    memset(&mark, 0, sizeof mark);
    char *chain = fr_path_join(state, "server.chain.pem");
    char *key = fr_path_join(state, "server.key");
    char *root = fr_path_join(state, "root.pem");
    if (!chain || !key || !root) goto out;
    err = fr_snap_begin(store, &snap);
    if (err) goto out;
    err = fr_authority_digest(snap, &mark.authorities);
    if (err) goto out;
    mark.chain = fr_file_stamp(chain);
    mark.key = fr_file_stamp(key);
    mark.root = fr_file_stamp(root);
    *out = mark;
out:
    fr_snap_end(snap);
    fr_free(chain);
    fr_free(key);
    fr_free(root);
    return err;
}

bool fr_ident_mark_equal(const struct fr_ident_mark *a, const struct fr_ident_mark *b)
{
    return fr_file_stamp_equal(&a->chain, &b->chain) && fr_file_stamp_equal(&a->key, &b->key) &&
           fr_file_stamp_equal(&a->root, &b->root) && a->authorities == b->authorities;
}

/* --- loading --- */

static enum fr_err add_authority(void *data, const struct fr_authority_row *row)
{
    struct fr_buf *pem = data;
    struct fr_cert *cert = NULL;
    if (!fr_authority_is_trusted(row)) return FR_OK;
    enum fr_err err = fr_cert_parse(fr_span(row->der, row->der_size), &cert);
    if (!err) err = fr_cert_write_pem(cert, pem);
    fr_cert_free(cert);
    return err;
}

/* The trust store: the root on disk and every authority the store still trusts. */
static enum fr_err read_authorities(const char *root, struct fr_store *store, struct fr_diag *diag,
                                    struct fr_buf *pem)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_file_read(root, diag, pem);
    if (err) return err;
    fr_buf_add_char(pem, '\n');
    err = fr_snap_begin(store, &snap);
    if (!err) err = fr_authority_each(snap, add_authority, pem);
    fr_snap_end(snap);
    return err ? err : fr_buf_err(pem);
}

/* A certificate of another federation, or one that is over, would have every client turn away:
 * better said here. */
static enum fr_err check_leaf(const char *path, const char *federation, int64_t now_s,
                              struct fr_diag *diag)
{
    struct fr_chain *chain = NULL;
    struct fr_cert_fields fields;
    char name[FR_CERT_NAME_MAX + 1];
    enum fr_err err = fr_chain_load(path, diag, &chain);
    if (err) return err;
    err = fr_cert_read_fields(fr_chain_at(chain, 0), &fields);
    fr_chain_free(chain);
    if (err) return fr_diag_fail(diag, err, "%s: the certificate cannot be read", path);
    if (now_s > fields.not_after_s) {
        err = fr_diag_fail(diag, FR_E_INVALID, "%s: the certificate is over", path);
        fr_diag_hint(diag, "fedroam ca server renew");
        return err;
    }
    (void)snprintf(name, sizeof name, "broker.%s", federation);
    for (size_t i = 0; i < fields.dns_count; i++)
        if (strcmp(fields.dns[i], name) == 0) return FR_OK;
    return fr_diag_fail(diag, FR_E_INVALID, "%s: the certificate is not for %s", path, name);
}

static enum fr_err ident_new(const struct fr_tls_pem *pem, const char *federation,
                             uint64_t authorities, struct fr_diag *diag, struct fr_ident **out)
{
    struct fr_ident *ident = fr_calloc(1, sizeof *ident);
    if (!ident) return FR_E_NOMEM;
    enum fr_err err = fr_tls_server_new(pem, diag, &ident->ctx);
    if (err) {
        fr_free(ident);
        return err;
    }
    atomic_init(&ident->refs, 1);
    (void)snprintf(ident->federation, sizeof ident->federation, "%s", federation);
    ident->authorities = authorities;
    *out = ident;
    return FR_OK;
}

enum fr_err fr_ident_load(const char *state, struct fr_store *store, int64_t now_s,
                          struct fr_diag *diag, struct fr_ident **out)
{
    enum fr_err err = FR_E_NOMEM;
    struct fr_buf chain = FR_BUF_INIT(FR_CERT_FILE_MAX), key = FR_BUF_INIT(FR_KEY_FILE_MAX);
    struct fr_buf ca = FR_BUF_INIT(16 * FR_CERT_FILE_MAX);
    struct fr_ident_mark mark;
    char *chain_path = fr_path_join(state, "server.chain.pem");
    char *key_path = fr_path_join(state, "server.key");
    char *root_path = fr_path_join(state, "root.pem");
    if (!chain_path || !key_path || !root_path) goto out;
    err = fr_ident_mark_read(state, store, &mark);
    if (err) goto out;
    err = check_leaf(chain_path, fr_store_federation(store), now_s, diag);
    if (err) goto out;
    err = fr_file_read(chain_path, diag, &chain);
    if (err) goto out;
    err = fr_file_read_private(key_path, diag, &key);
    if (err) goto out;
    err = read_authorities(root_path, store, diag, &ca);
    if (err) goto out;
    const struct fr_tls_pem pem = {.chain = fr_buf_span(&chain),
                                   .key = fr_buf_span(&key),
                                   .ca = fr_buf_span(&ca),
                                   .name = chain_path};
    err = ident_new(&pem, fr_store_federation(store), mark.authorities, diag, out);
out:
    fr_buf_deinit(&ca);
    fr_buf_deinit_secret(&key);
    fr_buf_deinit(&chain);
    fr_free(root_path);
    fr_free(key_path);
    fr_free(chain_path);
    return err;
}

struct fr_ident *fr_ident_ref(struct fr_ident *ident)
{
    atomic_fetch_add(&ident->refs, 1);
    return ident;
}

void fr_ident_unref(struct fr_ident *ident)
{
    if (!ident || atomic_fetch_sub(&ident->refs, 1) != 1) return;
    fr_tls_ctx_unref(ident->ctx);
    fr_free(ident);
}

void fr_ident_choose(const struct fr_ident *ident, enum fr_service service,
                     struct fr_tls_choice *out)
{
    const bool is_ca = service == FR_SERVICE_CA;
    char text[FR_FEDERATION_MAX + 64];
    uint64_t halves[2];
    int n = snprintf(text, sizeof text, "%s %s %llu", ident->federation, is_ca ? "ca" : "broker",
                     (unsigned long long)ident->authorities);
    halves[0] = fr_siphash(&key_a, fr_span(text, (size_t)n));
    halves[1] = fr_siphash(&key_b, fr_span(text, (size_t)n));
    *out = (struct fr_tls_choice){
        .ctx = ident->ctx,
        .client_cert = is_ca ? FR_TLS_CERT_REQUEST : FR_TLS_CERT_REQUIRE,
        .takes_expired = is_ca, /* one in its grace renews there; the gate looks at the dates */
        .sid_ctx_n = sizeof halves,
    };
    memcpy(out->sid_ctx, halves, sizeof halves);
}

int64_t fr_ident_not_after_s(const struct fr_ident *ident)
{
    return fr_tls_ctx_not_after_s(ident->ctx);
}
