#include "probe/prober.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/random.h"
#include "names/owner.h"
#include "store/cert.h"
#include "store/member.h"

#include <inttypes.h>
#include <string.h>

#define LOOK_MS 5000 /* between looks at who there is */

/* What is known of one member. */
struct known {
    char member[FR_MEMBER_ID_MAX + 1];
    struct fr_run *last;             /* NULL: none yet */
    int64_t asked_ms[FR_PROBE_ASKS]; /* its own asks, a ring; 0: none */
    size_t asked_at;
    int64_t due_ms; /* of the clock; 0: not set */
    struct known *next;
};

struct going {
    struct fr_prober *prober;
    struct fr_run *run;
    struct fr_probe_ask *asks;
    size_t next_target;
    unsigned under_way;
    struct going *next;
};

struct slot {
    struct fr_prober *prober;
    struct going *going; /* NULL: free */
    size_t target;
    struct fr_check *check;
    bool is_done; /* to be freed */
};

struct fr_prober {
    struct fr_prober_options options;
    struct fr_tls_ctx *tls; /* NULL: to be loaded */
    struct known *known;
    struct going *going, **last;
    size_t n_going;
    struct slot slots[FR_PROBE_AT_ONCE];
    struct fr_defer sweep;
    int64_t looked_ms;
    bool has_looked, is_stopping;
};

static void pump(struct fr_prober *prober);

/* --- members --- */

static struct known *known_find(const struct fr_prober *prober, const char *member)
{
    struct known *k = prober->known;

    while (k && strcmp(k->member, member) != 0) k = k->next;
    return k;
}

static struct known *known_of(struct fr_prober *prober, const char *member)
{
    struct known *k = known_find(prober, member);

    if (k) return k;
    k = fr_calloc(1, sizeof *k);
    if (!k) return NULL;
    (void)fr_span_copy(fr_span_str(member), k->member, sizeof k->member);
    k->next = prober->known;
    prober->known = k;
    return k;
}

static void known_free(struct known *k)
{
    fr_free(k->last);
    fr_free(k);
}

/* --- answers --- */

static void deliver(struct fr_post *post)
{
    struct fr_probe_ask *ask = post->data;
    ask->done(ask);
}

static void answer(struct fr_prober *prober, struct fr_probe_ask *ask, enum fr_err err)
{
    ask->err = err;
    if (ask->loop == prober->options.loop)
        ask->done(ask);
    else
        fr_loop_post(ask->loop, &ask->post, deliver, ask);
}

static void end_going(struct fr_prober *prober, struct going *g, enum fr_err err)
{
    const char *federation = fr_store_federation(prober->options.store);
    struct known *k = err ? NULL : known_of(prober, g->run->member);
    struct fr_probe_ask *ask;

    while ((ask = g->asks) != NULL) {
        g->asks = ask->next;
        answer(prober, ask, err ? err : fr_run_write(g->run, federation, &ask->json));
    }
    if (k) {
        fr_free(k->last);
        k->last = g->run;
        g->run = NULL;
    }
    fr_free(g->run);
    fr_free(g);
    prober->n_going--;
}

static void log_run(const struct fr_prober *prober, const struct fr_run *run)
{
    char why[400];

    fr_run_print(run, why, sizeof why);
    FR_LOG(prober->options.log, run->n_wrong ? FR_LOG_WARN : FR_LOG_INFO, "member.probed",
           FR_STR("federation", fr_store_federation(prober->options.store)),
           FR_STR("member", run->member), FR_STR("result", fr_run_result(run)),
           FR_UINT("endpoints", run->n), FR_UINT("wrong", run->n_wrong),
           FR_STR("why", why[0] ? why : NULL));
}

/* --- checks --- */

/* What a check asks back. */
struct pin {
    const uint8_t *spki;
    bool is_there;
};

static enum fr_err compare_pin(void *data, const uint8_t spki[FR_DIGEST_SIZE], int64_t not_after_s)
{
    struct pin *pin = data;

    (void)not_after_s;
    if (memcmp(pin->spki, spki, FR_DIGEST_SIZE) == 0) pin->is_there = true;
    return FR_OK;
}

