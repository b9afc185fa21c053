#pragma once
/* The PROXY protocol, version 2: what a proxy such as HAProxy says in front of a connection about
 * who it comes from.
 *
 * Model: bytes in, the client's address out. Only the binary version: the text one has no clear
 * end. Trust: it is believed only from addresses that the configuration names; the bytes are
 * checked all the same. Limits: FR_PROXY_MAX bytes with all extras, which are skipped.
 * See: haproxy.org, proxy-protocol.txt, 2.2. */

#include <stdbool.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/span.h"

#define FR_PROXY_HEAD 16 /* signature, command, family, length of the rest */
#define FR_PROXY_MAX 536 /* what its authors advise to expect */

struct fr_proxy_head {
    bool has_client;       /* false: the proxy speaks for itself, or of a Unix socket */
    struct fr_addr client; /* zero without one */
};

/* How many bytes the header has, from its first FR_PROXY_HEAD. FR_E_TRUNCATED: fewer were given
 * and they may begin one; FR_E_MALFORMED: they do not; FR_E_LIMIT: longer than FR_PROXY_MAX. */
enum fr_err fr_proxy_size(struct fr_span in, size_t *out);

/* The whole header, exactly. FR_E_TRUNCATED, FR_E_MALFORMED, FR_E_LIMIT, FR_E_UNSUPPORTED
 * (datagrams, unknown families). */
enum fr_err fr_proxy_read(struct fr_span in, struct fr_proxy_head *out);
