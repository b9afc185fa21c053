#include "xfr/intake.h"

#include "base/json_out.h"
#include "base/mem.h"
#include "names/netid.h"
#include "store/device.h"

#include <stdio.h>
#include <string.h>

#define ARGS_MAX 4096

enum fr_err fr_intake_init(struct fr_intake *intake, struct fr_store *store,
                           const struct fr_primary_row *row, const struct fr_xfr *xfr)
{
    *intake = (struct fr_intake){.store = store, .row = row, .xfr = xfr};
    enum fr_err err = fr_dname_parse(fr_span_str(row->zone), &intake->zone);
    for (uint8_t i = 0; !err && i < row->n_netids; i++)
        err = fr_list_new(fr_store_dir(store), &intake->diag, &intake->lists[i]);
    return err;
}

void fr_intake_deinit(struct fr_intake *intake)
{
    for (size_t i = 0; i < FR_PRIMARY_NETIDS_MAX; i++) fr_list_free(intake->lists[i]);
    fr_fold_deinit(&intake->fold);
    fr_free(intake->changes);
    *intake = (struct fr_intake){0};
}

static size_t side_of(const struct fr_intake *intake, uint32_t netid)
{
    size_t i = 0;

    while (intake->row->netids[i] != netid) i++; /* form.h gives none but these */
    return i;
}

static void leave(struct fr_intake *intake, enum fr_xfr_part part,
                  const struct fr_xfr_record *record, const char *why)
{
    char name[FR_PRIMARY_LEFT_TEXT + 1];

    if (part == FR_XFR_DELETE) return; /* the next full transfer counts anew */
    intake->left_out++;
    if (intake->left.n == FR_PRIMARY_LEFT_MAX) return;
    fr_form_print(record, name);
    fr_transfer_leave(&intake->left, name, why);
}

enum fr_err fr_intake_record(void *data, enum fr_xfr_part part, const struct fr_xfr_record *record)
{
    struct fr_intake *intake = data;
    struct fr_form_device device;

    switch (fr_form_read(intake->row, &intake->zone, record, &device)) {
    case FR_FORM_OTHER: return FR_OK;
    case FR_FORM_LEFT_OUT: leave(intake, part, record, device.why); return FR_OK;
    case FR_FORM_DEVICE: break;
    }
    if (!fr_xfr_is_full(intake->xfr))
        return fr_fold_add(&intake->fold, device.eui, device.netid, part == FR_XFR_DELETE);
    return fr_list_add(intake->lists[side_of(intake, device.netid)], device.eui, 0, &intake->diag);
}

struct known {
    struct fr_snap *snap;
    const struct fr_primary_row *row;
};

static bool is_known(void *data, uint64_t eui)
{
    const struct known *known = data;
    struct fr_device_row device;

    if (fr_device_get(known->snap, eui, &device)) return false;
    for (uint8_t i = 0; i < known->row->n_netids; i++)
        if (known->row->netids[i] == device.netid) return true;
    return false;
}

/* What was left out before stays on the list, in front. */
static enum fr_err merge_left(struct fr_intake *intake, struct fr_snap *snap)
{
    struct fr_primary_left *old = fr_calloc(1, sizeof *old);

    if (!old) return FR_E_NOMEM;
    enum fr_err err = fr_primary_left_get(snap, intake->row->member, intake->row->zone, old);
    for (uint8_t i = 0; i < intake->left.n; i++)
        fr_transfer_leave(old, intake->left.items[i].name, intake->left.items[i].why);
    if (!err) intake->left = *old;
    fr_free(old);
    return err;
}

static enum fr_err finish_changes(struct fr_intake *intake, const struct fr_primary_state *old)
{
    struct known known = {.row = intake->row};

