/* A stream that only who knows a passphrase can read, and nobody can change unnoticed: what a backup
 * is written as.
 *
 * Model    A *sealer* takes bytes and writes a sealed stream to a descriptor; an *opener* reads one
 *          and gives the bytes back. Head (28 bytes): "FRSEAL1" and a zero byte, log2 of scrypt's N,
 *          r, p, a zero byte, 16 bytes of salt. Then chunks: 4 bytes of length, of which the top bit
 *          marks the last one, that many bytes of AES-256-GCM cipher text, a tag of 16 bytes. The key
 *          is scrypt's of passphrase and salt, so it is another one for each stream; the nonce is the
 *          chunk's number; head and length are authenticated with each chunk. So a chunk that was
 *          changed, dropped, repeated, moved or cut off is found, before its bytes are given out.
 * Owns     The handles own key and buffers, borrow the descriptor. Keys are wiped.
 * Threads  One thread at a time. Blocks.
 * Errors   FR_E_CRYPTO (not this passphrase, or changed), FR_E_TRUNCATED (cut off), FR_E_MALFORMED
 *          (no such stream), FR_E_UNSUPPORTED (a later one), FR_E_IO, FR_E_NOMEM, FR_E_INTERNAL.
 * Limits   A chunk has at most FR_SEALED_CHUNK bytes; scrypt's N up to 2^20, r 8, p 1.
 * Trust    What an opener reads is anybody's.
 * See      RFC 7914 (scrypt), NIST SP 800-38D (GCM); Hoang et al. 2015 (STREAM). */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "base/span.h"
#include "x509/key.h"

#include <stddef.h>
#include <stdint.h>

#define FR_SEALED_CHUNK (1024 * 1024)
#define FR_SEALED_HEAD 28

struct fr_sealed_head {
    uint8_t log2_n;
    uint8_t salt[16];
};
enum fr_err fr_sealed_head_read(struct fr_span bytes, struct fr_sealed_head *out);

struct fr_sealer;

/* log2_n: how hard it is to try passphrases; 0: 17 (128 MiB and about half a second). Writes the
 * head. */
enum fr_err fr_sealer_new(int fd, struct fr_span passphrase, uint8_t log2_n, struct fr_diag *diag,
                          struct fr_sealer **out);
enum fr_err fr_sealer_write(struct fr_sealer *sealer, struct fr_span bytes, struct fr_diag *diag);
struct fr_sealed_sum {
    uint64_t bytes;                 /* of the sealed stream */
    uint8_t sha256[FR_SHA256_SIZE]; /* of those */
};
/* The last chunk; nothing may be written any more. Does not sync. */
enum fr_err fr_sealer_finish(struct fr_sealer *sealer, struct fr_diag *diag,
                             struct fr_sealed_sum *out);
void fr_sealer_free(struct fr_sealer *sealer);

struct fr_opener;
enum fr_err fr_opener_new(int fd, struct fr_span passphrase, struct fr_diag *diag,
                          struct fr_opener **out);
/* The next bytes, at most n; *got 0: the end, and all of it was right. */
enum fr_err fr_opener_read(struct fr_opener *opener, void *out, size_t n, size_t *got,
                           struct fr_diag *diag);
/* After the end: of what was read. */
void fr_opener_sum(struct fr_opener *opener, struct fr_sealed_sum *out);
void fr_opener_free(struct fr_opener *opener);
