/* Memory for secrets that reaches no disk: locked into RAM, left out of core files, between guard pages.
 *
 * Model    One heap for the whole process (OpenSSL's secure heap). From its opening on OpenSSL keeps the secret part of
 *          every private key there, ours and those of handshakes; what is freed is zeroed. For main().
 * Owns     fr_locked_dup's result is the caller's (fr_locked_free).
 * Threads  open and close: one, before and after all others. The rest: any.
 * Limits   FR_LOCKED_BYTES for all: some 60,000 keys of handshakes under way. Where the limit of locked memory
 *          (RLIMIT_MEMLOCK, 8 MiB on Debian) is less, it works without the lock. */
#pragma once

#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

#define FR_LOCKED_BYTES (4 * 1024 * 1024)

/* Whether it is locked. Without a heap, or without a lock, everything works all the same. */
bool fr_locked_open(void);
void fr_locked_close(void); /* when every key is gone */

/* A copy there; NULL: no room. */
uint8_t *fr_locked_dup(struct fr_span secret);
void fr_locked_free(uint8_t *p, size_t n); /* zeroes; NULL is fine */