static bool is_pinned(void *data, const uint8_t spki_sha256[32])
{
    const struct slot *slot = data;
    const struct fr_prober_options *o = &slot->prober->options;
    struct pin pin = {.spki = spki_sha256};
    struct fr_snap *snap = NULL;

    if (fr_snap_begin(o->store, &snap)) return false;
    enum fr_err err = fr_pin_each(snap, slot->going->run->targets[slot->target].netid,
                                  fr_clock_real_s(o->clock), compare_pin, &pin);
    fr_snap_end(snap);
    return !err && pin.is_there;
}

static void on_done(void *data, const struct fr_check_finding *finding)
{
    struct slot *slot = data;

    fr_run_found(slot->going->run, slot->target, finding);
    slot->going->under_way--;
    slot->going = NULL;
    slot->is_done = true; /* freed, and the next one begun, behind this turn */
    fr_loop_defer(slot->prober->options.loop, &slot->prober->sweep);
}

static enum fr_err load_tls(struct fr_prober *prober, struct fr_diag *diag)
{
    const char *state = prober->options.state;
    char *chain = fr_path_join(state, "server.chain.pem"), *key = fr_path_join(state, "server.key"),
         *root = fr_path_join(state, "root.pem");
    enum fr_err err = FR_OK;

    if (prober->tls) goto out;
    const struct fr_tls_files files = {.chain = chain, .key = key, .ca = root};
    err = chain && key && root ? fr_tls_client_load(&files, diag, &prober->tls) : FR_E_NOMEM;
out:
    fr_free(chain);
    fr_free(key);
    fr_free(root);
    return err;
}

static enum fr_err start(struct slot *slot, struct going *g, size_t target)
{
    const struct fr_prober *prober = slot->prober;
    const struct fr_run_target *t = &g->run->targets[target];
    const struct fr_owner owner = {.kind = FR_OWNER_NETID, .netid = t->netid};
    char host[FR_OWNER_TEXT];

    enum fr_err err = fr_owner_print(&owner, fr_store_federation(prober->options.store), host);
    const struct fr_check_ask ask = {.loop = prober->options.loop,
                                     .tls = prober->tls,
                                     .at = t->at,
                                     .host = host,
                                     .is_pinned = is_pinned,
                                     .done = on_done,
                                     .data = slot};
    if (!err) err = fr_check_start(&ask, &slot->check);
    if (err) return err;
    slot->going = g;
    slot->target = target;
    g->under_way++;
    return FR_OK;
}

static struct slot *free_slot(struct fr_prober *prober)
{
    for (size_t i = 0; i < FR_PROBE_AT_ONCE; i++)
        if (!prober->slots[i].check) return &prober->slots[i];
    return NULL;
}

/* False: there is no room for all that it has. */
static bool start_more(struct fr_prober *prober, struct going *g, enum fr_err *err)
{
    for (; g->next_target < g->run->n; g->next_target++) {
        struct slot *slot = free_slot(prober);
        if (g->run->targets[g->next_target].is_over) continue;
        if (!slot) return false;
        *err = start(slot, g, g->next_target);
        if (*err) return true;
    }
    return true;
}

static void abandon(struct fr_prober *prober, const struct going *g)
{
    for (size_t i = 0; i < FR_PROBE_AT_ONCE; i++) {
        struct slot *slot = &prober->slots[i];
        if (slot->going != g) continue;
        fr_check_free(slot->check);
        *slot = (struct slot){.prober = prober};
    }
}

static void unlink_going(struct fr_prober *prober, struct going **at)
{
    struct going *g = *at;

    *at = g->next;
    if (prober->last == &g->next) prober->last = at;
}

/* Runs that are over are answered, and others begin, in the order they came. */
static void pump(struct fr_prober *prober)
{
    struct going **at = &prober->going;

    while (*at) {
        struct going *g = *at;
        enum fr_err err = FR_OK;
        const bool has_room = start_more(prober, g, &err);
        const bool is_over = g->run->n_over == g->run->n;
        if (err) abandon(prober, g);
        if (err || is_over) {
            unlink_going(prober, at);
            if (!err) log_run(prober, g->run);
            end_going(prober, g, err);
            continue;
        }
        if (!has_room) return;
        at = &g->next;
    }
}

static void sweep(struct fr_defer *defer)
{
    struct fr_prober *prober = defer->data;

    for (size_t i = 0; i < FR_PROBE_AT_ONCE; i++) {
        struct slot *slot = &prober->slots[i];
        if (!slot->is_done) continue;
        fr_check_free(slot->check);
        *slot = (struct slot){.prober = prober};
    }
    pump(prober);
}

