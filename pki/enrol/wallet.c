#include "enrol/wallet.h"

#include "base/conf.h"
#include "base/file.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "names/member.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRY_FILE "wallet.yaml"

enum { ENTRY_MAX = 65536, ERASED_MAX = 4096, ENTRY_DEPTH = 3 };

static const struct fr_conf_word lns_words[] = {{"none", FR_LNS_NONE},
                                                {"fedroam", FR_LNS_FEDROAM},
                                                {"chirpstack-v3", FR_LNS_CHIRPSTACK_V3},
                                                {"chirpstack-v4", FR_LNS_CHIRPSTACK_V4},
                                                {NULL, 0}};

const char *fr_wallet_lns_text(enum fr_wallet_lns lns)
{
    return lns_words[lns].word;
}

enum fr_err fr_wallet_lns_parse(const char *text, struct fr_diag *diag, enum fr_wallet_lns *out)
{
    for (const struct fr_conf_word *w = lns_words; w->word != NULL; w++) {
        if (strcmp(w->word, text) != 0) continue;
        *out = (enum fr_wallet_lns)w->value;
        return FR_OK;
    }
    return fr_diag_fail(diag, FR_E_INVALID,
                        "\"%s\" is none of chirpstack-v4, chirpstack-v3, fedroam, none", text);
}

enum fr_err fr_wallet_path(char out[FR_WALLET_PATH], struct fr_diag *diag, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const int n = vsnprintf(out, FR_WALLET_PATH, fmt, args);
    va_end(args);
    if (n >= 0 && n < FR_WALLET_PATH) return FR_OK;
    return fr_diag_fail(diag, FR_E_LIMIT, "the wallet's path is longer than %d bytes",
                        FR_WALLET_PATH);
}

/* --- one entry --- */

#define TEXT(key_, member_, help_)                                                                 \
    {                                                                                              \
        .key = (key_), .type = FR_T_STRING, FR_CONF_AT(struct fr_wallet_entry, member_),           \
        .help = (help_)                                                                            \
    }

static const struct fr_conf_row entry_rows[] = {
    TEXT("name", name, "The federation."),
    TEXT("est", est, "Where its certificates are renewed."),
    TEXT("broker", broker, "Its broker."),
    {.key = "addresses",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_wallet_entry, addresses, n_addresses),
     .max = 8,
     .help = "IP addresses of both (looked up in public DNS)."},
    {.key = "port",
     .type = FR_T_UINT,
     FR_CONF_AT(struct fr_wallet_entry, port),
     .max = 65535,
     .help = "TCP port of both, where it is not the token's."},
    {.key = "lns",
     .type = FR_T_ENUM,
     FR_CONF_AT(struct fr_wallet_entry, lns),
     .def = "none",
     .words = lns_words,
     .help = "The network server whose configuration is kept."},
    TEXT("lns_dir", lns_dir, "Folder of that configuration."),
    TEXT("owner", owner, "User that reads the network server's key."),
    TEXT("listen", listen, "Where the network server takes peers."),
    TEXT("exec", exec, "What is run after a renewal."),
    TEXT("window", window, "When that may be, as 02:00-04:00."),
    {.key = "peers",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_wallet_entry, peers, n_peers),
     .max = 10000,
     .help = "Networks that the network server lists, as NetID or NetID:port (all of them)."},
    {.key = "joined",
     .type = FR_T_UINT,
     FR_CONF_AT(struct fr_wallet_entry, joined_s),
     .help = "When, in seconds since 1970."},
    {0},
};

const struct fr_conf_schema fr_wallet_schema = {
    .title = "wallet.yaml",
    .summary = "what a member's machine has in one federation: fedroam join writes it",
    .size = sizeof(struct fr_wallet_entry),
    .rows = entry_rows};

enum fr_err fr_wallet_load(const char *dir, const char *fed, struct fr_diag *diag,
                           struct fr_wallet_entry **out)
{
    char path[FR_WALLET_PATH];
    enum fr_err err = fr_fed_check(fr_span_str(fed), diag); /* it becomes a path */

    if (!err) err = fr_wallet_path(path, diag, "%s/%s/" ENTRY_FILE, dir, fed);
    if (err) return err;
    if (!fr_file_exists(path)) {
        err = fr_diag_fail(diag, FR_E_NOT_FOUND, "there is no federation %s in %s", fed, dir);
        fr_diag_hint(diag, "fedroam wallet list shows those that are");
        return err;
    }
    struct fr_wallet_entry *entry = fr_calloc(1, sizeof *entry);
    if (entry == NULL) return FR_E_NOMEM;
    err = fr_conf_load(&fr_wallet_schema, path, diag, entry);
    if (!err && (entry->name == NULL || strcmp(entry->name, fed) != 0 || entry->est == NULL))
        err = fr_diag_fail(diag, FR_E_CONFIG, "%s is not the entry of %s", path, fed);
    if (err)
        fr_wallet_free(entry);
    else
        *out = entry;
    return err;
}

