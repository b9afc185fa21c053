#pragma once
/* Links that speak DNS-over-HTTPS: POST, one kept HTTP/2 connection per broker, our certificate
 * for configured brokers only. */

#include "resolver/link.h"

/* A struct fr_link_maker's make; data is the struct fedroam whose options and counts it uses. */
enum fr_err fr_link_http_make(void *data, const struct fr_federation_opt *federation,
                              struct fr_loop *loop, struct fr_link **out);
