#include "resolver/hunt.h"

#include "base/mem.h"
#include "names/owner.h"
#include "resolver/draw.h"
#include "resolver/handle.h"
#include "resolver/public_dns.h"
#include "resolver/trail.h"
#include <stdio.h>

struct fr_hunt {
    struct fedroam *f;
    struct fr_cache_key key;
    struct fr_hunter hunter;
    struct fr_defer start; /* so that nothing ends inside fr_hunt_start() */
    struct fr_trail *trail;
    struct fr_trail_question question;
    struct fr_ask *ask;               /* under way to a broker, or */
    struct fr_public_question *asked; /* to public DNS */
    struct fr_timer patience;         /* with that */
    size_t tree;                      /* of the public ones */
    struct fr_place *best;            /* the name is in a tree, without a server */
    uint32_t ttl_s;                   /* of what the trees before did not have */
    struct fr_judgement fault;        /* of a tree before; FOUND: none */
    char why[FR_REASON_TEXT - 1];
};

static void drop_question(struct fr_hunt *h)
{
    fr_ask_cancel(h->ask);
    fr_public_cancel(h->asked);
    fr_timer_stop(&h->patience);
    h->ask = NULL;
    h->asked = NULL;
}

void fr_hunt_cancel(struct fr_hunt *h)
{
    if (!h) return;
    drop_question(h);
    fr_defer_cancel(&h->start);
    fr_trail_free(h->trail);
    fr_place_free(h->best);
    fr_free(h);
}

static void end(struct fr_hunt *h, const struct fr_hunt_end *how)
{
    struct fr_hunter hunter = h->hunter;
    if (h->best == how->place) h->best = NULL; /* the receiver's now */
    drop_question(h);
    hunter.done(hunter.data, how);
    fr_hunt_cancel(h);
}

static void end_fault(struct fr_hunt *h, const struct fr_judgement *fault)
{
    end(h, &(struct fr_hunt_end){.result = fault->result, .fault = fault, .reason = ""});
}

static void end_local(struct fr_hunt *h, enum fr_err err)
{
    struct fr_judgement j = {.result = FEDROAM_FAILED, .ede = FR_DNS_EDE_NONE};
    fr_diag_print(NULL, err, j.reason, sizeof j.reason);
    end_fault(h, &j);
}

static bool is_of_federation(const struct fr_hunt *h)
{
    return h->key.federation != FR_PUBLIC_TREES;
}

static const struct fr_trees_opt *trees_of(const struct fr_hunt *h)
{
    return fr_options_trees(h->f->options, (enum fedroam_kind)h->key.kind);
}

/* ---- where it begins ---- */

static enum fr_err begin_in_federation(struct fr_hunt *h, struct fr_trail_start *start)
{
    const struct fr_owner owner = {.kind = FR_OWNER_JOINEUI, .eui = h->key.id};
    start->zone = &h->f->options->federations[h->key.federation]->zone;
    start->plain = FEDROAM_SERVICE_LWNS;
    start->port = FR_PLACE_PORT;
    return fr_owner_write(&owner, start->zone, &start->name);
}

static enum fr_err begin_in_tree(struct fr_hunt *h, struct fr_trail_start *start)
{
    const struct fr_trees_opt *trees = trees_of(h);
    const struct fr_tree_opt *tree = &trees->list[h->tree];
    char name[FR_OWNER_TEXT];
    bool is_tls = (trees->services & FEDROAM_SERVICE_LWNS) != 0;
    start->tree = tree->suffix;
    start->plain = is_tls ? FEDROAM_SERVICE_LWNS : FEDROAM_SERVICE_LWN;
    start->port = tree->port ? tree->port : is_tls ? 443 : 80;
    enum fr_err err = h->key.kind == FEDROAM_NETWORK
                          ? fr_netid_name((uint32_t)h->key.id, tree->suffix, name)
                          : fr_joineui_name(h->key.id, tree->suffix, name);
    return err ? err : fr_dname_parse(fr_span_str(name), &start->name);
}

