/* Whom a certificate is for, from the options --profile --member --netid --joineui --host, and the
 * files that go with it. */
#pragma once

#include "base/cli.h"
#include "base/diag.h"
#include "ca/profile.h"

#define FR_SUBJECT_PATH_MAX 4096

/* FR_E_USAGE: an option is missing or belongs to another profile; FR_E_INVALID, FR_E_MALFORMED: a
 * value. Texts are borrowed from cli. */
enum fr_err fr_subject_from_options(const struct fr_cli *cli, struct fr_diag *diag,
                                    struct fr_subject *out);

/* "<folder>/<profile>-<id>.<ending>". FR_E_LIMIT. */
enum fr_err fr_subject_path(const char *folder, const struct fr_subject *subject,
                            const char *ending, struct fr_diag *diag,
                            char out[FR_SUBJECT_PATH_MAX]);

/* FR_E_EXISTS when there is a file: nothing is ever overwritten. */
enum fr_err fr_subject_expect_new(const char *path, struct fr_diag *diag);
