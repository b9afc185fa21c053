#pragma once
/*
 * Runs operations on one open federation: permission, transaction, journal, audit line. The two
 * ways in (control socket and in-process) meet here; so will every later one.
 *
 * Model: a *task* is one request made ready to run: its operation found, its arguments parsed, who
 *   asks noted. Most operations are *single*: fr_admin_run_group runs several of them and puts them
 *   on disk in one commit, each with its own journal record and each refused alone. Those that issue
 *   certificates are *issuing*: several of them share two commits, one before and one after they are
 *   signed (fr_admin_run_issues). The others are *long*: fr_admin_step does one bounded part at a
 *   time, so that single ones get in between. When a task is over, its outcome (code, diag, result)
 *   stands in it, and its line of the audit trail is on disk. While that cannot be written nothing
 *   is signed, and nothing changed but what takes rights away; while the clock is behind what was
 *   done before, nothing is issued.
 * Owns: a federation borrows its store, log and clock; a task owns copies of what it was made of.
 * Threads: one thread runs tasks of a federation; making and freeing a task is for any thread.
 * Errors: the operation's own, in the task. FR_E_NOT_FOUND: no such operation; FR_E_INVALID:
 *   arguments; FR_E_DENIED: this actor may not.
 * Trust: operation name, arguments, body and reason are an outsider's.
 */

#include "admin/admin.h"
#include "admin/audit.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/store.h"
#include "x509/key_uri.h"

#include <sys/types.h>

/* Who asks. Each operation says by whom it may be asked (struct fr_op). */
enum fr_actor_kind {
    FR_ACTOR_CLI,    /* an operator: this process, on the state directory itself */
    FR_ACTOR_LOCAL,  /* an operator: a user of this machine on control.sock, by SO_PEERCRED */
    FR_ACTOR_CERT,   /* somebody who enrols, with a certificate */
    FR_ACTOR_TOKEN,  /* somebody who enrols and says he has this token */
    FR_ACTOR_MEMBER, /* a member, by its certificate, over the HTTPS API */
};

struct fr_admin_actor {
    enum fr_actor_kind kind;
    char name[FR_ACTOR_MAX + 1]; /* "cli:alice", "local:root", "cert:<serial>" */
    /* Of a member: the certificate's row when the request was admitted. Read again when the task
     * runs, by the serial: what was suspended or revoked meanwhile changes nothing any more. Of who
     * enrols with a certificate: the serial alone. */
    char member[FR_MEMBER_ID_MAX + 1];
    uint8_t serial[FR_SERIAL_SIZE];
    uint32_t rights;              /* enum fr_right, or-ed */
    char login[FR_ACTOR_MAX + 1]; /* of a user of this machine: who logged in; "": nobody */
    bool has_uid;                 /* a user of this machine */
    unsigned uid;
};

/* "cli:<user>" or "local:<user>", by the user's name where it has one, else by number; and who logged in as that (admin/login.h). */
struct fr_admin_actor fr_admin_actor_user(enum fr_actor_kind kind, uid_t uid, pid_t pid);

struct fr_cert_row;
/* The member that holds this certificate. */
struct fr_admin_actor fr_admin_actor_member(const struct fr_cert_row *row);

struct fr_admin_fed;

struct fr_admin_fed_options {
    const char *state;        /* the directory; copied */
    struct fr_store *store;   /* open for writing; borrowed until the federation is freed */
    const struct fr_log *log; /* may be NULL */
    const struct fr_clock *clock;
    const struct fr_passphrase *passphrase; /* unlocks keys; borrowed as the store; may be NULL */
    const char *audit_also;                 /* second copy of the audit trail; NULL: none */
};
enum fr_err fr_admin_fed_new(const struct fr_admin_fed_options *options, struct fr_diag *diag,
                             struct fr_admin_fed **out);
void fr_admin_fed_free(struct fr_admin_fed *fed);

/* Where the second copy of the audit trail is kept from the next line on; NULL: nowhere. Any thread.
 * FR_E_NOMEM. */
enum fr_err fr_admin_fed_set_audit_also(struct fr_admin_fed *fed, const char *also);

/* How the audit trail does; any thread. */
struct fr_audit_counters fr_admin_fed_audit(const struct fr_admin_fed *fed);

/* Loads the CA now instead of at the first operation that needs it; again, when another one is
 * active meanwhile. Not inside a change. */
enum fr_err fr_admin_fed_load_ca(struct fr_admin_fed *fed, struct fr_diag *diag);

struct fr_task;

/* Makes a task ready; `request` and its parts are borrowed for the call (copied). FR_E_NOT_FOUND,
 * FR_E_INVALID, FR_E_DENIED, FR_E_NOMEM. */
enum fr_err fr_task_new(const struct fr_admin_request *request, const struct fr_admin_actor *actor,
                        struct fr_diag *diag, struct fr_task **out);
void fr_task_free(struct fr_task *task);

bool fr_task_is_single(const struct fr_task *task);
bool fr_task_is_issuing(const struct fr_task *task);
bool fr_task_is_bulk(const struct fr_task *task);  /* long, and may be very long */
bool fr_task_is_batch(const struct fr_task *task); /* long, and there may be many of them */

/* What came of it, once over: the operation's reply, or its code and diag. */
enum fr_err fr_task_take_reply(struct fr_task *task, struct fr_diag *diag,
                               struct fr_admin_reply **out);

/* Runs single tasks and commits them together; afterwards each is over. */
void fr_admin_run_group(struct fr_admin_fed *fed, struct fr_task *const *tasks, size_t n);

/* Runs issuing tasks; afterwards each is over. */
void fr_admin_run_issues(struct fr_admin_fed *fed, struct fr_task *const *tasks, size_t n);

/* One part of a long task, of about budget_ms; true when the task is over. */
bool fr_admin_step(struct fr_admin_fed *fed, struct fr_task *task, unsigned budget_ms);

/* Ends a task that was not run, or not to its end, with this code. */
void fr_admin_cancel(struct fr_admin_fed *fed, struct fr_task *task, enum fr_err err);

/* Ends one that has begun, because the process must: as after a crash, the next start finishes it or takes
 * it back. */
void fr_admin_cut(struct fr_admin_fed *fed, struct fr_task *task);

/* Runs one task to its end. */
void fr_admin_run(struct fr_admin_fed *fed, struct fr_task *task);

/* When there is nothing else to do: about budget_ms of taking away what large imports leave behind;
 * true when nothing is left. */
bool fr_admin_tidy(struct fr_admin_fed *fed, unsigned budget_ms);
