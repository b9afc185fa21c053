#pragma once
/* One session of a host's public DNS (<fedroam/public_dns.h>) on a loop of the house.
 *
 * Model: the host of the session is this file: its descriptors are watches, its one time is a timer.
 * Owns: the watches, the timer, the session. Threads: the loop's. Errors: FR_E_NOMEM, FR_E_IO (it cannot be opened).
 * Limits: FR_PUBLIC_WATCHES_MAX descriptors. */

#include "base/err.h"
#include <fedroam/public_dns.h>
#include <stdint.h>

struct fr_loop;
struct fr_public_session;

enum { FR_PUBLIC_WATCHES_MAX = 64 };

/* `dns` is copied, `data` used during this call only. */
enum fr_err fr_public_session_open(struct fr_loop *loop, const struct fedroam_public_dns *dns,
                                   void *data, struct fr_public_session **out);

/* Ends its questions without their end. NULL is legal. */
void fr_public_session_close(struct fr_public_session *s);

/* As in the public interface: done may come from inside, and not at all on failure. */
enum fedroam_err fr_public_session_ask(struct fr_public_session *s, const char *name, uint16_t type,
                                       fedroam_dns_done done, void *question, void **handle);
void fr_public_session_cancel(struct fr_public_session *s, void *handle);
