#include "xfr/zone_image.h"

#include "base/mem.h"
#include "store/joineui.h"
#include "store/journal.h"
#include "store/network.h"
#include "store/policy.h"

#include <stdlib.h>
#include <string.h>

#define MADE_ANEW_S 3600
#define CLOCK_SLACK_S 60
#define JOURNAL_LOOK_MAX 100000 /* records; a longer way is not walked, the image is made anew */

/* --- records --- */

#define ORDER(a, b) ((a) < (b) ? -1 : (a) > (b))

static int compare_owner(const struct fr_owner *a, const struct fr_owner *b)
{
    int c = ORDER(a->kind, b->kind);

    if (c == 0) c = ORDER(a->eui, b->eui);
    if (c == 0) c = ORDER(a->nibbles, b->nibbles);
    if (c == 0) c = ORDER(a->netid, b->netid);
    return c ? c : ORDER(a->number, b->number);
}

static int compare_data(const struct fr_record *a, const struct fr_record *b)
{
    int c = 0;

    switch (a->type) {
    case FR_RECORD_A: return memcmp(a->data.addr, b->data.addr, 4);
    case FR_RECORD_AAAA: return memcmp(a->data.addr, b->data.addr, 16);
    case FR_RECORD_CNAME: return compare_owner(&a->data.target, &b->data.target);
    case FR_RECORD_TXT: return strcmp(a->data.txt, b->data.txt);
    case FR_RECORD_SRV:
        c = ORDER(a->data.srv.priority, b->data.srv.priority);
        if (c == 0) c = ORDER(a->data.srv.weight, b->data.srv.weight);
        if (c == 0) c = ORDER(a->data.srv.port, b->data.srv.port);
        if (c == 0) c = strcmp(a->data.srv.host, b->data.srv.host);
        return c ? c : compare_owner(&a->data.srv.target, &b->data.srv.target);
    case FR_RECORD_TLSA:
        c = ORDER(a->data.tlsa.usage, b->data.tlsa.usage);
        if (c == 0) c = ORDER(a->data.tlsa.selector, b->data.tlsa.selector);
        if (c == 0) c = ORDER(a->data.tlsa.matching, b->data.tlsa.matching);
        return c ? c : memcmp(a->data.tlsa.hash, b->data.tlsa.hash, sizeof a->data.tlsa.hash);
    case FR_RECORD_NAPTR:
        c = ORDER(a->data.naptr.order, b->data.naptr.order);
        if (c == 0) c = ORDER(a->data.naptr.preference, b->data.naptr.preference);
        if (c == 0) c = strcmp(a->data.naptr.flags, b->data.naptr.flags);
        if (c == 0) c = strcmp(a->data.naptr.service, b->data.naptr.service);
        return c ? c : compare_owner(&a->data.naptr.target, &b->data.naptr.target);
    case FR_RECORD_SOA: /* the serial is the sequence's */
        c = ORDER(a->data.soa.refresh_s, b->data.soa.refresh_s);
        if (c == 0) c = ORDER(a->data.soa.retry_s, b->data.soa.retry_s);
        if (c == 0) c = ORDER(a->data.soa.expire_s, b->data.soa.expire_s);
        return c ? c : ORDER(a->data.soa.minimum_s, b->data.soa.minimum_s);
    case FR_RECORD_NS: return 0;
    }
    return 0;
}

int fr_record_compare(const struct fr_record *a, const struct fr_record *b)
{
    int c = compare_owner(&a->owner, &b->owner);

    if (c == 0) c = ORDER(a->type, b->type);
    if (c == 0) c = ORDER(a->ttl_s, b->ttl_s);
    return c ? c : compare_data(a, b);
}

static int by_record(const void *a, const void *b)
{
    return fr_record_compare(a, b);
}

static int by_netid(const void *a, const void *b)
{
    const struct fr_image_network *x = a, *y = b;

    return ORDER(x->netid, y->netid);
}

/* --- making one --- */

static enum fr_err add_record(void *data, const struct fr_record *record)
{
    struct fr_zone_image *image = data;

    if (record->type == FR_RECORD_SOA) {
        image->soa = *record;
        return FR_OK;
    }
    if (image->n == image->room) {
        const size_t room = image->room ? image->room * 2 : 64;
        struct fr_record *rows = fr_reallocarray(image->rows, room, sizeof *rows);
        if (!rows) return FR_E_NOMEM;
        image->rows = rows;
        image->room = room;
    }
    image->rows[image->n++] = *record;
    return FR_OK;
}

struct making {
    struct fr_zone_image *image;
    struct fr_snap *snap;
    int64_t now_s;
};

