#include "store/joineui.h"

#include "names/eui.h"
#include "store/member.h"
#include "store/rows.h"
#include "store/tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A JoinEUI's key are its 8 bytes; a block's end with the count of its bits. */
#define KEY_MAX 9

/* --- text --- */

uint64_t fr_joineui_base(uint64_t joineui, uint8_t nibbles)
{
    return nibbles == 0 ? 0 : joineui & UINT64_MAX << (64 - 4 * nibbles);
}

enum fr_err fr_joineui_parse(struct fr_span text, struct fr_diag *diag, uint64_t *base,
                             uint8_t *nibbles)
{
    uint64_t eui = 0;
    uint8_t bits = 64;
    struct fr_span head, rest;

    bool is_block = fr_span_cut(text, '/', &head, &rest);
    enum fr_err err = is_block ? fr_block_parse(text, diag, &eui, &bits) : fr_eui_parse(text, &eui);
    if (err && !is_block) {
        (void)fr_diag_fail(diag, err, "\"%.*s\" is not a JoinEUI", (int)(text.n & 0x3f),
                           (const char *)text.p);
        fr_diag_hint(diag, "write 16 hex digits, or a block: 70b3d57ed0000000/40");
    }
    if (err) return err;
    if (bits % 4 != 0) {
        (void)fr_diag_fail(diag, FR_E_INVALID,
                           "%016" PRIx64 "/%u does not end at a hex digit, where DNS names do", eui,
                           (unsigned)bits);
        fr_diag_hint(diag, "write it as blocks of /%u", (unsigned)(bits + 4 - bits % 4));
        return FR_E_INVALID;
    }
    *base = eui;
    *nibbles = bits / 4;
    return FR_OK;
}

void fr_joineui_print(uint64_t base, uint8_t nibbles, char out[FR_JOINEUI_TEXT])
{
    if (nibbles == FR_JOINEUI_NIBBLES)
        fr_eui_print(base, out);
    else
        fr_block_print(base, (uint8_t)(4 * nibbles), out);
}

/* --- rows --- */

static struct fr_span row_key(uint64_t base, uint8_t nibbles, uint8_t out[KEY_MAX])
{
    struct fr_wr w = fr_wr(out, KEY_MAX);

    fr_wr_u64(&w, base);
    if (nibbles < FR_JOINEUI_NIBBLES) fr_wr_u8(&w, (uint8_t)(4 * nibbles));
    return fr_wr_done(&w);
}

enum fr_err fr_joineui_read_key(struct fr_span key, struct fr_joineui_row *out)
{
    struct fr_rd r = fr_rd(key);
    uint64_t base = fr_rd_u64(&r);
    uint8_t bits = fr_rd_left(&r) > 0 ? fr_rd_u8(&r) : 64;

    enum fr_err err = fr_rd_end(&r);
    if (err) return err;
    if (bits == 0 || bits % 4 != 0 || fr_joineui_base(base, bits / 4) != base)
        return FR_E_MALFORMED;
    if ((key.n == 8) != (bits == 64)) return FR_E_MALFORMED;
    out->base = base;
    out->nibbles = bits / 4;
    return FR_OK;
}

static enum fr_err read_row(struct fr_span key, struct fr_span value, struct fr_joineui_row *out)
{
    struct fr_joineui_row row;

    enum fr_err err = fr_joineui_read_key(key, &row);
    if (err == FR_OK) err = fr_joineui_read(value, &row);
    if (err == FR_OK) *out = row;
    return err;
}

enum fr_err fr_joineui_get(struct fr_snap *snap, uint64_t base, uint8_t nibbles,
                           struct fr_joineui_row *out)
{
    uint8_t bytes[KEY_MAX];
    struct fr_span value, key = row_key(base, nibbles, bytes);

    enum fr_err err = fr_txn_get(snap->txn, FR_TABLE_JOINEUIS, key, &value);
    return err ? err : read_row(key, value, out);
}

struct visit {
    fr_joineui_fn fn;
    void *data;
    const char *member;
};

static enum fr_err visit_row(void *data, struct fr_span key, struct fr_span value)
{
    const struct visit *v = data;
    struct fr_joineui_row row;

