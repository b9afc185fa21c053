#pragma once
/*
 * One federation while the broker serves it: its open store, what it shows on TLS, its writer and
 * control socket.
 *
 * Model: open (files, certificates checked) → start (writer, control.sock) → stop → close.
 *   Workers borrow the store; they take references of the ident.
 * Owns: all of that. Threads: main's; the writer is its own.
 * Errors: FR_E_CONFIG with a diag that names the file or directory at fault; FR_E_PERM, FR_E_IO,
 *   FR_E_BUSY, FR_E_NOMEM.
 */

#include "admin/control.h"
#include "api/api.h"
#include "doh/doh.h"
#include "est/crl_shelf.h"
#include "est/est.h"
#include "main/board.h"
#include "main/conf.h"
#include "main/crl_duty.h"
#include "main/ident.h"
#include "main/list_metrics.h"
#include "main/notice_duty.h"
#include "main/server_duty.h"
#include "main/standby.h"
#include "probe/prober.h"
#include "usage/clerk.h"
#include "xfr/outlet.h"
#include "xfr/secondary.h"

/* What one federation's requests came to; summed over workers. */
struct fr_fed_counts {
    struct fr_gate_counters gate;
    struct fr_doh_counters doh;
    struct fr_desk_counters desk;
    struct fr_crl_shelf_counters crl;
    struct fr_est_counters est;
    struct fr_api_counters api;
    struct fr_feeder_counters feed;
};
void fr_fed_counts_add(struct fr_fed_counts *sum, const struct fr_fed_counts *more);

struct fr_fed {
    char *name, *state;
    struct fr_store *store;
    struct fr_usage *usage;              /* what its members use; workers have desks at it */
    struct fr_clerk *clerk;              /* and brings it to disk */
    struct fr_query_file_conf query_log; /* path NULL: none; the path is the federation's */
    struct fr_admin_fed *admin;
    struct fr_ident *ident;
    struct fr_ident_mark mark; /* what ident was made of, or what was refused last */
    struct fr_writer *writer;
    struct fr_control *control;
    struct fr_loop *loop;
    int64_t started_s;
    struct fr_board *board;   /* when networks last published */
    struct fr_prober *prober; /* connects to members' endpoints */
    struct fr_crl_duty crl_duty;
    struct fr_list_times list_times;
    struct fr_server_watch server_watch;
    struct fr_notice_duty *notice_duty; /* tells operators */
    struct fr_standby *standby;
    struct fr_secondary *secondary; /* of members' name servers; NULL: this broker may not write */
    struct fr_outlet *outlet;       /* the zone for secondaries */
    bool is_renewed;                /* ident is newer than what `secondary` shows */
    struct fr_fed_counts retired;   /* of workers that are gone */
    bool is_kept;                   /* during a reload: also in the new configuration */
};

struct fr_fed_options {
    struct fr_loop *loop; /* with posts enabled */
    const struct fr_log *log;
    const struct fr_clock *clock;
    const struct fr_passphrase *passphrase; /* unlocks issuing keys; may be NULL */
    unsigned changes;                       /* queue of the writer */
    struct fr_secondary_limits transfers;
};

/* Once started: takes the query log of a configuration, if it differs from the present one. On
 * failure that one stays. */
enum fr_err fr_fed_set_query_log(struct fr_fed *fed, const struct fr_broker_fed_conf *conf,
                                 struct fr_diag *diag);

/* Once started: takes over what a configuration says of replicas. */
enum fr_err fr_fed_set_standby(struct fr_fed *fed, const struct fr_broker_fed_conf *conf,
                               struct fr_diag *diag);

/* Once started: takes over by which ways its operator is told. FR_E_NOMEM. */
enum fr_err fr_fed_set_notify(struct fr_fed *fed, const struct fr_broker_fed_conf *conf);

/* Opens and checks; serves nothing yet. This is also what --check does. */
enum fr_err fr_fed_open(const struct fr_broker_fed_conf *conf, const struct fr_fed_options *options,
                        struct fr_diag *diag, struct fr_fed **out);

/* The issuing key is loaded here, before the first peer's byte; without one everything but issuing
 * works. */
enum fr_err fr_fed_start(struct fr_fed *fed, const struct fr_fed_options *options,
                         struct fr_diag *diag);

/* Looks whether certificates, key or authorities changed and loads them. True when there is a new
 * ident. What cannot be loaded is logged once and leaves the old one in use. `force` looks even
 * when nothing seems to have changed. */
bool fr_fed_refresh(struct fr_fed *fed, const struct fr_fed_options *options, bool force);

/* What is done every second beside that: revocation lists, the renewal of the certificate. */
void fr_fed_tend(struct fr_fed *fed, const struct fr_fed_options *options);

/* No new changes; on_stopped once those in progress are answered or drain_ms is over. */
void fr_fed_stop(struct fr_fed *fed, uint32_t drain_ms, void (*on_stopped)(void *data), void *data);

/* Ends the writer (a change in progress is finished) and closes everything. NULL is legal. */
void fr_fed_close(struct fr_fed *fed);
