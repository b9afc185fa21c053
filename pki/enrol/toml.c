#include "enrol/toml.h"

#include "base/mem.h"
#include "enrol/toml_priv.h"

#include <string.h>

enum { BUCKETS = 4096, FILES_MAX = 1024 };

enum fr_err fr_toml_new(struct fr_toml **out)
{
    struct fr_toml *toml = fr_calloc(1, sizeof *toml);

    if (toml == NULL) return FR_E_NOMEM;
    toml->buckets = fr_calloc(BUCKETS, sizeof *toml->buckets);
    toml->files = fr_calloc(FILES_MAX, sizeof *toml->files);
    if (toml->buckets == NULL || toml->files == NULL) {
        fr_toml_free(toml);
        return FR_E_NOMEM;
    }
    *out = toml;
    return FR_OK;
}

void fr_toml_free(struct fr_toml *toml)
{
    if (toml == NULL) return;
    for (size_t i = 0; i < toml->n; i++) {
        fr_free((char *)(uintptr_t)toml->defs[i].entry.path);
        fr_free((char *)(uintptr_t)toml->defs[i].entry.value);
    }
    for (size_t i = 0; i < toml->n_files; i++) fr_free(toml->files[i]);
    fr_free(toml->files);
    fr_free(toml->defs);
    fr_free(toml->buckets);
    fr_free(toml);
}

/* FNV-1a: the texts are the administrator's own, nobody makes them collide. */
static size_t bucket_of(const char *path)
{
    uint64_t h = 14695981039346656037u;

    for (; *path; path++) h = (h ^ (uint8_t)*path) * 1099511628211u;
    return (size_t)(h % BUCKETS);
}

/* Buckets and links hold the place plus one; 0 ends them. */
struct fr_toml_def *fr_toml_lookup(const struct fr_toml *toml, const char *path)
{
    for (size_t i = toml->buckets[bucket_of(path)]; i != 0; i = toml->defs[i - 1].next)
        if (strcmp(toml->defs[i - 1].entry.path, path) == 0) return &toml->defs[i - 1];
    return NULL;
}

static enum fr_err make_room(struct fr_toml *toml, struct fr_diag *diag)
{
    if (toml->n < toml->room) return FR_OK;
    if (toml->n >= FR_TOML_ENTRIES)
        return fr_diag_fail(diag, FR_E_LIMIT, "more than %d definitions", FR_TOML_ENTRIES);
    const size_t room = toml->room ? 2 * toml->room : 256;
    struct fr_toml_def *defs = fr_reallocarray(toml->defs, room, sizeof *defs);
    if (defs == NULL) return FR_E_NOMEM;
    toml->defs = defs;
    toml->room = room;
    return FR_OK;
}

enum fr_err fr_toml_define(struct fr_toml *toml, const char *path, enum fr_toml_kind kind,
                           enum fr_toml_origin origin, struct fr_span value, unsigned line,
                           struct fr_diag *diag)
{
    const size_t bucket = bucket_of(path);
    enum fr_err err = make_room(toml, diag);
    char *own_path = err ? NULL : fr_strdup(path);
    char *own_value = err ? NULL : fr_strndup(value.n > 0 ? (const char *)value.p : "", value.n);

    if (!err && (own_path == NULL || own_value == NULL)) err = FR_E_NOMEM;
    if (err) {
        fr_free(own_path);
        fr_free(own_value);
        return err;
    }
    toml->defs[toml->n] = (struct fr_toml_def){
        .entry = {own_path, kind, own_value, toml->files[toml->n_files - 1], line},
        .origin = origin,
        .next = toml->buckets[bucket]};
    toml->buckets[bucket] = ++toml->n;
    return FR_OK;
}

enum fr_err fr_toml_add(struct fr_toml *toml, const char *file, struct fr_span text,
                        struct fr_diag *diag)
{
    if (toml->n_files == FILES_MAX || text.n > FR_TOML_MAX - toml->bytes)
        return fr_diag_fail(diag, FR_E_LIMIT, "%s: that is too much to read", file);
    char *name = fr_strdup(file);
    if (name == NULL) return FR_E_NOMEM;
    toml->files[toml->n_files++] = name;
    toml->bytes += text.n;
    return fr_toml_read(toml, text, diag);
}

const struct fr_toml_entry *fr_toml_find(const struct fr_toml *toml, const char *path)
{
    const struct fr_toml_def *def = fr_toml_lookup(toml, path);
    return def ? &def->entry : NULL;
}

size_t fr_toml_count(const struct fr_toml *toml)
{
    return toml->n;
}

const struct fr_toml_entry *fr_toml_at(const struct fr_toml *toml, size_t i)
{
    return i < toml->n ? &toml->defs[i].entry : NULL;
}
