#pragma once
/* Opening a resolver with links of the caller's making: how the tests put a scripted network
 * under it. Lots (draw.h) are then the same each time. */

#include "resolver/link.h"
#include "resolver/open.h"

/* As fr_resolver_open(); `maker` NULL makes DNS-over-HTTPS links. */
enum fr_err fr_resolver_open_with(const struct fedroam_options *options, struct fr_loop *loop,
                                  const struct fr_link_maker *maker, struct fr_diag *diag,
                                  struct fedroam **out);

/* As fedroam_new() without a host, with links of the caller's making. */
enum fr_err fr_resolver_open_own(const struct fedroam_options *options,
                                 const struct fr_link_maker *maker, struct fedroam **out);
