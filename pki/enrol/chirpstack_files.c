/* The folder of ChirpStack v4's configuration, read as the server reads it. */
#include "enrol/chirpstack.h"

#include "base/file.h"
#include "base/mem.h"
#include "enrol/toml.h"
#include "names/netid.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWN FR_CHIRPSTACK_V4_FILE
#define MARK "# Written by fedroam "

enum { FILES_MAX = 512, NAME_SIZE = 256 };

struct names {
    size_t n;
    char list[FILES_MAX][NAME_SIZE];
};

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static enum fr_err list_files(const char *folder, struct fr_diag *diag, struct names *out)
{
    DIR *dir = opendir(folder);
    enum fr_err err = FR_OK;

    out->n = 0;
    if (dir == NULL) {
        err = fr_diag_fail(diag, fr_err_from_errno(errno), "cannot read %s: %s", folder,
                           strerror(errno));
        fr_diag_hint(diag, "say where ChirpStack's configuration is with --lns-dir");
        return err;
    }
    for (const struct dirent *e; !err && (e = readdir(dir)) != NULL;) {
        if (!fr_span_ends(fr_span_str(e->d_name), ".toml")) continue;
        if (out->n == FILES_MAX)
            err = fr_diag_fail(diag, FR_E_LIMIT, "more than %d files in %s", FILES_MAX, folder);
        else
            (void)snprintf(out->list[out->n++], NAME_SIZE, "%s", e->d_name);
    }
    (void)closedir(dir); /* read only */
    qsort(out->list, out->n, NAME_SIZE, by_name);
    return err;
}

static enum fr_err add_file(struct fr_toml *toml, const char *path, struct fr_diag *diag)
{
    struct fr_buf text = FR_BUF_INIT(FR_TOML_MAX);
    enum fr_err err = fr_file_read(path, diag, &text);

    if (!err) err = fr_toml_add(toml, path, fr_buf_span(&text), diag);
    fr_buf_deinit(&text);
    return err;
}

/* Every file in the order of the names, ours replaced by `own` (left out when that is empty). */
static enum fr_err read_union(const char *folder, struct fr_span own, struct fr_diag *diag,
                              struct fr_toml *toml)
{
    struct names *names = fr_malloc(sizeof *names);
    char path[FR_WALLET_PATH];
    bool has_own = own.n == 0;
    enum fr_err err = names ? list_files(folder, diag, names) : FR_E_NOMEM;

    for (size_t i = 0; !err && i < names->n; i++) {
        const int order = strcmp(names->list[i], OWN);
        err = fr_wallet_path(path, diag, "%s/" OWN, folder);
        if (!err && !has_own && order >= 0) {
            err = fr_toml_add(toml, path, own, diag);
            has_own = true;
        }
        if (!err) err = fr_wallet_path(path, diag, "%s/%s", folder, names->list[i]);
        if (!err && order != 0) err = add_file(toml, path, diag);
    }
    if (!err) err = fr_wallet_path(path, diag, "%s/" OWN, folder);
    if (!err && !has_own) err = fr_toml_add(toml, path, own, diag);
    fr_free(names);
    return err;
}

static bool is_own_file(const char *file)
{
    const char *slash = strrchr(file, '/');
    return strcmp(slash ? slash + 1 : file, OWN) == 0;
}

static bool is_our_table(const char *path)
{
    static const char *const tables[] = {"roaming", "backend_interfaces"};

    for (size_t i = 0; i < 2; i++) {
        const size_t n = strlen(tables[i]);
        if (strncmp(path, tables[i], n) == 0 && (path[n] == '\0' || path[n] == '.')) return true;
    }
    return false;
}

/* Tables of ours that somebody set by hand: the first and the last line of them in one file. */
static enum fr_err refuse_hand_set(const struct fr_toml *toml, struct fr_diag *diag)
{
    const struct fr_toml_entry *first = NULL, *last = NULL;

    for (size_t i = 0; i < fr_toml_count(toml); i++) {
        const struct fr_toml_entry *e = fr_toml_at(toml, i);
        if (!is_our_table(e->path) || is_own_file(e->file)) continue;
        if (first == NULL) first = e;
        if (strcmp(e->file, first->file) == 0) last = e;
    }
    if (first == NULL) return FR_OK;
    enum fr_err err = fr_diag_fail(diag, FR_E_CONFLICT,
                                   "%s is set by hand, and ChirpStack does not start when it is "
                                   "there twice",
                                   first->path);
    fr_diag_where(diag, first->file, first->line, 0);
    fr_diag_hint(diag,
                 "take the tables roaming and backend_interfaces, lines %u to %u, out of %s: " OWN
                 " says what they must",
                 first->line, last->line, first->file);
    return err;
}