static enum fr_err add_network(void *data, const struct fr_network_row *row)
{
    const struct making *m = data;
    struct fr_zone_image *image = m->image;

    if (image->n_networks == image->networks_room) {
        const size_t room = image->networks_room ? image->networks_room * 2 : 16;
        struct fr_image_network *list = fr_reallocarray(image->networks, room, sizeof *list);
        if (!list) return FR_E_NOMEM;
        image->networks = list;
        image->networks_room = room;
    }
    enum fr_err err = fr_records_network(m->snap, row->netid, m->now_s, add_record, image);
    if (err && err != FR_E_NOT_FOUND) return err;
    image->networks[image->n_networks++] = (struct fr_image_network){row->netid, err == FR_OK};
    return FR_OK;
}

static enum fr_err add_joineui(void *data, const struct fr_joineui_row *row)
{
    const struct making *m = data;
    enum fr_err err = fr_records_joineui(m->snap, row, add_record, m->image);

    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

static enum fr_err make(struct fr_snap *snap, int64_t now_s, struct fr_zone_image **out)
{
    struct fr_zone_image *image = fr_calloc(1, sizeof *image);
    struct making m = {image, snap, now_s};

    if (!image) return FR_E_NOMEM;
    image->refs = 1;
    image->from = image->to = fr_snap_sequence(snap);
    image->made_s = now_s;
    enum fr_err err = fr_policy_get(snap, FR_POLICY_TTL_DEVEUI, &image->device_ttl_s);
    if (!err) err = fr_records_apex(snap, add_record, image);
    if (!err) err = fr_network_each(snap, add_network, &m);
    if (!err) err = fr_joineui_each(snap, NULL, add_joineui, &m);
    if (err) {
        fr_zone_image_unref(image);
        return err;
    }
    if (image->n) qsort(image->rows, image->n, sizeof *image->rows, by_record);
    if (image->n_networks)
        qsort(image->networks, image->n_networks, sizeof *image->networks, by_netid);
    *out = image;
    return FR_OK;
}

void fr_zone_image_unref(struct fr_zone_image *image)
{
    if (!image || --image->refs > 0) return;
    fr_free(image->rows);
    fr_free(image->networks);
    fr_free(image);
}

static const struct fr_image_network *find_network(const struct fr_zone_image *image,
                                                   uint32_t netid)
{
    const struct fr_image_network key = {.netid = netid};

    if (image->n_networks == 0) return NULL;
    return bsearch(&key, image->networks, image->n_networks, sizeof *image->networks, by_netid);
}

bool fr_zone_image_is_live(const struct fr_zone_image *image, uint32_t netid)
{
    const struct fr_image_network *network = find_network(image, netid);

    return network && network->is_live;
}

/* A network that is in one of them only has no devices there: they come and go by facts of their own. */
bool fr_zone_image_agrees(const struct fr_zone_image *a, const struct fr_zone_image *b)
{
    if (a->device_ttl_s != b->device_ttl_s) return false;
    for (size_t i = 0; i < a->n_networks; i++) {
        const struct fr_image_network *other = find_network(b, a->networks[i].netid);
        if (other && other->is_live != a->networks[i].is_live) return false;
    }
    return true;
}

static bool is_same(const struct fr_zone_image *a, const struct fr_zone_image *b)
{
    if (a->n != b->n || a->n_networks != b->n_networks || !fr_zone_image_agrees(a, b) ||
        fr_record_compare(&a->soa, &b->soa) != 0)
        return false;
    for (size_t i = 0; i < a->n_networks; i++)
        if (a->networks[i].netid != b->networks[i].netid) return false;
    for (size_t i = 0; i < a->n; i++)
        if (fr_record_compare(&a->rows[i], &b->rows[i]) != 0) return false;
    return true;
}

/* --- history --- */

/* Facts that no record but a device's follows from. What is not known here may change anything. */
static bool is_beside(enum fr_fact_kind kind)
{
    switch (kind) {
    case FR_FACT_DEVICE:
    case FR_FACT_IMAGE:
    case FR_FACT_RELEASE:
    case FR_FACT_CONFLICT:
    case FR_FACT_BLOCK:
    case FR_FACT_TOKEN:
    case FR_FACT_VISIBILITY:
    case FR_FACT_PRIMARY:
    case FR_FACT_DOWNSTREAM:
    case FR_FACT_UNKNOWN:
    case FR_FACT_NOTICE:
    case FR_FACT_APPROVAL:
    case FR_FACT_IDEMPOTENCY: return true;
    case FR_FACT_MEMBER:
    case FR_FACT_NETWORK:
    case FR_FACT_JOINEUI:
    case FR_FACT_CERT:
    case FR_FACT_KEY:
    case FR_FACT_AUTHORITY:
    case FR_FACT_POLICY:
    case FR_FACT_META:
    case FR_FACT_GRACE:
    case FR_FACT_LAST:
    default: return false;
    }
}

/* Nothing in the journal behind `after` can have changed the image. */
static enum fr_err has_stayed(struct fr_snap *snap, uint64_t after, bool *out)
{
    struct fr_journal_record record;
    const uint64_t last = fr_snap_sequence(snap);

