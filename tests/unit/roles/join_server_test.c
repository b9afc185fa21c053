#include "roles/join_server.h"

#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_HEX "01020304050607080102030405060708"

static const char DEVICES[] =
    "devices:\n"
    "  - {deveui: '0102030405060708', joineui: '0807060504030201', app_key: " KEY_HEX "}\n"
    "  - {deveui: '0102030405060709', joineui: '0807060504030201', lorawan: 1.1,\n"
    "     app_key: 00000000000000000000000000000000, nwk_key: " KEY_HEX "}\n"
    "  - {deveui: '010203040506070a', joineui: '0807060504030201', app_key: " KEY_HEX
    ", netid: '000014'}\n"
    "keks:\n"
    "  - {label: peer, key: 00000000000000000000000000000000}\n";

static const uint8_t KEY[16] = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8};

struct fixture {
    char dir[64];
    struct fr_js js;
    struct fr_keys *keys;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    strcpy(f->dir, "/tmp/fr-js-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(fr_state_open(f->dir, 64u << 20, NULL, &f->js.state), FR_OK);
    assert_int_equal(fr_crypto_new(&f->js.crypto), FR_OK);
    assert_int_equal(fr_keys_parse("d.yaml", fr_span_str(DEVICES), NULL, &f->keys), FR_OK);
    f->js.keys = f->keys;
    f->js.own_netid = 0x010203;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char path[128];

    fr_state_close(f->js.state);
    fr_crypto_free(f->js.crypto);
    fr_keys_free(f->keys);
    (void)snprintf(path, sizeof path, "%s/data.mdb", f->dir);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/lock.mdb", f->dir);
    (void)unlink(path);
    assert_int_equal(rmdir(f->dir), 0);
    free(f);
    return 0;
}

/* A JoinReq with a frame made by the device's key. */
struct ask {
    uint64_t dev_eui, join_eui, message_dev_eui;
    uint16_t dev_nonce;
    uint8_t dl_settings;
    uint32_t sender;
    bool bad_mic;
    size_t cut;
    uint8_t frame[FR_JOIN_REQUEST_SIZE];
};

static void ask(struct fixture *f, struct ask *a, const struct fr_kek *kek,
                struct fr_js_scratch *scratch, struct fr_bi_message *answer)
{
    struct fr_wr w = fr_wr(a->frame, sizeof a->frame);
    const struct fr_join_request join = {
        .join_eui = a->join_eui, .dev_eui = a->dev_eui, .dev_nonce = a->dev_nonce};
    struct fr_bi_message request;
    struct fr_key key;

