#pragma once
/*
 * One backup of a whole federation: made while it is at work, sealed, checked, and restored.
 *
 * Model: a backup is an archive (backup/archive.h) in a sealed stream (x509/sealed.h): the *manifest*, a consistent copy of
 *   the store, then the files of the state directory: certificates, the issuing keys, lists, audit trail. The root's key is never
 *   in it. What happens while it is made may be in the files and not in the store; the trail says what, from the manifest's
 *   record on.
 *   A *check* unpacks one elsewhere and looks whether a federation could live from it.
 *   A *restore* makes a state directory, and does not turn back time: see backup/restore.h.
 * Owns: descriptors are the caller's. Threads: one; blocks. No store of that directory may be open in this process for create.
 * Errors: those of files, store, x509/sealed.h; FR_E_DENIED (a replica), FR_E_MALFORMED, FR_E_UNSUPPORTED (a later program's).
 * Units and limits: Unix seconds. Making one needs as much room beside the store as the store takes.
 * Trust: who knows the passphrase.
 */
#include "base/diag.h"
#include "names/member.h"
#include "store/store.h"
#include "x509/key_uri.h"
#include "x509/sealed.h"

#define FR_BACKUP_NOTE "backup.last" /* in the state directory: when the last one was made */

struct fr_backup_manifest {
    int64_t made_s; /* before anything was read */
    uint32_t schema;
    uint64_t sequence, devices, members, certs;
    uint64_t audit_seq; /* last record that was on disk then; 0: none */
    uint8_t audit_hash[FR_SHA256_SIZE];
    char federation[FR_FEDERATION_MAX + 1];
};

#define FR_MANIFEST_NAME "manifest"
#define FR_MANIFEST_MAX 512
enum fr_err fr_manifest_write(const struct fr_backup_manifest *manifest,
                              uint8_t out[FR_MANIFEST_MAX], size_t *n);
enum fr_err fr_manifest_read(struct fr_span bytes, struct fr_backup_manifest *out);

struct fr_backup_options {
    const char *state;
    int fd; /* written to */
    struct fr_span passphrase;
    uint8_t log2_n; /* 0: what fr_sealer_new takes */
    int64_t now_s;
};
enum fr_err fr_backup_create(const struct fr_backup_options *options, struct fr_diag *diag,
                             struct fr_backup_manifest *manifest, struct fr_sealed_sum *sum);

/* Says in the state directory that a backup was made and put where it belongs. */
enum fr_err fr_backup_note(const char *state, int64_t made_s, struct fr_diag *diag);
/* 0: never. */
int64_t fr_backup_noted_s(const char *state);

/* Everything into an existing, empty directory. */
enum fr_err fr_backup_unpack(int fd, struct fr_span passphrase, const char *dir,
                             struct fr_diag *diag, struct fr_backup_manifest *manifest,
                             struct fr_sealed_sum *sum);
/* Takes away a directory that was unpacked to, and everything in it. */
void fr_backup_remove(const char *dir);

/* What is wrong with it, one by one, in words. */
typedef void (*fr_backup_fault_fn)(void *data, const char *what);
struct fr_backup_report {
    uint64_t faults, warnings; /* the latter are told as well */
    uint64_t devices, members, certs, audit_lines;
    unsigned keys, locked; /* issuing keys that fit; and that could not be opened */
};
/* Whether a federation could live from what was unpacked. passphrase unlocks issuing keys; may be NULL. */
enum fr_err fr_backup_check(const char *dir, const struct fr_backup_manifest *manifest,
                            const struct fr_passphrase *passphrase, fr_backup_fault_fn fn,
                            void *data, struct fr_diag *diag, struct fr_backup_report *out);
