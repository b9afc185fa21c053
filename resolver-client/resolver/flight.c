#include "resolver/flight.h"

#include "base/mem.h"
#include "names/owner.h"
#include "resolver/hunt.h"
#include "resolver/part.h"
#include <stdio.h>

struct fr_flight {
    struct fedroam *f;
    struct fr_flight *chain; /* next of the same bucket */
    struct fr_cache_key key;
    bool is_prefetch;                  /* goes on with nobody waiting */
    struct fr_part *parts, *last_part; /* in the order they came */
    struct fr_ask *ask;
    struct fr_dname name; /* the question under way */
    uint16_t type;
    struct fr_place_draft draft; /* of a network of a federation */
    struct fr_hunt *hunt;        /* of a Join Server, or in public trees; then no ask, no draft */
};

static size_t bucket(struct fr_cache_key key)
{
    uint64_t h =
        (key.id ^ (uint64_t)key.federation << 48 ^ (uint64_t)key.kind << 40) * 0x9e3779b97f4a7c15u;
    return (size_t)(h >> 56) % FR_FLIGHT_BUCKETS;
}

static struct fr_flight **find(struct fedroam *f, struct fr_cache_key key)
{
    struct fr_flight **at = &f->flights[bucket(key)];
    while (*at && ((*at)->key.id != key.id || (*at)->key.kind != key.kind ||
                   (*at)->key.federation != key.federation))
        at = &(*at)->chain;
    return at;
}

static void add_part(struct fr_flight *fl, struct fr_part *part)
{
    part->flight = fl;
    part->prev = fl->last_part;
    part->next = NULL;
    if (fl->last_part)
        fl->last_part->next = part;
    else
        fl->parts = part;
    fl->last_part = part;
    part->was_asked = true;
}

void fr_flight_leave(struct fr_part *part)
{
    struct fr_flight *fl = part->flight;
    if (!fl) return;
    if (part->prev)
        part->prev->next = part->next;
    else
        fl->parts = part->next;
    if (part->next)
        part->next->prev = part->prev;
    else
        fl->last_part = part->prev;
    part->flight = NULL;
    part->prev = part->next = NULL;
}

static void attach(struct fr_flight *fl)
{
    struct fr_flight **head = &fl->f->flights[bucket(fl->key)];
    fl->chain = *head;
    *head = fl;
}

/* Out of the table: nobody joins it while it ends. */
static void detach(struct fr_flight *fl)
{
    *find(fl->f, fl->key) = fl->chain;
}

static const struct fr_dname *zone_of(const struct fr_flight *fl)
{
    return &fl->f->options->federations[fl->key.federation]->zone;
}

static void fail_all(struct fr_flight *fl, const struct fr_judgement *j)
{
    while (fl->parts) fr_part_fault(fl->parts, j);
}

static void fail_all_local(struct fr_flight *fl, enum fr_err err)
{
    struct fr_judgement j = {.result = FEDROAM_FAILED, .ede = FR_DNS_EDE_NONE};
    fr_diag_print(NULL, err, j.reason, sizeof j.reason);
    fail_all(fl, &j);
}

static void unknown_all(struct fr_flight *fl, uint32_t ttl_s, const char *reason)
{
    int64_t now_ms = fr_loop_now_ms(fl->f->loop);
    if (fl->key.kind == FEDROAM_DEVICE)
        ttl_s = fr_cache_put_unknown(fl->f->cache, fl->key, ttl_s, fl->f->options->unknown_max_s,
                                     now_ms);
    else
        fr_cache_put_negative(fl->f->cache, fl->key, ttl_s, now_ms);
    while (fl->parts) fr_part_unknown(fl->parts, ttl_s, reason);
}

/* The answer must not be used: the judgement of the last exchange, with this reason. */
static void bad_all(struct fr_flight *fl, const struct fr_judgement *j, const char *why)
{
    struct fr_judgement bad = {.result = FEDROAM_BAD_ANSWER, .status = j->status, .ede = j->ede};
    (void)snprintf(bad.reason, sizeof bad.reason, "%s", why);
    fail_all(fl, &bad);
}

