#pragma once
/* Whole files: read with a limit, written so that a reader sees the old or the new and never
 * half, checked for privacy.
 *
 * Errors: FR_E_NOT_FOUND, FR_E_PERM, FR_E_LIMIT (larger than the buffer's cap), FR_E_EXISTS,
 * FR_E_CREATE, FR_E_IO, FR_E_CONFIG (unsafe mode or owner); diag (may be NULL) names the file.
 * Blocks: only for start-up, reload and commands, never in a loop. */

#include "base/buf.h"
#include "base/diag.h"
#include <sys/types.h>

/* Appends the file's bytes to out, whose cap is the limit. Regular files only. "-" is not
 * special. */
enum fr_err fr_file_read(const char *path, struct fr_diag *diag, struct fr_buf *out);

/* The same, refusing a file that is not owned by this user (or root) or that group or others can
 * read or write. Root may read anybody's: it checks and starts what runs as a service user. */
enum fr_err fr_file_read_private(const char *path, struct fr_diag *diag, struct fr_buf *out);

/* Only that check. */
enum fr_err fr_file_check_private(const char *path, struct fr_diag *diag);

/* Replaces the file: temporary beside it (exclusive, no link followed), fsync, rename, fsync of
 * the folder. */
enum fr_err fr_file_write(const char *path, mode_t mode, struct fr_span bytes,
                          struct fr_diag *diag);

/* The same, but FR_E_EXISTS when the file is there already. */
enum fr_err fr_file_create(const char *path, mode_t mode, struct fr_span bytes,
                           struct fr_diag *diag);

/* Makes the folder and those above it; fine when it is there. Mode is that of the last one,
 * others get 0755. */
enum fr_err fr_dir_make(const char *path, mode_t mode, struct fr_diag *diag);

bool fr_file_exists(const char *path);

/* Owned by the caller: `path` itself when absolute, else beside the file `beside` (its folder +
 * "/" + path). NULL: no memory. */
char *fr_path_beside(const char *beside, const char *path);

/* Owned by the caller: "folder/name". NULL: no memory. */
char *fr_path_join(const char *folder, const char *name);

/* What changes when a file is replaced or rewritten. All zero = not there. */
struct fr_file_stamp {
    dev_t dev;
    ino_t ino;
    int64_t size;
    int64_t mtime_ns;
};

struct fr_file_stamp fr_file_stamp(const char *path);
bool fr_file_stamp_equal(const struct fr_file_stamp *a, const struct fr_file_stamp *b);
