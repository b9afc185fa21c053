#include "agent/source.h"

#include "base/mem.h"
#include "resolver/open.h"
#include "resolver/options.h"

struct fr_source {
    struct fr_loop *loop;
    unsigned refs;
    struct fr_defer end;
    struct fedroam *handle;
    size_t n_zones;
    struct fr_stub_zone zones[FR_FEDERATIONS_MAX];
};

static void on_end(struct fr_defer *d)
{
    struct fr_source *s = d->data;

    fedroam_free(s->handle);
    fr_free(s);
}

enum fr_err fr_source_open(struct fr_loop *loop, const struct fr_source_conf *conf,
                           struct fr_diag *diag, struct fr_source **out)
{
    struct fedroam_options *options = NULL;
    struct fr_source *s = fr_calloc(1, sizeof *s);

    if (s == NULL) return FR_E_NOMEM;
    s->loop = loop;
    s->refs = 1;
    fr_defer_init(&s->end, on_end, s);
    enum fr_err err = fr_federations_options(conf->federations, conf->n_federations, conf->lookup,
                                             diag, &options);
    if (err) goto out;
    for (; s->n_zones < conf->n_federations; s->n_zones++) {
        const char *name = conf->federations[s->n_zones].name;
        err = fr_stub_zone_init(name, &s->zones[s->n_zones]);
        if (err) {
            (void)fr_diag_fail(diag, err, "%s is too long for a federation", name);
            goto out;
        }
    }
    if (fedroam_options_set_pending(options, conf->pending) != FEDROAM_OK) {
        err = fr_diag_fail(diag, FR_E_CONFIG, "%s", fedroam_options_error(options));
        goto out;
    }
    err = fr_resolver_open(options, loop, diag, &s->handle);
    if (err) goto out;
    *out = s;
    s = NULL;
out:
    fedroam_options_free(options);
    if (s != NULL) on_end(&s->end);
    return err;
}

struct fr_source *fr_source_ref(struct fr_source *s)
{
    s->refs++;
    return s;
}

void fr_source_unref(struct fr_source *s)
{
    if (s != NULL && --s->refs == 0) fr_loop_defer(s->loop, &s->end);
}

struct fedroam *fr_source_handle(struct fr_source *s)
{
    return s->handle;
}

struct fr_loop *fr_source_loop(const struct fr_source *s)
{
    return s->loop;
}

const struct fr_stub_zone *fr_source_zones(const struct fr_source *s, size_t *out_n)
{
    *out_n = s->n_zones;
    return s->zones;
}