static int64_t last_deadline(const struct fr_flight *fl)
{
    int64_t until_ms = 0;
    for (const struct fr_part *p = fl->parts; p; p = p->next)
        if (p->lookup->until_ms > until_ms) until_ms = p->lookup->until_ms;
    return until_ms;
}

static void on_ask(void *data, const struct fr_judgement *j);

static enum fr_err send_question(struct fr_flight *fl)
{
    return fr_brokers_ask(fl->f->brokers[fl->key.federation], &fl->name, fl->type,
                          last_deadline(fl), on_ask, fl, &fl->ask);
}

/* Everything is known: the place goes to those who wait and into the cache. */
static void found_all(struct fr_flight *fl, struct fr_place *place, struct fr_cache_key key)
{
    while (fl->parts) fr_part_found(fl->parts, place);
    fr_cache_put_place(fl->f->cache, key, place, fr_loop_now_ms(fl->f->loop));
}

static void end_place(struct fr_flight *fl, const struct fr_place_draft *draft,
                      struct fr_cache_key key)
{
    struct fr_place *place = NULL;
    enum fr_err err = fr_place_new(draft, &place);
    if (err)
        fail_all_local(fl, err);
    else
        found_all(fl, place, key);
}

/* Asks what is missing; true when something is under way. */
static bool go_on(struct fr_flight *fl)
{
    if (fl->draft.is_missing) {
        unknown_all(fl, fl->draft.ttl_s, "");
        return false;
    }
    if (!fr_place_next(&fl->draft, &fl->name, &fl->type)) {
        end_place(fl, &fl->draft, fl->key);
        return false;
    }
    if (!fl->parts && !fl->is_prefetch)
        return false; /* nobody waits any more: what is missing is asked when it is wanted */
    enum fr_err err = send_question(fl);
    if (err) fail_all_local(fl, err);
    return err == FR_OK;
}

static void end_device(struct fr_flight *fl, const struct fr_judgement *j)
{
    const struct fr_reply *r = &j->reply;
    const char *why = "";
    uint32_t netid = 0;
    struct fr_place_draft draft;
    if (!r->has_chain && r->verdict != FR_VERDICT_DATA) {
        unknown_all(fl, r->negative_ttl_s, "");
        return;
    }
    enum fr_err err = fr_reply_netid(r, zone_of(fl), &netid, &why);
    if (err) {
        bad_all(fl, j, why);
        return;
    }
    err = fr_place_network(zone_of(fl), netid, &draft);
    if (err) {
        fail_all_local(fl, err);
        return;
    }
    err = fr_place_learn(&draft, r, &fl->name, fl->type, &why);
    if (err) {
        bad_all(fl, j, why);
        return;
    }
    if (draft.is_missing) {
        unknown_all(fl, r->negative_ttl_s, "the device's network is not in the federation");
        return;
    }
    fr_cache_put_device(fl->f->cache, fl->key, netid, r->target_ttl_s, fr_loop_now_ms(fl->f->loop));
    for (struct fr_part *p = fl->parts; p; p = p->next)
        fr_part_set_netid(p, netid, r->target_ttl_s);
    struct fr_place_draft rest = draft;
    struct fr_dname name;
    uint16_t type;
    if (fr_place_next(&rest, &name, &type))
        while (fl->parts) fr_part_go_on(fl->parts, &draft);
    else
        end_place(fl, &draft, fr_network_key(fl->key.federation, netid));
}

static void on_ask(void *data, const struct fr_judgement *j)
{
    struct fr_flight *fl = data;
    const char *why = "";
    fl->ask = NULL;
    detach(fl);
    if (j->result != FEDROAM_FOUND) {
        fail_all(fl, j);
    } else if (fl->key.kind == FEDROAM_DEVICE) {
        end_device(fl, j);
    } else if (fr_place_learn(&fl->draft, &j->reply, &fl->name, fl->type, &why) != FR_OK) {
        bad_all(fl, j, why);
    } else if (go_on(fl)) {
        attach(fl);
        return;
    }
    fr_free(fl);
}