    memcpy(key.b, KEY, sizeof key.b);
    fr_join_request_write(&w, &join);
    assert_int_equal(fr_frame_mic_put(f->js.crypto, &key, a->frame, sizeof a->frame), FR_OK);
    if (a->bad_mic) a->frame[22] ^= 1;
    fr_bi_request_init(&request, FR_BI_JOIN_REQ, (struct fr_bi_id){FR_BI_ID_NETID, a->sender},
                       (struct fr_bi_id){FR_BI_ID_EUI, a->join_eui});
    request.phy_payload = fr_span(a->frame, sizeof a->frame - a->cut);
    request.dev_eui = a->message_dev_eui ? a->message_dev_eui : a->dev_eui;
    request.dev_addr = 0x06000001;
    request.dl_settings = a->dl_settings;
    request.rx_delay = 1;
    fr_js_join(&f->js, &request, kek, scratch, answer);
}

static void test_results(void **state)
{
    static const uint64_t D = 0x0102030405060708, J = 0x0807060504030201;
    const struct {
        const char *label;
        struct ask ask;
        enum fr_bi_result result;
    } ROWS[] = {
        {"good",
         {.dev_eui = D, .join_eui = J, .dev_nonce = 258, .sender = 0x010203},
         FR_BI_SUCCESS},
        {"replay",
         {.dev_eui = D, .join_eui = J, .dev_nonce = 258, .sender = 0x010203},
         FR_BI_JOIN_REQ_FAILED},
        {"wrong MIC",
         {.dev_eui = D, .join_eui = J, .dev_nonce = 1, .sender = 0x010203, .bad_mic = true},
         FR_BI_MIC_FAILED},
        {"the wrong MIC took nothing",
         {.dev_eui = D, .join_eui = J, .dev_nonce = 1, .sender = 0x010203},
         FR_BI_SUCCESS},
        {"unknown device",
         {.dev_eui = 99, .join_eui = J, .sender = 0x010203},
         FR_BI_UNKNOWN_DEV_EUI},
        {"other JoinEUI", {.dev_eui = D, .join_eui = 5, .sender = 0x010203}, FR_BI_UNKNOWN_DEV_EUI},
        {"message of another device",
         {.dev_eui = D, .join_eui = J, .message_dev_eui = D + 1, .sender = 0x010203},
         FR_BI_UNKNOWN_DEV_EUI},
        {"short frame",
         {.dev_eui = D, .join_eui = J, .sender = 0x010203, .cut = 1},
         FR_BI_FRAME_SIZE_ERROR},
        {"not its home",
         {.dev_eui = D, .join_eui = J, .dev_nonce = 9, .sender = 0x14},
         FR_BI_ACTIVATION_DISALLOWED},
        {"keys kept for another network",
         {.dev_eui = D + 2, .join_eui = J, .sender = 0x14},
         FR_BI_SUCCESS},
        {"not for us, then",
         {.dev_eui = D + 2, .join_eui = J, .dev_nonce = 1, .sender = 0x010203},
         FR_BI_ACTIVATION_DISALLOWED},
        {"OptNeg for 1.0",
         {.dev_eui = D, .join_eui = J, .dev_nonce = 10, .sender = 0x010203, .dl_settings = 0x80},
         FR_BI_JOIN_REQ_FAILED},
        {"1.1",
         {.dev_eui = D + 1, .join_eui = J, .dev_nonce = 5, .sender = 0x010203, .dl_settings = 0x80},
         FR_BI_SUCCESS},
        {"1.1 counts up",
         {.dev_eui = D + 1, .join_eui = J, .dev_nonce = 4, .sender = 0x010203, .dl_settings = 0x80},
         FR_BI_JOIN_REQ_FAILED},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct ask a = ROWS[i].ask;
        struct fr_js_scratch scratch;
        struct fr_bi_message answer;
        ask(f, &a, NULL, &scratch, &answer);
        CHECK_ROW(ROWS[i].label, answer.result == ROWS[i].result);
        bool is_good = answer.result == FR_BI_SUCCESS;
        CHECK_ROW(ROWS[i].label, (answer.phy_payload.n == FR_JOIN_ACCEPT_SIZE) == is_good);
        CHECK_ROW(ROWS[i].label, (answer.keys[FR_BI_APP_S_KEY].n == 16) == is_good);
    }
}

/* What the device makes of the answer is what the network got. */
static void test_device_side(void **state)
{
    struct fixture *f = *state;
    struct fr_key key, int_key, enc_key;

    memcpy(key.b, KEY, sizeof key.b);
    for (unsigned v = 0; v < 2; v++) {
        bool is_1_1 = v == 1;
        struct ask a = {.dev_eui = 0x0102030405060708 + v,
                        .join_eui = 0x0807060504030201,
                        .dev_nonce = 258,
                        .sender = 0x010203,
                        .dl_settings = is_1_1 ? 0x80 : 0};
        struct fr_js_scratch scratch;
        struct fr_bi_message answer;
        struct fr_join_accept accept;
        struct fr_session_keys keys;
        const struct fr_join_context context = {FR_JOIN_REQ_TYPE_JOIN, a.join_eui, a.dev_nonce};

        ask(f, &a, NULL, &scratch, &answer);
        assert_int_equal(answer.result, FR_BI_SUCCESS);
        assert_int_equal(fr_js_keys(f->js.crypto, &key, a.dev_eui, &int_key, &enc_key), FR_OK);
        assert_int_equal(fr_join_accept_open(f->js.crypto, is_1_1 ? &int_key : &key, &key, &context,
                                             answer.phy_payload, &accept),
                         FR_OK);
        assert_int_equal(accept.join_nonce, 1);
        assert_int_equal(accept.netid, 0x010203);
        assert_int_equal(accept.dev_addr, 0x06000001);
        if (is_1_1) {
            struct fr_key app = {{0}};
            assert_int_equal(
                fr_session_keys_1_1(f->js.crypto, &key, &app, 1, a.join_eui, 258, &keys), FR_OK);
            assert_memory_equal(answer.keys[FR_BI_S_NWK_S_INT_KEY].bytes, keys.s_nwk_s_int.b, 16);
            assert_memory_equal(answer.keys[FR_BI_NWK_S_ENC_KEY].bytes, keys.nwk_s_enc.b, 16);
            assert_memory_equal(answer.keys[FR_BI_F_NWK_S_INT_KEY].bytes, keys.f_nwk_s_int.b, 16);
            assert_int_equal(answer.keys[FR_BI_NWK_S_KEY].n, 0);
        } else {
            assert_int_equal(fr_session_keys_1_0(f->js.crypto, &key, 1, 0x010203, 258, &keys),
                             FR_OK);
            assert_memory_equal(answer.keys[FR_BI_NWK_S_KEY].bytes, keys.f_nwk_s_int.b, 16);
            assert_int_equal(answer.keys[FR_BI_F_NWK_S_INT_KEY].n, 0);
        }
        assert_memory_equal(answer.keys[FR_BI_APP_S_KEY].bytes, keys.app_s.b, 16);
    }
}

static void test_envelopes(void **state)
{
    struct fixture *f = *state;
    const struct fr_kek *kek = fr_keys_find_kek(f->keys, fr_span_str("peer"));
    struct ask a = {.dev_eui = 0x0102030405060708,
                    .join_eui = 0x0807060504030201,
                    .dev_nonce = 7,
                    .sender = 0x010203};
    struct fr_js_scratch scratch;
    struct fr_bi_message answer;
    uint8_t clear[16];

    ask(f, &a, kek, &scratch, &answer);
    struct fr_bi_key *key = &answer.keys[FR_BI_NWK_S_KEY];
    assert_int_equal(key->n, 24);
    assert_true(fr_span_is(key->label, "peer"));
    assert_int_equal(fr_key_open(f->js.crypto, f->keys, key, clear), FR_OK);
    key->bytes[23] ^= 1;
    assert_int_equal(fr_key_open(f->js.crypto, f->keys, key, clear), FR_E_CRYPTO);
    key->label = fr_span_str("other");
    assert_int_equal(fr_key_open(f->js.crypto, f->keys, key, clear), FR_E_NOT_FOUND);
    key->label = (struct fr_span){0};
    assert_int_equal(fr_key_open(f->js.crypto, f->keys, key, clear), FR_E_MALFORMED);
}

static void test_home_ns(void **state)
{
    struct fixture *f = *state;
    struct fr_bi_message request, answer;

    fr_bi_request_init(&request, FR_BI_HOME_NS_REQ, (struct fr_bi_id){FR_BI_ID_NETID, 0x14},
                       (struct fr_bi_id){FR_BI_ID_EUI, 0x0807060504030201});
    request.dev_eui = 0x0102030405060708;
    fr_js_home_ns(&f->js, &request, &answer);
    assert_int_equal(answer.result, FR_BI_SUCCESS);
    assert_int_equal(answer.h_netid, 0x010203);
    request.dev_eui = 0x010203040506070a;
    fr_js_home_ns(&f->js, &request, &answer);
    assert_int_equal(answer.h_netid, 0x14);
    request.dev_eui = 1;
    fr_js_home_ns(&f->js, &request, &answer);
    assert_int_equal(answer.result, FR_BI_UNKNOWN_DEV_EUI);
    assert_int_equal(answer.has & FR_BI_HAS_H_NETID, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_results, setup, teardown),
        cmocka_unit_test_setup_teardown(test_device_side, setup, teardown),
        cmocka_unit_test_setup_teardown(test_envelopes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_home_ns, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