    enum fr_err err = read_row(key, value, &row);
    if (err) return err;
    if (v->member != NULL && strcmp(v->member, row.member) != 0) return FR_OK;
    return v->fn(v->data, &row);
}

struct sound_visit {
    fr_joineui_fn fn;
    fr_joineui_bad_fn bad;
    void *data;
};

static enum fr_err visit_sound(void *data, struct fr_span key, struct fr_span value)
{
    const struct sound_visit *v = data;
    struct fr_joineui_row row;
    struct fr_rd r = fr_rd(key);

    enum fr_err err = read_row(key, value, &row);
    if (err == FR_OK) return v->fn(v->data, &row);
    v->bad(v->data, fr_rd_u64(&r), err);
    return FR_OK;
}

enum fr_err fr_joineui_each_sound(struct fr_snap *snap, fr_joineui_fn fn, fr_joineui_bad_fn bad,
                                  void *data)
{
    struct sound_visit v = {fn, bad, data};

    return fr_snap_visit(snap, FR_TABLE_JOINEUIS, (struct fr_span){0}, visit_sound, &v);
}

enum fr_err fr_joineui_each(struct fr_snap *snap, const char *member, fr_joineui_fn fn, void *data)
{
    struct visit v = {fn, data, member};

    return fr_snap_visit(snap, FR_TABLE_JOINEUIS, (struct fr_span){0}, visit_row, &v);
}

/* Rows that begin with these nibbles, in order, until fn says FR_E_EXISTS; FR_E_NOT_FOUND: it never did. */
static enum fr_err search(struct fr_snap *snap, uint64_t joineui, uint8_t nibbles, fr_joineui_fn fn,
                          void *data)
{
    uint64_t base = fr_joineui_base(joineui, nibbles);
    struct fr_cursor *cursor = NULL;
    struct fr_joineui_row row;
    struct fr_span key, value;
    uint8_t bytes[KEY_MAX];

    enum fr_err err = fr_cursor_open(snap->txn, FR_TABLE_JOINEUIS, &cursor);
    if (err) return err;
    err = fr_cursor_seek(cursor, row_key(base, FR_JOINEUI_NIBBLES, bytes), &key, &value);
    for (; err == FR_OK; err = fr_cursor_next(cursor, &key, &value)) {
        err = read_row(key, value, &row);
        if (err == FR_OK && fr_joineui_base(row.base, nibbles) != base) err = FR_E_NOT_FOUND;
        if (err == FR_OK && row.nibbles >= nibbles) err = fn(data, &row);
        if (err) break;
    }
    fr_cursor_close(cursor);
    return err == FR_E_EXISTS ? FR_OK : err;
}

/* --- rows that answer --- */

static enum fr_err check_active(struct fr_snap *snap, const char *id)
{
    struct fr_member_row member;

    enum fr_err err = fr_member_get(snap, id, &member);
    return err == FR_OK && member.state != FR_MEMBER_ACTIVE ? FR_E_NOT_FOUND : err;
}

enum fr_err fr_joineui_check(struct fr_snap *snap, const struct fr_joineui_eyes *eyes,
                             const struct fr_joineui_row *row)
{
    if (row->n_servers == 0) return FR_E_NOT_FOUND;
    if (eyes->sight == NULL) return check_active(snap, row->member);
    return fr_sight_member(eyes->sight, row->member, eyes->member);
}

enum fr_err fr_joineui_find(struct fr_snap *snap, const struct fr_joineui_eyes *eyes,
                            uint64_t joineui, uint8_t nibbles, struct fr_joineui_row *out)
{
    struct fr_joineui_row row;

    for (; nibbles > 0; nibbles--) {
        enum fr_err err = fr_joineui_get(snap, fr_joineui_base(joineui, nibbles), nibbles, &row);
        if (err == FR_OK) err = fr_joineui_check(snap, eyes, &row);
        if (err == FR_OK) *out = row;
        if (err != FR_E_NOT_FOUND) return err;
    }
    return FR_E_NOT_FOUND;
}

struct looking {
    struct fr_snap *snap;
    const struct fr_joineui_eyes *eyes;
    const char *member;
    struct fr_joineui_row *out;
};

