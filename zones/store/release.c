#include "store/release.h"

#include "store/device_write.h"
#include "store/member.h"
#include "store/network.h"
#include "store/rows.h"

#include <inttypes.h>
#include <string.h>

static enum fr_err read_row(struct fr_span key, struct fr_span value, struct fr_release_row *out)
{
    struct fr_rd r = fr_rd(key);
    struct fr_release_row row = {.deveui = fr_rd_u64(&r)};

    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) err = fr_release_read(value, &row);
    if (err == FR_OK) *out = row;
    return err;
}

enum fr_err fr_release_get(struct fr_snap *snap, uint64_t deveui, struct fr_release_row *out)
{
    uint8_t bytes[8];
    struct fr_span value, key = fr_device_key(deveui, bytes);

    enum fr_err err = fr_txn_get(snap->txn, FR_TABLE_RELEASES, key, &value);
    return err ? err : read_row(key, value, out);
}

bool fr_release_is_good(const struct fr_release_row *row, const struct fr_device_row *device,
                        const char *owner, const char *to, int64_t now_s)
{
    return row->until_s > now_s && row->change == device->change && strcmp(row->from, owner) == 0 &&
           strcmp(row->to, to) == 0;
}

/* The device and who holds it. FR_E_NOT_FOUND: nobody. */
static enum fr_err find_device(struct fr_snap *snap, uint64_t eui, struct fr_device_row *device,
                               struct fr_network_row *network)
{
    enum fr_err err = fr_device_get(snap, eui, device);

    return err ? err : fr_network_get(snap, device->netid, network);
}

static enum fr_err is_good_now(struct fr_snap *snap, const struct fr_release_row *row,
                               int64_t now_s, bool *out)
{
    struct fr_device_row device;
    struct fr_network_row network;

    enum fr_err err = find_device(snap, row->deveui, &device, &network);
    *out = err == FR_OK && fr_release_is_good(row, &device, network.member, row->to, now_s);
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

struct visit {
    struct fr_snap *snap;
    const char *member;
    int64_t now_s;
    fr_release_fn fn;
    void *data;
};

static enum fr_err visit_row(void *data, struct fr_span key, struct fr_span value)
{
    const struct visit *v = data;
    struct fr_release_row row;
    bool is_good = false;

    enum fr_err err = read_row(key, value, &row);
    if (err) return err;
    if (v->member != NULL && strcmp(v->member, row.from) != 0 && strcmp(v->member, row.to) != 0)
        return FR_OK;
    err = is_good_now(v->snap, &row, v->now_s, &is_good);
    return err || !is_good ? err : v->fn(v->data, &row);
}

enum fr_err fr_release_each(struct fr_snap *snap, const char *member, int64_t now_s,
                            fr_release_fn fn, void *data)
{
    struct visit v = {snap, member, now_s, fn, data};

    return fr_snap_visit(snap, FR_TABLE_RELEASES, (struct fr_span){0}, visit_row, &v);
}

enum fr_err fr_release_each_part(struct fr_snap *snap, const char *member, int64_t now_s,
                                 fr_release_fn fn, void *data, struct fr_release_part *part)
{
    struct visit v = {snap, member, now_s, fn, data};
    struct fr_cursor *cursor = NULL;
    struct fr_span key, value;
    uint8_t bytes[8];

    enum fr_err err = fr_cursor_open(snap->txn, FR_TABLE_RELEASES, &cursor);
    if (err) return err;
    err = fr_cursor_seek(cursor, fr_device_key(part->from, bytes), &key, &value);
    while (err == FR_OK && part->rows > 0) {
        struct fr_rd r = fr_rd(key);
        part->rows--;
        part->from = fr_rd_u64(&r) + 1;
        err = visit_row(&v, key, value);
        if (err) break;
        err = fr_cursor_next(cursor, &key, &value);
    }
    fr_cursor_close(cursor);
    part->is_end = err == FR_E_NOT_FOUND || part->from == 0;
    return err == FR_E_NOT_FOUND || err == FR_E_CLOSED ? FR_OK : err;
}

/* --- changes --- */

static enum fr_err check_job(struct fr_change *change, const struct fr_release_job *job,
                             struct fr_diag *diag)
{
    struct fr_member_row to;
    int64_t now_s = fr_change_now(change);
    uint64_t rows = 0;

    enum fr_err err = fr_member_get(fr_change_snap(change), job->to, &to);
    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "there is no member %s", job->to);
    if (err) return err;
    if (to.state == FR_MEMBER_REMOVED)
        return fr_diag_fail(diag, FR_E_CONFLICT, "member %s was removed", job->to);
    if (job->until_s <= now_s)
        return fr_diag_fail(diag, FR_E_INVALID, "the release would be over before it began");
    if (job->until_s > now_s + FR_RELEASE_LONGEST_S)
        return fr_diag_fail(diag, FR_E_INVALID, "a release lasts at most a year");
    err = fr_txn_count(fr_change_txn(change), FR_TABLE_RELEASES, &rows);
    if (err == FR_OK && rows + job->n > FR_RELEASES_MAX)
        return fr_diag_fail(diag, FR_E_LIMIT, "there are %d releases already", FR_RELEASES_MAX);
    return err;
}

