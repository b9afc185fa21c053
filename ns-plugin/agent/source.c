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

/* Zones of the federations from the one at n_zones on; their places are those of the handle. */
static enum fr_err add_zones(struct fr_source *s, const struct fr_source_conf *conf,
                             struct fr_diag *diag)
{
    for (; s->n_zones < conf->n_federations; s->n_zones++) {
        const char *name = conf->federations[s->n_zones].name;
        enum fr_err err = fr_stub_zone_init(name, &s->zones[s->n_zones]);
        if (err) return fr_diag_fail(diag, err, "%s is too long for a federation", name);
    }
    return FR_OK;
}

typedef enum fr_err (*read_fn)(const struct fr_federation_conf *federations, size_t n,
                               const struct fr_lookup_conf *lookup, struct fr_diag *diag,
                               struct fedroam_options **out);

static enum fr_err make_options(const struct fr_source_conf *conf, read_fn read,
                                struct fr_diag *diag, struct fedroam_options **out)
{
    struct fedroam_options *options = NULL;

    enum fr_err err = read(conf->federations, conf->n_federations, conf->lookup, diag, &options);
    if (err) return err;
    err = fr_trees_options(options, FEDROAM_JOIN_SERVER, conf->join_servers, diag);
    if (!err) err = fr_trees_options(options, FEDROAM_NETWORK, conf->networks, diag);
    if (!err && fedroam_options_set_pending(options, conf->pending) != FEDROAM_OK)
        err = fr_diag_fail(diag, FR_E_CONFIG, "%s", fedroam_options_error(options));
    if (err) {
        fedroam_options_free(options);
        return err;
    }
    *out = options;
    return FR_OK;
}

enum fr_err fr_source_check(const struct fr_source_conf *conf, struct fr_diag *diag)
{
    struct fedroam_options *options = NULL;

    enum fr_err err = make_options(conf, fr_federations_read, diag, &options);
    fedroam_options_free(options);
    return err;
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
    enum fr_err err = make_options(conf, fr_federations_options, diag, &options);
    if (err) goto out;
    err = add_zones(s, conf, diag);
    if (err) goto out;
    err = fr_resolver_open(options, loop, diag, &s->handle);
    if (err) goto out;
    *out = s;
    s = NULL;
out:
    fedroam_options_free(options);
    if (s != NULL) on_end(&s->end);
    return err;
}

bool fr_source_can_follow(const struct fr_source *s, const struct fr_source_conf *conf)
{
    if (conf->n_federations < s->n_zones) return false;
    for (size_t i = 0; i < s->n_zones; i++) {
        struct fr_stub_zone zone;
        if (fr_stub_zone_init(conf->federations[i].name, &zone) != FR_OK ||
            !fr_stub_zone_equal(&zone, &s->zones[i]))
            return false;
    }
    return true;
}

enum fr_err fr_source_reload(struct fr_source *s, const struct fr_source_conf *conf,
                             struct fr_diag *diag)
{
    struct fedroam_options *options = NULL;
    size_t n_zones = s->n_zones;

    enum fr_err err = make_options(conf, fr_federations_options, diag, &options);
    if (err) return err;
    err = add_zones(s, conf, diag);
    if (err) goto out;
    enum fedroam_err why = fedroam_reload(s->handle, options);
    if (why != FEDROAM_OK) {
        err =
            fr_diag_fail(diag, FR_E_CONFIG, "look-ups go on as before: %s", fedroam_err_text(why));
    }
out:
    if (err) s->n_zones = n_zones;
    fedroam_options_free(options);
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
