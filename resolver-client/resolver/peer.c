#include "resolver/peer.h"

#include "base/mem.h"
#include "resolver/lookup.h"
#include "resolver/options.h"
#include <string.h>

enum { NEWS_MS = 1000 }; /* an answer this young is not asked for again */

struct fedroam_peer_check {
    struct fedroam *f;
    struct fedroam_peer_check *prev, *next;
    size_t federation; /* its place in the options */
    uint32_t netid;
    uint8_t key[FR_PEER_KEY];
    int64_t until_ms;
    bool is_past_cache; /* the second look, which does not take the cache's word */
    struct fedroam_lookup *lookup;
    struct fr_defer decided; /* of one that needs no look-up */
    enum fedroam_peer verdict;
    const char *why;
    struct fr_peer_call call;
};

void fr_peer_cancel(struct fedroam_peer_check *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        c->f->checks = c->next;
    if (c->next) c->next->prev = c->prev;
    if (c->lookup) fedroam_lookup_cancel(c->lookup);
    fr_defer_cancel(&c->decided);
    fr_free(c);
}

struct fedroam *fr_peer_handle(const struct fedroam_peer_check *c)
{
    return c->f;
}

void fr_peers_free(struct fedroam *f)
{
    while (f->checks) fr_peer_cancel(f->checks);
}

static void end(struct fedroam_peer_check *c, enum fedroam_peer verdict, const char *why,
                const struct fedroam_answer *network)
{
    struct fr_peer_call call = c->call;
    fr_peer_cancel(c);
    if (call.plain)
        call.plain(call.data, verdict, why);
    else
        call.done(call.data, verdict, why, network);
}

static void on_network(void *data, const struct fedroam_answer *a);

/* Where the peer's network is and what its keys are: from the cache, or past it. */
static enum fr_err look(struct fedroam_peer_check *c)
{
    struct fedroam *f = c->f;
    const struct fr_lookup_rule rule = {.age_ms = c->is_past_cache ? NEWS_MS : INT64_MAX,
                                        .stale_ms = (int64_t)f->options->peer_stale_s * 1000,
                                        .stale_over_budget = true};
    int64_t left_ms = c->until_ms - fr_loop_now_ms(f->loop);
    return fr_lookup_start(f, (struct fr_question){.kind = FEDROAM_NETWORK, .id = c->netid},
                           f->options->federations[c->federation]->name, &rule,
                           left_ms > 1 ? (uint32_t)left_ms : 1, on_network, c, &c->lookup);
}

static bool has_key(const struct fedroam_answer *a, const uint8_t key[FR_PEER_KEY])
{
    for (size_t i = 0; i < fedroam_answer_pin_count(a); i++)
        if (memcmp(fedroam_answer_pin(a, i), key, FR_PEER_KEY) == 0) return true;
    return false;
}

/* It would be refused on the cache's word: the broker may know better by now. False: the answer is
 * the broker's own, or cannot be had. */
static bool look_again(struct fedroam_peer_check *c, const struct fedroam_answer *a)
{
    if (c->is_past_cache || fedroam_answer_freshness(a) != FEDROAM_CACHED) return false;
    c->is_past_cache = true;
    return look(c) == FR_OK;
}

static void on_network(void *data, const struct fedroam_answer *a)
{
    struct fedroam_peer_check *c = data;
    enum fedroam_result result = fedroam_answer_result(a);
    bool is_stale = fedroam_answer_freshness(a) == FEDROAM_STALE;
    c->lookup = NULL;
    if (result == FEDROAM_FOUND && has_key(a, c->key)) {
        if (is_stale)
            end(c, FEDROAM_PEER_STALE, "no broker can be reached; by what was known", a);
        else
            end(c, FEDROAM_PEER_OK, "", a);
    } else if (result != FEDROAM_FOUND && result != FEDROAM_UNKNOWN) {
        end(c, FEDROAM_PEER_UNDECIDED, fedroam_answer_reason(a), NULL);
    } else if (look_again(c, a)) {
        return;
    } else if (is_stale) {
        end(c, FEDROAM_PEER_UNDECIDED,
            "no broker can be reached, and the key is not among those known", a);
    } else if (result == FEDROAM_UNKNOWN) {
        end(c, FEDROAM_PEER_UNKNOWN, "the federation has no such network", NULL);
    } else {
        end(c, FEDROAM_PEER_REVOKED, "the certificate's key is not among the network's keys", a);
    }
}

static enum fr_err check_new(struct fedroam *f, const char *federation, struct fr_peer_call call,
                             struct fedroam_peer_check **out)
{
    size_t at = fr_options_find(f->options, federation);
    if (at == f->options->n_federations) return FR_E_NOT_FOUND;
    struct fedroam_peer_check *c = fr_calloc(1, sizeof *c);
    if (!c) return FR_E_NOMEM;
    c->f = f;
    c->federation = at;
    c->call = call;
    c->next = f->checks;
    if (c->next) c->next->prev = c;
    f->checks = c;
    *out = c;
    return FR_OK;
}

enum fr_err fr_peer_start(struct fedroam *f, const char *federation, uint32_t netid,
                          const uint8_t key[FR_PEER_KEY], uint32_t timeout_ms,
                          struct fr_peer_call call, struct fedroam_peer_check **out)
{
    struct fedroam_peer_check *c = NULL;
    enum fr_err err = check_new(f, federation, call, &c);
    if (err) return err;
    c->netid = netid;
    memcpy(c->key, key, sizeof c->key);
    c->until_ms = fr_loop_now_ms(f->loop) + (timeout_ms ? timeout_ms : f->options->timeout_ms);
    err = look(c);
    if (err)
        fr_peer_cancel(c);
    else if (out)
        *out = c;
    return err;
}

static void on_decided(struct fr_defer *d)
{
    struct fedroam_peer_check *c = d->data;
    end(c, c->verdict, c->why, NULL);
}

enum fr_err fr_peer_decided(struct fedroam *f, const char *federation, enum fedroam_peer verdict,
                            const char *why, struct fr_peer_call call,
                            struct fedroam_peer_check **out)
{
    struct fedroam_peer_check *c = NULL;
    enum fr_err err = check_new(f, federation, call, &c);
    if (err) return err;
    c->verdict = verdict;
    c->why = why;
    fr_defer_init(&c->decided, on_decided, c);
    fr_loop_defer(f->loop, &c->decided);
    if (out) *out = c;
    return FR_OK;
}
