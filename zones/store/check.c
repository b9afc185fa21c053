#include "store/check.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "names/eui.h"
#include "store/device.h"
#include "store/joineui.h"
#include "store/member.h"
#include "store/primary.h"
#include "store/rows.h"
#include "store/tables.h"
#include "store/visibility.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct net {
    uint32_t netid;
    uint64_t counted, kept; /* devices in the table; in the network's row */
};

struct check {
    struct fr_snap *snap;
    fr_finding_fn fn;
    void *data;
    struct fr_check_report report;
    struct net *nets; /* ascending */
    size_t n, room;
    size_t last; /* where the last device's network was: neighbours share it */
};

bool fr_store_is_damage(enum fr_err err)
{
    return err == FR_E_MALFORMED || err == FR_E_TRUNCATED || err == FR_E_UNSUPPORTED ||
           err == FR_E_RANGE;
}

static void tell(struct check *check, enum fr_finding_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void tell(struct check *check, enum fr_finding_kind kind, const char *fmt, ...)
{
    struct fr_finding finding = {.kind = kind};
    va_list args;

    va_start(args, fmt);
    vsnprintf(finding.what, sizeof finding.what, fmt, args);
    va_end(args);
    if (kind == FR_FINDING_DAMAGE)
        check->report.damages++;
    else
        check->report.warnings++;
    check->fn(check->data, &finding);
}

static enum fr_err check_network(void *data, const struct fr_network_row *row)
{
    struct check *check = data;
    struct fr_member_row member;

    if (check->n == check->room) {
        size_t room = check->room ? check->room * 2 : 64;
        struct net *nets = fr_reallocarray(check->nets, room, sizeof *nets);
        if (nets == NULL) return FR_E_NOMEM;
        check->nets = nets;
        check->room = room;
    }
    check->nets[check->n++] = (struct net){.netid = row->netid, .kept = row->devices};
    check->report.networks++;
    enum fr_err err = fr_member_get(check->snap, row->member, &member);
    if (fr_store_is_damage(err)) return FR_OK; /* told once, by itself */
    if (err == FR_E_NOT_FOUND)
        tell(check, FR_FINDING_DAMAGE, "NetID %06" PRIx32 ": its member %s does not exist",
             row->netid, row->member);
    else if (err)
        return err;
    else if (member.state == FR_MEMBER_REMOVED)
        tell(check, FR_FINDING_WARNING,
             "NetID %06" PRIx32 " is still held by %s, which was removed", row->netid, row->member);
    else if (row->n_endpoints == 0 && row->devices > 0)
        tell(check, FR_FINDING_WARNING,
             "NetID %06" PRIx32 " (%s) has devices but no endpoint: nobody can reach it",
             row->netid, row->member);
    return FR_OK;
}

/* Its devices are counted as nobody's too. */
static void tell_bad_network(void *data, uint32_t netid, enum fr_err err)
{
    tell(data, FR_FINDING_DAMAGE,
         "NetID %06" PRIx32 ": its row cannot be read (%s); its devices are not answered", netid,
         fr_err_text(err));
}

static void tell_bad_member(void *data, struct fr_span id, enum fr_err err)
{
    tell(data, FR_FINDING_DAMAGE,
         "member %.*s: its row cannot be read (%s); its devices are not answered",
         (int)(id.n < FR_MEMBER_ID_MAX ? id.n : FR_MEMBER_ID_MAX), (const char *)id.p,
         fr_err_text(err));
}

static struct net *find_net(struct check *check, uint32_t netid)
{
    size_t low = 0, high = check->n;

    if (check->last < check->n && check->nets[check->last].netid == netid)
        return &check->nets[check->last];
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (check->nets[mid].netid == netid) {
            check->last = mid;
            return &check->nets[mid];
        }
        if (check->nets[mid].netid < netid)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static enum fr_err check_device(void *data, const struct fr_device_row *row)
{
    struct check *check = data;
    struct net *net = find_net(check, row->netid);

    check->report.devices++;
    if ((row->flags & FR_DEVICE_HIDDEN) != 0) check->report.hidden++;
    if (net != NULL)
        net->counted++;
    else
        tell(check, FR_FINDING_DAMAGE, "device %016" PRIx64 ": its NetID %06" PRIx32 " is nobody's",
             row->deveui, row->netid);
    if (fr_eui_check(row->deveui, NULL) != FR_OK)
        tell(check, FR_FINDING_DAMAGE, "device %016" PRIx64 ": a reserved EUI", row->deveui);
    return FR_OK;
}

static void tell_bad_device(void *data, uint64_t deveui, enum fr_err err)
{
    tell(data, FR_FINDING_DAMAGE, "device %016" PRIx64 ": its row cannot be read (%s)", deveui,
         fr_err_text(err));
}

static void tell_bad_joineui(void *data, uint64_t joineui, enum fr_err err)
{
    tell(data, FR_FINDING_DAMAGE, "JoinEUI %016" PRIx64 ": its row cannot be read (%s)", joineui,
         fr_err_text(err));
}

static void check_counts(struct check *check)
{
    for (size_t i = 0; i < check->n; i++) {
        const struct net *net = &check->nets[i];
        if (net->counted == net->kept) continue;
        tell(check, FR_FINDING_DAMAGE,
             "NetID %06" PRIx32 ": %" PRIu64 " devices, but its row says %" PRIu64, net->netid,
             net->counted, net->kept);
    }
}

static enum fr_err check_member(void *data, const struct fr_member_row *row)
{
    struct check *check = data;

    check->report.members++;
    if (row->state == FR_MEMBER_SUSPENDED)
        tell(check, FR_FINDING_WARNING, "member %s is suspended: its names are not answered",
             row->id);
    return FR_OK;
}

static enum fr_err check_joineui(void *data, const struct fr_joineui_row *row)
{
    struct check *check = data;
    struct fr_member_row member;
    struct fr_joineui_row around;
    char text[FR_JOINEUI_TEXT], other[FR_JOINEUI_TEXT];

    fr_joineui_print(row->base, row->nibbles, text);
    enum fr_err err = fr_member_get(check->snap, row->member, &member);
    if (err == FR_E_NOT_FOUND)
        tell(check, FR_FINDING_DAMAGE, "JoinEUI %s: its member %s does not exist", text,
             row->member);
    if (err && err != FR_E_NOT_FOUND && !fr_store_is_damage(err)) return err;
    err = fr_joineui_holder(check->snap, row->base, (uint8_t)(row->nibbles - 1), NULL, &around);
    if (err == FR_OK && around.nibbles < row->nibbles && strcmp(around.member, row->member) != 0) {
        fr_joineui_print(around.base, around.nibbles, other);
        tell(check, FR_FINDING_DAMAGE, "JoinEUI %s of %s lies in %s of %s", text, row->member,
             other, around.member);
    }
    return err == FR_E_NOT_FOUND || fr_store_is_damage(err) ? FR_OK : err;
}

static enum fr_err check_grant(void *data, const struct fr_visibility_row *row)
{
    struct check *check = data;
    const char *const ids[] = {row->home, row->visited};
    struct fr_member_row member;

    check->report.grants++;
    for (size_t i = 0; i < 2; i++) {
        enum fr_err err = fr_member_get(check->snap, ids[i], &member);
        if (fr_store_is_damage(err)) continue;
        if (err && err != FR_E_NOT_FOUND) return err;
        if (err || member.state == FR_MEMBER_REMOVED)
            tell(check, FR_FINDING_DAMAGE, "visibility %s to %s: %s is no member", row->home,
                 row->visited, ids[i]);
    }
    return FR_OK;
}

/* The pin of a certificate is there while, and only while, the certificate is issued. */
static enum fr_err check_cert(void *data, const struct fr_cert_row *row)
{
    struct check *check = data;
    struct fr_member_row member;
    char serial[2 * FR_SERIAL_SIZE + 1];
    uint8_t key[3 + FR_SERIAL_SIZE];
    struct fr_wr w = fr_wr(key, sizeof key);
    struct fr_span value;

    check->report.certs++;
    fr_hex_print(row->serial, FR_SERIAL_SIZE, serial);
    if (row->member[0] != '\0' && fr_member_get(check->snap, row->member, &member) != FR_OK)
        tell(check, FR_FINDING_DAMAGE, "certificate %s: its member %s does not exist", serial,
             row->member);
    fr_wr_u24(&w, row->netid);
    fr_wr_bytes(&w, row->serial, FR_SERIAL_SIZE);
    enum fr_err err = fr_txn_get(check->snap->txn, FR_TABLE_PINS, fr_wr_done(&w), &value);
    if (err && err != FR_E_NOT_FOUND) return err;
    bool should = row->profile == FR_PROFILE_NS && row->status == FR_CERT_ISSUED;
    if (should != (err == FR_OK))
        tell(check, FR_FINDING_DAMAGE, "certificate %s: its TLSA record is %s", serial,
             should ? "missing" : "still there");
    return FR_OK;
}

static enum fr_err check_pending(struct check *check)
{
    struct fr_bulk_pending pending;
    char when[FR_TIME_TEXT];

    enum fr_err err = fr_bulk_find_pending(check->snap, &pending);
    if (err == FR_E_NOT_FOUND) return FR_OK;
    if (err) return err;
    fr_time_print(pending.since_s, when);
    tell(check, FR_FINDING_WARNING,
         "an import into NetID %06" PRIx32
         " began at %s and is not over: the next change, or a broker, ends it",
         pending.netid, when);
    return FR_OK;
}

enum fr_err fr_check_store(struct fr_snap *snap, fr_finding_fn fn, void *data,
                           struct fr_check_report *report)
{
    struct check check = {.snap = snap, .fn = fn, .data = data};

    enum fr_err err = fr_network_each_sound(snap, check_network, tell_bad_network, &check);
    if (err == FR_OK) err = fr_device_each_sound(snap, 0, check_device, tell_bad_device, &check);
    if (err == FR_OK) check_counts(&check);
    if (err == FR_OK) err = fr_member_each_sound(snap, check_member, tell_bad_member, &check);
    if (err == FR_OK) err = fr_joineui_each_sound(snap, check_joineui, tell_bad_joineui, &check);
    if (err == FR_OK) err = fr_cert_row_each(snap, check_cert, &check);
    if (err == FR_OK) err = fr_visibility_each(snap, check_grant, &check);
    if (err == FR_OK) err = check_pending(&check);
    if (err == FR_OK) *report = check.report;
    fr_free(check.nets);
    return err;
}

/* A zone whose devices are not those that its member has now. */
static enum fr_err check_primary(void *data, const struct fr_primary_row *row)
{
    struct check *check = data;
    struct fr_primary_state state;
    char since[FR_TIME_TEXT];

    enum fr_err err = fr_primary_state_get(check->snap, row->member, row->zone, &state);
    if (err) return err;
    fr_time_print(state.failed_s, since);
    if (state.is_held)
        tell(check, FR_FINDING_WARNING,
             "zone %s of %s is held: %" PRIu64 " of %" PRIu64
             " devices would go; until zone accept the old set is served",
             row->zone, row->member, state.held_gone, state.held_of);
    else if (state.failed_s != 0)
        tell(check, FR_FINDING_WARNING, "zone %s of %s cannot be transferred (%s): %s", row->zone,
             row->member, since, state.fault);
    return FR_OK;
}

enum fr_err fr_check_primaries(struct fr_snap *snap, fr_finding_fn fn, void *data,
                               struct fr_check_report *report)
{
    struct check check = {.snap = snap, .fn = fn, .data = data, .report = *report};

    enum fr_err err = fr_primary_each(snap, check_primary, &check);
    if (err == FR_OK) *report = check.report;
    return err;
}
