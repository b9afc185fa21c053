#include "main/crl_duty.h"

#include "ca/crl.h"
#include "store/authority.h"
#include "store/cert.h"

#include <string.h>

#define RETRY_MS (30 * 1000)
#define TELL_MS (60 * 60 * 1000)
#define DOUBLINGS 7

struct looking {
    const char *state;
    int64_t now_s;
    bool is_signer; /* only lists that can be signed here count */
    struct fr_crl_sight *out;
};

static uint64_t key_of(const struct looking *l, const char *name)
{
    char path[FR_CA_PATH_MAX];
    if (fr_ca_path(l->state, name, "key", path)) return 0;
    const struct fr_file_stamp stamp = fr_file_stamp(path);
    return (uint64_t)stamp.mtime_ns ^ (uint64_t)stamp.ino;
}

/* The oldest of the lists that are due here: when that one moves, all were made. */
static enum fr_err look_at(void *data, const struct fr_authority_row *row)
{
    struct looking *l = data;
    char path[FR_CRL_PATH_MAX];
    if (!fr_ca_row_signs_lists(row, l->now_s)) return FR_OK;
    if (l->is_signer && !fr_ca_has_key(l->state, row->name)) {
        memcpy(l->out->keyless, row->name, sizeof l->out->keyless);
        return FR_OK;
    }
    l->out->keys += key_of(l, row->name);
    enum fr_err err = fr_crl_path(l->state, row->name, path);
    if (err) return err;
    const struct fr_file_stamp stamp = fr_file_stamp(path);
    if (!l->out->has_lists || stamp.mtime_ns < l->out->oldest.mtime_ns) l->out->oldest = stamp;
    l->out->has_lists = true;
    return FR_OK;
}

static enum fr_err look_up(const struct looking *how, struct fr_store *store,
                           struct fr_crl_sight *out)
{
    struct fr_crl_sight sight;
    struct looking l = *how;
    struct fr_snap *snap = NULL;
    memset(&sight, 0, sizeof sight);
    l.out = &sight;
    enum fr_err err = fr_snap_begin(store, &snap);
    if (err) return err;
    err = fr_cert_revocations(snap, &sight.revocations);
    if (!err) err = fr_authority_digest(snap, &sight.authorities);
    if (!err) err = fr_authority_each(snap, look_at, &l);
    fr_snap_end(snap);
    if (!err) *out = sight;
    return err;
}

static bool is_made(const struct fr_crl_duty *duty, const struct fr_crl_sight *sight)
{
    return !fr_file_stamp_equal(&sight->oldest, &duty->before.oldest);
}

static int64_t patience_ms(const struct fr_crl_duty *duty, const struct fr_crl_sight *sight)
{
    const int64_t longest_ms = FR_CRL_REFRESH_S * 1000;
    const int64_t retry_ms = (int64_t)RETRY_MS << (duty->vain < DOUBLINGS ? duty->vain : DOUBLINGS);
    return is_made(duty, sight) || retry_ms > longest_ms ? longest_ms : retry_ms;
}

static bool is_due(const struct fr_crl_duty *duty, const struct fr_crl_sight *sight,
                   int64_t mono_ms)
{
    const struct fr_crl_sight *before = &duty->before;
    if (!sight->has_lists) return false; /* nobody signs any */
    if (!duty->was_asked || sight->revocations != before->revocations ||
        sight->authorities != before->authorities || sight->keys != before->keys)
        return true;
    return mono_ms - duty->asked_ms >= patience_ms(duty, sight);
}

static void tell_keyless(struct fr_crl_duty *duty, const struct fr_crl_sight *sight,
                         const struct fr_crl_duty_options *options, int64_t mono_ms)
{
    if (sight->keyless[0] == '\0') {
        duty->was_told = false;
        return;
    }
    if (duty->was_told && mono_ms - duty->told_ms < TELL_MS) return;
    duty->was_told = true;
    duty->told_ms = mono_ms;
    FR_LOG(options->log, FR_LOG_ERROR, "crl.no_key",
           FR_STR("federation", fr_store_federation(options->store)), FR_STR("ca", sight->keyless),
           FR_STR("do", "fedroam doctor"));
}

void fr_crl_duty_look(struct fr_crl_duty *duty, const struct fr_crl_duty_options *options)
{
    static const struct fr_admin_request request = {.op = "crl.publish"};
    static const struct fr_admin_actor actor = {.kind = FR_ACTOR_LOCAL, .name = "broker"};
    const struct looking how = {
        .state = options->state, .now_s = fr_clock_real_s(options->clock), .is_signer = true};
    const int64_t mono_ms = fr_clock_mono_ms(options->clock);
    struct fr_crl_sight sight;
    struct fr_task *task = NULL;
    if (look_up(&how, options->store, &sight)) return;
    tell_keyless(duty, &sight, options, mono_ms);
    if (!is_due(duty, &sight, mono_ms)) return;
    if (fr_task_new(&request, &actor, NULL, &task)) return;
    if (fr_writer_submit(options->writer, task, NULL, NULL, NULL)) {
        fr_task_free(task); /* busy: the next look asks again */
        return;
    }
    duty->vain = duty->was_asked && !is_made(duty, &sight) ? duty->vain + 1 : 0;
    duty->was_asked = true;
    duty->asked_ms = mono_ms;
    duty->before = sight;
}
