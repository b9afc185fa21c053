#include "member_cli/join_end.h"

#include "base/addr.h"
#include "base/file.h"
#include "enrol/files.h"
#include "member_cli/join_server.h"
#include "member_cli/program.h"
#include "names/netid.h"

#include <netdb.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMED_MAX = 20 };

/* --- what is looked at --- */

/* Does the published endpoint lead to the port the server will listen on? */
static void tell_endpoint(const struct fr_join_end *end)
{
    const char *listen = end->entry->listen ? end->entry->listen : FR_CHIRPSTACK_LISTEN;
    struct fr_addr addr;

    if (!end->seen->has_network) {
        fr_report_add(
            end->report, "waits",
            "the federation knows no endpoint of %s yet, so no peer finds it: its operator "
            "sets one (fedroam network set %s --endpoint ADDRESS:PORT)",
            end->network->subject.id, end->network->subject.id);
        return;
    }
    if (fr_addr_parse(fr_span_str(listen), 8005, &addr) == FR_OK && addr.port == end->seen->port)
        fr_report_add(end->report, "works", "peers are told to come to %s, the port listened on",
                      end->seen->endpoint);
    else
        fr_report_add(end->report, "next",
                      "peers are told to come to %s, the server listens on %s: let one lead to the "
                      "other (NAT), or change one",
                      end->seen->endpoint, listen);
}

/* Names of peers are in the private zone: what this machine makes of one. */
static bool resolves(const char *host)
{
    struct addrinfo *list = NULL;
    const bool is_known = getaddrinfo(host, NULL, NULL, &list) == 0;

    if (is_known) freeaddrinfo(list);
    return is_known;
}

/* --- ChirpStack --- */

/* This federation's part of the server's file. */
static const struct fr_chirpstack_fed *own_part(const struct fr_join_end *end,
                                                const struct fr_server *server)
{
    for (size_t i = 0; i < server->view.n; i++)
        if (strcmp(server->view.feds[i].name, end->entry->name) == 0) return &server->view.feds[i];
    return NULL;
}

static bool is_listed(const struct fr_chirpstack_fed *own, const char *peer)
{
    for (size_t i = 0; own != NULL && i < own->n_peers; i++)
        if (strncmp(own->peers[i], peer, FR_NETID_TEXT - 1) == 0) return true;
    return false;
}

/* ChirpStack takes requests of listed networks only. */
static void tell_unlisted(const struct fr_join_end *end, const struct fr_chirpstack_fed *own)
{
    const struct fr_wallet_entry *e = end->entry;

    for (size_t i = 0; i < e->n_peers; i++)
        if (!is_listed(own, e->peers[i]))
            fr_report_add(end->report, "waits",
                          "%.6s is no network of %s now: it is listed when it joins", e->peers[i],
                          e->name);
    if (e->n_peers == 0 && (own == NULL || own->n_peers == 0))
        fr_report_add(end->report, "waits",
                      "nobody else is in %s yet: who joins is listed by fedroam renew", e->name);
}

static void tell_chirpstack_waits(const struct fr_join_end *end, const struct fr_server *server)
{
    const struct fr_chirpstack_fed *own = own_part(end, server);
    struct fr_report *r = end->report;
    char host[FR_WALLET_PATH];

    fr_report_add(r, "waits",
                  "visited side: ChirpStack looks for the home network by JoinEUI, not by DevEUI");
    fr_report_add(r, "waits",
                  "ChirpStack does not compare a peer's certificate with the NetID it speaks for, "
                  "and does not see revocations%s",
                  end->entry->lns == FR_LNS_CHIRPSTACK_V3 ? " (v3 compares the name)" : "");
    if (server->view.n > 1)
        fr_report_add(
            r, "waits",
            "peers of other federations than %s come in: ChirpStack shows one certificate",
            server->view.feds[0].name);
    tell_unlisted(end, own);
    if (own == NULL || own->n_peers == 0) return;
    (void)fr_wallet_path(host, NULL, "%.6s.netid.%s", own->peers[0], end->entry->name);
    if (!resolves(host))
        fr_report_add(r, "waits",
                      "downlinks after the join: %s has no address here; let this machine ask "
                      "fedroam-agent for %s",
                      host, end->entry->name);
}