static enum fr_err check_netid(const struct fr_toml *toml, const char *folder, uint32_t want,
                               struct fr_diag *diag)
{
    const struct fr_toml_entry *e = fr_toml_find(toml, "network.net_id");
    const struct fr_toml_entry *table = fr_toml_find(toml, "network");
    char text[FR_NETID_TEXT] = "";
    uint32_t netid = 0;
    enum fr_err err = FR_OK;

    if (e != NULL && fr_netid_parse(fr_span_str(e->value), &netid) == FR_OK &&
        (want != 0 ? netid == want : !fr_netid_is_reserved(netid)))
        return FR_OK;
    if (want != 0) fr_netid_print(want, text);
    if (e == NULL)
        err = fr_diag_fail(diag, FR_E_CONFLICT,
                           "ChirpStack's net_id is not set, so it is 000000, which never roams");
    else if (fr_netid_is_reserved(netid))
        err = fr_diag_fail(diag, FR_E_CONFLICT, "net_id = \"%s\" never roams", e->value);
    else
        err =
            fr_diag_fail(diag, FR_E_CONFLICT,
                         "net_id = \"%s\" is not %s, which the certificate is for", e->value, text);
    if (e != NULL)
        fr_diag_where(diag, e->file, e->line, 0);
    else if (table != NULL)
        fr_diag_where(diag, table->file, table->line, 0);
    else
        fr_diag_where(diag, folder, 0, 0);
    fr_diag_hint(diag, "write in [network]: net_id = \"%s\"", want != 0 ? text : "your NetID");
    return err;
}

static enum fr_err check(const char *folder, uint32_t netid, struct fr_span text,
                         struct fr_diag *diag)
{
    struct fr_toml *others = NULL, *all = NULL;
    enum fr_err err = fr_toml_new(&others);

    /* alone first: a clash with ours is explained better as something set by hand */
    if (!err) err = read_union(folder, (struct fr_span){NULL, 0}, diag, others);
    if (!err) err = refuse_hand_set(others, diag);
    if (!err) err = check_netid(others, folder, netid, diag);
    if (!err && text.n > 0) err = fr_toml_new(&all);
    if (!err && text.n > 0) err = read_union(folder, text, diag, all);
    fr_toml_free(others);
    fr_toml_free(all);
    return err;
}

/* A file of that name that is not ours is not replaced. */
static enum fr_err check_own(const char *folder, struct fr_diag *diag, char path[FR_WALLET_PATH],
                             struct fr_buf *old)
{
    enum fr_err err = fr_wallet_path(path, diag, "%s/" OWN, folder);

    if (err || !fr_file_exists(path)) return err;
    err = fr_file_read(path, diag, old);
    if (!err && !fr_span_starts(fr_buf_span(old), MARK)) {
        err = fr_diag_fail(diag, FR_E_CONFLICT, "%s is there and was not written by fedroam", path);
        fr_diag_hint(diag, "give it another name");
    }
    return err;
}

enum fr_err fr_chirpstack_check_v4(const char *folder, const struct fr_chirpstack *cs,
                                   struct fr_span text, struct fr_diag *diag)
{
    return check(folder, cs->netid, text, diag);
}

enum fr_err fr_chirpstack_probe_v4(const char *folder, struct fr_diag *diag)
{
    struct fr_buf old = FR_BUF_INIT(FR_CHIRPSTACK_MAX);
    char path[FR_WALLET_PATH];
    enum fr_err err = check(folder, 0, (struct fr_span){NULL, 0}, diag);

    if (!err) err = check_own(folder, diag, path, &old);
    fr_buf_deinit(&old);
    return err;
}

enum fr_err fr_chirpstack_write_v4(const char *folder, const struct fr_chirpstack *cs,
                                   struct fr_diag *diag, bool *changed)
{
    struct fr_buf text = FR_BUF_INIT(FR_CHIRPSTACK_MAX), old = FR_BUF_INIT(FR_CHIRPSTACK_MAX);
    char path[FR_WALLET_PATH];
    enum fr_err err = fr_chirpstack_print_v4(cs, &text);

    if (!err) err = check(folder, cs->netid, fr_buf_span(&text), diag);
    if (!err) err = check_own(folder, diag, path, &old);
    const bool is_same = !err && fr_span_equal(fr_buf_span(&old), fr_buf_span(&text));
    if (!err && !is_same) err = fr_file_write(path, 0644, fr_buf_span(&text), diag);
    if (!err) *changed = !is_same;
    fr_buf_deinit(&old);
    fr_buf_deinit(&text);
    return err;
}

enum fr_err fr_chirpstack_remove_v4(const char *folder, struct fr_diag *diag)
{
    struct fr_buf old = FR_BUF_INIT(FR_CHIRPSTACK_MAX);
    char path[FR_WALLET_PATH];
    enum fr_err err = check_own(folder, diag, path, &old);

    if (!err && old.n > 0 && unlink(path) != 0)
        err = fr_diag_fail(diag, fr_err_from_errno(errno), "cannot remove %s: %s", path,
                           strerror(errno));
    fr_buf_deinit(&old);
    return err;
}
