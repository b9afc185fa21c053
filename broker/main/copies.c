#include "main/copies.h"

#include "base/json_out.h"
#include "base/mem.h"
#include "ca/server.h"

#include <stdio.h>
#include <string.h>

#define REPLY_MAX (256 * 1024)

struct reading {
    struct fr_fed *fed;
    struct fr_copies *out;
    int64_t now_s;
    char own[FR_HOST_MAX + 1]; /* "": not known */
};

static int64_t since_start_s(const struct reading *r)
{
    return r->now_s > r->fed->started_s ? r->now_s - r->fed->started_s : 0;
}

/* --- replicas --- */

static void add_followers(struct reading *r)
{
    struct fr_feed_desk_counters desk;
    struct fr_copies *out = r->out;

    fr_feed_desk_read(fr_standby_desk(r->fed->standby), &desk);
    for (size_t i = 0; i < desk.n && out->n_replicas < FR_COPIES_MAX; i++) {
        const struct fr_desk_follower *f = &desk.followers[i];
        struct fr_copy *copy = &out->replicas[out->n_replicas++];
        *copy = (struct fr_copy){.is_heard = true,
                                 .at = f->position,
                                 .lag_s = f->lag_ms / 1000,
                                 .silent_s = f->silent_ms / 1000};
        copy->behind = out->head > f->position ? out->head - f->position : 0;
        (void)snprintf(copy->name, sizeof copy->name, "%s", f->host);
    }
}

static enum fr_err add_unheard(void *data, const struct fr_cert_row *row)
{
    struct reading *r = data;
    struct fr_copies *out = r->out;

    if (row->status != FR_CERT_ISSUED || row->not_after_s < r->now_s || row->host[0] == '\0' ||
        (row->rights & FR_RIGHT_REPLICA) == 0 || strcmp(row->host, r->own) == 0 ||
        out->n_replicas == FR_COPIES_MAX)
        return FR_OK;
    for (size_t i = 0; i < out->n_replicas; i++)
        if (strcmp(out->replicas[i].name, row->host) == 0) return FR_OK;
    struct fr_copy *copy = &out->replicas[out->n_replicas++];
    *copy = (struct fr_copy){.silent_s = since_start_s(r), .lag_s = since_start_s(r)};
    (void)snprintf(copy->name, sizeof copy->name, "%s", row->host);
    return FR_OK;
}

/* --- secondaries --- */

static bool is_removed(struct fr_snap *snap, const struct fr_outlet_copy *copy)
{
    struct fr_downstream_row row;

    return copy->has_key && fr_downstream_get(snap, copy->name, &row) == FR_E_NOT_FOUND;
}

static void add_secondaries(struct reading *r, struct fr_snap *snap)
{
    struct fr_outlet_copy copies[FR_OUTLET_COPIES];
    struct fr_copies *out = r->out;
    const size_t n = r->fed->outlet ? fr_outlet_copies(r->fed->outlet, copies) : 0;

    for (size_t i = 0; i < n && out->n_secondaries < FR_COPIES_MAX; i++) {
        if (is_removed(snap, &copies[i])) continue;
        struct fr_copy *copy = &out->secondaries[out->n_secondaries++];
        const uint32_t behind = (uint32_t)out->sequence - copies[i].serial;
        *copy = (struct fr_copy){.is_heard = copies[i].has_serial,
                                 .at = copies[i].serial,
                                 .behind = copies[i].has_serial ? behind : 0,
                                 .lag_s = behind == 0 ? 0 : copies[i].lag_ms / 1000,
                                 .silent_s = copies[i].silent_ms / 1000};
        memcpy(copy->name, copies[i].name, sizeof copy->name);
    }
}

enum fr_err fr_copies_read(struct fr_fed *fed, struct fr_copies *out)
{
    struct reading r = {.fed = fed, .out = out, .now_s = fr_clock_real_s(fr_clock_system())};
    struct fr_feed_state state;
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(fed->store, &snap);

    *out = (struct fr_copies){0};
    if (!err) err = fr_feed_get(snap, &state);
    if (err) goto out;
    out->head = state.head.position;
    out->sequence = fr_snap_sequence(snap);
    if (fr_server_find_host(fed->state, snap, NULL, r.own)) r.own[0] = '\0';
    add_followers(&r);
    if (state.role == FR_ROLE_PRIMARY && r.own[0] != '\0')
        err = fr_cert_row_each_of(snap, "", add_unheard, &r);
    add_secondaries(&r, snap);
out:
    fr_snap_end(snap);
    return err;
}

/* --- the inquiry --- */

static void write_list(struct fr_json *j, const char *key, const struct fr_copy *list, size_t n)
{
    fr_json_key(j, key);
    fr_json_array(j);
    for (size_t i = 0; i < n; i++) {
        fr_json_object(j);
        fr_json_put_str(j, "name", list[i].name);
        fr_json_put_bool(j, "heard", list[i].is_heard);
        fr_json_put_uint(j, "at", list[i].at);
        fr_json_put_uint(j, "behind", list[i].behind);
        fr_json_put_uint(j, "lag_s", (uint64_t)list[i].lag_s);
        fr_json_put_uint(j, "silent_s", (uint64_t)list[i].silent_s);
        fr_json_end(j);
    }
    fr_json_end(j);
}

void fr_copies_tell(struct fr_fed *fed, const struct fr_inquiry *inquiry)
{
    struct fr_buf out = FR_BUF_INIT(REPLY_MAX);
    struct fr_json j = fr_json(&out);
    struct fr_copies *copies = fr_malloc(sizeof *copies);
    enum fr_err err = copies ? fr_copies_read(fed, copies) : FR_E_NOMEM;

    if (!err) {
        fr_json_object(&j);
        fr_json_put_uint(&j, "head", copies->head);
        fr_json_put_uint(&j, "sequence", copies->sequence);
        write_list(&j, "replicas", copies->replicas, copies->n_replicas);
        write_list(&j, "secondaries", copies->secondaries, copies->n_secondaries);
        fr_json_end(&j);
        err = fr_buf_err(&out);
    }
    inquiry->done(inquiry->to, err, &(struct fr_diag){0}, fr_buf_span(&out));
    fr_buf_deinit(&out);
    fr_free(copies);
}