/* May the user who runs the server read the key? */
static enum fr_err check_key(const struct fr_join_end *end, struct fr_diag *diag)
{
    struct stat st;
    uid_t owner = (uid_t)-1;
    enum fr_err err = fr_place_owner(end->entry, FR_WALLET_NS, diag, &owner);

    if (err) return err;
    if (stat(end->network->key, &st) != 0 || (st.st_mode & 077) != 0)
        return fr_diag_fail(diag, FR_E_CONFIG, "%s is not private", end->network->key);
    if (owner != (uid_t)-1 && st.st_uid != owner) {
        if (chown(end->network->key, owner, (gid_t)-1) != 0)
            return fr_diag_fail(diag, FR_E_PERM, "%s cannot be given to its user",
                                end->network->key);
        st.st_uid = owner;
    }
    if (st.st_uid == 0)
        fr_report_add(end->report, "next",
                      "%s belongs to root: if ChirpStack runs as another user, run this again with "
                      "--owner USER (65534 for the official image)",
                      end->network->key);
    return FR_OK;
}

static void tell_home(const struct fr_join_end *end, const struct fr_server *server)
{
    const struct fr_chirpstack_fed *own = own_part(end, server);
    struct fr_buf who = FR_BUF_INIT(NAMED_MAX * 16);

    for (size_t i = 0; own != NULL && i < own->n_peers && i < NAMED_MAX; i++)
        fr_buf_printf(&who, "%s%.6s", i ? ", " : "", own->peers[i]);
    if (own != NULL && own->n_peers > NAMED_MAX)
        fr_report_add(end->report, "works",
                      "home network %s for devices that visit %s and %zu more of %s: listed, with "
                      "our certificate",
                      end->network->subject.id, fr_buf_str(&who), own->n_peers - NAMED_MAX,
                      end->entry->name);
    else if (who.n > 0)
        fr_report_add(
            end->report, "works",
            "home network %s for devices that visit %s of %s: listed, with our certificate",
            end->network->subject.id, fr_buf_str(&who), end->entry->name);
    fr_buf_deinit(&who);
    if (server->view.n > 0 && strcmp(server->view.feds[0].name, end->entry->name) == 0)
        tell_endpoint(end);
}

static enum fr_err end_v4(struct fr_join_end *end, const struct fr_server *server,
                          struct fr_diag *diag)
{
    bool changed = false;
    enum fr_err err = fr_chirpstack_write_v4(end->entry->lns_dir, &server->view, diag, &changed);

    if (err) return err;
    end->changed |= changed;
    fr_report_add(end->report, "file", "%s/fedroam.toml%s", end->entry->lns_dir,
                  changed ? "" : " (as before)");
    if (changed)
        fr_report_add(end->report, "next",
                      "restart ChirpStack, which reads its files at start only");
    tell_home(end, server);
    tell_chirpstack_waits(end, server);
    return FR_OK;
}

static enum fr_err end_v3(struct fr_join_end *end, const struct fr_server *server,
                          struct fr_diag *diag)
{
    const char *dir = end->entry->lns_dir ? end->entry->lns_dir : FR_CHIRPSTACK_V3_DIR;
    struct fr_buf text = FR_BUF_INIT(1024 * 1024);
    enum fr_err err = fr_chirpstack_print_v3(&server->view, &text);

    (void)diag;
    if (!err) {
        fr_report_add(end->report, "block", "\n%s", fr_buf_str(&text));
        fr_report_add(end->report, "next",
                      "put the block in place of [roaming] and all tables below it into "
                      "%s/chirpstack-network-server.toml, see that [network_server] says net_id="
                      "\"%s\", and restart chirpstack-network-server",
                      dir, end->network->subject.id);
        tell_chirpstack_waits(end, server);
    }
    fr_buf_deinit(&text);
    return err;
}