    *out = false;
    if (last - after > JOURNAL_LOOK_MAX) return FR_OK;
    for (uint64_t at = after + 1; at <= last; at = record.sequence + 1) {
        struct fr_fact fact;
        enum fr_err err = fr_journal_next(snap, at, &record);
        if (err == FR_E_NOT_FOUND || (!err && record.sequence != at)) return FR_OK; /* trimmed */
        if (err) return err;
        while ((err = fr_fact_next(&record.facts, &fact)) == FR_OK)
            if (!is_beside(fact.kind)) return FR_OK;
        if (err != FR_E_NOT_FOUND) return err;
    }
    *out = true;
    return FR_OK;
}

static void push(struct fr_zone_history *history, struct fr_zone_image *image)
{
    if (history->n == FR_IMAGES_KEPT) {
        fr_zone_image_unref(history->images[0]);
        memmove(history->images, history->images + 1, (FR_IMAGES_KEPT - 1) * sizeof(void *));
        history->n--;
    }
    history->images[history->n++] = image;
}

enum fr_err fr_zone_history_take(struct fr_zone_history *history, struct fr_snap *snap,
                                 int64_t now_s, struct fr_zone_image **out)
{
    const uint64_t sequence = fr_snap_sequence(snap);
    struct fr_zone_image *last = history->n ? history->images[history->n - 1] : NULL, *image;
    bool stays = false;

    if (last && last->to > sequence) { /* the store was put back */
        fr_zone_history_deinit(history);
        last = NULL;
    }
    enum fr_err err = FR_OK;
    if (last && last->to == sequence)
        stays = true;
    else if (last && now_s - last->made_s <= MADE_ANEW_S)
        err = has_stayed(snap, last->to, &stays);
    if (err) return err;
    if (!stays) {
        err = make(snap, now_s, &image);
        if (err) return err;
        stays = last && is_same(last, image);
        if (stays) {
            last->made_s = now_s;
            fr_zone_image_unref(image);
        } else {
            push(history, image);
            last = image;
        }
    }
    last->to = sequence;
    last->refs++;
    *out = last;
    return FR_OK;
}

/* Of a serial that another process served: the present image, if neither a change nor time can have made it another one. That
 * process' image was at most MADE_ANEW_S old when the serial began. */
static enum fr_err find_older(struct fr_snap *snap, struct fr_zone_image *now, int64_t now_s,
                              uint64_t sequence, struct fr_zone_image **out)
{
    struct fr_journal_record record;
    struct fr_zone_image *then = NULL;
    bool stays = false;

    enum fr_err err = has_stayed(snap, sequence, &stays);
    if (err || !stays) return err ? err : FR_E_NOT_FOUND;
    err = fr_journal_next(snap, sequence, &record);
    if (err || record.sequence != sequence) return err ? err : FR_E_NOT_FOUND;
    const int64_t when_s = record.when_s < now_s ? record.when_s : now_s;
    err = make(snap, when_s - MADE_ANEW_S - CLOCK_SLACK_S, &then);
    if (err) return err;
    stays = is_same(then, now);
    fr_zone_image_unref(then);
    if (!stays) return FR_E_NOT_FOUND;
    now->refs++;
    *out = now;
    return FR_OK;
}

enum fr_err fr_zone_history_find(struct fr_zone_history *history, struct fr_snap *snap,
                                 struct fr_zone_image *now, int64_t now_s, uint64_t sequence,
                                 struct fr_zone_image **out)
{
    for (size_t i = 0; i < history->n; i++) {
        struct fr_zone_image *image = history->images[i];
        if (sequence < image->from || sequence > image->to) continue;
        image->refs++;
        *out = image;
        return FR_OK;
    }
    if (history->n && sequence > history->images[0]->from) return FR_E_NOT_FOUND;
    return find_older(snap, now, now_s, sequence, out);
}

void fr_zone_history_deinit(struct fr_zone_history *history)
{
    for (size_t i = 0; i < history->n; i++) fr_zone_image_unref(history->images[i]);
    history->n = 0;
}
