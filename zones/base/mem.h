#pragma once
/* The one place that allocates and frees.
 *
 * Owns: every pointer returned here is freed by fr_free (or fr_secret_free). Errors: NULL when
 * out of memory; a size of 0 gives a pointer that may be freed, not NULL. Threads: any. */

#include <stdbool.h>
#include <stddef.h>

void *fr_malloc(size_t size);
/* zeroed; NULL also when count * size overflows */
void *fr_calloc(size_t count, size_t size);
void *fr_realloc(void *p, size_t size);                    /* on failure p stays valid */
void *fr_reallocarray(void *p, size_t count, size_t size); /* the same, count * size checked */
void fr_free(void *p);                                     /* NULL is legal */
char *fr_strdup(const char *text);
char *fr_strndup(const char *text, size_t n); /* at most n bytes, terminated */
void *fr_memdup(const void *p, size_t n);

/* Secrets: zeroing that the compiler may not drop; zeroing free; compare in time that depends on
 * n alone. */
void fr_secret_zero(void *p, size_t n);
void fr_secret_free(void *p, size_t n);
void fr_secret_free_all(void *p); /* the same, however long it is; for allocators of others */
bool fr_secret_equal(const void *a, const void *b, size_t n);

/* Test hook, per thread: the n-th allocation from now on fails, once (1 = the next one; 0 =
 * none). */
void fr_mem_fail_nth(unsigned long n);

/* True when the failure armed last has happened. */
bool fr_mem_failed(void);
