#include "backup/backup.h"

#include "base/wire.h"

#include <string.h>

#define FORM 1

enum fr_err fr_manifest_write(const struct fr_backup_manifest *manifest,
                              uint8_t out[FR_MANIFEST_MAX], size_t *n)
{
    struct fr_wr w = fr_wr(out, FR_MANIFEST_MAX);
    fr_wr_u8(&w, FORM);
    fr_wr_u64(&w, (uint64_t)manifest->made_s);
    fr_wr_u32(&w, manifest->schema);
    fr_wr_u64(&w, manifest->sequence);
    fr_wr_u64(&w, manifest->devices);
    fr_wr_u64(&w, manifest->members);
    fr_wr_u64(&w, manifest->certs);
    fr_wr_u64(&w, manifest->audit_seq);
    fr_wr_bytes(&w, manifest->audit_hash, sizeof manifest->audit_hash);
    fr_wr_u8(&w, (uint8_t)strlen(manifest->federation));
    fr_wr_bytes(&w, manifest->federation, strlen(manifest->federation));
    *n = fr_wr_done(&w).n;
    return fr_wr_err(&w);
}

enum fr_err fr_manifest_read(struct fr_span bytes, struct fr_backup_manifest *out)
{
    struct fr_backup_manifest m = {0};
    struct fr_rd r = fr_rd(bytes);
    if (fr_rd_u8(&r) != FORM) fr_rd_fail(&r, FR_E_UNSUPPORTED);
    const uint64_t made = fr_rd_u64(&r);
    m.schema = fr_rd_u32(&r);
    m.sequence = fr_rd_u64(&r);
    m.devices = fr_rd_u64(&r);
    m.members = fr_rd_u64(&r);
    m.certs = fr_rd_u64(&r);
    m.audit_seq = fr_rd_u64(&r);
    fr_rd_bytes(&r, m.audit_hash, sizeof m.audit_hash);
    const struct fr_span name = fr_rd_span(&r, fr_rd_u8(&r));
    if (made == 0 || made > INT64_MAX) fr_rd_fail(&r, FR_E_MALFORMED);
    if (!fr_rd_err(&r) && !fr_span_copy(name, m.federation, sizeof m.federation))
        fr_rd_fail(&r, FR_E_MALFORMED);
    m.made_s = (int64_t)made;
    enum fr_err err = fr_rd_end(&r);
    if (!err) *out = m;
    return err;
}