static enum fr_err take_if_answers(void *data, const struct fr_joineui_row *row)
{
    const struct looking *l = data;

    enum fr_err err = fr_joineui_check(l->snap, l->eyes, row);
    if (err) return err == FR_E_NOT_FOUND ? FR_OK : err;
    *l->out = *row;
    return FR_E_EXISTS;
}

enum fr_err fr_joineui_first(struct fr_snap *snap, const struct fr_joineui_eyes *eyes,
                             uint64_t joineui, uint8_t nibbles, struct fr_joineui_row *out)
{
    struct looking l = {.snap = snap, .eyes = eyes, .out = out};

    return search(snap, joineui, nibbles, take_if_answers, &l);
}

static enum fr_err take_if_others(void *data, const struct fr_joineui_row *row)
{
    const struct looking *l = data;

    if (l->member != NULL && strcmp(row->member, l->member) == 0) return FR_OK;
    *l->out = *row;
    return FR_E_EXISTS;
}

enum fr_err fr_joineui_holder(struct fr_snap *snap, uint64_t base, uint8_t nibbles,
                              const char *member, struct fr_joineui_row *out)
{
    struct looking l = {.snap = snap, .member = member, .out = out};

    for (uint8_t n = nibbles; n > 0; n--) {
        enum fr_err err = fr_joineui_get(snap, fr_joineui_base(base, n), n, out);
        if (err != FR_E_NOT_FOUND) return err;
    }
    return search(snap, base, nibbles, take_if_others, &l);
}

/* --- changes --- */

static enum fr_err check_member(struct fr_change *change, const char *member, struct fr_diag *diag)
{
    struct fr_member_row row;

    enum fr_err err = fr_member_get(fr_change_snap(change), member, &row);
    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "no member %s", member);
    if (err) return err;
    if (row.state == FR_MEMBER_REMOVED)
        return fr_diag_fail(diag, FR_E_CONFLICT, "member %s was removed", member);
    return FR_OK;
}

/* The broker makes the names of its zone itself, and a secondary could not find others in it. */
static enum fr_err check_host(const char *host, const char *federation, struct fr_diag *diag)
{
    struct fr_span name = fr_span_str(host), zone = fr_span_str(federation);

    bool is_inside = name.n >= zone.n &&
                     fr_span_equal_nocase(fr_span(name.p + name.n - zone.n, zone.n), zone) &&
                     (name.n == zone.n || name.p[name.n - zone.n - 1] == '.');
    if (!is_inside) return FR_OK;
    return fr_diag_fail(diag, FR_E_INVALID,
                        "%s is in the federation's own zone: give the join server's addresses",
                        host);
}

static enum fr_err check_servers(const struct fr_joineui_row *row, const char *federation,
                                 struct fr_diag *diag)
{
    if (row->n_servers > FR_JOIN_SERVERS_MAX)
        return fr_diag_fail(diag, FR_E_LIMIT, "at most %d join servers", FR_JOIN_SERVERS_MAX);
    for (size_t i = 0; i < row->n_servers; i++) {
        const struct fr_join_server *server = &row->servers[i];
        enum fr_err err = check_host(server->host, federation, diag);
        if (err) return err;
        for (size_t k = 0; k < i; k++) {
            const struct fr_join_server *other = &row->servers[k];
            if (other->service == server->service &&
                (other->order != server->order || other->preference != server->preference))
                return fr_diag_fail(diag, FR_E_INVALID,
                                    "order and preference choose between https and http: all "
                                    "servers of one have the same");
        }
    }
    return FR_OK;
}

static enum fr_err check_free(struct fr_snap *snap, const struct fr_joineui_row *row,
                              struct fr_diag *diag)
{
    struct fr_joineui_row holder;
    char wanted[FR_JOINEUI_TEXT], held[FR_JOINEUI_TEXT];

