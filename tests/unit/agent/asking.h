#pragma once
/* A source whose one broker is never asked with success: its certificate files are not there. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/desk.h"
#include "dns/message.h"
#include "transport/loop_poll.h"

struct asking {
    struct fr_loop *loop;
    struct fr_log log;
    struct fr_source *source;
    struct fr_desk *desk;
};

static inline void no_sink(void *data, enum fr_log_level level, const char *line, size_t n)
{
    (void)data;
    (void)level;
    (void)line;
    (void)n;
}

static inline void lookup_defaults(struct fr_lookup_conf *out)
{
    static const struct fr_conf_schema schema = {
        .title = "lookup", .size = sizeof *out, .rows = fr_lookup_rows};
    assert_int_equal(fr_conf_defaults(&schema, out), FR_OK);
}

static inline void asking_start(struct asking *a)
{
    static char name[] = "fed.test", url[] = "https://127.0.0.1:1/dns-query", file[] = "/nowhere";
    static struct fr_federation_broker broker = {.url = url};
    static struct fr_federation_conf federation = {.name = name,
                                                   .brokers = &broker,
                                                   .n_brokers = 1,
                                                   .ca = file,
                                                   .certificate = file,
                                                   .key = file};
    struct fr_lookup_conf lookup;
    const struct fr_trees_conf none = {0};
    const struct fr_source_conf conf = {&federation, 1, &lookup, &none, &none, 2};
    const struct fr_log_options options = {.level = FR_LOG_DEBUG, .sink = no_sink};
    struct fr_diag diag = {0};
    lookup_defaults(&lookup);
    assert_int_equal(fr_loop_poll_new(NULL, &a->loop), FR_OK);
    assert_int_equal(fr_log_init(&a->log, &options), FR_OK);
    if (fr_source_open(a->loop, &conf, &diag, &a->source) != FR_OK) fail_msg("%s", diag.what);
    assert_int_equal(fr_desk_new(a->source, &a->log, &a->desk), FR_OK);
}

static inline void asking_turns(struct asking *a, int n)
{
    while (n-- > 0) (void)fr_loop_poll_turn(a->loop, 5);
}

static inline void asking_stop(struct asking *a)
{
    fr_desk_free(a->desk);
    fr_source_unref(a->source);
    asking_turns(a, 3);
    fr_loop_poll_free(a->loop);
}

/* A query with ID 0x1234; bytes of `out`. */
static inline struct fr_span asking_query(const char *name, uint8_t out[static 512])
{
    struct fr_dname n;
    struct fr_dns_writer w;
    assert_int_equal(fr_dname_parse(fr_span_str(name), &n), FR_OK);
    fr_dns_writer_init(&w, out, 512, 0x1234, FR_DNS_RD);
    assert_int_equal(fr_dns_write_question(&w, &n, FR_DNS_A, FR_DNS_IN), FR_OK);
    assert_int_equal(fr_dns_write_opt(&w, 0, FR_DNS_EDE_NONE, 0), FR_OK);
    return fr_dns_writer_finish(&w);
}
