#include "resolver_cli/why.h"

#include "base/clock.h"
#include "resolver/options.h"
#include "transport/tls.h"
#include "x509/cert.h"

static const char STEP[] = "certificate";

struct files {
    struct fr_chain *chain;
    struct fr_cert *root;
};

/* Files that are there, can be read, and belong together. */
static bool load(struct fr_walk *walk, const struct fr_federation_opt *f, struct files *out)
{
    const struct fr_tls_files files = {.chain = f->chain, .key = f->key, .ca = f->ca};
    struct fr_tls_ctx *tls = NULL;
    struct fr_diag diag = {0};

    enum fr_err err = fr_chain_load(f->chain, &diag, &out->chain);
    if (err == FR_OK) err = fr_cert_load(f->ca, &diag, &out->root);
    if (err == FR_OK) err = fr_tls_client_load(&files, &diag, &tls);
    fr_tls_ctx_unref(tls);
    if (err == FR_OK) return true;
    fr_walk_fail(walk, STEP, err, &diag);
    return false;
}

static bool check_dates(struct fr_walk *walk, const struct fr_federation_opt *f,
                        const struct fr_cert_fields *c, int64_t now_s)
{
    char now[FR_TIME_TEXT], from[FR_TIME_TEXT], to[FR_TIME_TEXT];

    fr_time_print(now_s, now);
    fr_time_print(c->not_before_s, from);
    fr_time_print(c->not_after_s, to);
    if (now_s > c->not_after_s) {
        fr_walk_wrong(walk, FR_EXIT_REVOKED, STEP, "%s was valid until %s; it is %s here", f->chain,
                      to, now);
        fr_walk_todo(walk, "if this clock is right: fedroam cert request, and let the operator "
                           "issue a new one");
        return false;
    }
    if (now_s < c->not_before_s) {
        fr_walk_wrong(walk, FR_EXIT_TEMPORARY, STEP, "%s is valid from %s; it is %s here", f->chain,
                      from, now);
        fr_walk_todo(walk, "set this machine's clock: timedatectl set-ntp true");
        return false;
    }
    return true;
}

static bool check_chain(struct fr_walk *walk, const struct fr_federation_opt *f,
                        const struct files *files, int64_t now_s)
{
    const struct fr_cert *issuing =
        fr_chain_count(files->chain) > 1 ? fr_chain_at(files->chain, 1) : NULL;
    struct fr_diag diag = {0};

    enum fr_err err = fr_cert_verify(fr_chain_at(files->chain, 0), issuing, files->root,
                                     FR_CERT_FOR_CLIENT, now_s, &diag);
    if (err == FR_OK) return true;
    fr_walk_wrong(walk, FR_EXIT_CONFIG, STEP, "%s does not lead to %s: %s", f->chain, f->ca,
                  diag.what[0] ? diag.what : fr_err_text(err));
    fr_walk_todo(walk, "both files must be of %s; root.pem comes with the certificate", f->name);
    return false;
}

void fr_why_certificate(struct fr_walk *walk, const struct fr_federation_opt *federation,
                        int64_t now_s)
{
    struct files files = {0};
    struct fr_cert_fields c;
    char to[FR_TIME_TEXT];

    if (fr_walk_is_over(walk) || !load(walk, federation, &files)) goto out;
    if (fr_cert_read_fields(fr_chain_at(files.chain, 0), &c) != FR_OK) {
        fr_walk_wrong(walk, FR_EXIT_CONFIG, STEP, "%s is no certificate of a federation",
                      federation->chain);
        goto out;
    }
    if (!check_dates(walk, federation, &c, now_s) || !check_chain(walk, federation, &files, now_s))
        goto out;
    fr_time_print(c.not_after_s, to);
    fr_walk_right(walk, STEP, "%s: %s, valid until %s", federation->name,
                  c.dns_count > 0 ? c.dns[0] : c.cn, to);
out:
    fr_chain_free(files.chain);
    fr_cert_free(files.root);
}
