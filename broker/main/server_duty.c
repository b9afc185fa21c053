#include "main/server_duty.h"

#include "base/mem.h"
#include "ca/ca.h"
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
static enum fr_err read_chain(struct fr_server_duty *duty, const char *path, struct fr_snap *snap)
{
    struct fr_chain *chain = NULL;
    struct fr_cert_fields fields;
    struct active active = {0};
    enum fr_err err = fr_authority_each(snap, find_active, &active);
    if (!err) err = fr_chain_load(path, NULL, &chain);
    if (!err) err = fr_cert_read_fields(fr_chain_at(chain, 0), &fields);
    if (!err) {
        duty->not_after_s = fields.not_after_s;
        if (!active.is_found)
            duty->due_s = INT64_MAX;
        else if (!hangs_below(chain, &active.row))
            duty->due_s = 0;
        else
            duty->due_s = fr_server_due_s(fields.not_before_s, fields.not_after_s);
    }
    fr_chain_free(chain);
    return err;
}

static enum fr_err look(struct fr_server_duty *duty, const char *path, struct fr_store *store)
{
    const struct fr_file_stamp chain = fr_file_stamp(path);
    struct fr_snap *snap = NULL;
    uint64_t authorities = 0;
    enum fr_err err = fr_snap_begin(store, &snap);
    if (err) return err;
    err = fr_authority_digest(snap, &authorities);
    const bool is_same = duty->is_known && fr_file_stamp_equal(&chain, &duty->chain) &&
                         authorities == duty->authorities;
    if (!err && !is_same) err = read_chain(duty, path, snap);
    fr_snap_end(snap);
    duty->is_known = !err;
    duty->chain = chain;
    duty->authorities = authorities;
    return err;
}

static bool is_due(const struct fr_server_duty *duty, const struct fr_clock *clock)
{
    if (fr_clock_real_s(clock) < duty->due_s) return false;
    if (!duty->was_asked || duty->authorities != duty->asked_authorities) return true;
    const bool came_to_nothing = duty->asked_not_after_s == duty->not_after_s;
    return fr_clock_mono_ms(clock) - duty->asked_ms >= (came_to_nothing ? RETRY_MS : AGAIN_MS);
}

void fr_server_duty_look(struct fr_server_duty *duty, const char *state, struct fr_store *store,
                         struct fr_writer *writer, const struct fr_clock *clock)
{
    static const struct fr_admin_request request = {.op = "server.renew"};
    static const struct fr_admin_actor actor = {.kind = FR_ACTOR_LOCAL, .name = "broker"};
    struct fr_task *task = NULL;
    char *path = fr_path_join(state, "server.chain.pem");
    if (!path) return;
    enum fr_err err = look(duty, path, store);
    fr_free(path);
    if (err || !is_due(duty, clock) || fr_task_new(&request, &actor, NULL, &task)) return;
    if (fr_writer_submit(writer, task, NULL, NULL, NULL)) {
        fr_task_free(task); /* busy: the next look asks again */
        return;
    }
    duty->was_asked = true;
    duty->asked_ms = fr_clock_mono_ms(clock);
    duty->asked_not_after_s = duty->not_after_s;
    duty->asked_authorities = duty->authorities;
}
