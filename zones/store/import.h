#pragma once
/*
 * Reads a list of devices from text: one EUI a line, CSV (`deveui[,comment]`), or an RFC 1035 master file.
 *
 * Model: bytes are fed as they come; the first line that is not blank or a comment decides whether the text is a *list* or a
 *   *master file*. In a master file a device is
 *     <16 hex>[.deveui…]  CNAME  <netid>.netid…     the target must be the NetID that is imported into
 *     <16 hex>…           A or AAAA                 (a member's own zone)
 *   and every other record is passed over, after `other` has judged it. With `records` the addresses of A and AAAA records
 *   of those names and of <netid>.netid… are collected too. $ORIGIN and $TTL are understood, parentheses and quotes as in RFC 1035 5.1.
 *   Lines end with LF or CRLF; a byte-order mark is passed over; a first line that starts with "deveui" is a heading.
 * Owns: nothing but the line being read: devices go to the callback as they are met.
 * Errors: a bad line is told to the callback; without keep_going the feed fails with FR_E_MALFORMED (FR_E_CONFLICT for a
 *   target that is another NetID), the diag naming file and line, and nothing more may be fed.
 * Units and limits: FR_IMPORT_LINE_MAX bytes a line (in parentheses: a record); lines count from 1.
 * Trust: the text is anybody's.
 */
#include "base/addr.h"
#include "base/diag.h"
#include "base/span.h"
#include "store/device.h"
#include "store/limits.h"

#define FR_IMPORT_LINE_MAX 4096

struct fr_import;

struct fr_import_options {
    const char *name; /* of the file, for messages; borrowed */
    uint32_t netid;   /* that is imported into */
    bool records;     /* collect addresses too */
    bool keep_going;  /* leave bad lines out */
    /* A device, in the order of the text. Its failure ends the reading and is returned, with the diag it filled. */
    enum fr_err (*device)(void *data, uint64_t eui, size_t line, struct fr_diag *diag);
    /* A bad line, and why. May be NULL. */
    void (*bad)(void *data, size_t line, const char *why);
    /* A record that is no device and no address of one: judged by somebody who knows all of the DNS. One line, owner
     * absolute, names of its value relative to `origin` ("" is the root). A failure makes it a bad line; *why is a constant
     * text. May be NULL: such records are passed over unread. */
    enum fr_err (*other)(void *data, const char *record, const char *origin, const char **why);
    void *data;
};

enum fr_err fr_import_new(const struct fr_import_options *options, struct fr_import **out);
enum fr_err fr_import_feed(struct fr_import *import, struct fr_span bytes, struct fr_diag *diag);
enum fr_err fr_import_end(struct fr_import *import,
                          struct fr_diag *diag); /* the last line may lack its end */
void fr_import_free(struct fr_import *import);

/* Addresses with the default port, each once, in the order of the text. Borrowed. */
size_t fr_import_addrs(const struct fr_import *import, const struct fr_addr **addrs);
size_t fr_import_lines(const struct fr_import *import);
size_t fr_import_left_out(const struct fr_import *import); /* bad lines passed over */
