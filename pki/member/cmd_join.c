/* fedroam join: from a token to certificates, configuration and renewal. */
#include "member_cli/cmds.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "enrol/files.h"
#include "enrol/leave.h"
#include "member_cli/after.h"
#include "member_cli/follow.h"
#include "member_cli/inbound.h"
#include "member_cli/join_check.h"
#include "member_cli/join_end.h"
#include "member_cli/join_plan.h"
#include "names/netid.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

struct journey {
    struct fr_cli *cli;
    struct fr_join_plan plan;
    struct fr_join join;
    struct fr_report report;
    bool changed;
    unsigned step, steps;
};

static void say(struct journey *j, const char *what, const char *how)
{
    fr_cli_note(j->cli, "[%u/%u] %-52s %s", ++j->step, j->steps, what, how);
}

static void on_wait(void *data, const struct fr_diag *why, unsigned seconds)
{
    const struct journey *j = data;
    fr_cli_note(j->cli, "      %s; asking again in %u s", why->what, seconds);
}

/* --- the steps --- */

static enum fr_err get_root(struct journey *j, struct fr_diag *diag)
{
    bool changed = false;
    enum fr_err err = fr_join_root(&j->join, diag, &changed);

    if (err) return err;
    j->changed |= changed;
    say(j, "root certificate is the one the token names", changed ? "ok" : "as before");
    return FR_OK;
}

static enum fr_err get_certificates(struct journey *j, struct fr_diag *diag)
{
    const struct fr_ticket *ticket = &j->plan.ticket;
    char what[64];
    enum fr_err err = FR_OK;

    for (size_t i = 0; !err && i < ticket->n_profiles; i++) {
        const enum fr_wallet_profile profile = ticket->profiles[i];
        bool changed = false;
        err = fr_join_enrol(&j->join, profile, j->plan.owners[profile], diag, &changed);
        if (err) break;
        j->changed |= changed;
        (void)snprintf(what, sizeof what, "certificate of profile %s",
                       fr_wallet_profile_text(profile));
        say(j, what, changed ? "issued" : "as before");
    }
    return err;
}

static enum fr_err tell_certificates(struct journey *j, const struct fr_pairs *pairs)
{
    char until[FR_TIME_TEXT];

    for (size_t i = 0; i < pairs->n; i++) {
        fr_time_print(pairs->list[i].not_after_s, until);
        fr_report_add(&j->report, "certificate", "%s, serial %s, until %s, %s",
                      pairs->list[i].subject.name, pairs->list[i].serial, until,
                      pairs->list[i].chain);
    }
    return FR_OK;
}

static enum fr_err write_files(struct journey *j, const struct fr_pairs *pairs,
                               struct fr_diag *diag)
{
    const struct fr_join_plan *plan = &j->plan;
    unsigned n = 0;
    enum fr_err err = FR_OK;

    for (int i = 0; !err && i < FR_WALLET_FILES && plan->entry->broker != NULL; i++) {
        const enum fr_wallet_file file = (enum fr_wallet_file)i;
        const struct fr_pair *pair = fr_wallet_file_pair(file, plan->entry, pairs);
        bool changed = false;
        if (pair == NULL) continue;
        err = fr_wallet_file_put(plan->dir, file, plan->entry, pair, diag, &changed);
        if (err) break;
        n++;
        j->changed |= changed;
        fr_report_add(&j->report, "file", "%s/%s%s", plan->dir, fr_wallet_file_name(file),
                      changed ? "" : " (as before)");
    }
    if (!err) say(j, "configuration with the federation's block", n ? "ok" : "none needed");
    return err;
}

static const struct fr_pair *network_of(const struct fr_pairs *pairs)
{
    for (size_t i = 0; i < pairs->n; i++)
        if (pairs->list[i].subject.profile == FR_WALLET_NS) return &pairs->list[i];
    return NULL;
}