/* ---- Join Servers, and what public trees have ---- */

static bool is_hunt(struct fr_cache_key key)
{
    return key.kind == FEDROAM_JOIN_SERVER || key.federation == FR_PUBLIC_TREES;
}

static void on_hunt(void *data, const struct fr_hunt_end *how)
{
    struct fr_flight *fl = data;
    fl->hunt = NULL;
    detach(fl);
    if (how->result == FEDROAM_FOUND)
        found_all(fl, how->place, fl->key);
    else if (how->result == FEDROAM_UNKNOWN)
        unknown_all(fl, how->ttl_s, how->reason);
    else
        fail_all(fl, how->fault);
    fr_free(fl);
}

static int64_t hunt_until_ms(void *data)
{
    const struct fr_flight *fl = data;
    if (fl->parts) return last_deadline(fl);
    if (!fl->is_prefetch) return -1;
    return fr_loop_now_ms(fl->f->loop) + fl->f->options->timeout_ms;
}

/* ---- the start ---- */

/* The first question of a flight. */
static enum fr_err prepare(struct fr_flight *fl, const struct fr_place_draft *known)
{
    if (fl->key.kind == FEDROAM_DEVICE) {
        struct fr_owner owner = {.kind = FR_OWNER_DEVEUI, .eui = fl->key.id};
        fl->type = FR_DNS_A;
        return fr_owner_write(&owner, zone_of(fl), &fl->name);
    }
    enum fr_err err = FR_OK;
    if (known)
        fl->draft = *known;
    else
        err = fr_place_network(zone_of(fl), (uint32_t)fl->key.id, &fl->draft);
    if (err) return err;
    return fr_place_next(&fl->draft, &fl->name, &fl->type) ? FR_OK : FR_E_INTERNAL;
}

/* Puts the first question; those who wait are there already. */
static enum fr_err begin(struct fr_flight *fl, const struct fr_place_draft *known)
{
    const struct fr_hunter hunter = {on_hunt, hunt_until_ms, fl};
    if (is_hunt(fl->key)) return fr_hunt_start(fl->f, fl->key, &hunter, &fl->hunt);
    enum fr_err err = prepare(fl, known);
    return err ? err : send_question(fl);
}

static enum fr_err start_flight(struct fedroam *f, struct fr_cache_key key,
                                const struct fr_place_draft *known, struct fr_part *part)
{
    struct fr_flight *fl = fr_calloc(1, sizeof *fl);
    if (!fl) return FR_E_NOMEM;
    fl->f = f;
    fl->key = key;
    fl->is_prefetch = !part;
    if (part) add_part(fl, part);
    enum fr_err err = begin(fl, known);
    if (err) {
        if (part) fr_flight_leave(part);
        fr_free(fl);
        return err;
    }
    attach(fl);
    return FR_OK;
}

enum fr_err fr_flight_join(struct fr_part *part, struct fr_cache_key key,
                           const struct fr_place_draft *known)
{
    struct fedroam *f = part->lookup->f;
    struct fr_flight *same = *find(f, key);
    if (!same) return start_flight(f, key, known, part);
    f->counts[FEDROAM_COUNT_SHARED]++;
    add_part(same, part);
    return FR_OK;
}

void fr_flight_prefetch(struct fedroam *f, struct fr_cache_key key)
{
    if (!*find(f, key) && start_flight(f, key, NULL, NULL) == FR_OK) f->prefetches++;
}

void fr_flights_free(struct fedroam *f)
{
    for (size_t i = 0; i < FR_FLIGHT_BUCKETS; i++) {
        while (f->flights[i]) {
            struct fr_flight *fl = f->flights[i];
            f->flights[i] = fl->chain;
            fr_ask_cancel(fl->ask);
            fr_hunt_cancel(fl->hunt);
            fr_free(fl);
        }
    }
}
