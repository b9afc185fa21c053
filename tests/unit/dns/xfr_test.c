#include "dns/xfr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/message.h"
#include "dns/notify.h"
#include "support/unit.h"

/* A transfer is written as a row of words: S7 is the SOA with serial 7, +name and -name a record, | the end of a message. What
 * is called back is written the same way. */

static struct fr_dname dname(const char *text)
{
    struct fr_dname name;

    assert_int_equal(fr_dname_parse(fr_span_str(text), &name), FR_OK);
    return name;
}

static struct fr_rr word(const char *text)
{
    struct fr_rr rr = {.class = FR_DNS_IN, .ttl = 60, .owner = dname("acme.test")};
    char name[64];

    if (text[0] == 'S') {
        rr.type = FR_DNS_SOA;
        rr.data.soa.mname = rr.data.soa.rname = dname("ns.acme.test");
        rr.data.soa.serial = (uint32_t)strtoul(text + 1, NULL, 10);
        rr.data.soa.refresh = 900;
        return rr;
    }
    (void)snprintf(name, sizeof name, "%s.acme.test", text);
    rr.owner = text[0] == '!' ? dname("other.test") : dname(name);
    rr.type = text[0] == '!' ? FR_DNS_SOA : FR_DNS_CNAME;
    if (text[0] == '!')
        rr.data.soa = (struct fr_soa){.mname = {.n = 1}, .rname = {.n = 1}};
    else
        rr.data.name = dname("000013.netid.fed.test");
    return rr;
}

struct got {
    char text[512];
};

static enum fr_err note(void *data, enum fr_xfr_part part, const struct fr_xfr_record *record)
{
    struct got *got = data;
    char name[FR_DNAME_TEXT];
    size_t n = strlen(got->text);

    fr_dname_print(fr_dname_span(&record->owner), name);
    (void)snprintf(got->text + n, sizeof got->text - n, "%s%c%.*s", n ? " " : "",
                   part == FR_XFR_ADD ? '+' : '-', (int)strcspn(name, "."), name);
    return FR_OK;
}

static struct fr_xfr_options options(uint16_t type, uint32_t have, struct got *got)
{
    return (struct fr_xfr_options){.zone = dname("acme.test"),
                                   .type = type,
                                   .id = 5,
                                   .have = have,
                                   .records_max = 20,
                                   .bytes_max = 4096,
                                   .record = note,
                                   .data = got};
}

static struct fr_span message(const char *words, uint16_t type, uint8_t *memory, size_t max)
{
    struct fr_dns_writer w;
    struct fr_dname zone = dname("acme.test");
    char copy[256], *save = NULL;

    fr_dns_writer_init(&w, memory, max, 5, FR_DNS_QR | FR_DNS_AA);
    assert_int_equal(fr_dns_write_question(&w, &zone, type, FR_DNS_IN), FR_OK);
    (void)snprintf(copy, sizeof copy, "%s", words);
    for (char *text = strtok_r(copy, " ", &save); text; text = strtok_r(NULL, " ", &save)) {
        struct fr_rr rr = word(text);
        assert_int_equal(fr_dns_write_rr(&w, FR_DNS_ANSWER, &rr), FR_OK);
    }
    return fr_dns_writer_finish(&w);
}

/* Feeds the messages of a row. */
static enum fr_err feed(struct fr_xfr *xfr, const char *row)
{
    char copy[512], *save = NULL;
    enum fr_err err = FR_OK;

    (void)snprintf(copy, sizeof copy, "%s", row);
    for (char *part = strtok_r(copy, "|", &save); part && !err; part = strtok_r(NULL, "|", &save)) {
        uint8_t memory[4096];
        struct fr_span bytes = message(part, xfr->options.type, memory, sizeof memory);
        uint8_t *exact = malloc(bytes.n);
        memcpy(exact, bytes.p, bytes.n);
        err = fr_xfr_take(xfr, fr_span(exact, bytes.n));
        free(exact);
    }
    return err;
}