    intake->is_plain = old->is_plain;
    enum fr_err err = fr_snap_begin(intake->store, &known.snap);
    if (err) return err;
    err = merge_left(intake, known.snap);
    if (!err)
        err = fr_fold_end(&intake->fold, is_known, &known, &intake->is_plain, &intake->changes,
                          &intake->n_changes);
    fr_snap_end(known.snap);
    return err;
}

/* More than one record for a device anywhere? */
static bool is_plain(const struct fr_intake *intake)
{
    for (uint8_t i = 0; i < intake->row->n_netids; i++)
        if (fr_list_repeated(intake->lists[i]) > 0) return false;
    return true;
}

enum fr_err fr_intake_finish(struct fr_intake *intake, const struct fr_primary_state *old,
                             unsigned budget_ms, bool *done)
{
    bool is_one = false;

    *done = false;
    intake->is_full = fr_xfr_is_full(intake->xfr);
    if (!intake->is_full) {
        *done = true;
        return finish_changes(intake, old);
    }
    while (intake->finished < intake->row->n_netids) {
        enum fr_err err =
            fr_list_finish(intake->lists[intake->finished], budget_ms, &intake->diag, &is_one);
        if (err || !is_one) return err;
        intake->finished++;
    }
    intake->is_plain = is_plain(intake);
    *done = true;
    return FR_OK;
}

enum fr_err fr_intake_submit_form(const char *op, const char *args,
                                  const struct fr_primary_state *state,
                                  const struct fr_primary_left *left,
                                  const struct fr_transfer_change *changes, size_t n,
                                  const struct fr_admin_actor *actor, struct fr_diag *diag,
                                  struct fr_task **out)
{
    struct fr_buf body = FR_BUF_INIT(FR_TRANSFER_BODY_MAX);

    fr_transfer_write(&body, state, left, changes, n);
    enum fr_err err = fr_buf_err(&body);
    const struct fr_admin_request request = {.op = op, .args = args, .body = fr_buf_span(&body)};
    if (!err) err = fr_task_new(&request, actor, diag, out);
    fr_buf_deinit(&body);
    return err;
}

/* "sets": the list of each NetID, in a file that the writer takes over. */
static enum fr_err put_sets(struct fr_intake *intake, struct fr_json *j, struct fr_diag *diag)
{
    fr_json_key(j, "sets");
    fr_json_array(j);
    for (uint8_t i = 0; i < intake->row->n_netids; i++) {
        char text[FR_NETID_TEXT + FR_LIST_NAME], netid[FR_NETID_TEXT];
        const char *name = NULL;
        enum fr_err err = fr_list_publish(intake->lists[i], diag, &name);
        if (err) return err;
        fr_netid_print(intake->row->netids[i], netid);
        (void)snprintf(text, sizeof text, "%s:%s", netid, name);
        fr_json_str(j, text);
    }
    fr_json_end(j);
    return FR_OK;
}

enum fr_err fr_intake_task(struct fr_intake *intake, struct fr_primary_state *state,
                           const struct fr_admin_actor *actor, struct fr_diag *diag,
                           struct fr_task **out)
{
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json j = fr_json(&args);
    enum fr_err err = FR_OK;

    state->has_serial = true;
    state->serial = intake->xfr->soa.serial;
    state->is_plain = intake->is_plain;
    fr_json_object(&j);
    fr_json_put_str(&j, "member", intake->row->member);
    fr_json_put_str(&j, "zone", intake->row->zone);
    if (intake->is_full) {
        state->left_out = intake->left_out;
        state->full_s = state->taken_s;
        err = put_sets(intake, &j, diag);
    } else {
        state->left_out += intake->left_out;
    }
    fr_json_end(&j);
    if (!err) err = fr_buf_err(&args);
    if (!err)
        err = fr_intake_submit_form(intake->is_full ? "zone.transfer" : "zone.change",
                                    fr_buf_str(&args), state, &intake->left, intake->changes,
                                    intake->n_changes, actor, diag, out);
    fr_buf_deinit(&args);
    return err;
}