/* JSON's texts and lists are YAML's too. */
static void put_text(struct fr_buf *out, const char *key, const char *text)
{
    struct fr_json json = fr_json(out);

    if (text == NULL) return;
    fr_buf_printf(out, "%s: ", key);
    fr_json_str(&json, text);
    fr_buf_add_char(out, '\n');
}

static void put_texts(struct fr_buf *out, const char *key, char *const *texts, size_t n)
{
    struct fr_json json = fr_json(out);

    if (n == 0) return;
    fr_buf_printf(out, "%s: ", key);
    fr_json_array(&json);
    for (size_t i = 0; i < n; i++) fr_json_str(&json, texts[i]);
    fr_json_end(&json);
    fr_buf_add_char(out, '\n');
}

static void print_entry(const struct fr_wallet_entry *entry, struct fr_buf *out)
{
    fr_buf_add_str(out, "# Written by fedroam join.\n");
    put_text(out, "name", entry->name);
    put_text(out, "est", entry->est);
    put_text(out, "broker", entry->broker);
    put_texts(out, "addresses", entry->addresses, entry->n_addresses);
    if (entry->port != 0) fr_buf_printf(out, "port: %u\n", (unsigned)entry->port);
    put_text(out, "lns", fr_wallet_lns_text(entry->lns));
    put_text(out, "lns_dir", entry->lns_dir);
    put_text(out, "owner", entry->owner);
    put_text(out, "listen", entry->listen);
    put_text(out, "exec", entry->exec);
    put_text(out, "window", entry->window);
    put_texts(out, "peers", entry->peers, entry->n_peers);
    fr_buf_printf(out, "joined: %llu\n", (unsigned long long)entry->joined_s);
}

enum fr_err fr_wallet_save(const char *dir, const struct fr_wallet_entry *entry,
                           struct fr_diag *diag)
{
    struct fr_buf text = FR_BUF_INIT(16 * ENTRY_MAX), old = FR_BUF_INIT(16 * ENTRY_MAX);
    char path[FR_WALLET_PATH];
    enum fr_err err = fr_wallet_path(path, diag, "%s/%s", dir, entry->name);

    if (!err) err = fr_dir_make(path, 0755, diag);
    if (!err) err = fr_wallet_path(path, diag, "%s/%s/" ENTRY_FILE, dir, entry->name);
    print_entry(entry, &text);
    if (!err) err = fr_buf_err(&text);
    const bool is_same = !err && fr_file_read(path, NULL, &old) == FR_OK &&
                         fr_span_equal(fr_buf_span(&old), fr_buf_span(&text));
    if (!err && !is_same) err = fr_file_write(path, 0644, fr_buf_span(&text), diag);
    fr_buf_deinit(&old);
    fr_buf_deinit(&text);
    return err;
}

void fr_wallet_free(struct fr_wallet_entry *entry)
{
    if (entry == NULL) return;
    fr_conf_free(&fr_wallet_schema, entry);
    fr_free(entry);
}

/* --- all of them --- */

static int by_age(const void *a, const void *b)
{
    const struct fr_wallet_entry *x = *(struct fr_wallet_entry *const *)a;
    const struct fr_wallet_entry *y = *(struct fr_wallet_entry *const *)b;

    if (x->joined_s != y->joined_s) return x->joined_s < y->joined_s ? -1 : 1;
    return strcmp(x->name, y->name);
}

static enum fr_err add_entry(const char *dir, const char *name, struct fr_diag *diag,
                             struct fr_wallet *wallet)
{
    char path[FR_WALLET_PATH];

    if (fr_fed_check(fr_span_str(name), NULL) != FR_OK) return FR_OK; /* no federation's folder */
    enum fr_err err = fr_wallet_path(path, diag, "%s/%s/" ENTRY_FILE, dir, name);
    if (err || !fr_file_exists(path)) return err;
    if (wallet->n == FR_WALLET_FEDS)
        return fr_diag_fail(diag, FR_E_LIMIT, "%s holds more than %d federations", dir,
                            FR_WALLET_FEDS);
    err = fr_wallet_load(dir, name, diag, &wallet->entries[wallet->n]);
    if (!err) wallet->n++;
    return err;
}

enum fr_err fr_wallet_open(const char *dir, struct fr_diag *diag, struct fr_wallet *out)
{
    struct fr_wallet wallet = {0};
    enum fr_err err = FR_OK;
    DIR *folder = opendir(dir);