/* A device that is to be released or not to be any more. */
static enum fr_err own_device(struct fr_change *change, const struct fr_release_job *job,
                              uint64_t eui, struct fr_diag *diag, struct fr_release_row *row)
{
    struct fr_device_row device;
    struct fr_network_row network;

    enum fr_err err = find_device(fr_change_snap(change), eui, &device, &network);
    if (err == FR_OK && job->by != NULL && strcmp(job->by, network.member) != 0)
        err = FR_E_NOT_FOUND;
    if (err == FR_E_NOT_FOUND)
        return fr_diag_fail(diag, err, "no device %016" PRIx64 "%s; nothing was changed", eui,
                            job->by != NULL ? " of yours" : "");
    if (err) return err;
    *row = (struct fr_release_row){.deveui = eui, .change = device.change};
    memcpy(row->from, network.member, sizeof row->from);
    return FR_OK;
}

static enum fr_err put_one(struct fr_change *change, const struct fr_release_job *job, uint64_t eui,
                           struct fr_diag *diag, uint64_t *count)
{
    struct fr_release_row row, there;
    uint8_t key[8], bytes[FR_ROW_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    enum fr_err err = own_device(change, job, eui, diag, &row);
    if (err) return err;
    if (strcmp(row.from, job->to) == 0)
        return fr_diag_fail(diag, FR_E_INVALID, "device %016" PRIx64 " is %s's already", eui,
                            job->to);
    (void)fr_span_copy(fr_span_str(job->to), row.to, sizeof row.to);
    row.until_s = job->until_s;
    row.created_s = fr_change_now(change);
    err = fr_release_get(fr_change_snap(change), eui, &there);
    if (err && err != FR_E_NOT_FOUND) return err;
    if (err == FR_OK && there.until_s == row.until_s && there.change == row.change &&
        strcmp(there.from, row.from) == 0 && strcmp(there.to, row.to) == 0)
        return FR_OK;
    ++*count;
    fr_release_write(&w, &row);
    return fr_change_put(change, FR_TABLE_RELEASES, FR_FACT_RELEASE, fr_device_key(eui, key),
                         fr_wr_done(&w));
}

enum fr_err fr_release_put(struct fr_change *change, const struct fr_release_job *job,
                           struct fr_diag *diag, uint64_t *count)
{
    uint64_t n = 0;
    enum fr_err err = check_job(change, job, diag);

    for (size_t i = 0; err == FR_OK && i < job->n; i++)
        err = put_one(change, job, job->euis[i], diag, &n);
    if (err == FR_OK) *count = n;
    return err;
}

static enum fr_err take(struct fr_change *change, uint64_t eui)
{
    uint8_t bytes[8];
    struct fr_span key = fr_device_key(eui, bytes);

    enum fr_err err = fr_txn_delete(fr_change_txn(change), FR_TABLE_RELEASES, key);
    return err ? err : fr_change_note(change, FR_FACT_RELEASE, key, (struct fr_span){0});
}

enum fr_err fr_release_withdraw(struct fr_change *change, const struct fr_release_job *job,
                                struct fr_diag *diag, uint64_t *count)
{
    struct fr_release_row row;
    uint64_t n = 0;
    enum fr_err err = FR_OK;

    for (size_t i = 0; err == FR_OK && i < job->n; i++) {
        err = own_device(change, job, job->euis[i], diag, &row);
        if (err) break;
        err = take(change, job->euis[i]);
        if (err == FR_OK) n++;
        if (err == FR_E_NOT_FOUND) err = FR_OK;
    }
    if (err == FR_OK) *count = n;
    return err;
}

/* --- sweeping --- */

#define SWEEP_AT_ONCE 256

struct sweep {
    struct fr_snap *snap;
    int64_t now_s;
    uint64_t from; /* looked at from here on */
    uint64_t euis[SWEEP_AT_ONCE];
    size_t n, max;
};

static enum fr_err find_stale(struct sweep *sweep)
{
    struct fr_cursor *cursor = NULL;
    struct fr_span key, value;
    struct fr_release_row row;
    uint8_t bytes[8];
    bool is_good = false;

    enum fr_err err = fr_cursor_open(sweep->snap->txn, FR_TABLE_RELEASES, &cursor);
    if (err) return err;
    err = fr_cursor_seek(cursor, fr_device_key(sweep->from, bytes), &key, &value);
    while (err == FR_OK && sweep->n < sweep->max) {
        err = read_row(key, value, &row);
        if (err == FR_OK) err = is_good_now(sweep->snap, &row, sweep->now_s, &is_good);
        if (err) break;
        sweep->from = row.deveui;
        if (!is_good) sweep->euis[sweep->n++] = row.deveui;
        err = fr_cursor_next(cursor, &key, &value);
    }
    fr_cursor_close(cursor);
    return err;
}

enum fr_err fr_release_sweep(struct fr_change *change, size_t limit, bool *left)
{
    struct sweep sweep = {.snap = fr_change_snap(change), .now_s = fr_change_now(change)};
    enum fr_err err = FR_OK;
    size_t done = 0;

    while (err == FR_OK && done < limit) {
        sweep.n = 0;
        sweep.max = limit - done < SWEEP_AT_ONCE ? limit - done : SWEEP_AT_ONCE;
        enum fr_err end = find_stale(&sweep);
        for (size_t i = 0; err == FR_OK && i < sweep.n; i++) err = take(change, sweep.euis[i]);
        done += sweep.n;
        if (err == FR_OK) err = end;
    }
    *left = err == FR_OK;
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}
