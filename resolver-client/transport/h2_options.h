#pragma once
/* How nghttp2 is set up on both sides: the limits that keep a peer from making us work or remember for nothing.
 *
 * Owns: the options are the caller's; nghttp2 copies them into each session. Limits: see the values in h2_options.c.
 * See: RFC 9113 §10.5; CVE-2023-44487 (rapid reset), CVE-2024-28182 (CONTINUATION). */

#include <nghttp2/nghttp2.h>

#include "base/err.h"

/* resets: streams the peer may reset at once. continuations: CONTINUATION frames of one header
 * list. */
enum fr_err fr_h2_options_new(unsigned resets, unsigned continuations, struct nghttp2_option **out);
void fr_h2_options_free(struct nghttp2_option *o);

/* Memory for sessions, through base/mem. */
nghttp2_mem fr_h2_mem(void);