static void transfers(void **state)
{
    static const struct {
        const char *label;
        uint16_t type;
        uint32_t have;
        const char *messages;
        enum fr_err err;
        enum fr_xfr_state state;
        bool is_full;
        const char *got;
    } rows[] = {
        {"whole zone", FR_DNS_AXFR, 0, "S7 a b S7", FR_OK, FR_XFR_DONE, true, "+a +b"},
        {"in several messages", FR_DNS_AXFR, 0, "S7|a|b c|S7", FR_OK, FR_XFR_DONE, true,
         "+a +b +c"},
        {"empty zone", FR_DNS_AXFR, 0, "S7 S7", FR_OK, FR_XFR_DONE, true, ""},
        {"not over yet", FR_DNS_AXFR, 0, "S7 a", FR_OK, FR_XFR_FULL, true, "+a"},
        {"without SOA", FR_DNS_AXFR, 0, "a S7", FR_E_MALFORMED, FR_XFR_BEGIN, true, ""},
        {"ends with another serial", FR_DNS_AXFR, 0, "S7 a S8", FR_E_MALFORMED, FR_XFR_FULL, true,
         "+a"},
        {"goes on", FR_DNS_AXFR, 0, "S7 a S7 b", FR_E_MALFORMED, FR_XFR_DONE, true, "+a"},
        {"SOA of another zone", FR_DNS_AXFR, 0, "S7 a !", FR_E_MALFORMED, FR_XFR_FULL, true, "+a"},
        {"too many records", FR_DNS_AXFR, 0, "S7 a b c d e f g h i j k l m n o p q r s t S7",
         FR_E_LIMIT, FR_XFR_FULL, true, "+a +b +c +d +e +f +g +h +i +j +k +l +m +n +o +p +q +r +s"},
        {"nothing new", FR_DNS_IXFR, 7, "S7", FR_OK, FR_XFR_CURRENT, false, ""},
        {"went back", FR_DNS_IXFR, 7, "S6", FR_E_CONFLICT, FR_XFR_SECOND, false, ""},
        {"one change", FR_DNS_IXFR, 7, "S8 S7 a S8 b S8", FR_OK, FR_XFR_DONE, false, "-a +b"},
        {"two changes", FR_DNS_IXFR, 7, "S9 S7 a S8 b S8 b S9|c S9", FR_OK, FR_XFR_DONE, false,
         "-a +b -b +c"},
        {"over the end of the numbers", FR_DNS_IXFR, 4294967295, "S1 S4294967295 S0 a S0 S1 b S1",
         FR_OK, FR_XFR_DONE, false, "+a +b"},
        {"whole zone instead", FR_DNS_IXFR, 7, "S9 a b S9", FR_OK, FR_XFR_DONE, true, "+a +b"},
        {"empty zone instead", FR_DNS_IXFR, 7, "S9 S9", FR_OK, FR_XFR_DONE, true, ""},
        {"change that goes back", FR_DNS_IXFR, 7, "S9 S7 a S6", FR_E_MALFORMED, FR_XFR_DELETES,
         false, "-a"},
        {"change that stands still", FR_DNS_IXFR, 7, "S9 S7 a S7", FR_E_MALFORMED, FR_XFR_DELETES,
         false, "-a"},
        {"change past the end", FR_DNS_IXFR, 7, "S9 S7 a S10", FR_E_MALFORMED, FR_XFR_DELETES,
         false, "-a"},
        {"changes that do not follow", FR_DNS_IXFR, 7, "S9 S7 a S8 b S9", FR_E_MALFORMED,
         FR_XFR_ADDS, false, "-a +b"},
        {"begins at another serial", FR_DNS_IXFR, 7, "S9 S8 a S9 b S9", FR_E_MALFORMED,
         FR_XFR_SECOND, false, ""},
        {"goes on behind the changes", FR_DNS_IXFR, 7, "S8 S7 S8 S8 S8", FR_E_MALFORMED,
         FR_XFR_DONE, false, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct got got = {{0}};
        const struct fr_xfr_options o = options(rows[i].type, rows[i].have, &got);
        struct fr_xfr xfr;

        fr_xfr_init(&xfr, &o);
        CHECK_ROW(rows[i].label, feed(&xfr, rows[i].messages) == rows[i].err);
        CHECK_ROW(rows[i].label, (xfr.why != NULL) == (rows[i].err != FR_OK));
        CHECK_ROW(rows[i].label, xfr.state == rows[i].state);
        if (!rows[i].err) CHECK_ROW(rows[i].label, fr_xfr_is_full(&xfr) == rows[i].is_full);
        if (strcmp(got.text, rows[i].got) != 0) fail_msg("%s: %s", rows[i].label, got.text);
    }
}

static void a_message_that_is_no_answer_to_ours(void **state)
{
    static const struct {
        const char *label;
        size_t at;
        uint8_t byte;
        enum fr_err err;
    } rows[] = {
        {"another ID", 1, 6, FR_E_MALFORMED},
        {"a question", 2, 0x04, FR_E_MALFORMED},
        {"another opcode", 2, 0x94, FR_E_MALFORMED},
        {"cut short", 2, 0x86, FR_E_MALFORMED},
        {"REFUSED", 3, 5, FR_E_DENIED},
        {"NOTAUTH", 3, 9, FR_E_DENIED},
        {"two questions", 5, 2, FR_E_MALFORMED},
        {"no question", 5, 0, FR_E_MALFORMED},
        {"no records", 7, 0, FR_E_MALFORMED},
        {"another name", 13, 'x', FR_E_MALFORMED},
        {"another type", 24, 251, FR_E_MALFORMED},
        {"another class", 26, 3, FR_E_MALFORMED},
        {"more authorities", 9, 1, FR_E_MALFORMED},
    };
    uint8_t memory[4096];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct got got = {{0}};
        const struct fr_xfr_options o = options(FR_DNS_AXFR, 0, &got);
        struct fr_xfr xfr;
        struct fr_span bytes = message("S7 a S7", FR_DNS_AXFR, memory, sizeof memory);

        fr_xfr_init(&xfr, &o);
        memory[rows[i].at] = rows[i].byte;
        CHECK_ROW(rows[i].label, fr_xfr_take(&xfr, bytes) == rows[i].err);
        CHECK_ROW(rows[i].label, xfr.why != NULL);
    }
    /* cut at every byte */
    struct fr_span bytes = message("S7 a S7", FR_DNS_AXFR, memory, sizeof memory);
    for (size_t cut = 0; cut < bytes.n; cut++) {
        struct got got = {{0}};
        const struct fr_xfr_options o = options(FR_DNS_AXFR, 0, &got);
        struct fr_xfr xfr;
        uint8_t *copy = malloc(cut ? cut : 1);

        memcpy(copy, memory, cut);
        fr_xfr_init(&xfr, &o);
        assert_int_not_equal(fr_xfr_take(&xfr, fr_span(copy, cut)), FR_OK);
        free(copy);
    }
}

