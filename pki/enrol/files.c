#include "enrol/files.h"

#include "base/addr.h"
#include "base/conf.h"
#include "base/file.h"
#include "enrol/blocks.h"
#include "enrol/chirpstack.h"
#include "names/netid.h"
#include "resolver/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BEGUN "# Begun by fedroam"

enum { FILE_MODE = 0644 };

const char *fr_wallet_file_name(enum fr_wallet_file file)
{
    static const char *const names[FR_WALLET_FILES] = {[FR_FILE_RESOLVER] = "resolver.yaml",
                                                       [FR_FILE_AGENT] = "agent.yaml",
                                                       [FR_FILE_NS] = "ns.yaml"};
    return names[file];
}

static const struct fr_pair *pair_of(const struct fr_pairs *pairs, enum fr_wallet_profile profile)
{
    for (size_t i = 0; i < pairs->n; i++)
        if (pairs->list[i].subject.profile == profile) return &pairs->list[i];
    return NULL;
}

const struct fr_pair *fr_wallet_file_pair(enum fr_wallet_file file,
                                          const struct fr_wallet_entry *entry,
                                          const struct fr_pairs *pairs)
{
    const struct fr_pair *doh = pair_of(pairs, FR_WALLET_DOH), *ns = pair_of(pairs, FR_WALLET_NS);

    switch (file) {
    case FR_FILE_RESOLVER: return doh ? doh : ns;
    case FR_FILE_AGENT:
        /* a key has one reader: ChirpStack's is not the agent's */
        if (doh != NULL || entry->lns == FR_LNS_CHIRPSTACK_V3 || entry->lns == FR_LNS_CHIRPSTACK_V4)
            return doh;
        return ns;
    case FR_FILE_NS: return entry->lns == FR_LNS_FEDROAM ? ns : NULL;
    case FR_WALLET_FILES: break;
    }
    return NULL;
}

/* --- reading and writing --- */

static enum fr_err read_old(const char *path, struct fr_diag *diag, struct fr_buf *out)
{
    return fr_file_exists(path) ? fr_file_read(path, diag, out) : FR_OK;
}

static enum fr_err replace(const char *path, struct fr_span old, struct fr_span text,
                           struct fr_diag *diag, bool *changed)
{
    struct stat st;
    const mode_t mode = stat(path, &st) == 0 ? st.st_mode & 0777 : FILE_MODE;

    *changed = !fr_span_equal(old, text);
    return *changed ? fr_file_write(path, mode, text, diag) : FR_OK;
}

/* A new ns.yaml: a home network that peers can reach. What else it may do is the administrator's. */
static enum fr_err begin_ns(const struct fr_wallet_entry *entry, const struct fr_pair *pair,
                            struct fr_diag *diag, struct fr_buf *out)
{
    const char *listen = entry->listen ? entry->listen : FR_CHIRPSTACK_LISTEN;
    struct fr_addr addr;
    char ip[FR_IP_TEXT];

    if (fr_addr_parse(fr_span_str(listen), 8005, &addr) != FR_OK)
        return fr_diag_fail(diag, FR_E_INVALID, "\"%s\" is not an address with a port", listen);
    fr_ip_print(&addr.ip, ip);
    fr_buf_printf(out,
                  BEGUN " join; fedroam-ns --check tells what is wrong.\n"
                        "netid: \"%s\"\n"
                        "roles: {forwarding: false, home: true, join_server: true}\n"
                        "backend: {address: \"%s\", port: %u}\n"
                        "devices: " FR_WALLET_DEVICES "\n",
                  pair->subject.id, ip, (unsigned)addr.port);
    return fr_buf_err(out);
}

enum fr_err fr_wallet_devices_begin(const char *dir, uid_t owner, struct fr_diag *diag,
                                    bool *changed)
{
    static const char text[] =
        "# The devices of this network and their keys; fedroam-ns reads this again at SIGHUP, as\n"
        "#   - {deveui: 70b3d57ed0000001, joineui: 70b3d57ed0000100, app_key: 2b7e1516…}\n"
        "devices: []\n";
    char ns[FR_WALLET_PATH], path[FR_WALLET_PATH];
    struct fr_buf old = FR_BUF_INIT(FR_BLOCKS_MAX);
    enum fr_err err = fr_wallet_path(ns, diag, "%s/ns.yaml", dir);

    if (!err) err = fr_wallet_path(path, diag, "%s/" FR_WALLET_DEVICES, dir);
    if (!err) err = fr_file_read(ns, diag, &old);
    const bool is_begun = !err && fr_span_starts(fr_buf_span(&old), BEGUN);
    fr_buf_deinit(&old);
    *changed = is_begun && !fr_file_exists(path);
    if (err || !*changed) return err;
    err = fr_file_create(path, 0600, fr_span_str(text), diag);
    if (!err && owner != (uid_t)-1 && chown(path, owner, (gid_t)-1) != 0)
        err = fr_diag_fail(diag, fr_err_from_errno(errno), "cannot give %s to its user: %s", path,
                           strerror(errno));
    return err;
}

static enum fr_err check_ns(struct fr_span text, const char *path, const struct fr_pair *pair,
                            struct fr_diag *diag)
{
    char netid[32] = "";
    uint32_t have = 0, want = 0;