static enum fr_err begin(struct fr_hunt *h)
{
    struct fr_trail_start start = {.tree = "",
                                   .has_public = fr_public_dns_is_there(h->f->public_dns),
                                   .services = trees_of(h)->services,
                                   .seed = fr_draw(&h->f->draws)};
    enum fr_err err =
        is_of_federation(h) ? begin_in_federation(h, &start) : begin_in_tree(h, &start);
    if (err) return err;
    fr_trail_free(h->trail);
    h->trail = NULL;
    return fr_trail_new(&start, &h->trail);
}

/* ---- one question after the other ---- */

static void go_on(struct fr_hunt *h);

static void on_ask(void *data, const struct fr_judgement *j)
{
    struct fr_hunt *h = data;
    const char *why = "";
    h->ask = NULL;
    if (j->result != FEDROAM_FOUND) {
        end_fault(h, j);
    } else if (fr_trail_learn(h->trail, &j->reply, &why) != FR_OK) {
        struct fr_judgement bad = {
            .result = FEDROAM_BAD_ANSWER, .status = j->status, .ede = j->ede};
        (void)snprintf(bad.reason, sizeof bad.reason, "%s", why);
        end_fault(h, &bad);
    } else {
        go_on(h);
    }
}

/* What is wrong with the present step. */
static const char *say(struct fr_hunt *h, const char *why)
{
    char name[FR_DNAME_TEXT];
    fr_dname_print(fr_dname_span(&h->question.name), name);
    (void)snprintf(h->why, sizeof h->why, "public DNS: %.*s: %s", 253, name, why);
    return h->why;
}

static void miss(struct fr_hunt *h, const char *why)
{
    fr_trail_miss(h->trail, say(h, why));
}

static void on_public(void *data, const struct fr_dns_response *response, const char *why)
{
    struct fr_hunt *h = data;
    struct fr_reply reply;
    h->asked = NULL;
    fr_timer_stop(&h->patience);
    if (response) fr_reply_take(response, &reply);
    if (!response)
        miss(h, why);
    else if (reply.verdict == FR_VERDICT_BAD)
        miss(h, reply.why);
    else
        (void)fr_trail_learn(h->trail, &reply, &why); /* only a broker's can be malformed */
    go_on(h);
}

/* The public server has been silent for long enough that the time is better spent on the next step. */
static void on_patience(struct fr_timer *t)
{
    struct fr_hunt *h = t->data;
    fr_public_cancel(h->asked);
    h->asked = NULL;
    miss(h, "no answer in time");
    go_on(h);
}

static enum fr_err ask_public(struct fr_hunt *h, int64_t until_ms)
{
    int64_t left_ms = (until_ms - fr_loop_now_ms(h->f->loop)) / 2;
    if (left_ms > h->f->options->timeout_ms) left_ms = h->f->options->timeout_ms;
    enum fr_err err = fr_public_ask(h->f->public_dns, &h->question.name, h->question.type,
                                    on_public, h, &h->asked);
    if (err) return err;
    fr_timer_start(h->f->loop, &h->patience,
                   left_ms > FR_HUNT_STEP_MIN_MS ? left_ms : FR_HUNT_STEP_MIN_MS);
    return FR_OK;
}

/* True: it is under way. */
static bool ask(struct fr_hunt *h, int64_t until_ms)
{
    char why[FR_REASON_TEXT / 4];
    enum fr_err err = FR_OK;
    if (!h->question.is_public)
        err = fr_brokers_ask(h->f->brokers[h->key.federation], &h->question.name, h->question.type,
                             until_ms, on_ask, h, &h->ask);
    else
        err = ask_public(h, until_ms);
    if (err == FR_OK) return true;
    if (err == FR_E_NOMEM || !h->question.is_public) {
        end_local(h, err);
        return true; /* and over */
    }
    fr_diag_print(NULL, err, why, sizeof why);
    if (err == FR_E_INVALID)
        fr_trail_refuse(h->trail, say(h, "the name is a federation's own"));
    else
        miss(h, why);
    return false;
}

/* ---- the end of a trail ---- */

static void end_found(struct fr_hunt *h, struct fr_place *place)
{
    end(h, &(struct fr_hunt_end){.result = FEDROAM_FOUND, .place = place, .reason = ""});
}

