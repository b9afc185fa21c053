#include "gateway/gwmp.h"

#include "base/hex.h"
#include "gateway/region.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

#define EUI "0016c001ff10abcd"
#define JOIN_B64 "AAEAAAAAAAAAxAuJ68OxF1gCAa1B7aU="
#define RX(more)                                                                                   \
    "{\"tmst\":100000000,\"freq\":868.1,\"chan\":0,\"rfch\":0,\"stat\":1,\"modu\":\"LORA\","       \
    "\"datr\":\"SF7BW125\",\"codr\":\"4/5\",\"rssi\":-50,\"lsnr\":9,\"size\":23," more "}"
#define GOOD_RX RX("\"data\":\"" JOIN_B64 "\"")

/* Head in hex, body as text. */
static struct fr_span datagram(const char *head, const char *body, uint8_t *out, size_t size)
{
    size_t n = strlen(head) / 2;

    assert_true(n + strlen(body) <= size);
    assert_int_equal(fr_hex_parse(fr_span_str(head), out, n), FR_OK);
    memcpy(out + n, body, strlen(body));
    return fr_span(out, n + strlen(body));
}

static void test_heads(void **state)
{
    static const struct {
        const char *label, *head;
        enum fr_err err;
        enum fr_gwmp_kind kind;
    } ROWS[] = {
        {"pull", "02370902" EUI, FR_OK, FR_GWMP_PULL_DATA},
        {"version 1", "01370902" EUI, FR_OK, FR_GWMP_PULL_DATA},
        {"tx ack, empty", "02beef05" EUI, FR_OK, FR_GWMP_TX_ACK},
        {"version 0", "00370902" EUI, FR_E_UNSUPPORTED, 0},
        {"version 3", "03370902" EUI, FR_E_UNSUPPORTED, 0},
        {"push ack", "02370901" EUI, FR_E_UNSUPPORTED, 0},
        {"pull resp", "02370903" EUI, FR_E_UNSUPPORTED, 0},
        {"unknown", "023709ff" EUI, FR_E_UNSUPPORTED, 0},
        {"empty", "", FR_E_TRUNCATED, 0},
        {"three bytes", "023709", FR_E_TRUNCATED, 0},
        {"no EUI", "02370902", FR_E_TRUNCATED, 0},
        {"short EUI", "023709020016c001ff10ab", FR_E_TRUNCATED, 0},
        {"push without body", "02669200" EUI, FR_E_MALFORMED, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        static struct fr_gwmp d;
        uint8_t bytes[64], ack[4];
        struct fr_span in = datagram(ROWS[i].head, "", bytes, sizeof bytes);
        CHECK_ROW(ROWS[i].label, fr_gwmp_read(in, &d) == ROWS[i].err);
        if (ROWS[i].err) continue;
        CHECK_ROW(ROWS[i].label, d.kind == ROWS[i].kind && d.eui == 0x0016c001ff10abcd);
        CHECK_ROW(ROWS[i].label, d.tx_error == FR_TX_NONE);
        if (d.kind != FR_GWMP_PULL_DATA) continue;
        fr_gwmp_write_ack(&d, ack);
        CHECK_ROW(ROWS[i].label,
                  ack[0] == bytes[0] && ack[1] == 0x37 && ack[2] == 9 && ack[3] == 4);
    }
}

static void test_push(void **state)
{
    static const struct {
        const char *body;
        enum fr_err err;
        size_t n, bad;
        bool has_stat;
    } ROWS[] = {
        {"{\"rxpk\":[" GOOD_RX "]}", FR_OK, 1, 0, false},
        {"{\"rxpk\":[" GOOD_RX "],\"stat\":{\"rxnb\":1}}", FR_OK, 1, 0, true},
        {"{\"stat\":{\"time\":\"2014-01-12 08:59:28 GMT\"}}", FR_OK, 0, 0, true},
        {"{}", FR_OK, 0, 0, false},
        {"{\"rxpk\":null}", FR_OK, 0, 0, false},
        {"{\"rxpk\":[" GOOD_RX ",7,{}," GOOD_RX "]}", FR_OK, 2, 2, false},
        /* padding left out, URL alphabet, antennas, frequency as an integer */
        {"{\"rxpk\":[" RX("\"data\":\"AAEAAAAAAAAAxAuJ68OxF1gCAa1B7aU\"") "]}", FR_OK, 1, 0, false},
        {"{\"rxpk\":[{\"tmst\":1,\"freq\":869,\"datr\":50000,\"modu\":\"FSK\",\"size\":3,"
         "\"data\":\"-_-_\",\"rssi\":-1}]}",
         FR_OK, 1, 0, false},
        /* left out: wrong CRC, length, data, frequency, data rate, counter */
        {"{\"rxpk\":[" RX("\"stat\":-1,\"data\":\"" JOIN_B64 "\"") "]}", FR_E_MALFORMED, 0, 0,
         false},
        {"{\"rxpk\":[{\"tmst\":1,\"freq\":868.1,\"stat\":-1,\"datr\":\"SF7BW125\",\"size\":23,"
         "\"data\":\"" JOIN_B64 "\"}]}",
         FR_OK, 0, 1, false},
        {"{\"rxpk\":[{\"tmst\":1,\"freq\":868.1,\"datr\":\"SF7BW125\",\"size\":22,\"data\":"
         "\"" JOIN_B64 "\"}]}",
         FR_OK, 0, 1, false},
        {"{\"rxpk\":[{\"tmst\":1,\"freq\":868.1,\"datr\":\"SF7BW125\",\"size\":0,\"data\":\"\"}]}",
         FR_OK, 0, 1, false},
        {"{\"rxpk\":[{\"tmst\":1,\"freq\":868.1,\"datr\":\"SF7BW125\",\"size\":3,\"data\":\"A=AA\"}"
         "]}",
         FR_OK, 0, 1, false},
        {"{\"rxpk\":[{\"tmst\":1,\"freq\":915.2,\"datr\":\"SF7BW125\",\"size\":3,\"data\":\"AAAA\"}"
         "]}",
         FR_OK, 0, 1, false},
        {"{\"rxpk\":[{\"tmst\":1,\"freq\":868.1,\"datr\":\"SF6BW500\",\"size\":3,\"data\":\"AAAA\"}"
         "]}",
         FR_OK, 0, 1, false},
        {"{\"rxpk\":[{\"tmst\":4294967296,\"freq\":868.1,\"datr\":\"SF7BW125\",\"size\":3,"
         "\"data\":\"AAAA\"}]}",
         FR_OK, 0, 1, false},
        {"{\"rxpk\":[{\"tmst\":-1,\"freq\":868.1,\"datr\":\"SF7BW125\",\"size\":3,"
         "\"data\":\"AAAA\"}]}",
         FR_OK, 0, 1, false},
        {"{\"rxpk\":{}}", FR_E_MALFORMED, 0, 0, false},
        {"[]", FR_E_MALFORMED, 0, 0, false},
        {"nonsense", FR_E_MALFORMED, 0, 0, false},
        {"{\"rxpk\":[" GOOD_RX, FR_E_MALFORMED, 0, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        static struct fr_gwmp d;
        uint8_t bytes[2048];
        struct fr_span in = datagram("02669200" EUI, ROWS[i].body, bytes, sizeof bytes);
        CHECK_ROW(ROWS[i].body, fr_gwmp_read(in, &d) == ROWS[i].err);
        if (ROWS[i].err) continue;
        CHECK_ROW(ROWS[i].body, d.n_rx == ROWS[i].n && d.n_bad == ROWS[i].bad);
        CHECK_ROW(ROWS[i].body, d.has_stat == ROWS[i].has_stat);
    }
}

static void test_frame(void **state)
{
    static struct fr_gwmp d;
    uint8_t bytes[2048];
    char hex[47];

    (void)state;
    struct fr_span in =
        datagram("02669200" EUI,
                 "{\"rxpk\":[{\"tmst\":4292967295,\"freq\":868.3,\"datr\":\"SF12BW125\","
                 "\"rssi\":-120,\"lsnr\":-20.5,\"size\":23,\"data\":\"" JOIN_B64
                 "\",\"rsig\":[{\"rssic\":-110,\"lsnr\":-3.0},{\"rssic\":-100,"
                 "\"lsnr\":4},{\"ant\":1}]}]}",
                 bytes, sizeof bytes);
    assert_int_equal(fr_gwmp_read(in, &d), FR_OK);
    assert_int_equal(d.rx[0].tmst_us, 4292967295u);
    assert_int_equal(d.rx[0].freq_hz, 868300000);
    assert_int_equal(d.rx[0].dr, 0);
    assert_int_equal(d.rx[0].rssi_dbm, -100); /* the best antenna */
    assert_true(d.rx[0].snr_db == 4.0);
    assert_int_equal(d.rx[0].phy_n, 23);
    fr_hex_print(d.rx[0].phy, 23, hex);
    assert_string_equal(hex, "000100000000000000c40b89ebc3b117580201ad41eda5");
    assert_int_equal(fr_gwmp_after(d.rx[0].tmst_us, 5000000), 2999999); /* the counter wraps */
}

static void test_many_frames(void **state)
{
    static struct fr_gwmp d;
    static uint8_t bytes[8192];
    static char body[8000];
    size_t n = (size_t)snprintf(body, sizeof body, "{\"rxpk\":[");

    (void)state;
    for (int i = 0; i < FR_GWMP_RX_MAX + 3; i++) {
        n += (size_t)snprintf(body + n, sizeof body - n, "%s%s", i > 0 ? "," : "", GOOD_RX);
    }
    (void)snprintf(body + n, sizeof body - n, "]}");
    assert_int_equal(fr_gwmp_read(datagram("02669200" EUI, body, bytes, sizeof bytes), &d), FR_OK);
    assert_int_equal(d.n_rx, FR_GWMP_RX_MAX);
    assert_int_equal(d.n_bad, 3);
}

static void test_tx_ack(void **state)
{
    static const struct {
        const char *body;
        enum fr_tx_error error;
    } ROWS[] = {
        {"", FR_TX_NONE},
        {" \n", FR_TX_NONE},
        {"{}", FR_TX_NONE},
        {"{\"txpk_ack\":{\"error\":\"NONE\"}}", FR_TX_NONE},
        {"{\"txpk_ack\":{\"warn\":\"TX_POWER\",\"value\":20}}", FR_TX_NONE},
        {"{\"txpk_ack\":{\"error\":\"TOO_LATE\"}}", FR_TX_TOO_LATE},
        {"{\"txpk_ack\":{\"error\":\"TOO_EARLY\"}}", FR_TX_TOO_EARLY},
        {"{\"txpk_ack\":{\"error\":\"COLLISION_PACKET\"}}", FR_TX_COLLISION_PACKET},
        {"{\"txpk_ack\":{\"error\":\"COLLISION_BEACON\"}}", FR_TX_COLLISION_BEACON},
        {"{\"txpk_ack\":{\"error\":\"TX_FREQ\"}}", FR_TX_FREQ},
        {"{\"txpk_ack\":{\"error\":\"TX_POWER\"}}", FR_TX_POWER},
        {"{\"txpk_ack\":{\"error\":\"GPS_UNLOCKED\"}}", FR_TX_GPS_UNLOCKED},
        {"{\"txpk_ack\":{\"error\":\"WHATEVER\"}}", FR_TX_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        static struct fr_gwmp d;
        uint8_t bytes[256];
        struct fr_span in = datagram("02beef05" EUI, ROWS[i].body, bytes, sizeof bytes);
        CHECK_ROW(ROWS[i].body, fr_gwmp_read(in, &d) == FR_OK);
        CHECK_ROW(ROWS[i].body, d.tx_error == ROWS[i].error && d.token == 0xbeef);
    }
}

static void test_write_tx(void **state)
{
    static const char BODY[] =
        "{\"txpk\":{\"imme\":false,\"tmst\":105000000,\"freq\":869.525,\"rfch\":0,"
        "\"powe\":27,\"modu\":\"LORA\",\"datr\":\"SF12BW125\",\"codr\":\"4/5\","
        "\"ipol\":true,\"prea\":8,\"ncrc\":true,\"size\":3,\"data\":\"IAEC\"}}";
    static const uint8_t PHY[] = {0x20, 1, 2};
    struct fr_buf out = FR_BUF_INIT(4096);
    struct fr_tx tx = {.tmst_us = 105000000,
                       .freq_hz = 869525000,
                       .dr = 0,
                       .power_dbm = fr_eu868_power_dbm(869525000),
                       .phy = fr_span(PHY, 3)};

    (void)state;
    assert_int_equal(fr_gwmp_write_tx(2, 0xbeef, &tx, &out), FR_OK);
    assert_memory_equal(out.p, "\x02\xbe\xef\x03", 4);
    assert_string_equal((const char *)out.p + 4, BODY);
    tx.dr = 9;
    assert_int_equal(fr_gwmp_write_tx(2, 1, &tx, &out), FR_E_UNSUPPORTED);
    tx.phy = (struct fr_span){0};
    assert_int_equal(fr_gwmp_write_tx(2, 1, &tx, &out), FR_E_RANGE);
    fr_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),  cmocka_unit_test(test_push),
        cmocka_unit_test(test_frame),  cmocka_unit_test(test_many_frames),
        cmocka_unit_test(test_tx_ack), cmocka_unit_test(test_write_tx),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
