#include "resolver/identity.h"

#include "base/file.h"
#include "base/mem.h"
#include "transport/tls.h"
#include <string.h>

enum { CHECK_MS = 1000, FILES = 3 };

struct fr_identity {
    unsigned refs;
    struct fr_tls_files files;
    struct fr_file_stamp stamps[FILES]; /* of what was loaded */
    struct fr_tls_ctx *ctx;
    unsigned generation;
    int64_t checked_ms;
};

enum fr_err fr_identity_new(const char *ca, const char *chain, const char *key,
                            struct fr_identity **out)
{
    struct fr_identity *id = fr_calloc(1, sizeof *id);
    if (!id) return FR_E_NOMEM;
    id->refs = 1;
    id->files = (struct fr_tls_files){.chain = chain, .key = key, .ca = ca};
    *out = id;
    return FR_OK;
}

struct fr_identity *fr_identity_ref(struct fr_identity *id)
{
    id->refs++;
    return id;
}

void fr_identity_unref(struct fr_identity *id)
{
    if (!id || --id->refs > 0) return;
    fr_tls_ctx_unref(id->ctx);
    fr_free(id);
}

static void take_stamps(const struct fr_identity *id, struct fr_file_stamp out[FILES])
{
    out[0] = fr_file_stamp(id->files.ca);
    out[1] = fr_file_stamp(id->files.chain);
    out[2] = fr_file_stamp(id->files.key);
}

static bool same_stamps(const struct fr_file_stamp a[FILES], const struct fr_file_stamp b[FILES])
{
    for (int i = 0; i < FILES; i++)
        if (!fr_file_stamp_equal(&a[i], &b[i])) return false;
    return true;
}

/* The stamps are taken before the files are read: a write in between is seen at the next look. */
static enum fr_err reload(struct fr_identity *id, struct fr_diag *diag)
{
    struct fr_file_stamp stamps[FILES];
    struct fr_tls_ctx *ctx = NULL;
    take_stamps(id, stamps);
    if (id->ctx && same_stamps(stamps, id->stamps)) return FR_OK;
    enum fr_err err = fr_tls_client_load(&id->files, diag, &ctx);
    if (err) return err;
    fr_tls_ctx_unref(id->ctx);
    id->ctx = ctx;
    id->generation++;
    memcpy(id->stamps, stamps, sizeof stamps);
    return FR_OK;
}

enum fr_err fr_identity_get(struct fr_identity *id, int64_t now_ms, struct fr_diag *diag,
                            struct fr_tls_ctx **out, unsigned *generation)
{
    if (!id->ctx || now_ms - id->checked_ms >= CHECK_MS) {
        enum fr_err err = reload(id, diag);
        if (err && !id->ctx) return err;
        id->checked_ms = now_ms; /* a set that does not load is looked at again in a second */
    }
    *out = id->ctx;
    *generation = id->generation;
    return FR_OK;
}

enum fr_err fr_identity_reload(struct fr_identity *id, int64_t now_ms, struct fr_diag *diag)
{
    id->checked_ms = now_ms;
    return reload(id, diag);
}
