#include "main/crl_duty.h"

#include "ca/crl.h"
#include "store/cert.h"

#include <string.h>

#define RETRY_MS (30 * 1000)

/* Where the list is, and the number it depends on. */
static enum fr_err look_up(const char *state, struct fr_store *store, uint64_t *revocations,
                           struct fr_file_stamp *stamp)
{
    char name[FR_HOST_MAX + 1], path[FR_CRL_PATH_MAX];
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(store, &snap);
    if (err) return err;
    err = fr_cert_revocations(snap, revocations);
    if (!err) err = fr_ca_find_active(snap, NULL, name);
    fr_snap_end(snap);
    if (!err) err = fr_crl_path(state, name, path);
    if (!err) *stamp = fr_file_stamp(path);
    return err;
}

static bool is_due(const struct fr_crl_duty *duty, uint64_t revocations,
                   const struct fr_file_stamp *stamp, int64_t mono_ms)
{
    if (!duty->was_asked || revocations != duty->revocations) return true;
    const bool is_made = !fr_file_stamp_equal(stamp, &duty->before);
    return mono_ms - duty->asked_ms >= (is_made ? FR_CRL_REFRESH_S * 1000 : RETRY_MS);
}

void fr_crl_duty_look(struct fr_crl_duty *duty, const char *state, struct fr_store *store,
                      struct fr_writer *writer, int64_t mono_ms)
{
    static const struct fr_admin_request request = {.op = "crl.publish"};
    static const struct fr_admin_actor actor = {.kind = FR_ACTOR_LOCAL, .name = "broker"};
    uint64_t revocations = 0;
    struct fr_file_stamp stamp;
    struct fr_task *task = NULL;
    if (look_up(state, store, &revocations, &stamp)) return;
    if (!is_due(duty, revocations, &stamp, mono_ms)) return;
    if (fr_task_new(&request, &actor, NULL, &task)) return;
    if (fr_writer_submit(writer, task, NULL, NULL, NULL)) {
        fr_task_free(task); /* busy: the next look asks again */
        return;
    }
    *duty = (struct fr_crl_duty){true, revocations, mono_ms, stamp};
}

int64_t fr_crl_published_s(const char *state, struct fr_store *store)
{
    uint64_t revocations = 0;
    struct fr_file_stamp stamp;
    if (look_up(state, store, &revocations, &stamp)) return 0;
    return stamp.mtime_ns / 1000000000;
}