static enum fr_err look_up(struct journey *j, const struct fr_pairs *pairs, struct fr_diag *diag,
                           struct fr_join_seen *seen)
{
    const struct fr_pair *network = network_of(pairs);
    char path[FR_WALLET_PATH], how[64];
    uint32_t netid = 0;
    enum fr_err err = fr_wallet_path(path, diag, "%s/resolver.yaml", j->plan.dir);

    if (fr_wallet_file_pair(FR_FILE_RESOLVER, j->plan.entry, pairs) == NULL ||
        j->plan.entry->broker == NULL) {
        say(j, "a look-up with the new certificate", "not with this profile");
        return err;
    }
    if (!err && network) err = fr_netid_parse(fr_span_str(network->subject.id), &netid);
    if (!err) err = fr_join_look_up(path, j->plan.entry->name, netid, diag, seen);
    if (err) {
        if (diag && !diag->hint[0])
            fr_diag_hint(diag,
                         "the certificates are here: see fedroam test doh, and run this again");
        return err;
    }
    (void)snprintf(how, sizeof how, "ok, %" PRIu32 " ms", seen->ms);
    say(j, "a look-up with the new certificate", how);
    return FR_OK;
}

/* What a server that takes requests of listed networks only is to list. */
static enum fr_err list_networks(struct journey *j, const struct fr_pairs *pairs,
                                 struct fr_diag *diag)
{
    static const char what[] = "the federation's networks for the server's list";
    struct fr_follow follow = {.dir = j->plan.dir,
                               .folder = j->plan.folder,
                               .entry = j->plan.entry,
                               .pairs = pairs,
                               .report = &j->report};
    bool changed = false;

    if (!fr_follow_has_list(&follow)) {
        say(j, what, "none needed");
        return FR_OK;
    }
    enum fr_err err = fr_follow_list(&follow, diag, &changed);
    fr_follow_close(&follow);
    if (err) return err;
    j->changed |= changed;
    say(j, what, changed ? "ok" : "as before");
    return FR_OK;
}

/* The last step: it tells, and nothing depends on it, for the network server may not run yet. */
static void connect_back(struct journey *j, const struct fr_pair *network)
{
    static const char what[] = "the broker connects to our network server";
    struct fr_inbound inbound = {0};
    struct fr_diag diag = {0};

    if (network == NULL || j->plan.entry->broker == NULL) {
        say(j, what, "not with this profile");
        return;
    }
    enum fr_err err = fr_inbound_ask(j->plan.folder, j->plan.entry, network, &diag, &inbound);
    if (err) {
        fr_report_add(&j->report, "next", "%s; see fedroam test inbound", diag.what);
        say(j, what, "not looked at");
        return;
    }
    fr_inbound_tell(&inbound, "works", "waits", &j->report);
    say(j, what, inbound.is_right ? "ok" : "not yet: see below, and fedroam test inbound");
    fr_inbound_free(&inbound);
}

/* --- the whole --- */

static enum fr_err travel(struct journey *j, struct fr_diag *diag)
{
    struct fr_join_seen seen = {0};
    struct fr_pairs *pairs = NULL;
    enum fr_err err = get_root(j, diag);

    if (!err) err = fr_wallet_save(j->plan.dir, j->plan.entry, diag);
    if (!err) fr_leave_forget(j->plan.folder);
    if (!err) err = get_certificates(j, diag);
    if (!err) err = fr_pairs_read(j->plan.folder, j->plan.entry->name, diag, &pairs);
    if (!err) err = tell_certificates(j, pairs);
    if (!err) err = write_files(j, pairs, diag);
    if (!err) err = look_up(j, pairs, diag, &seen);
    if (!err) err = list_networks(j, pairs, diag);
    struct fr_join_end end = {.cli = j->cli,
                              .dir = j->plan.dir,
                              .entry = j->plan.entry,
                              .network = pairs ? network_of(pairs) : NULL,
                              .seen = &seen,
                              .report = &j->report};
    if (!err) err = fr_join_end_server(&end, diag);
    if (!err) say(j, "network server's configuration", end.has_server ? "ok" : "none");
    if (!err) err = fr_join_end_renewal(&end, diag);
    const struct fr_after after = {
        .folder = j->plan.folder, .entry = j->plan.entry, .pairs = pairs};
    if (!err) err = fr_after_mark(&after, diag);
    if (!err) say(j, "renewal", end.has_timer ? "by fedroam-renew.timer" : "is yours to start");
    if (!err) connect_back(j, end.network);
    j->changed |= end.changed;
    fr_free(pairs);
    return err;
}

