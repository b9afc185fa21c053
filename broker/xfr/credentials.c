#include "xfr/credentials.h"

#include "admin/transfer.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEM_MAX (64 * 1024)
#define SWEEP_AFTER_S 3600

enum fr_err fr_credentials_key(const char *state, const char *name, const char *algorithm,
                               const uint8_t id[FR_PRIMARY_KEY_ID_SIZE], struct fr_diag *diag,
                               struct fr_tsig_key *out)
{
    char path[FR_PRIMARY_KEY_PATH_MAX];
    struct fr_buf secret = FR_BUF_INIT(FR_TSIG_SECRET_MAX);
    struct fr_tsig_key key = {0};

    enum fr_err err = fr_dname_parse(fr_span_str(name), &key.name);
    if (!err && !fr_tsig_algorithm_parse(algorithm, &key.algorithm)) err = FR_E_UNSUPPORTED;
    if (!err) err = fr_primary_key_path(state, id, path);
    if (!err) err = fr_file_read_private(path, diag, &secret);
    if (!err) {
        key.n = (uint8_t)secret.n;
        memcpy(key.secret, secret.p, secret.n);
        *out = key;
    }
    fr_buf_deinit_secret(&secret);
    fr_secret_zero(&key, sizeof key);
    return err;
}

static enum fr_err read_part(const char *state, const char *name, bool is_private,
                             struct fr_diag *diag, struct fr_buf *out)
{
    char *path = fr_path_join(state, name);

    if (!path) return FR_E_NOMEM;
    enum fr_err err =
        is_private ? fr_file_read_private(path, diag, out) : fr_file_read(path, diag, out);
    fr_free(path);
    return err;
}

/* With a pin the CA is not asked; the federation's own root stands there. */
static enum fr_err load_tls(const char *state, const struct fr_primary_row *row,
                            struct fr_diag *diag, struct fr_tls_ctx **out)
{
    struct fr_buf chain = FR_BUF_INIT(PEM_MAX), key = FR_BUF_INIT(PEM_MAX),
                  root = FR_BUF_INIT(PEM_MAX);

    enum fr_err err = read_part(state, "server.chain.pem", false, diag, &chain);
    if (!err) err = read_part(state, "server.key", true, diag, &key);
    if (!err && row->ca[0] == '\0') err = read_part(state, "root.pem", false, diag, &root);
    if (!err) {
        const struct fr_tls_pem pem = {
            .chain = fr_buf_span(&chain),
            .key = fr_buf_span(&key),
            .ca = row->ca[0] ? fr_span_str(row->ca) : fr_buf_span(&root),
            .name = "the certificates for the name server",
        };
        err = fr_tls_client_new(&pem, diag, out);
    }
    fr_buf_deinit(&chain);
    fr_buf_deinit_secret(&key);
    fr_buf_deinit(&root);
    return err;
}

enum fr_err fr_credentials_load(const char *state, const struct fr_primary_row *row,
                                struct fr_diag *diag, struct fr_tsig_key *key, bool *has_key,
                                struct fr_tls_ctx **tls)
{
    enum fr_err err = FR_OK;

    if (row->key_name[0]) {
        err = fr_credentials_key(state, row->key_name, row->key_algorithm, row->key_id, diag, key);
        *has_key = !err;
    }
    if (!err && row->has_tls) err = load_tls(state, row, diag, tls);
    return err;
}

/* --- sweeping --- */

struct search {
    uint8_t id[FR_PRIMARY_KEY_ID_SIZE];
    bool is_found;
};

static enum fr_err find_id(void *data, const struct fr_primary_row *row)
{
    struct search *search = data;

    if (row->key_name[0] && memcmp(row->key_id, search->id, sizeof search->id) == 0)
        search->is_found = true;
    return FR_OK;
}

static enum fr_err find_downstream(void *data, const struct fr_downstream_row *row)
{
    struct search *search = data;

    if (row->key_name[0] && memcmp(row->key_id, search->id, sizeof search->id) == 0)
        search->is_found = true;
    return FR_OK;
}

static void sweep_one(int folder, const char *name, struct fr_snap *snap, int64_t now_s)
{
    struct search search = {0};
    struct stat st;

    if (strlen(name) != 2 * FR_PRIMARY_KEY_ID_SIZE + 4 ||
        fr_hex_parse(fr_span(name, 2 * FR_PRIMARY_KEY_ID_SIZE), search.id, sizeof search.id))
        return;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) || now_s - st.st_mtime < SWEEP_AFTER_S)
        return;
    if (fr_primary_each(snap, find_id, &search) == FR_OK &&
        fr_downstream_each(snap, find_downstream, &search) == FR_OK && !search.is_found)
        (void)unlinkat(folder, name, 0);
}

void fr_credentials_sweep(const char *state, struct fr_store *store, int64_t now_s)
{
    struct fr_snap *snap = NULL;
    char *path = fr_path_join(state, "transfer");
    DIR *folder = path ? opendir(path) : NULL;

    if (folder && fr_snap_begin(store, &snap) == FR_OK)
        for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
            sweep_one(dirfd(folder), entry->d_name, snap, now_s);
    fr_snap_end(snap);
    if (folder) (void)closedir(folder);
    fr_free(path);
}
