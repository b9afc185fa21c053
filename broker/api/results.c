#include "api/results.h"

#include "admin/batch.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define LINE_MAX 96

struct fr_api_results {
    struct fr_buf letters;
    size_t next;         /* line to be written */
    char line[LINE_MAX]; /* the one at hand */
    size_t n, at;
};

static size_t write_line(size_t number, char letter, char out[LINE_MAX])
{
    const struct fr_batch_result *r = fr_batch_result_find(letter);
    return (size_t)snprintf(out, LINE_MAX, "{\"line\":%zu,\"status\":%u,\"result\":\"%s\"}\n",
                            number, r ? r->status : 500, r ? r->word : "unknown");
}

struct fr_api_results *fr_api_results_new(struct fr_buf *letters)
{
    struct fr_api_results *results = fr_calloc(1, sizeof *results);
    if (!results) return NULL;
    results->letters = *letters;
    *letters = FR_BUF_INIT(letters->max);
    return results;
}

void fr_api_results_free(void *data)
{
    struct fr_api_results *results = data;
    if (!results) return;
    fr_buf_deinit(&results->letters);
    fr_free(results);
}

static size_t digits(size_t v)
{
    size_t n = 1;
    while (v >= 10) {
        v /= 10;
        n++;
    }
    return n;
}

uint64_t fr_api_results_length(const struct fr_api_results *results)
{
    char line[LINE_MAX];
    size_t without[256] = {0}; /* by letter, the length of its line but for the number */
    uint64_t sum = 0;
    for (size_t i = 0; i < results->letters.n; i++) {
        const uint8_t letter = results->letters.p[i];
        if (!without[letter]) without[letter] = write_line(1, (char)letter, line) - 1;
        sum += without[letter] + digits(i + 1);
    }
    return sum;
}

void fr_api_results_fill(void *data, uint8_t *p, size_t n)
{
    struct fr_api_results *results = data;
    while (n > 0) {
        if (results->at == results->n) {
            const char letter = (char)results->letters.p[results->next];
            results->n = write_line(++results->next, letter, results->line);
            results->at = 0;
        }
        const size_t left = results->n - results->at, take = left < n ? left : n;
        memcpy(p, results->line + results->at, take);
        results->at += take;
        p += take;
        n -= take;
    }
}
