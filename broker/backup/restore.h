#pragma once
/*
 * Making a federation from a backup without turning back time.
 *
 * Model: what was taken away since stays taken away, and nothing is good twice:
 *   - every token of the backup is worthless;
 *   - what the audit trail says after the manifest's record is done again: certificates that were issued are adopted, then
 *     revocations, suspensions and the registry's changes in their order (fr_replay_*). The trail is a newer one, which must go
 *     on from the backup's, or the backup's own, which is a moment longer than its store;
 *   - what revocation lists of the federation's CAs say is revoked, known or not (cert.bar), and their numbers go on;
 *   - the clock may not be behind the last thing done;
 *   - a new term begins for replicas (store/feed.h), which so notice that they know more;
 *   - numbers of changes, which are the zone's serial and where members read on, go on above all that may have been given out
 *     since the backup: above the trail's last, by FR_RESTORE_RATE for each second since, at least FR_RESTORE_STEP;
 *   - the store says that it was restored, so that certificates that are younger than the backup are told apart
 *     (store/unknown.h).
 *   The directory appears whole or not at all, and belongs to who is named: until then nobody else gets at it.
 * Owns: nothing. Threads: one; blocks.
 * Errors: as of backup/backup.h and admin/admin.h; FR_E_EXISTS (the directory has something in it), FR_E_CONFLICT (the trail does
 *   not go on from the backup's), FR_E_CRYPTO (a list that none of the CAs signed), FR_E_INVALID (nothing says what was revoked).
 * Trust: trail and lists are what an operator gives; the trail's chain and the lists' signatures are checked.
 */
#include "admin/admin.h"
#include "backup/backup.h"

#include <sys/types.h>

#define FR_RESTORE_RATE 1000 /* changes that a broker makes in a second, at most, for hours */
#define FR_RESTORE_STEP 1000000
#define FR_RESTORE_STEP_MAX                                                                        \
    (1u << 30) /* half of it again, and a serial would seem to go back (RFC 1982) */

struct fr_restore_options {
    int fd;
    struct fr_span passphrase;
    const char *state;        /* to be made; may exist when empty */
    const char *audit;        /* a newer trail, or NULL */
    const char *const *lists; /* files, DER */
    size_t n_lists;
    bool is_forgetful; /* with neither: what was revoked since is good again */
    const struct fr_passphrase *keys;
    int64_t now_s;
    bool gives_away; /* to this user; root only */
    uid_t uid;
    gid_t gid;
};

struct fr_restore_report {
    struct fr_backup_manifest manifest;
    uint64_t tokens, adopted, revoked, barred, again, left;
};

/* A record of the trail that was not done again, and why. */
typedef void (*fr_restore_left_fn)(void *data, uint64_t record, const char *op, const char *why);

enum fr_err fr_restore(const struct fr_restore_options *options, fr_restore_left_fn fn, void *data,
                       struct fr_diag *diag, struct fr_restore_report *out);

/* --- of the parts --- */

struct fr_replay_options {
    const char *state; /* unpacked */
    const char *trail;
    const struct fr_backup_manifest *manifest;
    const struct fr_passphrase *keys;
    fr_restore_left_fn fn;
    void *data;
};
/* Does again what a trail says; adds to the counts. *last_s: when its last record was made, 0: there is none. */
enum fr_err fr_replay_trail(const struct fr_replay_options *options, struct fr_diag *diag,
                            struct fr_restore_report *report, int64_t *last_s);

/* The last change that a trail knows of, where it is later than *sequence, and when its last record was made. */
enum fr_err fr_replay_find_last(const char *trail, struct fr_diag *diag, uint64_t *sequence,
                                int64_t *when_s);

/* Whether the trail goes on from where the backup was made. FR_E_CONFLICT with a diag. */
enum fr_err fr_replay_check(const char *trail, const struct fr_backup_manifest *manifest,
                            struct fr_diag *diag);

/* What becomes of a record of this operation: nothing (there is nothing in it to be lost), it is done again, its certificate is
 * adopted, its certificates are revoked, or it is left to a person. */
enum fr_replay_kind {
    FR_REPLAY_NOTHING,
    FR_REPLAY_AGAIN,
    FR_REPLAY_ADOPT,
    FR_REPLAY_REVOKE,
    FR_REPLAY_LEAVE,
};
enum fr_replay_kind fr_replay_kind_of(const char *op);