/* --- asks --- */

static struct going *going_find(const struct fr_prober *prober, const char *member)
{
    struct going *g = prober->going;

    while (g && strcmp(g->run->member, member) != 0) g = g->next;
    return g;
}

/* Puts a run of this member at the end of the queue. */
static enum fr_err begin(struct fr_prober *prober, const char *member, struct fr_diag *diag,
                         struct going **out)
{
    const struct fr_prober_options *o = &prober->options;
    struct fr_snap *snap = NULL;
    struct going *g = NULL;

    if (prober->n_going >= FR_PROBE_RUNS)
        return fr_diag_fail(diag, FR_E_BUSY, "too many members are being looked at");
    g = fr_calloc(1, sizeof *g);
    if (g) g->run = fr_calloc(1, sizeof *g->run);
    enum fr_err err = g && g->run ? fr_snap_begin(o->store, &snap) : FR_E_NOMEM;
    if (!err) err = fr_run_plan(snap, member, fr_clock_real_s(o->clock), g->run);
    if (err == FR_E_NOT_FOUND) (void)fr_diag_fail(diag, err, "there is no member %s", member);
    fr_snap_end(snap);
    if (!err && g->run->n_over < g->run->n) err = load_tls(prober, diag);
    if (err) {
        if (g) fr_free(g->run);
        fr_free(g);
        return err;
    }
    g->prober = prober;
    *prober->last = g;
    prober->last = &g->next;
    prober->n_going++;
    *out = g;
    return FR_OK;
}

/* Does this member ask too often? */
static enum fr_err count_ask(struct fr_prober *prober, struct fr_probe_ask *ask)
{
    const int64_t now_ms = fr_clock_mono_ms(prober->options.clock);
    struct known *k = known_of(prober, ask->member);

    if (!k) return FR_E_NOMEM;
    int64_t *oldest = &k->asked_ms[k->asked_at];
    if (*oldest != 0 && now_ms - *oldest < FR_PROBE_ASKS_MS) {
        ask->retry_after_s = (uint32_t)((FR_PROBE_ASKS_MS - (now_ms - *oldest)) / 1000 + 1);
        return fr_diag_fail(&ask->diag, FR_E_BUSY, "%d probes in a minute are enough",
                            FR_PROBE_ASKS);
    }
    *oldest = now_ms == 0 ? 1 : now_ms;
    k->asked_at = (k->asked_at + 1) % FR_PROBE_ASKS;
    return FR_OK;
}

static void take(struct fr_prober *prober, struct fr_probe_ask *ask)
{
    enum fr_err err = prober->is_stopping ? FR_E_CANCELLED : FR_OK;
    struct going *g = NULL;

    if (!err && ask->is_member) err = count_ask(prober, ask);
    if (!err) g = going_find(prober, ask->member);
    if (!err && !g) err = begin(prober, ask->member, &ask->diag, &g);
    if (err) {
        answer(prober, ask, err);
        return;
    }
    ask->next = g->asks;
    g->asks = ask;
    pump(prober);
}

static void on_ask(struct fr_post *post)
{
    struct fr_probe_ask *ask = post->data;
    take(ask->prober, ask);
}

void fr_prober_ask(struct fr_prober *prober, struct fr_probe_ask *ask)
{
    ask->prober = prober;
    if (ask->loop == prober->options.loop)
        take(prober, ask);
    else
        fr_loop_post(prober->options.loop, &ask->post, on_ask, ask);
}

/* --- by the clock --- */

/* 0.9 to 1.1 of it. */
static int64_t jitter(int64_t ms)
{
    uint32_t chance = 0;

    if (fr_random((uint8_t *)&chance, sizeof chance)) chance = UINT32_MAX / 2;
    return ms - ms / 10 + (int64_t)((uint64_t)chance * (uint64_t)(ms / 5) / UINT32_MAX);
}

struct looking {
    struct fr_prober *prober;
    int64_t now_ms, every_ms;
};

/* One that is new here waits for a part of the time, so that not all are looked at in one moment. */
static enum fr_err look_at(void *data, const struct fr_member_row *row)
{
    const struct looking *l = data;
    struct known *k = row->state == FR_MEMBER_ACTIVE ? known_of(l->prober, row->id) : NULL;
    struct fr_diag diag = {0};
    struct going *g;