/* What would be done, from what is known without asking anybody. */
static enum fr_exit print_plan(struct journey *j)
{
    static const char *const keys[] = {"federation", "broker", "root", "would", NULL};
    const struct fr_join_plan *plan = &j->plan;
    char root[2 * FR_TICKET_SHA256 + 1] = "";

    for (size_t i = 0; i < FR_TICKET_SHA256; i++)
        (void)snprintf(root + 2 * i, 3, "%02x", plan->ticket.root[i]);
    fr_report_add(&j->report, "federation", "%s", plan->ticket.fed);
    fr_report_add(&j->report, "broker", "%s", plan->entry->broker ? plan->entry->broker : "-");
    fr_report_add(&j->report, "root", "SHA-256 %s", root);
    for (size_t i = 0; i < plan->ticket.n_profiles; i++)
        fr_report_add(&j->report, "would", "make a key and get a certificate of profile %s, in %s",
                      fr_wallet_profile_text(plan->ticket.profiles[i]), plan->folder);
    fr_report_add(&j->report, "would", "put the federation into resolver.yaml, agent.yaml%s of %s",
                  plan->entry->lns == FR_LNS_FEDROAM ? ", ns.yaml" : "", plan->dir);
    if (plan->entry->lns == FR_LNS_CHIRPSTACK_V4)
        fr_report_add(&j->report, "would", "write %s/fedroam.toml", plan->entry->lns_dir);
    fr_cli_note(j->cli, "dry run: nothing was asked for, nothing written");
    enum fr_err err = fr_report_print(&j->report, keys, false, j->cli);
    return err ? fr_cli_fail(j->cli, err, NULL) : FR_EXIT_OK;
}

static enum fr_exit run(struct journey *j)
{
    static const char *const keys[] = {"federation", "certificate", "peers", "file", "block",
                                       "works",      "waits",       "next",  NULL};
    struct fr_diag diag = {0};
    int lock = -1;
    enum fr_err err = fr_wallet_lock(j->plan.dir, &diag, &lock);

    fr_report_add(&j->report, "federation", "%s", j->plan.ticket.fed);
    if (!err) err = travel(j, &diag);
    if (lock >= 0) (void)close(lock); /* lets go; nothing is written through it */
    if (err) return fr_cli_fail(j->cli, err, &diag);
    err = fr_report_print(&j->report, keys, j->changed, j->cli);
    return err ? fr_cli_fail(j->cli, err, NULL) : FR_EXIT_OK;
}

enum fr_exit fr_cmd_join(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    struct journey *j = fr_calloc(1, sizeof *j);
    enum fr_err err = j ? fr_join_plan_make(cli, &diag, &j->plan) : FR_E_NOMEM;
    enum fr_exit code;

    if (err) {
        code = fr_cli_fail(cli, err, &diag);
        goto out;
    }
    j->cli = cli;
    j->steps = 7 + (unsigned)j->plan.ticket.n_profiles;
    j->join = (struct fr_join){.folder = j->plan.folder,
                               .ticket = &j->plan.ticket,
                               .place = &j->plan.place,
                               .now_s = fr_clock_real_s(fr_clock_system()),
                               .wait_s = j->plan.wait_s,
                               .on_wait = on_wait,
                               .data = j};
    code = fr_cli_flag(cli, "dry-run") ? print_plan(j) : run(j);
    fr_report_free(&j->report);
    fr_join_plan_free(&j->plan);
out:
    fr_free(j);
    return code;
}
