#include "resolver/reload.h"

#include "base/mem.h"
#include "resolver/memory.h"
#include "resolver/public_dns.h"
#include "resolver/text.h"
#include "resolver/turns.h"
#include <string.h>

enum { LOOK_MS = 1000 };

/* Brokers and options that were replaced, until the last question put to them has its answer. */
struct fr_retired {
    struct fr_retired *next;
    struct fedroam_options *options;
    struct fr_brokers *brokers[FR_FEDERATIONS_MAX];
};

static void retired_free(struct fr_retired *r)
{
    for (size_t i = 0; i < FR_FEDERATIONS_MAX; i++) fr_brokers_free(r->brokers[i]);
    fedroam_options_free(r->options);
    fr_free(r);
}

static void add_counts(const struct fr_retired *r, struct fr_brokers_counts *sum)
{
    for (size_t i = 0; i < FR_FEDERATIONS_MAX; i++)
        if (r->brokers[i]) fr_brokers_add_counts(r->brokers[i], sum);
}

void fr_reload_add_counts(const struct fedroam *f, struct fr_brokers_counts *sum)
{
    for (const struct fr_retired *r = f->retired; r; r = r->next) add_counts(r, sum);
}

static bool is_idle(const struct fr_retired *r)
{
    for (size_t i = 0; i < FR_FEDERATIONS_MAX; i++)
        if (r->brokers[i] && !fr_brokers_is_idle(r->brokers[i])) return false;
    return true;
}

static void on_retired(struct fr_timer *t)
{
    struct fedroam *f = t->data;
    for (struct fr_retired **at = &f->retired; *at;) {
        struct fr_retired *r = *at;
        if (is_idle(r)) {
            *at = r->next;
            add_counts(r, &f->past);
            retired_free(r);
        } else {
            at = &r->next;
        }
    }
    if (f->retired) fr_timer_start(f->loop, t, LOOK_MS);
}

void fr_reload_init(struct fedroam *f)
{
    fr_timer_init(&f->retirement, on_retired, f);
}

void fr_reload_free(struct fedroam *f)
{
    fr_timer_stop(&f->retirement);
    while (f->retired) {
        struct fr_retired *r = f->retired;
        f->retired = r->next;
        retired_free(r);
    }
}

/* Would its brokers be made the same way again? The devices it is asked about do not matter. */
static bool is_same(const struct fr_federation_opt *a, const struct fr_federation_opt *b)
{
    return strcmp(a->ca, b->ca) == 0 && strcmp(a->chain, b->chain) == 0 &&
           strcmp(a->key, b->key) == 0 && a->n_brokers == b->n_brokers &&
           memcmp(a->brokers, b->brokers, sizeof a->brokers) == 0;
}

static bool same_times(const struct fedroam_options *a, const struct fedroam_options *b)
{
    return a->timeout_ms == b->timeout_ms && a->broker_timeout_ms == b->broker_timeout_ms &&
           a->pending == b->pending;
}

/* Look-ups and the cache know a federation by its place. */
static enum fr_err check_places(const struct fedroam_options *old,
                                const struct fedroam_options *fresh)
{
    if (fresh->n_federations < old->n_federations) return FR_E_INVALID;
    for (size_t i = 0; i < old->n_federations; i++)
        if (strcmp(old->federations[i]->name, fresh->federations[i]->name) != 0)
            return FR_E_INVALID;
    return FR_OK;
}

/* Brokers for what is new or has changed; NULL for what stays. On failure those made so far are there. */
static enum fr_err make_brokers(struct fedroam *f, const struct fedroam_options *fresh,
                                struct fr_brokers *out[FR_FEDERATIONS_MAX])
{
    bool keeps = same_times(f->options, fresh);
    enum fr_err err = FR_OK;
    for (size_t i = 0; i < fresh->n_federations && !err; i++) {
        if (keeps && i < f->options->n_federations &&
            is_same(f->options->federations[i], fresh->federations[i]))
            continue;
        err = fr_brokers_new(fresh, fresh->federations[i], f->loop, &f->maker, &out[i]);
    }
    return err;
}

/* Nothing fails from here on. Brokers that stay keep the federation they were made with. */
static void take_over(struct fedroam *f, struct fedroam_options *fresh,
                      struct fr_brokers *brokers[FR_FEDERATIONS_MAX], struct fr_retired *r)
{
    struct fedroam_options *old = f->options;
    for (size_t i = 0; i < fresh->n_federations; i++) {
        if (brokers[i]) {
            r->brokers[i] = f->brokers[i];
            f->brokers[i] = brokers[i];
            continue;
        }
        struct fr_federation_opt *kept = old->federations[i];
        kept->only = fresh->federations[i]->only;
        kept->except = fresh->federations[i]->except;
        old->federations[i] = fresh->federations[i];
        fresh->federations[i] = kept;
        fr_brokers_set_options(f->brokers[i], fresh);
    }
    f->options = fresh;
    r->options = old;
    r->next = f->retired;
    f->retired = r;
    fr_timer_start(f->loop, &f->retirement, LOOK_MS);
    fr_memory_limits(f);
}

static enum fr_err reload_options(struct fedroam *f, const struct fedroam_options *options)
{
    struct fr_brokers *brokers[FR_FEDERATIONS_MAX] = {NULL};
    struct fedroam_options *fresh = NULL;
    enum fr_err err = fr_options_check(options, NULL);
    if (!err) err = check_places(f->options, options);
    if (err) return err;
    struct fr_retired *r = fr_calloc(1, sizeof *r);
    if (!r) return FR_E_NOMEM;
    err = fr_options_dup(options, &fresh);
    if (!err) err = make_brokers(f, fresh, brokers);
    if (!err) err = fr_public_dns_set(f->public_dns, options, fresh);
    if (err) {
        for (size_t i = 0; i < FR_FEDERATIONS_MAX; i++) fr_brokers_free(brokers[i]);
        fedroam_options_free(fresh);
        fr_free(r);
        return err;
    }
    take_over(f, fresh, brokers, r);
    return FR_OK;
}

/* Each federation's files on their own: one that is broken does not hold up the others. */
static enum fr_err reload_files(struct fedroam *f)
{
    enum fr_err first = FR_OK;
    for (size_t i = 0; i < f->options->n_federations; i++) {
        struct fr_diag diag = {0};
        const char *name = f->options->federations[i]->name;
        enum fr_err err = fr_brokers_reload(f->brokers[i], &diag);
        if (err)
            FR_LOG(fr_options_log(f->options), FR_LOG_WARN, "certificate.unusable",
                   FR_STR("federation", name), FR_STR("why", diag.what));
        if (err && !first) first = err;
    }
    return first;
}

enum fedroam_err fedroam_reload(struct fedroam *f, const struct fedroam_options *options)
{
    fr_enter(f);
    enum fr_err err = options ? reload_options(f, options) : FR_OK;
    enum fr_err files = err ? FR_OK : reload_files(f);
    fr_leave(f);
    if (err) return fr_public_err(err);
    return files == FR_OK || files == FR_E_NOMEM ? fr_public_err(files) : FEDROAM_E_SYSTEM;
}