    if (folder == NULL) {
        if (errno != ENOENT)
            return fr_diag_fail(diag, fr_err_from_errno(errno), "cannot read %s: %s", dir,
                                strerror(errno));
        *out = wallet;
        return FR_OK;
    }
    for (const struct dirent *e; !err && (e = readdir(folder)) != NULL;)
        err = add_entry(dir, e->d_name, diag, &wallet);
    (void)closedir(folder); /* read only */
    if (err) {
        fr_wallet_close(&wallet);
        return err;
    }
    qsort(wallet.entries, wallet.n, sizeof wallet.entries[0], by_age);
    *out = wallet;
    return FR_OK;
}

void fr_wallet_close(struct fr_wallet *wallet)
{
    for (size_t i = 0; i < wallet->n; i++) fr_wallet_free(wallet->entries[i]);
    *wallet = (struct fr_wallet){0};
}

static enum fr_err open_lock(const char *dir, struct fr_diag *diag, int *fd)
{
    char path[FR_WALLET_PATH];
    enum fr_err err = fr_dir_make(dir, 0755, diag);

    if (!err) err = fr_wallet_path(path, diag, "%s/.lock", dir);
    if (err) return err;
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd >= 0) return FR_OK;
    return fr_diag_fail(diag, fr_err_from_errno(errno), "cannot open %s: %s", path,
                        strerror(errno));
}

enum fr_err fr_wallet_lock(const char *dir, struct fr_diag *diag, int *fd)
{
    int opened = -1;
    enum fr_err err = open_lock(dir, diag, &opened);

    if (err == FR_E_PERM) fr_diag_hint(diag, "run it with sudo, or say another folder with --dir");
    if (err) return err;
    if (flock(opened, LOCK_EX | LOCK_NB) != 0) {
        (void)close(opened); /* nothing was written */
        return fr_diag_fail(diag, FR_E_BUSY, "another fedroam command changes %s", dir);
    }
    *fd = opened;
    return FR_OK;
}

/* --- removing --- */

static enum fr_err erase_one(const char *path, unsigned depth, struct fr_diag *diag);

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names != NULL && strcmp(name, *names) != 0) names++;
    return *names != NULL;
}

/* but: files that stay, NULL at the end. */
static enum fr_err erase_inside(const char *path, unsigned depth, const char *const *but,
                                struct fr_diag *diag)
{
    char inner[FR_WALLET_PATH];
    enum fr_err err = FR_OK;
    unsigned n = 0;
    DIR *folder = opendir(path);

    if (folder == NULL)
        return fr_diag_fail(diag, fr_err_from_errno(errno), "cannot read %s: %s", path,
                            strerror(errno));
    for (const struct dirent *e; !err && (e = readdir(folder)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        if (is_one_of(e->d_name, but)) continue;
        if (++n > ERASED_MAX)
            err = fr_diag_fail(diag, FR_E_LIMIT, "%s holds more than what is ours", path);
        if (!err) err = fr_wallet_path(inner, diag, "%s/%s", path, e->d_name);
        if (!err) err = erase_one(inner, depth, diag);
    }
    (void)closedir(folder); /* read only */
    return err;
}

static enum fr_err erase_one(const char *path, unsigned depth, struct fr_diag *diag)
{
    static const char *const none[] = {NULL};
    struct stat st;
    enum fr_err err = FR_OK;

    if (lstat(path, &st) != 0) return errno == ENOENT ? FR_OK : fr_err_from_errno(errno);
    if (S_ISDIR(st.st_mode)) {
        if (depth == 0)
            return fr_diag_fail(diag, FR_E_CONFLICT, "%s is a folder that is not ours", path);
        err = erase_inside(path, depth - 1, none, diag);
        if (!err && rmdir(path) != 0) err = fr_err_from_errno(errno);
    } else if (unlink(path) != 0) {
        err = fr_err_from_errno(errno);
    }
    if (err) (void)fr_diag_fail(diag, err, "cannot remove %s: %s", path, strerror(errno));
    return err;
}

enum fr_err fr_wallet_erase(const char *path, unsigned depth, struct fr_diag *diag)
{
    return erase_one(path, depth, diag);
}

enum fr_err fr_wallet_remove(const char *dir, const char *fed, struct fr_diag *diag)
{
    static const char *const later[] = {FR_WALLET_LEAVING, ENTRY_FILE, NULL};
    static const char *const last[] = {ENTRY_FILE, NULL};
    char path[FR_WALLET_PATH];
    enum fr_err err = fr_wallet_path(path, diag, "%s/%s", dir, fed);

    if (!err) err = erase_inside(path, ENTRY_DEPTH, later, diag);
    if (!err) err = erase_inside(path, ENTRY_DEPTH, last, diag);
    return err ? err : erase_one(path, 1, diag);
}
