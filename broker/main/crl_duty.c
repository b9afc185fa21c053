#include "main/crl_duty.h"

#include "ca/crl.h"
#include "store/authority.h"
#include "store/cert.h"

#include <string.h>

#define RETRY_MS (30 * 1000)

struct looking {
    const char *state;
    int64_t now_s;
    struct fr_crl_sight *out;
};

/* The oldest of the lists that are due here: when that one moves, all were made. */
static enum fr_err look_at(void *data, const struct fr_authority_row *row)
{
    struct looking *l = data;
    char path[FR_CRL_PATH_MAX];
    if (!fr_ca_row_signs_lists(row, l->now_s)) return FR_OK;
    enum fr_err err = fr_crl_path(l->state, row->name, path);
    if (err) return err;
    const struct fr_file_stamp stamp = fr_file_stamp(path);
    if (!l->out->has_lists || stamp.mtime_ns < l->out->oldest.mtime_ns) l->out->oldest = stamp;
    l->out->has_lists = true;
    return FR_OK;
}

static enum fr_err look_up(const char *state, struct fr_store *store, int64_t now_s,
                           struct fr_crl_sight *out)
{
    struct fr_crl_sight sight;
    struct looking l = {state, now_s, &sight};
    struct fr_snap *snap = NULL;
    memset(&sight, 0, sizeof sight);
    enum fr_err err = fr_snap_begin(store, &snap);
    if (err) return err;
    err = fr_cert_revocations(snap, &sight.revocations);
    if (!err) err = fr_authority_digest(snap, &sight.authorities);
    if (!err) err = fr_authority_each(snap, look_at, &l);
    fr_snap_end(snap);
    if (!err) *out = sight;
    return err;
}

static bool is_due(const struct fr_crl_duty *duty, const struct fr_crl_sight *sight,
                   int64_t mono_ms)
{
    const struct fr_crl_sight *before = &duty->before;
    if (!sight->has_lists) return false; /* nobody signs any */
    if (!duty->was_asked || sight->revocations != before->revocations ||
        sight->authorities != before->authorities)
        return true;
    const bool is_made = !fr_file_stamp_equal(&sight->oldest, &before->oldest);
    return mono_ms - duty->asked_ms >= (is_made ? FR_CRL_REFRESH_S * 1000 : RETRY_MS);
}

void fr_crl_duty_look(struct fr_crl_duty *duty, const char *state, struct fr_store *store,
                      struct fr_writer *writer, const struct fr_clock *clock)
{
    static const struct fr_admin_request request = {.op = "crl.publish"};
    static const struct fr_admin_actor actor = {.kind = FR_ACTOR_LOCAL, .name = "broker"};
    const int64_t mono_ms = fr_clock_mono_ms(clock);
    struct fr_crl_sight sight;
    struct fr_task *task = NULL;
    if (look_up(state, store, fr_clock_real_s(clock), &sight)) return;
    if (!is_due(duty, &sight, mono_ms)) return;
    if (fr_task_new(&request, &actor, NULL, &task)) return;
    if (fr_writer_submit(writer, task, NULL, NULL, NULL)) {
        fr_task_free(task); /* busy: the next look asks again */
        return;
    }
    duty->was_asked = true;
    duty->asked_ms = mono_ms;
    duty->before = sight;
}

int64_t fr_crl_published_s(const char *state, struct fr_store *store, int64_t now_s)
{
    struct fr_crl_sight sight;
    if (look_up(state, store, now_s, &sight)) return 0;
    return sight.oldest.mtime_ns / 1000000000;
}
