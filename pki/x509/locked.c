#include "x509/locked.h"

#include "base/mem.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <string.h>

enum {
    SMALLEST = 32,  /* of its blocks: a key of 256 bits */
    RECORD = 16384, /* bytes of a TLS record: as large as this are their buffers alone */
};

static void *give(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return fr_malloc(size);
}

/* OpenSSL's decoders leave keys in memory that they free, so what it frees is zeroed first. But for the buffers of TLS records,
 * which come and go with every request: one is ciphertext, and of the other transport has TLS zero what was read where passwords
 * may come in. */
static void take(void *p, const char *file, int line)
{
    (void)file, (void)line;
    if (p != NULL && malloc_usable_size(p) >= RECORD)
        fr_free(p);
    else
        fr_secret_free_all(p);
}

static void *change(void *p, size_t size, const char *file, int line)
{
    size_t had = p != NULL ? malloc_usable_size(p) : 0;
    void *fresh = NULL;

    if (p != NULL && size <= had && size >= had / 2) return p;
    fresh = fr_malloc(size);
    if (fresh == NULL || p == NULL) return fresh;
    memcpy(fresh, p, had < size ? had : size);
    take(p, file, line);
    return fresh;
}

bool fr_locked_open(void)
{
    (void)CRYPTO_set_mem_functions(give, change, take); /* fails when it has allocated already */
    return CRYPTO_secure_malloc_init(FR_LOCKED_BYTES, SMALLEST) == 1;
}

void fr_locked_close(void)
{
    (void)CRYPTO_secure_malloc_done(); /* fails while something is left there: then it stays */
}

uint8_t *fr_locked_dup(struct fr_span secret)
{
    uint8_t *p = OPENSSL_secure_malloc(secret.n > 0 ? secret.n : 1);

    if (p != NULL && secret.n > 0) memcpy(p, secret.p, secret.n);
    return p;
}

void fr_locked_free(uint8_t *p, size_t n)
{
    OPENSSL_secure_clear_free(p, n);
}
