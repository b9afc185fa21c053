#include "ca/server_watch.h"

#include "ca/server.h"
#include "store/authority.h"
#include "x509/cert.h"

#include <string.h>

#define RETRY_MS (10 * 60 * 1000)
#define AGAIN_MS (60 * 60 * 1000)

struct active {
    bool is_found;
    struct fr_authority_row row;
};

static enum fr_err find_active(void *data, const struct fr_authority_row *row)
{
    struct active *active = data;
    if (row->kind != FR_AUTHORITY_ISSUING || row->state != FR_AUTHORITY_ACTIVE) return FR_OK;
    active->is_found = true;
    active->row = *row;
    return FR_OK;
}

/* Whether the chain's second certificate is that of the active CA. */
static bool hangs_below(const struct fr_chain *chain, const struct fr_authority_row *row)
{
    struct fr_cert_fields issuer;
    return fr_chain_count(chain) > 1 &&
           fr_cert_read_fields(fr_chain_at(chain, 1), &issuer) == FR_OK &&
           memcmp(issuer.sha256, row->sha256, sizeof issuer.sha256) == 0;
}

/* When it is due, as far as the chain and the CAs say. */
static enum fr_err read_chain(struct fr_server_watch *watch, const char *path, struct fr_snap *snap)
{
    struct fr_chain *chain = NULL;
    struct fr_cert_fields fields;
    struct active active = {0};
    enum fr_err err = fr_authority_each(snap, find_active, &active);
    if (!err) err = fr_chain_load(path, NULL, &chain);
    if (!err) err = fr_cert_read_fields(fr_chain_at(chain, 0), &fields);
    if (!err) {
        watch->not_after_s = fields.not_after_s;
        if (!active.is_found)
            watch->due_s = INT64_MAX;
        else if (!hangs_below(chain, &active.row))
            watch->due_s = 0;
        else
            watch->due_s = fr_server_due_s(fields.not_before_s, fields.not_after_s);
    }
    fr_chain_free(chain);
    return err;
}

static enum fr_err look(struct fr_server_watch *watch, const char *path, struct fr_store *store)
{
    const struct fr_file_stamp chain = fr_file_stamp(path);
    struct fr_snap *snap = NULL;
    uint64_t authorities = 0;
    enum fr_err err = fr_snap_begin(store, &snap);
    if (err) return err;
    err = fr_authority_digest(snap, &authorities);
    const bool is_same = watch->is_known && fr_file_stamp_equal(&chain, &watch->chain) &&
                         authorities == watch->authorities;
    if (!err && !is_same) err = read_chain(watch, path, snap);
    fr_snap_end(snap);
    watch->is_known = !err;
    watch->chain = chain;
    watch->authorities = authorities;
    return err;
}

bool fr_server_watch_is_due(struct fr_server_watch *watch, const char *chain,
                            struct fr_store *store, const struct fr_clock *clock)
{
    if (look(watch, chain, store) || fr_clock_real_s(clock) < watch->due_s) return false;
    if (!watch->was_asked || watch->authorities != watch->asked_authorities) return true;
    const bool came_to_nothing = watch->asked_not_after_s == watch->not_after_s;
    return fr_clock_mono_ms(clock) - watch->asked_ms >= (came_to_nothing ? RETRY_MS : AGAIN_MS);
}

void fr_server_watch_asked(struct fr_server_watch *watch, const struct fr_clock *clock)
{
    watch->was_asked = true;
    watch->asked_ms = fr_clock_mono_ms(clock);
    watch->asked_not_after_s = watch->not_after_s;
    watch->asked_authorities = watch->authorities;
}
