#include "store/visibility.h"

#include "store/device.h"
#include "store/member.h"
#include "store/network.h"
#include "store/rows.h"
#include "store/tables.h"

#include <string.h>

#define KEY_SIZE (2 * FR_MEMBER_ID_MAX + 1)

static struct fr_span pair_key(const char *home, const char *visited, uint8_t out[KEY_SIZE])
{
    struct fr_wr w = fr_wr(out, KEY_SIZE);

    fr_wr_bytes(&w, home, strlen(home) + 1);
    fr_wr_bytes(&w, visited, strlen(visited));
    return fr_wr_done(&w);
}

static enum fr_err read_row(struct fr_span key, struct fr_span value, struct fr_visibility_row *out)
{
    struct fr_visibility_row row = {0};
    struct fr_span home, visited;

    if (!fr_span_cut(key, '\0', &home, &visited) ||
        !fr_span_copy(home, row.home, sizeof row.home) ||
        !fr_span_copy(visited, row.visited, sizeof row.visited))
        return FR_E_MALFORMED;
    enum fr_err err = fr_visibility_read(value, &row);
    if (err == FR_OK) *out = row;
    return err;
}

enum fr_err fr_visibility_get(struct fr_snap *snap, const char *home, const char *visited,
                              struct fr_visibility_row *out)
{
    uint8_t bytes[KEY_SIZE];
    struct fr_span value, key;

    if (strlen(home) > FR_MEMBER_ID_MAX || strlen(visited) > FR_MEMBER_ID_MAX)
        return FR_E_NOT_FOUND;
    key = pair_key(home, visited, bytes);
    enum fr_err err = fr_txn_get(snap->txn, FR_TABLE_VISIBILITY, key, &value);
    return err ? err : read_row(key, value, out);
}

struct visit {
    fr_visibility_fn fn;
    void *data;
};

static enum fr_err visit_row(void *data, struct fr_span key, struct fr_span value)
{
    const struct visit *v = data;
    struct fr_visibility_row row;

    enum fr_err err = read_row(key, value, &row);
    return err ? err : v->fn(v->data, &row);
}

enum fr_err fr_visibility_each(struct fr_snap *snap, fr_visibility_fn fn, void *data)
{
    struct visit v = {fn, data};

    return fr_snap_visit(snap, FR_TABLE_VISIBILITY, (struct fr_span){0}, visit_row, &v);
}

/* --- changes --- */

static enum fr_err check_member(struct fr_change *change, const char *id, struct fr_diag *diag)
{
    struct fr_member_row row;

    enum fr_err err = fr_member_get(fr_change_snap(change), id, &row);
    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "there is no member %s", id);
    if (err) return err;
    if (row.state == FR_MEMBER_REMOVED)
        return fr_diag_fail(diag, FR_E_CONFLICT, "member %s was removed", id);
    return FR_OK;
}

static enum fr_err check_pair(struct fr_change *change, const char *home, const char *visited,
                              struct fr_diag *diag)
{
    if (strcmp(home, visited) == 0)
        return fr_diag_fail(diag, FR_E_INVALID, "%s always sees its own devices", home);
    enum fr_err err = check_member(change, home, diag);
    return err ? err : check_member(change, visited, diag);
}

enum fr_err fr_visibility_allow(struct fr_change *change, const char *home, const char *visited,
                                struct fr_diag *diag)
{
    struct fr_visibility_row row = {.since_s = fr_change_now(change)};
    uint8_t key[KEY_SIZE], bytes[FR_ROW_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    enum fr_err err = check_pair(change, home, visited, diag);
    if (err) return err;
    err = fr_visibility_get(fr_change_snap(change), home, visited, &row);
    if (err != FR_E_NOT_FOUND) return err; /* there already, or a fault */
    fr_visibility_write(&w, &row);
    return fr_change_put(change, FR_TABLE_VISIBILITY, FR_FACT_VISIBILITY,
                         pair_key(home, visited, key), fr_wr_done(&w));
}

static enum fr_err take(struct fr_change *change, const char *home, const char *visited)
{
    uint8_t bytes[KEY_SIZE];
    struct fr_span key = pair_key(home, visited, bytes);

    enum fr_err err = fr_txn_delete(fr_change_txn(change), FR_TABLE_VISIBILITY, key);
    if (err) return err == FR_E_NOT_FOUND ? FR_OK : err;
    return fr_change_note(change, FR_FACT_VISIBILITY, key, (struct fr_span){0});
}

enum fr_err fr_visibility_deny(struct fr_change *change, const char *home, const char *visited,
                               struct fr_diag *diag)
{
    enum fr_err err = check_pair(change, home, visited, diag);

    return err ? err : take(change, home, visited);
}

struct search {
    const char *member;
    struct fr_visibility_row found;
};

static enum fr_err find_naming(void *data, const struct fr_visibility_row *row)
{
    struct search *search = data;

