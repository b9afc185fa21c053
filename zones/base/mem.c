#include "base/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The only mutable state of the library: per thread, and zero unless a test armed it. The model
 * keeps libfedroam.so from needing the dynamic linker's __tls_get_addr; it costs nine bytes of
 * the static block. */
#define PER_THREAD __attribute__((tls_model("initial-exec"))) _Thread_local
static PER_THREAD unsigned long fail_countdown;
static PER_THREAD bool has_failed;

void fr_mem_fail_nth(unsigned long n)
{
    fail_countdown = n;
    has_failed = false;
}

bool fr_mem_failed(void)
{
    return has_failed;
}

static bool must_fail(void)
{
    if (fail_countdown == 0 || --fail_countdown > 0) return false;
    has_failed = true;
    return true;
}

void *fr_malloc(size_t size)
{
    return must_fail() ? NULL : malloc(size > 0 ? size : 1);
}

void *fr_calloc(size_t count, size_t size)
{
    if (must_fail()) return NULL;
    return count > 0 && size > 0 ? calloc(count, size) : calloc(1, 1);
}

void *fr_realloc(void *p, size_t size)
{
    return must_fail() ? NULL : realloc(p, size > 0 ? size : 1);
}

void *fr_reallocarray(void *p, size_t count, size_t size)
{
    if (size > 0 && count > SIZE_MAX / size) return NULL;
    return fr_realloc(p, count * size);
}

void fr_free(void *p)
{
    free(p);
}

char *fr_strdup(const char *text)
{
    return fr_memdup(text, strlen(text) + 1);
}

char *fr_strndup(const char *text, size_t n)
{
    size_t len = strnlen(text, n);
    char *copy = fr_malloc(len + 1);

    if (copy == NULL) return NULL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

void *fr_memdup(const void *p, size_t n)
{
    void *copy = fr_malloc(n);

    if (copy != NULL && n > 0) memcpy(copy, p, n);
    return copy;
}

void fr_secret_zero(void *p, size_t n)
{
    if (n > 0) explicit_bzero(p, n);
}

void fr_secret_free(void *p, size_t n)
{
    if (p == NULL) return;
    fr_secret_zero(p, n);
    free(p);
}

void fr_secret_free_all(void *p)
{
    if (p != NULL) fr_secret_free(p, malloc_usable_size(p));
}

bool fr_secret_equal(const void *a, const void *b, size_t n)
{
    const volatile unsigned char *x = a;
    const volatile unsigned char *y = b;
    unsigned char diff = 0;

    for (size_t i = 0; i < n; i++) diff = (unsigned char)(diff | (x[i] ^ y[i]));
    return diff == 0;
}