/* What all trees together say, when none had a server. */
static void end_trees(struct fr_hunt *h)
{
    if (h->best) {
        end_found(h, h->best);
    } else if (h->fault.result != FEDROAM_FOUND) {
        struct fr_judgement fault = h->fault;
        end_fault(h, &fault);
    } else {
        end(h, &(struct fr_hunt_end){.result = FEDROAM_UNKNOWN, .ttl_s = h->ttl_s, .reason = ""});
    }
}

static void end_in_federation(struct fr_hunt *h, enum fr_trail_end how, uint32_t ttl_s,
                              const char *why)
{
    struct fr_place *place = NULL;
    if (how == FR_TRAIL_UNKNOWN) {
        end(h, &(struct fr_hunt_end){.result = FEDROAM_UNKNOWN, .ttl_s = ttl_s, .reason = ""});
    } else if (how == FR_TRAIL_FAILED) {
        struct fr_judgement j = {.result = FEDROAM_NO_BROKER, .ede = FR_DNS_EDE_NONE};
        (void)snprintf(j.reason, sizeof j.reason, "%s", why);
        end_fault(h, &j);
    } else {
        enum fr_err err = fr_trail_place(h->trail, &place);
        if (err)
            end_local(h, err);
        else
            end_found(h, place);
    }
}

/* True: on to the next tree. */
static bool leave_tree(struct fr_hunt *h, enum fr_trail_end how, uint32_t ttl_s, const char *why)
{
    struct fr_place *place = NULL;
    if (how == FR_TRAIL_FAILED) {
        h->fault = (struct fr_judgement){.result = FEDROAM_NO_BROKER, .ede = FR_DNS_EDE_NONE};
        (void)snprintf(h->fault.reason, sizeof h->fault.reason, "%s", why);
    } else if (how == FR_TRAIL_UNKNOWN) {
        if (ttl_s < h->ttl_s) h->ttl_s = ttl_s;
    } else {
        enum fr_err err = fr_trail_place(h->trail, &place);
        if (err) {
            end_local(h, err);
            return false;
        }
        if (place->n_endpoints > 0) {
            end_found(h, place);
            return false;
        }
        if (h->best)
            fr_place_free(place);
        else
            h->best = place;
    }
    h->tree++;
    if (h->tree < trees_of(h)->n) {
        enum fr_err err = begin(h);
        if (err == FR_OK) return true;
        end_local(h, err);
        return false;
    }
    end_trees(h);
    return false;
}

static void go_on(struct fr_hunt *h)
{
    for (;;) {
        int64_t until_ms = h->hunter.until_ms(h->hunter.data);
        uint32_t ttl_s = 0;
        const char *why = "";
        if (until_ms < 0) {
            struct fr_judgement j = {.result = FEDROAM_FAILED, .ede = FR_DNS_EDE_NONE};
            end_fault(h, &j);
            return;
        }
        if (fr_trail_next(h->trail, &h->question)) {
            if (ask(h, until_ms)) return;
            continue;
        }
        enum fr_trail_end how = fr_trail_end(h->trail, &ttl_s, &why);
        if (is_of_federation(h)) {
            end_in_federation(h, how, ttl_s, why);
            return;
        }
        if (!leave_tree(h, how, ttl_s, why)) return;
    }
}

static void on_start(struct fr_defer *d)
{
    go_on(d->data);
}

enum fr_err fr_hunt_start(struct fedroam *f, struct fr_cache_key key,
                          const struct fr_hunter *hunter, struct fr_hunt **out)
{
    struct fr_hunt *h = fr_calloc(1, sizeof *h);
    if (!h) return FR_E_NOMEM;
    h->f = f;
    h->key = key;
    h->hunter = *hunter;
    h->ttl_s = FR_NEGATIVE_TTL_MAX_S;
    fr_timer_init(&h->patience, on_patience, h);
    fr_defer_init(&h->start, on_start, h);
    enum fr_err err = begin(h);
    if (err) {
        fr_hunt_cancel(h);
        return err;
    }
    fr_loop_defer(f->loop, &h->start);
    *out = h;
    return FR_OK;
}
