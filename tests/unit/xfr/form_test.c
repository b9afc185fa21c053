#include "xfr/form.h"

#include <string.h>

#include "support/unit.h"

static struct fr_dname dname(const char *text)
{
    struct fr_dname name;

    assert_int_equal(fr_dname_parse(fr_span_str(text), &name), FR_OK);
    return name;
}

static const struct fr_primary_row TWO = {.n_netids = 2, .netids = {0x13, 0x2a}};
static const struct fr_primary_row ONE = {.n_netids = 1, .netids = {0x13}};

static void what_each_record_is(void **state)
{
    static const struct {
        const char *owner;
        uint16_t type;
        const char *target;
        const struct fr_primary_row *row;
        enum fr_form form;
        uint64_t eui;
        uint32_t netid;
        const char *why;
    } rows[] = {
        {"70b3d57ed0000001.deveui.acme.test", FR_DNS_CNAME, "000013.netid.fed.test", &TWO,
         FR_FORM_DEVICE, 0x70b3d57ed0000001, 0x13, NULL},
        {"70B3D57ED0000001.DevEUI.ACME.test", FR_DNS_CNAME, "00002A.NetID.other.example", &TWO,
         FR_FORM_DEVICE, 0x70b3d57ed0000001, 0x2a, NULL},
        {"70b3d57ed0000001.acme.test", FR_DNS_CNAME, "000013.netid", &ONE, FR_FORM_DEVICE,
         0x70b3d57ed0000001, 0x13, NULL},
        {"70b3d57ed0000001.acme.test", FR_DNS_A, NULL, &ONE, FR_FORM_DEVICE, 0x70b3d57ed0000001,
         0x13, NULL},
        {"70b3d57ed0000001.deveui.acme.test", FR_DNS_AAAA, NULL, &ONE, FR_FORM_DEVICE,
         0x70b3d57ed0000001, 0x13, NULL},
        {"70b3d57ed0000001.acme.test", FR_DNS_A, NULL, &TWO, FR_FORM_LEFT_OUT, 0, 0, "which NetID"},
        {"70b3d57ed0000001.acme.test", FR_DNS_CNAME, "00002b.netid.fed.test", &TWO,
         FR_FORM_LEFT_OUT, 0, 0, "may not fill"},
        {"70b3d57ed0000001.acme.test", FR_DNS_CNAME, "000013.other.fed.test", &TWO,
         FR_FORM_LEFT_OUT, 0, 0, "no <NetID>"},
        {"70b3d57ed0000001.acme.test", FR_DNS_CNAME, "x00013.netid.fed.test", &TWO,
         FR_FORM_LEFT_OUT, 0, 0, "no <NetID>"},
        {"70b3d57ed0000001.acme.test", FR_DNS_CNAME, ".", &TWO, FR_FORM_LEFT_OUT, 0, 0,
         "no <NetID>"},
        {"0000000000000000.acme.test", FR_DNS_A, NULL, &ONE, FR_FORM_LEFT_OUT, 0, 0, "reserved"},
        {"ffffffffffffffff.acme.test", FR_DNS_A, NULL, &ONE, FR_FORM_LEFT_OUT, 0, 0, "reserved"},
        {"70b3d57ed0000001.x.acme.test", FR_DNS_A, NULL, &ONE, FR_FORM_LEFT_OUT, 0, 0, "apex"},
        {"70b3d57ed0000001.deveui.bolt.test", FR_DNS_A, NULL, &ONE, FR_FORM_LEFT_OUT, 0, 0, "apex"},
        {"gateway.deveui.acme.test", FR_DNS_A, NULL, &ONE, FR_FORM_LEFT_OUT, 0, 0, "no DevEUI"},
        {"70b3d57ed000001.deveui.acme.test", FR_DNS_A, NULL, &ONE, FR_FORM_LEFT_OUT, 0, 0,
         "no DevEUI"},
        {"www.acme.test", FR_DNS_A, NULL, &ONE, FR_FORM_OTHER, 0, 0, NULL},
        {"acme.test", FR_DNS_A, NULL, &ONE, FR_FORM_OTHER, 0, 0, NULL},
        {".", FR_DNS_A, NULL, &ONE, FR_FORM_OTHER, 0, 0, NULL},
        {"70b3d57ed0000001.acme.test", FR_DNS_TXT, NULL, &ONE, FR_FORM_OTHER, 0, 0, NULL},
        {"70b3d57ed0000001.acme.test", FR_DNS_RRSIG, NULL, &ONE, FR_FORM_OTHER, 0, 0, NULL},
    };
    struct fr_dname zone = dname("acme.test");

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_xfr_record record = {
            .owner = dname(rows[i].owner), .type = rows[i].type, .class = FR_DNS_IN};
        struct fr_form_device device;

        if (rows[i].target) record.target = dname(rows[i].target);
        CHECK_ROW(rows[i].owner,
                  fr_form_read(rows[i].row, &zone, &record, &device) == rows[i].form);
        if (rows[i].form == FR_FORM_DEVICE) {
            CHECK_ROW(rows[i].owner, device.eui == rows[i].eui);
            CHECK_ROW(rows[i].owner, device.netid == rows[i].netid);
        }
        if (rows[i].why) CHECK_ROW(rows[i].owner, strstr(device.why, rows[i].why) != NULL);
        record.class = FR_DNS_CLASS_ANY;
        CHECK_ROW(rows[i].owner,
                  fr_form_read(rows[i].row, &zone, &record, &device) == FR_FORM_OTHER);
    }
}

static void a_long_name_is_cut(void **state)
{
    struct fr_xfr_record record = {.type = FR_DNS_CNAME, .class = FR_DNS_IN};
    char text[FR_PRIMARY_LEFT_TEXT + 1];

    (void)state;
    record.owner = record.target = dname("www.acme.test");
    fr_form_print(&record, text);
    assert_string_equal(text, "www.acme.test CNAME www.acme.test");
    record.owner =
        dname("\\001\\002\\003\\004\\005\\006\\007\\008\\009\\010\\011\\012\\013\\014\\015"
              "\\016\\017\\018\\019\\020\\021\\022\\023\\024\\025\\026\\027\\028\\029.x");
    fr_form_print(&record, text);
    assert_true(strlen(text) == FR_PRIMARY_LEFT_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_each_record_is),
        cmocka_unit_test(a_long_name_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
