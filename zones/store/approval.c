#include "store/approval.h"

#include "base/random.h"
#include "store/rows.h"
#include "store/tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *fr_approval_state_text(enum fr_approval_state state)
{
    switch (state) {
    case FR_APPROVAL_WAITING: return "waiting";
    case FR_APPROVAL_AGREED: return "agreed";
    case FR_APPROVAL_DONE: return "done";
    case FR_APPROVAL_REFUSED: return "refused";
    case FR_APPROVAL_FAILED: return "failed";
    }
    return "unknown";
}

bool fr_approval_is_open(const struct fr_approval_row *row, int64_t now_s)
{
    return row->state <= FR_APPROVAL_AGREED && now_s <= row->expires_s;
}

/* --- rows --- */

static enum fr_err read_row(struct fr_span key, struct fr_span value, struct fr_approval_row *out)
{
    struct fr_approval_row row = {0};

    if (key.n != FR_APPROVAL_ID_SIZE) return FR_E_MALFORMED;
    memcpy(row.id, key.p, key.n);
    enum fr_err err = fr_approval_read(value, &row);
    if (err == FR_OK) *out = row;
    return err;
}

enum fr_err fr_approval_get(struct fr_snap *snap, const uint8_t id[FR_APPROVAL_ID_SIZE],
                            struct fr_approval_row *out)
{
    struct fr_span value, key = fr_span(id, FR_APPROVAL_ID_SIZE);

    enum fr_err err = fr_txn_get(snap->txn, FR_TABLE_APPROVALS, key, &value);
    return err ? err : read_row(key, value, out);
}

struct visit {
    fr_approval_fn fn;
    void *data;
};

static enum fr_err visit_row(void *data, struct fr_span key, struct fr_span value)
{
    const struct visit *v = data;
    struct fr_approval_row row;

    enum fr_err err = read_row(key, value, &row);
    return err ? err : v->fn(v->data, &row);
}

enum fr_err fr_approval_each(struct fr_snap *snap, fr_approval_fn fn, void *data)
{
    struct visit v = {fn, data};

    return fr_snap_visit(snap, FR_TABLE_APPROVALS, (struct fr_span){0}, visit_row, &v);
}

static enum fr_err put(struct fr_change *change, const struct fr_approval_row *row)
{
    uint8_t bytes[FR_ROW_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    fr_approval_write(&w, row);
    enum fr_err err = fr_wr_err(&w);
    if (err) return err;
    return fr_change_put(change, FR_TABLE_APPROVALS, FR_FACT_APPROVAL,
                         fr_span(row->id, sizeof row->id), fr_wr_done(&w));
}

struct search {
    const uint8_t *digest;
    const char *person;
    int64_t now_s;
    struct fr_approval_row *out;
    bool is_found;
};

static enum fr_err look_at(void *data, const struct fr_approval_row *row)
{
    struct search *s = data;

    if (s->is_found || !fr_approval_is_open(row, s->now_s) ||
        memcmp(row->digest, s->digest, sizeof row->digest) != 0 ||
        (s->person != NULL && strcmp(row->person, s->person) != 0))
        return FR_OK;
    *s->out = *row;
    s->is_found = true;
    return FR_OK;
}

enum fr_err fr_approval_find(struct fr_snap *snap, const uint8_t digest[FR_DIGEST_SIZE],
                             const char *person, int64_t now_s, struct fr_approval_row *out)
{
    struct search s = {.digest = digest, .person = person, .now_s = now_s, .out = out};

    enum fr_err err = fr_approval_each(snap, look_at, &s);
    if (err) return err;
    return s.is_found ? FR_OK : FR_E_NOT_FOUND;
}

/* --- asking --- */

/* How many there are and wait, and which of those that are over is the oldest. */
struct room {
    int64_t now_s;
    size_t n, open;
    bool has_over;
    int64_t over_s;
    uint8_t over[FR_APPROVAL_ID_SIZE];
};

static enum fr_err measure(void *data, const struct fr_approval_row *row)
{
    struct room *room = data;

    room->n++;
    if (fr_approval_is_open(row, room->now_s)) {
        room->open++;
    } else if (!room->has_over || row->asked_s < room->over_s) {
        memcpy(room->over, row->id, sizeof room->over);
        room->over_s = row->asked_s;
        room->has_over = true;
    }
    return FR_OK;
}

static enum fr_err make_room(struct fr_change *change, struct fr_diag *diag)
{
    struct room room = {.now_s = fr_change_now(change)};

    enum fr_err err = fr_approval_each(fr_change_snap(change), measure, &room);
    if (err) return err;
    if (room.open >= FR_APPROVALS_OPEN)
        return fr_diag_fail(diag, FR_E_LIMIT, "%d requests wait for approval already",
                            FR_APPROVALS_OPEN);
    if (room.n < FR_APPROVALS_MAX || !room.has_over) return FR_OK;
    struct fr_span key = fr_span(room.over, sizeof room.over);
    err = fr_txn_delete(fr_change_txn(change), FR_TABLE_APPROVALS, key);
    return err ? err : fr_change_note(change, FR_FACT_APPROVAL, key, (struct fr_span){0});
}

/* One that no row has. */
static enum fr_err pick_id(struct fr_change *change, uint8_t id[FR_APPROVAL_ID_SIZE])
{
    struct fr_span value;
    enum fr_err err = FR_OK;