    if (!k) return FR_OK;
    if (k->due_ms == 0 || k->due_ms > l->now_ms + 2 * l->every_ms)
        k->due_ms = l->now_ms + jitter(l->every_ms) / 2;
    if (k->due_ms > l->now_ms || going_find(l->prober, row->id)) return FR_OK;
    k->due_ms = l->now_ms + jitter(l->every_ms);
    enum fr_err err = begin(l->prober, row->id, &diag, &g);
    if (err)
        FR_LOG(l->prober->options.log, FR_LOG_WARN, "probe.failed", FR_STR("member", row->id),
               FR_STR("why", diag.what[0] ? diag.what : fr_err_text(err)));
    return FR_OK;
}

static bool is_gone(struct fr_snap *snap, const char *member)
{
    struct fr_member_row row;
    enum fr_err err = fr_member_get(snap, member, &row);

    return err == FR_E_NOT_FOUND || (!err && row.state == FR_MEMBER_REMOVED);
}

static void forget_gone(struct fr_prober *prober, struct fr_snap *snap)
{
    for (struct known **at = &prober->known; *at;) {
        struct known *k = *at;
        if (!is_gone(snap, k->member)) {
            at = &k->next;
            continue;
        }
        *at = k->next;
        known_free(k);
    }
}

void fr_prober_tend(struct fr_prober *prober, bool is_renewed, bool by_clock)
{
    struct looking l = {prober, fr_clock_mono_ms(prober->options.clock), 0};
    struct fr_snap *snap = NULL;
    uint32_t every_s = 0;

    if (is_renewed) {
        fr_tls_ctx_unref(prober->tls);
        prober->tls = NULL;
    }
    if (prober->is_stopping || (prober->has_looked && l.now_ms - prober->looked_ms < LOOK_MS))
        return;
    if (fr_snap_begin(prober->options.store, &snap)) return;
    prober->looked_ms = l.now_ms;
    prober->has_looked = true;
    enum fr_err err = fr_policy_get(snap, FR_POLICY_PROBE_EVERY, &every_s);
    l.every_ms = (int64_t)every_s * 1000;
    if (!err) forget_gone(prober, snap);
    if (!err && by_clock && every_s > 0) err = fr_member_each_sound(snap, look_at, NULL, &l);
    fr_snap_end(snap);
    if (err) FR_LOG(prober->options.log, FR_LOG_WARN, "probe.failed", FR_ERR("why", err));
    pump(prober);
}

/* --- what is known --- */

void fr_prober_each(const struct fr_prober *prober, fr_probed_fn fn, void *data)
{
    for (const struct known *k = prober->known; k; k = k->next)
        if (k->last) fn(data, k->last);
}

const struct fr_run *fr_prober_last(const struct fr_prober *prober, const char *member)
{
    const struct known *k = known_find(prober, member);
    return k ? k->last : NULL;
}

/* --- handle --- */

enum fr_err fr_prober_new(const struct fr_prober_options *options, struct fr_prober **out)
{
    struct fr_prober *prober = fr_calloc(1, sizeof *prober);

    if (!prober) return FR_E_NOMEM;
    prober->options = *options;
    prober->last = &prober->going;
    fr_defer_init(&prober->sweep, sweep, prober);
    for (size_t i = 0; i < FR_PROBE_AT_ONCE; i++) prober->slots[i].prober = prober;
    *out = prober;
    return FR_OK;
}

void fr_prober_stop(struct fr_prober *prober)
{
    if (!prober || prober->is_stopping) return;
    prober->is_stopping = true;
    fr_defer_cancel(&prober->sweep);
    for (size_t i = 0; i < FR_PROBE_AT_ONCE; i++) {
        fr_check_free(prober->slots[i].check);
        prober->slots[i] = (struct slot){.prober = prober};
    }
    while (prober->going) {
        struct going *g = prober->going;
        unlink_going(prober, &prober->going);
        end_going(prober, g, FR_E_CANCELLED);
    }
}

void fr_prober_free(struct fr_prober *prober)
{
    if (!prober) return;
    fr_prober_stop(prober);
    while (prober->known) {
        struct known *k = prober->known;
        prober->known = k->next;
        known_free(k);
    }
    fr_tls_ctx_unref(prober->tls);
    fr_free(prober);
}
