#pragma once
/*
 * One file of chained lines, the audit's own or its second copy: opened, appended to, and where it ends. Inside of broker/admin.
 *
 * Owns: its descriptor; the path is borrowed. Threads: the writer's. Errors: with a diag that names the file.
 * Trust: the file may have been cut, torn or written to by others: its end is looked for, not assumed.
 */
#include "admin/audit_read.h"
#include "base/diag.h"

#include <stdbool.h>
#include <stdint.h>

/* As far as this process knows it. */
struct fr_trail {
    char *path; /* NULL: none */
    int fd;
    uint64_t size; /* whole lines, ours and those of others that were seen */
    struct fr_audit_link last;
    bool is_unsynced;
};

enum fr_err fr_trail_open(struct fr_trail *t, struct fr_diag *diag);
void fr_trail_close(struct fr_trail *t);

/* All or nothing: a line of which only a part fitted is taken back. */
enum fr_err fr_trail_append(struct fr_trail *t, struct fr_span bytes, struct fr_diag *diag);
enum fr_err fr_trail_sync(struct fr_trail *t, struct fr_diag *diag);

struct fr_trail_end {
    struct fr_audit_link last; /* of the last line that is one */
    uint64_t whole;            /* bytes of whole lines */
    uint64_t foreign;          /* whole lines at the end that are none of the trail's */
};

enum fr_err fr_trail_find_end(int fd, uint64_t size, struct fr_trail_end *out);

/* "<what> <path>: <errno's words>", and its error. */
enum fr_err fr_trail_fail(struct fr_diag *diag, const char *what, const char *path, int errnum);
