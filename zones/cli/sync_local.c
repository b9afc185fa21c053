/* fedroam sync: a federation's devices on the broker's own host */
#include "zones_cli/sync_target.h"

#include "admin/batch.h"
#include "base/mem.h"
#include "base/wire.h"
#include "session/session.h"
#include "store/device.h"

#include <string.h>

#define PAGE 4096 /* rows looked up in one snapshot */

struct local {
    struct fr_sync_target base;
    const struct fr_cli *cli;
    const char *dir;
    uint32_t netid;
    struct fr_session session;
    uint64_t from; /* next EUI to look at */
    bool is_last;
    size_t at, n;
    uint64_t page[PAGE];
    uint64_t sending[FR_BATCH_ROWS];
    uint8_t rows[FR_BATCH_ROWS * FR_BATCH_ROW];
};

static void local_close(struct fr_sync_target *target)
{
    struct local *l = (struct local *)target;
    fr_session_close(&l->session);
    fr_free(l);
}

static enum fr_err take_row(void *data, const struct fr_device_row *row)
{
    struct local *l = data;
    l->page[l->n++] = row->deveui;
    return l->n == PAGE ? FR_E_CLOSED : FR_OK;
}

static enum fr_err turn_page(struct local *l)
{
    enum fr_err err = fr_snap_renew(l->session.snap);
    l->at = l->n = 0;
    if (!err) err = fr_device_each(l->session.snap, l->from, l->netid, take_row, l);
    if (err && err != FR_E_CLOSED) return err;
    l->is_last = err == FR_OK || l->page[l->n - 1] == UINT64_MAX;
    if (!l->is_last) l->from = l->page[l->n - 1] + 1;
    fr_snap_reset(l->session.snap);
    return FR_OK;
}

static enum fr_err local_next(void *data, struct fr_diag *diag, uint64_t *deveui)
{
    struct local *l = data;
    (void)diag;
    while (l->at == l->n) {
        if (l->is_last) {
            fr_session_close(&l->session); /* a change may need the store for itself */
            return FR_E_CLOSED;
        }
        enum fr_err err = turn_page(l);
        if (err) return err;
    }
    *deveui = l->page[l->at++];
    return FR_OK;
}

static void take_results(const struct local *l, const char *letters, size_t n,
                         struct fr_sync_outcome *outcome)
{
    for (size_t i = 0; i < n; i++) {
        const struct fr_batch_result *result = fr_batch_result_find(letters[i]);
        outcome->done++;
        if (!result)
            fr_sync_outcome_refuse(outcome, l->sending[i], FR_SPAN_LIT("not understood"));
        else if (result->status >= 300 && result->letter != 'n')
            fr_sync_outcome_refuse(outcome, l->sending[i], fr_span_str(result->word));
    }
}

static enum fr_err send_part(struct local *l, size_t n, struct fr_sync_outcome *outcome,
                             struct fr_diag *diag)
{
    const struct fr_admin_request request = {
        .op = "device.batch",
        .args = "{}",
        .body = fr_span(l->rows, n * FR_BATCH_ROW),
        .reason = fr_cli_opt(l->cli, "reason"),
    };
    struct fr_admin_reply *reply = NULL;
    enum fr_err err = fr_admin_call(l->dir, &request, diag, &reply);
    const char *letters = err ? NULL : fr_admin_reply_text(reply, "results");
    if (!err && (!letters || strlen(letters) != n)) err = FR_E_INTERNAL;
    if (!err) take_results(l, letters, n, outcome);
    fr_admin_reply_free(reply);
    return err;
}

static enum fr_err local_send(struct fr_sync_target *target, struct fr_sync_plan *plan,
                              struct fr_sync_outcome *outcome, struct fr_diag *diag)
{
    struct local *l = (struct local *)target;
    struct fr_wr w = fr_wr(l->rows, sizeof l->rows);
    bool is_put = false;
    uint64_t eui = 0;
    size_t n = 0;
    enum fr_err err = FR_OK;
    while (!err && (err = fr_sync_plan_next(plan, &is_put, &eui)) == FR_OK) {
        l->sending[n++] = eui;
        fr_wr_u8(&w, is_put ? 'p' : 'd');
        fr_wr_u24(&w, l->netid);
        fr_wr_u64(&w, eui);
        if (n < FR_BATCH_ROWS) continue;
        err = send_part(l, n, outcome, diag);
        w = fr_wr(l->rows, sizeof l->rows);
        n = 0;
    }
    if (err == FR_E_CLOSED) err = n ? send_part(l, n, outcome, diag) : FR_OK;
    return err;
}

static const struct fr_sync_target_kind kind = {
    .next = local_next, .send = local_send, .close = local_close};

static enum fr_err open_store(struct local *l, const char *federation, struct fr_diag *diag)
{
    struct fr_session *s = &l->session;
    const struct fr_store_options options = {.dir = l->dir, .is_read_only = true};
    enum fr_err err = fr_admin_identity_enter(l->dir, diag, &s->identity);
    if (err) return err;
    s->has_identity = true;
    err = fr_store_open(&options, diag, &s->store);
    if (!err && strcmp(fr_store_federation(s->store), federation) != 0)
        err = fr_diag_fail(diag, FR_E_CONFLICT, "%s holds federation %s, not %s", l->dir,
                           fr_store_federation(s->store), federation);
    if (!err) err = fr_snap_begin(s->store, &s->snap);
    if (!err) fr_snap_reset(s->snap);
    return err;
}

enum fr_err fr_sync_local_open(struct fr_cli *cli, const struct fr_sync_federation_conf *fed,
                               struct fr_diag *diag, struct fr_sync_target **out)
{
    struct local *l = fr_calloc(1, sizeof *l);
    if (!l) return FR_E_NOMEM;
    l->base.kind = &kind;
    l->cli = cli;
    l->dir = fed->state;
    l->netid = fed->netid;
    enum fr_err err = open_store(l, fed->name, diag);
    if (err) {
        local_close(&l->base);
        return err;
    }
    *out = &l->base;
    return FR_OK;
}