    if (strcmp(row->home, search->member) != 0 && strcmp(row->visited, search->member) != 0)
        return FR_OK;
    search->found = *row;
    return FR_E_EXISTS; /* ends the walk: a row must not go while a cursor stands on it */
}

enum fr_err fr_visibility_forget(struct fr_change *change, const char *member)
{
    struct search search = {.member = member};
    enum fr_err err = FR_OK;

    do {
        err = fr_visibility_each(fr_change_snap(change), find_naming, &search);
        if (err != FR_E_EXISTS) return err;
        err = take(change, search.found.home, search.found.visited);
    } while (err == FR_OK);
    return err;
}

/* --- counting --- */

struct counting {
    struct fr_snap *snap;
    uint64_t active, homes, granted;
    const char *of; /* the member whose networks are looked at */
    bool has_network;
};

static enum fr_err note_network(void *data, const struct fr_network_row *row)
{
    struct counting *c = data;

    if (row->state == FR_NETWORK_ACTIVE) c->has_network = true;
    return FR_OK;
}

static enum fr_err is_home(struct counting *c, const char *member, bool *out)
{
    c->has_network = false;
    enum fr_err err = fr_network_each_of(c->snap, member, note_network, c);
    *out = c->has_network;
    return err;
}

static enum fr_err count_member(void *data, const struct fr_member_row *row)
{
    struct counting *c = data;
    bool has_network = false;

    if (row->state != FR_MEMBER_ACTIVE) return FR_OK;
    c->active++;
    enum fr_err err = is_home(c, row->id, &has_network);
    if (has_network) c->homes++;
    return err;
}

static enum fr_err count_grant(void *data, const struct fr_visibility_row *row)
{
    struct counting *c = data;
    struct fr_member_row home, visited;
    bool has_network = false;

    enum fr_err err = fr_member_get(c->snap, row->home, &home);
    if (err == FR_OK) err = fr_member_get(c->snap, row->visited, &visited);
    if (err == FR_OK) err = is_home(c, row->home, &has_network);
    if (err) return err == FR_E_NOT_FOUND ? FR_OK : err;
    if (has_network && home.state == FR_MEMBER_ACTIVE && visited.state == FR_MEMBER_ACTIVE)
        c->granted++;
    return FR_OK;
}

enum fr_err fr_visibility_count(struct fr_snap *snap, struct fr_visibility_pairs *out)
{
    struct counting c = {.snap = snap};

    enum fr_err err = fr_member_each(snap, count_member, &c);
    if (err == FR_OK) err = fr_visibility_each(snap, count_grant, &c);
    if (err) return err;
    out->all = c.homes * (c.active - (c.homes > 0));
    out->granted = c.granted;
    return FR_OK;
}

/* --- one device, explained --- */

const char *fr_sighting_text(enum fr_sighting sighting)
{
    static const char *const texts[] = {
        [FR_SIGHT_SEEN] = "seen",
        [FR_SIGHT_NO_DEVICE] = "no such device",
        [FR_SIGHT_SUSPENDED] = "suspended",
        [FR_SIGHT_HIDDEN] = "hidden",
        [FR_SIGHT_NOT_GRANTED] = "not granted",
    };

    return texts[sighting];
}

static enum fr_err explain(struct fr_snap *snap, const struct fr_device_row *device,
                           const char *member, enum fr_sighting *out)
{
    struct fr_network_row network;
    struct fr_visibility_row grant;
    uint32_t visibility = 0;

    enum fr_err err = fr_network_get_live(snap, device->netid, &network);
    *out = FR_SIGHT_SUSPENDED;
    if (err) return err;
    *out = FR_SIGHT_HIDDEN;
    if ((device->flags & FR_DEVICE_HIDDEN) != 0) return FR_OK;
    *out = FR_SIGHT_SEEN;
    err = fr_policy_get(snap, FR_POLICY_VISIBILITY, &visibility);
    if (err || visibility == FR_VISIBILITY_FEDERATION || strcmp(network.member, member) == 0)
        return err;
    *out = FR_SIGHT_NOT_GRANTED;
    err = fr_visibility_get(snap, network.member, member, &grant);
    if (err == FR_OK) *out = FR_SIGHT_SEEN;
    return err;
}

enum fr_err fr_visibility_explain(struct fr_snap *snap, uint64_t deveui, const char *member,
                                  enum fr_sighting *out)
{
    struct fr_device_row device;
    enum fr_sighting sighting = FR_SIGHT_NO_DEVICE;

    enum fr_err err = fr_device_get(snap, deveui, &device);
    if (err == FR_OK) err = explain(snap, &device, member, &sighting);
    if (err && err != FR_E_NOT_FOUND) return err;
    *out = sighting;
    return FR_OK;
}