    while (err == FR_OK) {
        err = fr_random(id, FR_APPROVAL_ID_SIZE);
        if (err) return err;
        err = fr_txn_get(fr_change_txn(change), FR_TABLE_APPROVALS,
                         fr_span(id, FR_APPROVAL_ID_SIZE), &value);
    }
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

enum fr_err fr_approval_ask(struct fr_change *change, struct fr_approval_row *row,
                            struct fr_diag *diag)
{
    enum fr_err err = make_room(change, diag);

    if (err == FR_OK) err = pick_id(change, row->id);
    if (err) return err;
    row->asked_s = fr_change_now(change);
    row->state = FR_APPROVAL_WAITING;
    return put(change, row);
}

/* --- deciding --- */

static enum fr_err get_open(struct fr_change *change, const uint8_t id[FR_APPROVAL_ID_SIZE],
                            struct fr_diag *diag, struct fr_approval_row *row)
{
    enum fr_err err = fr_approval_get(fr_change_snap(change), id, row);

    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "there is no such request");
    if (err) return err;
    if (row->state > FR_APPROVAL_AGREED)
        return fr_diag_fail(diag, FR_E_CONFLICT, "the request is %s already",
                            fr_approval_state_text(row->state));
    if (!fr_approval_is_open(row, fr_change_now(change)))
        return fr_diag_fail(diag, FR_E_EXPIRED, "the request's time is over: ask again");
    return FR_OK;
}

static bool has_agreed(const struct fr_approval_row *row, const char *person)
{
    for (uint8_t i = 0; i < row->n; i++)
        if (strcmp(row->by[i].person, person) == 0) return true;
    return false;
}

enum fr_err fr_approval_agree(struct fr_change *change, const uint8_t id[FR_APPROVAL_ID_SIZE],
                              const char *person, struct fr_diag *diag, struct fr_approval_row *out)
{
    struct fr_approval_row row;

    enum fr_err err = get_open(change, id, diag, &row);
    if (err) return err;
    if (person[0] == '\0') {
        (void)fr_diag_fail(diag, FR_E_DENIED, "who approves must have logged in by name");
        fr_diag_hint(diag, "the kernel knows no login of this process (/proc/self/loginuid)");
        return FR_E_DENIED;
    }
    if (strcmp(row.person, person) == 0)
        return fr_diag_fail(diag, FR_E_DENIED,
                            "%s asked for it, and cannot be the second person, too", person);
    if (has_agreed(&row, person)) {
        if (row.state != FR_APPROVAL_AGREED)
            return fr_diag_fail(diag, FR_E_EXISTS, "%s has approved it already", person);
    } else if (row.state == FR_APPROVAL_WAITING) {
        if (row.n >= FR_APPROVAL_PERSONS_MAX) return FR_E_LIMIT;
        struct fr_approval_by *by = &row.by[row.n++];
        (void)snprintf(by->person, sizeof by->person, "%s", person);
        by->when_s = fr_change_now(change);
        if (row.n + 1u >= row.needed) row.state = FR_APPROVAL_AGREED;
        err = put(change, &row);
    }
    if (err == FR_OK) *out = row;
    return err;
}

enum fr_err fr_approval_close(struct fr_change *change, const uint8_t id[FR_APPROVAL_ID_SIZE],
                              enum fr_approval_state state, const char *person, const char *why,
                              struct fr_diag *diag)
{
    struct fr_approval_row row;

    enum fr_err err = get_open(change, id, diag, &row);
    if (err) return err;
    row.state = state;
    row.closed_s = fr_change_now(change);
    (void)snprintf(row.closer, sizeof row.closer, "%s", person != NULL ? person : "");
    fr_text_copy(why != NULL ? why : "", row.why, sizeof row.why);
    return put(change, &row);
}

struct closing {
    int64_t now_s;
    size_t n;
    uint8_t ids[FR_APPROVALS_OPEN][FR_APPROVAL_ID_SIZE];
};

static enum fr_err collect(void *data, const struct fr_approval_row *row)
{
    struct closing *c = data;

    if (fr_approval_is_open(row, c->now_s) && c->n < FR_APPROVALS_OPEN)
        memcpy(c->ids[c->n++], row->id, sizeof row->id);
    return FR_OK;
}

enum fr_err fr_approval_close_all(struct fr_change *change, const char *why, size_t *n)
{
    struct closing c = {.now_s = fr_change_now(change)};

    enum fr_err err = fr_approval_each(fr_change_snap(change), collect, &c);
    for (size_t i = 0; err == FR_OK && i < c.n; i++)
        err = fr_approval_close(change, c.ids[i], FR_APPROVAL_REFUSED, NULL, why, NULL);
    if (err == FR_OK) *n = c.n;
    return err;
}