    if (!fr_blocks_scalar(text, "netid", netid, sizeof netid)) {
        enum fr_err err = fr_diag_fail(diag, FR_E_CONFLICT, "%s has no netid", path);
        fr_diag_hint(diag, "write: netid: \"%s\"", pair->subject.id);
        return err;
    }
    if (fr_netid_parse(fr_span_str(netid), &have) == FR_OK &&
        fr_netid_parse(fr_span_str(pair->subject.id), &want) == FR_OK && have == want)
        return FR_OK;
    enum fr_err err =
        fr_diag_fail(diag, FR_E_CONFLICT, "%s says netid: %s; the certificate is for %s", path,
                     netid, pair->subject.id);
    fr_diag_hint(diag, "write: netid: \"%s\"", pair->subject.id);
    return err;
}

static enum fr_err check_resolver(struct fr_span text, const char *path, struct fr_diag *diag)
{
    struct fr_resolver_conf conf;
    enum fr_err err = fr_conf_parse(&fr_resolver_schema, path, text, diag, &conf);

    if (!err) fr_conf_free(&fr_resolver_schema, &conf);
    return err;
}

enum fr_err fr_wallet_file_put(const char *dir, enum fr_wallet_file file,
                               const struct fr_wallet_entry *entry, const struct fr_pair *pair,
                               struct fr_diag *diag, bool *changed)
{
    struct fr_buf old = FR_BUF_INIT(FR_BLOCKS_MAX), base = FR_BUF_INIT(FR_BLOCKS_MAX),
                  text = FR_BUF_INIT(FR_BLOCKS_MAX);
    char path[FR_WALLET_PATH], ca[FR_WALLET_PATH], chain[FR_WALLET_PATH], key[FR_WALLET_PATH];
    enum fr_err err = fr_wallet_path(path, diag, "%s/%s", dir, fr_wallet_file_name(file));

    /* beside the file, so that the wallet can be moved */
    if (!err) err = fr_wallet_path(ca, diag, "%s/root.pem", entry->name);
    if (!err) err = fr_wallet_path(chain, diag, "%s/%s.chain.pem", entry->name, pair->subject.name);
    if (!err) err = fr_wallet_path(key, diag, "%s/%s.key", entry->name, pair->subject.name);
    const struct fr_block block = {.name = entry->name,
                                   .broker = entry->broker,
                                   .addresses = entry->addresses,
                                   .n_addresses = entry->n_addresses,
                                   .ca = ca,
                                   .certificate = chain,
                                   .key = key};
    if (!err) err = read_old(path, diag, &old);
    fr_buf_add_span(&base, fr_buf_span(&old));
    if (!err && old.n == 0 && file == FR_FILE_NS) err = begin_ns(entry, pair, diag, &base);
    if (!err && file == FR_FILE_NS) err = check_ns(fr_buf_span(&base), path, pair, diag);
    if (!err) err = fr_buf_err(&base);
    if (!err) err = fr_blocks_put(fr_buf_span(&base), &block, diag, &text);
    if (err == FR_E_CONFLICT && diag && !diag->where[0]) fr_diag_where(diag, path, 0, 0);
    if (!err && file == FR_FILE_RESOLVER) err = check_resolver(fr_buf_span(&text), path, diag);
    if (!err) err = replace(path, fr_buf_span(&old), fr_buf_span(&text), diag, changed);
    fr_buf_deinit(&old);
    fr_buf_deinit(&base);
    fr_buf_deinit(&text);
    return err;
}

enum fr_err fr_wallet_file_remove(const char *dir, enum fr_wallet_file file, const char *fed,
                                  struct fr_diag *diag, bool *changed)
{
    struct fr_buf old = FR_BUF_INIT(FR_BLOCKS_MAX), text = FR_BUF_INIT(FR_BLOCKS_MAX);
    char path[FR_WALLET_PATH];
    size_t left = 0;
    enum fr_err err = fr_wallet_path(path, diag, "%s/%s", dir, fr_wallet_file_name(file));

    *changed = false;
    if (err || !fr_file_exists(path)) return err;
    err = fr_file_read(path, diag, &old);
    /* whatever form it has, it does not name the federation */
    const bool is_free = !err && memmem(old.p, old.n, fed, strlen(fed)) == NULL;
    if (is_free)
        fr_buf_add_span(&text, fr_buf_span(&old));
    else if (!err)
        err = fr_blocks_remove(fr_buf_span(&old), fed, diag, &text, &left);
    if (!err) err = fr_buf_err(&text);
    const bool is_same = fr_span_equal(fr_buf_span(&old), fr_buf_span(&text));
    if (!err && !is_same && left == 0 && file != FR_FILE_NS) {
        *changed = true;
        if (unlink(path) != 0)
            err = fr_diag_fail(diag, fr_err_from_errno(errno), "cannot remove %s: %s", path,
                               strerror(errno));
    } else if (!err) {
        err = replace(path, fr_buf_span(&old), fr_buf_span(&text), diag, changed);
    }
    fr_buf_deinit(&old);
    fr_buf_deinit(&text);
    return err;
}
