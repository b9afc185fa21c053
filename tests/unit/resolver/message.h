#pragma once
/* DNS answers for the tests, written as lines of a master file. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dns/master.h"
#include "dns/message.h"
#include "resolver/reply.h"

struct message {
    size_t n;
    uint8_t b[4096];
};

static inline struct fr_dname test_name(const char *text)
{
    struct fr_dname name;
    assert_int_equal(fr_dname_parse(fr_span_str(text), &name), FR_OK);
    return name;
}

static inline void test_records(struct fr_dns_writer *w, enum fr_dns_section section,
                                const char *lines)
{
    struct fr_dname root = test_name(".");
    char line[2 * FR_DNAME_TEXT];
    while (lines && *lines) {
        size_t n = strcspn(lines, "\n");
        const char *reason = NULL;
        struct fr_rr rr;
        snprintf(line, sizeof line, "%.*s", (int)n, lines);
        if (fr_rr_parse(line, &root, NULL, 60, &rr, &reason) != FR_OK)
            fail_msg("%s: %s", line, reason);
        assert_int_equal(fr_dns_write_rr(w, section, &rr), FR_OK);
        lines += n + (lines[n] == '\n');
    }
}

/* flags: 0x8400 | rcode for an ordinary answer. ede -1: no OPT. */
static inline struct message test_message_ede(const char *name, uint16_t type, uint16_t flags,
                                              const char *answer, const char *authority,
                                              const char *additional, int ede)
{
    struct message m = {0};
    struct fr_dname qname = test_name(name);
    struct fr_dns_writer w;
    fr_dns_writer_init(&w, m.b, sizeof m.b, 0, flags);
    assert_int_equal(fr_dns_write_question(&w, &qname, type, FR_DNS_IN), FR_OK);
    test_records(&w, FR_DNS_ANSWER, answer);
    test_records(&w, FR_DNS_AUTHORITY, authority);
    test_records(&w, FR_DNS_ADDITIONAL, additional);
    if (ede >= 0) assert_int_equal(fr_dns_write_opt(&w, 0, ede, 0), FR_OK);
    m.n = fr_dns_writer_finish(&w).n;
    return m;
}

static inline struct message test_message(const char *name, uint16_t type, uint16_t flags,
                                          const char *answer, const char *authority,
                                          const char *additional)
{
    return test_message_ede(name, type, flags, answer, authority, additional, -1);
}

#define OK 0x8400
#define NX 0x8403
#define SOA60 "fed.test. 60 IN SOA broker.fed.test. noc.fed.test. 7 3600 600 604800 60"
#define DEVICE "70b3d57ed0000001.deveui.fed.test."
#define NETWORK "000013.netid.fed.test."
#define SERVICE "_fedroam._tcp.000013.netid.fed.test."