static void bytes_are_counted(void **state)
{
    struct got got = {{0}};
    struct fr_xfr_options o = options(FR_DNS_AXFR, 0, &got);
    struct fr_xfr xfr;

    (void)state;
    o.bytes_max = 150;
    fr_xfr_init(&xfr, &o);
    assert_int_equal(feed(&xfr, "S7|a|b|c|S7"), FR_E_LIMIT);
}

static void the_soa_of_a_zone(void **state)
{
    struct fr_dname zone = dname("acme.test");
    uint8_t memory[1024];
    struct fr_soa soa;
    const char *why = NULL;

    (void)state;
    struct fr_span bytes = message("S9", FR_DNS_SOA, memory, sizeof memory);
    assert_int_equal(fr_xfr_soa_read(bytes, &zone, 5, &soa, &why), FR_OK);
    assert_int_equal(soa.serial, 9);
    assert_int_equal(soa.refresh, 900);
    assert_int_equal(fr_xfr_soa_read(bytes, &zone, 6, &soa, &why), FR_E_MALFORMED);
    bytes = message("a", FR_DNS_SOA, memory, sizeof memory);
    assert_int_equal(fr_xfr_soa_read(bytes, &zone, 5, &soa, &why), FR_E_NOT_FOUND);
    bytes = message("", FR_DNS_SOA, memory, sizeof memory);
    assert_int_equal(fr_xfr_soa_read(bytes, &zone, 5, &soa, &why), FR_E_NOT_FOUND);
}