    enum fr_err err = fr_joineui_holder(snap, row->base, row->nibbles, row->member, &holder);
    if (err) return err == FR_E_NOT_FOUND ? FR_OK : err;
    /* a row of its own around it, in which nobody else can have one */
    if (strcmp(holder.member, row->member) == 0) return FR_OK;
    fr_joineui_print(row->base, row->nibbles, wanted);
    fr_joineui_print(holder.base, holder.nibbles, held);
    if (strcmp(wanted, held) == 0)
        return fr_diag_fail(diag, FR_E_CONFLICT, "JoinEUI %s belongs to member %s", wanted,
                            holder.member);
    return fr_diag_fail(diag, FR_E_CONFLICT, "JoinEUI %s: %s belongs to member %s", wanted, held,
                        holder.member);
}

static enum fr_err count_row(void *data, const struct fr_joineui_row *row)
{
    (void)row;
    ++*(size_t *)data;
    return FR_OK;
}

static enum fr_err check_room(struct fr_snap *snap, const char *member, struct fr_diag *diag)
{
    size_t n = 0;

    enum fr_err err = fr_joineui_each(snap, member, count_row, &n);
    if (err == FR_OK && n >= FR_JOINEUIS_MAX)
        return fr_diag_fail(diag, FR_E_LIMIT, "%s has %d JoinEUIs and blocks already", member,
                            FR_JOINEUIS_MAX);
    return err;
}

static bool is_same(const struct fr_joineui_row *a, const struct fr_joineui_row *b)
{
    if (a->n_servers != b->n_servers) return false;
    for (size_t i = 0; i < a->n_servers; i++)
        if (!fr_join_server_equal(&a->servers[i], &b->servers[i])) return false;
    return true;
}

enum fr_err fr_joineui_put(struct fr_change *change, const struct fr_joineui_row *row,
                           struct fr_diag *diag)
{
    struct fr_snap *snap = fr_change_snap(change);
    uint8_t bytes[FR_ROW_MAX], key[KEY_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    struct fr_joineui_row there, fresh = *row;

    enum fr_err err = row->nibbles == FR_JOINEUI_NIBBLES ? fr_eui_check(row->base, diag) : FR_OK;
    if (err == FR_OK) err = check_servers(row, fr_store_federation(snap->store), diag);
    if (err == FR_OK) err = check_member(change, row->member, diag);
    if (err == FR_OK) err = check_free(snap, row, diag);
    if (err) return err;
    err = fr_joineui_get(snap, row->base, row->nibbles, &there);
    if (err == FR_OK && is_same(&there, row)) return FR_OK;
    if (err == FR_E_NOT_FOUND) err = check_room(snap, row->member, diag);
    if (err) return err;
    fresh.changed_s = fr_change_now(change);
    fr_joineui_write(&w, &fresh);
    return fr_change_put(change, FR_TABLE_JOINEUIS, FR_FACT_JOINEUI,
                         row_key(row->base, row->nibbles, key), fr_wr_done(&w));
}

enum fr_err fr_joineui_remove(struct fr_change *change, uint64_t base, uint8_t nibbles,
                              struct fr_diag *diag)
{
    uint8_t bytes[KEY_MAX];
    struct fr_span key = row_key(base, nibbles, bytes);
    char text[FR_JOINEUI_TEXT];

    enum fr_err err = fr_txn_delete(fr_change_txn(change), FR_TABLE_JOINEUIS, key);
    if (err == FR_E_NOT_FOUND) {
        fr_joineui_print(base, nibbles, text);
        return fr_diag_fail(diag, err, "nobody holds JoinEUI %s", text);
    }
    return err ? err : fr_change_note(change, FR_FACT_JOINEUI, key, (struct fr_span){0});
}

static enum fr_err take_first(void *data, const struct fr_joineui_row *row)
{
    *(struct fr_joineui_row *)data = *row;
    return FR_E_EXISTS; /* ends the walk: a row must not go while a cursor stands on it */
}

enum fr_err fr_joineui_forget(struct fr_change *change, const char *member)
{
    struct fr_joineui_row row;
    enum fr_err err = FR_OK;

    do {
        err = fr_joineui_each(fr_change_snap(change), member, take_first, &row);
        if (err != FR_E_EXISTS) return err;
        err = fr_joineui_remove(change, row.base, row.nibbles, NULL);
    } while (err == FR_OK);
    return err;
}
