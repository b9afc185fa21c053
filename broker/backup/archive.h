#pragma once
/*
 * Files one after the other in a sealed stream: the form of a backup's inside.
 *
 * Model: an entry is 'F', the length of its name (1), its size (8, big endian), the name, the bytes. 'E' and nine zero bytes
 *   end the archive. A name is "file" or "folder/file" of letters, digits, '.', '_' and '-', no part beginning with a dot.
 * Owns: nothing. Threads: the stream's. Errors: those of x509/sealed.h, of files; FR_E_MALFORMED.
 * Units and limits: a name has at most FR_ARCHIVE_NAME bytes.
 * Trust: what is read was made by somebody who knows the passphrase, and is read strictly all the same: no name leaves the
 *   directory, no file is replaced.
 */
#include "base/diag.h"
#include "base/span.h"
#include "x509/sealed.h"

#include <stdbool.h>

#define FR_ARCHIVE_NAME 160
#define FR_ARCHIVE_HEAD 10

struct fr_archive_entry {
    bool is_end;
    uint64_t size;
    size_t name_n;
    char name[FR_ARCHIVE_NAME + 1]; /* filled by fr_archive_next */
};

/* The fixed part of an entry. FR_E_MALFORMED. */
enum fr_err fr_archive_head_read(struct fr_span bytes, struct fr_archive_entry *out);
bool fr_archive_name_is_good(const char *name);

/* The file open at fd, from its start: `size` bytes of it, whatever comes behind them. */
enum fr_err fr_archive_put_file(struct fr_sealer *to, const char *name, int fd, uint64_t size,
                                struct fr_diag *diag);
enum fr_err fr_archive_put_bytes(struct fr_sealer *to, const char *name, struct fr_span bytes,
                                 struct fr_diag *diag);
enum fr_err fr_archive_end(struct fr_sealer *to, struct fr_diag *diag);

enum fr_err fr_archive_next(struct fr_opener *from, struct fr_diag *diag,
                            struct fr_archive_entry *out);
/* The entry's bytes, into a new file of the directory, 0600; its folder is made, 0700. */
enum fr_err fr_archive_get_file(struct fr_opener *from, const struct fr_archive_entry *entry,
                                int dir_fd, struct fr_diag *diag);
enum fr_err fr_archive_get_bytes(struct fr_opener *from, const struct fr_archive_entry *entry,
                                 void *out, struct fr_diag *diag);
/* After the end nothing follows. */
enum fr_err fr_archive_expect_end(struct fr_opener *from, struct fr_diag *diag);