/* --- fedroam-ns --- */

static enum fr_err end_fedroam(struct fr_join_end *end, struct fr_diag *diag)
{
    char program[FR_WALLET_PATH], config[FR_WALLET_PATH];
    uid_t owner = (uid_t)-1;
    bool is_begun = false;
    enum fr_err err = fr_wallet_path(config, diag, "%s/ns.yaml", end->dir);

    if (!err) err = fr_place_owner(end->entry, FR_WALLET_NS, diag, &owner);
    if (!err) err = fr_wallet_devices_begin(end->dir, owner, diag, &is_begun);
    if (err) return err;
    if (is_begun) {
        end->changed = true;
        fr_report_add(end->report, "file", "%s/" FR_WALLET_DEVICES, end->dir);
        fr_report_add(end->report, "next",
                      "put this network's devices with their keys into %s/" FR_WALLET_DEVICES
                      ", and gateways into %s where it has some",
                      end->dir, config);
    }
    if (!fr_program_find("fedroam-ns", program, sizeof program)) {
        fr_report_add(end->report, "next",
                      "install fedroam-ns, then: fedroam-ns --config %s --check", config);
        return FR_OK;
    }
    const char *const argv[] = {program, "--config", config, "--check", NULL};
    err = fr_program_run(argv, diag);
    if (err) {
        err = fr_diag_fail(diag, FR_E_CONFLICT, "fedroam-ns does not start with %s", config);
        fr_diag_hint(diag, "mend it as fedroam-ns said, and run this again");
        return err;
    }
    fr_report_add(end->report, "works", "%s: fedroam-ns --check finds it well", config);
    tell_endpoint(end);
    fr_report_add(end->report, "next",
                  "start it: fedroam-ns --config %s (systemctl enable --now "
                  "fedroam-ns, where that is the file)",
                  config);
    return FR_OK;
}

enum fr_err fr_join_end_server(struct fr_join_end *end, struct fr_diag *diag)
{
    const struct fr_wallet_entry *e = end->entry;
    struct fr_server server = {0};
    enum fr_err err = FR_OK;

    if (e->lns == FR_LNS_NONE) return FR_OK;
    if (end->network == NULL) {
        fr_report_add(end->report, "next",
                      "a network server needs a certificate of profile ns: ask the operator for a "
                      "token with it");
        return FR_OK;
    }
    end->has_server = true;
    err = check_key(end, diag);
    if (err) return err;
    if (e->lns == FR_LNS_FEDROAM) return end_fedroam(end, diag);
    err = fr_server_open(end->dir, e->lns, e->lns_dir, NULL, diag, &server);
    if (!err)
        err = e->lns == FR_LNS_CHIRPSTACK_V4 ? end_v4(end, &server, diag)
                                             : end_v3(end, &server, diag);
    fr_server_close(&server);
    return err;
}

/* --- renewal --- */

enum fr_err fr_join_end_renewal(struct fr_join_end *end, struct fr_diag *diag)
{
    const char *const argv[] = {"systemctl", "enable", "--now", "fedroam-renew.timer", NULL};
    const bool is_systems = strcmp(end->dir, FR_WALLET_DIR) == 0 && geteuid() == 0;

    (void)diag;
    if (is_systems && fr_file_exists("/run/systemd/system") &&
        fr_program_run(argv, NULL) == FR_OK) {
        end->has_timer = true;
        return FR_OK;
    }
    fr_report_add(
        end->report, "next",
        "let certificates be renewed: keep `fedroam renew --daemon --dir %s` running, or run "
        "`fedroam renew --all --dir %s` four times an hour",
        end->dir, end->dir);
    return FR_OK;
}
