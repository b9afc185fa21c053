#include "member_cli/join_server.h"

#include "base/mem.h"
#include "names/netid.h"

#include <string.h>

static const struct fr_pair *network_of(const struct fr_pairs *pairs)
{
    for (size_t i = 0; i < pairs->n; i++)
        if (pairs->list[i].subject.profile == FR_WALLET_NS) return &pairs->list[i];
    return NULL;
}

static bool is_meant(const struct fr_wallet_entry *e, enum fr_wallet_lns lns, const char *lns_dir,
                     const char *except)
{
    if (e->lns != lns || (except != NULL && strcmp(e->name, except) == 0)) return false;
    return lns_dir == NULL || (e->lns_dir != NULL && strcmp(e->lns_dir, lns_dir) == 0);
}

/* The server has one NetID: that of the federation joined first. Others must have it too. */
static enum fr_err add_view(struct fr_server *s, size_t i, const char *dir, struct fr_diag *diag)
{
    const struct fr_wallet_entry *e = s->wallet.entries[i];
    struct fr_chirpstack_fed *fed = &s->view.feds[s->view.n];
    const struct fr_pair *pair = network_of(s->pairs[i]);
    char root[FR_WALLET_PATH];
    uint32_t netid = 0;

    if (pair == NULL) return FR_OK;
    enum fr_err err = fr_netid_parse(fr_span_str(pair->subject.id), &netid);
    if (!err && s->view.n > 0 && netid != s->view.netid)
        return fr_diag_fail(
            diag, FR_E_CONFLICT,
            "in %s this network is %s, and elsewhere another: one ChirpStack has one "
            "NetID",
            e->name, pair->subject.id);
    if (!err) err = fr_wallet_path(root, diag, "%s/%s/root.pem", dir, e->name);
    char *ca = err ? NULL : fr_strdup(root);
    if (!err && ca == NULL) err = FR_E_NOMEM;
    if (err) return err;
    if (s->view.n == 0) {
        s->view.netid = netid;
        s->view.listen = e->listen;
    }
    *fed = (struct fr_chirpstack_fed){.name = e->name,
                                      .ca = ca,
                                      .chain = pair->chain,
                                      .key = pair->key,
                                      .peers = s->listed[i].list,
                                      .n_peers = s->listed[i].n};
    s->view.n++;
    return FR_OK;
}

enum fr_err fr_server_open(const char *dir, enum fr_wallet_lns lns, const char *lns_dir,
                           const char *except, struct fr_diag *diag, struct fr_server *out)
{
    struct fr_server *s = out;
    char folder[FR_WALLET_PATH];
    enum fr_err err;

    memset(s, 0, sizeof *s);
    err = fr_wallet_open(dir, diag, &s->wallet);
    for (size_t i = 0; !err && i < s->wallet.n; i++) {
        const struct fr_wallet_entry *e = s->wallet.entries[i];
        if (!is_meant(e, lns, lns_dir, except)) continue;
        err = fr_wallet_path(folder, diag, "%s/%s", dir, e->name);
        if (!err) err = fr_pairs_read(folder, e->name, diag, &s->pairs[i]);
        if (!err) err = fr_listed_load(folder, diag, &s->listed[i]);
        if (!err) err = add_view(s, i, dir, diag);
    }
    if (err) fr_server_close(s);
    return err;
}

void fr_server_close(struct fr_server *server)
{
    for (size_t i = 0; i < server->view.n; i++) fr_free((char *)(uintptr_t)server->view.feds[i].ca);
    for (size_t i = 0; i < FR_WALLET_FEDS; i++) {
        fr_free(server->pairs[i]);
        fr_listed_free(&server->listed[i]);
    }
    fr_wallet_close(&server->wallet);
    memset(server, 0, sizeof *server);
}
