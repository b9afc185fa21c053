#include "bench/report.h"

#include "base/buf.h"
#include "base/json_out.h"

#include <stdio.h>

#define JSON_MAX (1u << 20)

static uint64_t per_second(uint64_t n, int64_t us)
{
    return us > 0 ? (uint64_t)((double)n * 1e6 / (double)us) : 0;
}

static void put_latency(struct fr_json *j, const char *key, const struct fr_histogram *h)
{
    fr_json_key(j, key);
    fr_json_object(j);
    fr_json_put_uint(j, "p50", fr_histogram_percentile(h, 50));
    fr_json_put_uint(j, "p90", fr_histogram_percentile(h, 90));
    fr_json_put_uint(j, "p99", fr_histogram_percentile(h, 99));
    fr_json_put_uint(j, "max", h->max);
    fr_json_key(j, "buckets"); /* [highest value, how many] */
    fr_json_array(j);
    for (size_t i = 0; i < FR_HISTOGRAM_BUCKETS; i++) {
        if (h->bucket[i] == 0) continue;
        fr_json_array(j);
        fr_json_uint(j, fr_histogram_top(i));
        fr_json_uint(j, h->bucket[i]);
        fr_json_end(j);
    }
    fr_json_end(j);
    fr_json_end(j);
}

static void put_status(struct fr_json *j, const struct fr_load_result *r)
{
    char code[4];

    fr_json_key(j, "status");
    fr_json_object(j);
    for (unsigned i = 0; i < 1000; i++) {
        if (r->status[i] == 0) continue;
        (void)snprintf(code, sizeof code, "%u", i);
        fr_json_put_uint(j, code, r->status[i]);
    }
    fr_json_end(j);
}

static void put_rcodes(struct fr_json *j, const struct fr_load_result *r)
{
    fr_json_key(j, "rcode");
    fr_json_array(j);
    for (unsigned i = 0; i < 16; i++) fr_json_uint(j, r->rcode[i]);
    fr_json_end(j);
}

static enum fr_err print_json(const struct fr_load_result *r, FILE *out)
{
    struct fr_buf text = FR_BUF_INIT(JSON_MAX);
    struct fr_json j = fr_json(&text);

    fr_json_object(&j);
    fr_json_put_uint(&j, "took_us", (uint64_t)r->took_us);
    fr_json_put_uint(&j, "asked", r->asked);
    fr_json_put_uint(&j, "answered", r->answered);
    fr_json_put_uint(&j, "answers_per_s", per_second(r->answered, r->took_us));
    put_status(&j, r);
    put_rcodes(&j, r);
    fr_json_put_uint(&j, "no_message", r->no_message);
    fr_json_put_uint(&j, "resets", r->resets);
    fr_json_put_uint(&j, "handshakes", r->handshakes);
    fr_json_put_uint(&j, "resumed", r->resumed);
    fr_json_put_uint(&j, "broken", r->broken);
    fr_json_put_uint(&j, "bytes_in", r->bytes_in);
    fr_json_put_uint(&j, "bytes_out", r->bytes_out);
    put_latency(&j, "latency_us", &r->latency);
    put_latency(&j, "handshake_us", &r->handshake);
    fr_json_end(&j);
    fr_buf_add_char(&text, '\n');
    enum fr_err err = fr_buf_err(&text);
    if (err == FR_OK && fwrite(text.p, 1, text.n, out) != text.n) err = FR_E_IO;
    fr_buf_deinit(&text);
    return err;
}

static void print_latency(const char *what, const struct fr_histogram *h, FILE *out)
{
    (void)fprintf(out, "%-12s p50 %llu us, p90 %llu us, p99 %llu us, max %llu us\n", what,
                  (unsigned long long)fr_histogram_percentile(h, 50),
                  (unsigned long long)fr_histogram_percentile(h, 90),
                  (unsigned long long)fr_histogram_percentile(h, 99), (unsigned long long)h->max);
}

static enum fr_err print_text(const struct fr_load_result *r, FILE *out)
{
    (void)fprintf(out, "answers      %llu in %.2f s: %llu a second\n",
                  (unsigned long long)r->answered, (double)r->took_us / 1e6,
                  (unsigned long long)per_second(r->answered, r->took_us));
    (void)fprintf(out, "handshakes   %llu, %llu of them resumed: %llu a second\n",
                  (unsigned long long)r->handshakes, (unsigned long long)r->resumed,
                  (unsigned long long)per_second(r->handshakes, r->took_us));
    for (unsigned i = 0; i < 1000; i++)
        if (r->status[i] > 0)
            (void)fprintf(out, "status %u   %llu\n", i, (unsigned long long)r->status[i]);
    (void)fprintf(out, "DNS          %llu found, %llu unknown, %llu other\n",
                  (unsigned long long)r->rcode[0], (unsigned long long)r->rcode[3],
                  (unsigned long long)(r->ok - r->no_message - r->rcode[0] - r->rcode[3]));
    (void)fprintf(out, "faults       %llu streams reset, %llu connections broken\n",
                  (unsigned long long)r->resets, (unsigned long long)r->broken);
    print_latency("latency", &r->latency, out);
    print_latency("handshake", &r->handshake, out);
    return ferror(out) ? FR_E_IO : FR_OK;
}

enum fr_err fr_load_report_print(const struct fr_load_result *r, enum fr_output output, FILE *out)
{
    return output == FR_OUTPUT_JSON ? print_json(r, out) : print_text(r, out);
}
