#pragma once
/* http and https URLs, taken apart. Trust: texts may be a peer's. See: RFC 3986, of which only
 * this shape is accepted. */

#include "base/err.h"
#include "base/span.h"

/* The parts of "https://host[:port]/path". */
struct fr_url {
    bool is_tls;    /* https, not http */
    bool is_ip;     /* host is an IP literal */
    char host[256]; /* lower case; a v6 literal without its brackets */
    uint16_t port;  /* given, or 443 / 80 */
    char path[512]; /* with the leading slash and the query; "/" when absent */
};

/* http and https only; user names, fragments, blanks and control characters are FR_E_MALFORMED. */
enum fr_err fr_url_parse(struct fr_span text, struct fr_url *out);

/* "host", "host:port" or "[v6]:port" as in a Host or :authority field; the port is left out when
 * it is the scheme's own. */
#define FR_AUTHORITY_TEXT 272
void fr_url_authority(const struct fr_url *url, char out[FR_AUTHORITY_TEXT]);