static void serials_go_round(void **state)
{
    (void)state;
    assert_true(fr_serial_is_later(1, 0));
    assert_true(fr_serial_is_later(0, UINT32_MAX));
    assert_true(fr_serial_is_later(0x7fffffff, 0));
    assert_false(fr_serial_is_later(0x80000000, 0));
    assert_false(fr_serial_is_later(0, 0));
    assert_false(fr_serial_is_later(0, 1));
}

/* --- NOTIFY --- */

static void notify_is_read_and_answered(void **state)
{
    static const struct {
        const char *label;
        size_t at;
        uint8_t byte;
        enum fr_err err;
        enum fr_dns_rcode rcode;
    } rows[] = {
        {"as it should be", 0, 0, FR_OK, FR_DNS_NOERROR},
        {"an answer", 2, 0xa4, FR_E_MALFORMED, FR_DNS_NOERROR},
        {"an update", 2, 0x28, FR_OK, FR_DNS_NOTIMP},
        {"no question", 5, 0, FR_OK, FR_DNS_FORMERR},
        {"two questions", 5, 2, FR_OK, FR_DNS_FORMERR},
        {"another type", 24, 1, FR_OK, FR_DNS_FORMERR},
        {"another class", 26, 3, FR_OK, FR_DNS_FORMERR},
        {"a record that is not there", 7, 1, FR_OK, FR_DNS_FORMERR},
    };
    struct fr_dname zone = dname("acme.test");
    struct fr_notify notify, again;
    uint8_t memory[512], reply[512];
    struct fr_dns_writer w;
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        fr_dns_writer_init(&w, memory, sizeof memory, 0, FR_DNS_NOTIFY << 11 | FR_DNS_AA);
        assert_int_equal(fr_dns_write_question(&w, &zone, FR_DNS_SOA, FR_DNS_IN), FR_OK);
        struct fr_span bytes = fr_dns_writer_finish(&w);
        memory[rows[i].at] = rows[i].byte;
        CHECK_ROW(rows[i].label, fr_notify_read(bytes, &notify) == rows[i].err);
        if (rows[i].err) continue;
        CHECK_ROW(rows[i].label, notify.rcode == rows[i].rcode);
        assert_int_equal(fr_notify_answer_write(&notify, notify.rcode, reply, sizeof reply, &n),
                         FR_OK);
        assert_int_equal(reply[3] & 15, rows[i].rcode);
        assert_int_equal(fr_notify_read(fr_span(reply, n), &again), FR_E_MALFORMED);
    }
    for (size_t cut = 0; cut < FR_DNS_HEADER_SIZE; cut++)
        assert_int_equal(fr_notify_read(fr_span(memory, cut), &notify), FR_E_TRUNCATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transfers),         cmocka_unit_test(a_message_that_is_no_answer_to_ours),
        cmocka_unit_test(bytes_are_counted), cmocka_unit_test(the_soa_of_a_zone),
        cmocka_unit_test(serials_go_round),  cmocka_unit_test(notify_is_read_and_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
