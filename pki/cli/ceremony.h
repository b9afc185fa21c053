/* What the root's commands share: the root itself, and the transcript of what it did.
 *
 * Model    A *ceremony* is one use of the root's key. Its transcript is plain text that says what was
 *          signed, for whom, with which key, by whom and when, with every certificate in it; it is
 *          written whole or not at all, and never over another.
 * Owns     Start from FR_CEREMONY_INIT, end with fr_ceremony_end.
 * Threads  Not for threaded programs.
 * Errors   Those of ca/root.h and of files; FR_E_EXISTS (the transcript's file). */
#pragma once

#include "base/cli.h"
#include "ca/root.h"
#include "session/passphrase.h"

#define FR_CEREMONY_PATH_MAX 4096

struct fr_ceremony {
    const struct fr_cli *cli;
    struct fr_cli_passphrase passphrase;
    struct fr_root *root;
    int64_t now_ms;
    char federation[FR_FEDERATION_MAX + 1];
    struct fr_buf transcript;
};

#define FR_CEREMONY_INIT                                                                           \
    {                                                                                              \
        .passphrase = FR_CLI_PASSPHRASE_INIT, .transcript = FR_BUF_INIT(1024 * 1024)               \
    }

/* Opens the root by --root and --root-key, where dir (a state directory, or NULL) says what is
 * taken when one of them is absent. federation NULL: --fed, else what the root says. */
enum fr_err fr_ceremony_begin(const struct fr_cli *cli, const char *dir, const char *federation,
                              struct fr_diag *diag, struct fr_ceremony *out);
void fr_ceremony_end(struct fr_ceremony *c);

/* A part of the transcript. */
enum fr_err fr_ceremony_note_cert(struct fr_ceremony *c, const char *name, struct fr_span csr,
                                  const struct fr_cert *cert);
enum fr_err fr_ceremony_note_list(struct fr_ceremony *c, const struct fr_crl_entry *more, size_t n,
                                  const struct fr_crl_fields *fields, struct fr_span der);

/* Writes it to --transcript, if that was given. */
enum fr_err fr_ceremony_write(struct fr_ceremony *c, struct fr_diag *diag);

/* --lifetime and the like: a duration in seconds, or absent. FR_E_USAGE. */
enum fr_err fr_ceremony_seconds(const struct fr_cli *cli, const char *option, int64_t absent,
                                struct fr_diag *diag, int64_t *out);
