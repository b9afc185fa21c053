#include "roles/own_cert.h"

#include "base/mem.h"
#include "names/cert_name.h"
#include "x509/cert.h"

static bool is_ours(const struct fr_cert_fields *fields, const char *federation, uint32_t netid,
                    bool is_join_server_only)
{
    for (size_t i = 0; i < fields->dns_count; i++) {
        struct fr_cert_name name;
        if (fr_cert_name_parse(fr_span_str(fields->dns[i]), federation, &name) != FR_OK) continue;
        if (name.kind == FR_CERT_NETID && name.netid == netid) return true;
        if (name.kind == FR_CERT_JOINEUI && is_join_server_only) return true;
    }
    return false;
}

enum fr_err fr_own_cert_check(const char *chain_path, const char *federation, uint32_t netid,
                              bool is_join_server_only, struct fr_diag *diag)
{
    const struct fr_cert_name wanted = {.kind = FR_CERT_NETID, .netid = netid};
    char name[FR_CERT_NAME_TEXT];
    struct fr_chain *chain = NULL;
    struct fr_cert_fields *fields = NULL;

    enum fr_err err = fr_cert_name_print(&wanted, federation, name);
    if (err) goto out;
    err = fr_chain_load(chain_path, diag, &chain);
    if (err) goto out;
    fields = fr_calloc(1, sizeof *fields);
    if (fields == NULL) {
        err = FR_E_NOMEM;
        goto out;
    }
    err = fr_cert_read_fields(fr_chain_at(chain, 0), fields);
    if (err) goto out;
    if (!is_ours(fields, federation, netid, is_join_server_only)) {
        err = fr_diag_fail(diag, FR_E_CONFIG,
                           "the certificate is not for %s: peers would refuse us", name);
        fr_diag_where(diag, chain_path, 0, 0);
        fr_diag_hint(diag, "take the one that cert issue --profile ns --netid %.6s made", name);
    }
out:
    fr_free(fields);
    fr_chain_free(chain);
    return err;
}
