/* Domain names inside DNS messages, where the tail of a name may be a pointer to an earlier one.
 *
 * The value itself, its text form and comparisons are names/dname.h.
 * Owns: nothing. Threads: any. Errors: the reader's sticky error. Trust: a peer's bytes; every
 * pointer must lead to a place before the name it continues, and behind the header, so reading
 * always ends. See RFC 1035 4.1.4. */
#pragma once

#include "names/dname.h"

struct fr_buf;
struct fr_rd;

/* Reads the name at the cursor of r, which spans the whole message from its first byte; the
 * cursor then stands behind the name's own bytes. On a fault r's error is set and *out is not to
 * be used. */
void fr_dns_name_read(struct fr_rd *r, struct fr_dname *out);

/* Appends the name as text with its final dot, as master files want it. */
void fr_dns_name_print(const struct fr_dname *name, struct fr_buf *out);
