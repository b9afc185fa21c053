/* Every other vector of the file: primitives, envelopes, session keys, joins, data frames. */
#include "crypto/crypto.h"
#include "crypto/data.h"
#include "crypto/join.h"
#include "support/vectors.h"

#include <string.h>

static struct fr_crypto *c;

static int open_crypto(void **state)
{
    (void)state;
    return fr_crypto_new(&c) == FR_OK ? 0 : -1;
}

static int close_crypto(void **state)
{
    (void)state;
    fr_crypto_free(c);
    return 0;
}

static struct fr_key key_of(const json_t *object, const char *name)
{
    struct fr_key key;

    assert_int_equal(vector_bytes(object, name, key.b, sizeof key.b), sizeof key.b);
    return key;
}

static void equal_key(const char *name, const json_t *expected, const char *which,
                      const struct fr_key *got)
{
    struct fr_key want = key_of(expected, which);

    if (memcmp(want.b, got->b, sizeof want.b) != 0) fail_msg("%s: %s", name, which);
}

static void equal_hex(const char *name, const json_t *expected, const char *which,
                      const uint8_t *got, size_t n)
{
    uint8_t want[256];

    CHECK_ROW(name, vector_bytes(expected, which, want, sizeof want) == n);
    CHECK_ROW(name, memcmp(want, got, n) == 0);
}

static void check_aes(const char *name, const json_t *inputs, const json_t *expected)
{
    struct fr_key key = key_of(inputs, "key");
    uint8_t block[16];
    enum fr_err err;

    if (vector_find(inputs, "plaintext") != NULL) {
        (void)vector_bytes(inputs, "plaintext", block, sizeof block);
        err = fr_aes_encrypt(c, &key, block, 16, block);
    } else {
        (void)vector_bytes(inputs, "ciphertext", block, sizeof block);
        err = fr_aes_decrypt(c, &key, block, 16, block);
    }
    CHECK_ROW(name, err == FR_OK);
    equal_hex(name, expected, "expected", block, 16);
}

static void check_cmac(const char *name, const json_t *inputs, const json_t *expected)
{
    struct fr_key key = key_of(inputs, "key");
    uint8_t message[64], mac[16];
    size_t n = vector_bytes(inputs, "message", message, sizeof message);

    for (size_t cut = 0; cut <= n; cut += 7) { /* the two parts make no difference */
        CHECK_ROW(name, fr_cmac(c, &key, fr_span(message, cut), fr_span(message + cut, n - cut),
                                mac) == FR_OK);
        equal_hex(name, expected, "expected", mac, 16);
    }
}

static void check_wrap(const char *name, const json_t *inputs, const json_t *expected)
{
    uint8_t kek[32], clear[32], wrapped[FR_WRAPPED_MAX], back[32];
    size_t kek_n = vector_bytes(inputs, "kek", kek, sizeof kek), wrapped_n, back_n;
    const char *key = vector_find(inputs, "key") != NULL ? "key" : "plaintext";
    size_t n = vector_bytes(inputs, key, clear, sizeof clear);

    CHECK_ROW(name,
              fr_key_wrap(c, fr_span(kek, kek_n), fr_span(clear, n), wrapped, &wrapped_n) == FR_OK);
    equal_hex(name, expected, "wrapped", wrapped, wrapped_n);
    CHECK_ROW(name, fr_key_unwrap(c, fr_span(kek, kek_n), fr_span(wrapped, wrapped_n), back,
                                  &back_n) == FR_OK);
    CHECK_ROW(name, back_n == n && memcmp(back, clear, n) == 0);
    for (size_t i = 0; i < wrapped_n * 8; i++) { /* any bit flipped is seen */
        wrapped[i / 8] ^= (uint8_t)(1 << i % 8);
        CHECK_ROW(name, fr_key_unwrap(c, fr_span(kek, kek_n), fr_span(wrapped, wrapped_n), back,
                                      &back_n) == FR_E_CRYPTO);
        wrapped[i / 8] ^= (uint8_t)(1 << i % 8);
    }
}

static void check_unwrap_failure(const char *name, const json_t *inputs, const json_t *expected)
{
    uint8_t kek[32], wrapped[FR_WRAPPED_MAX], out[32];
    size_t kek_n = vector_bytes(inputs, "kek", kek, sizeof kek), out_n = 77;
    size_t n = vector_bytes(inputs, "wrapped", wrapped, sizeof wrapped);

    CHECK_ROW(name, json_is_null(json_object_get(expected, "unwrapped")));
    CHECK_ROW(name, fr_key_unwrap(c, fr_span(kek, kek_n), fr_span(wrapped, n), out, &out_n) ==
                            FR_E_CRYPTO &&
                        out_n == 77);
}

static void primitives(void **state)
{
    (void)state;
    assert_int_equal(vectors_each("aes128_", check_aes), 2);
    assert_int_equal(vectors_each("aes_cmac_", check_cmac), 4);
    assert_int_equal(vectors_each("rfc3394_", check_wrap), 5);
    assert_int_equal(vectors_each("keyenvelope_wrap_", check_wrap), 1);
    assert_int_equal(vectors_each("keyenvelope_joinans_", check_wrap), 4);
    assert_int_equal(vectors_each("keyenvelope_unwrap_integrity_failure", check_unwrap_failure), 1);
}

static void check_keys_1_0(const char *name, const json_t *inputs, const json_t *expected)
{
    struct fr_key key = key_of(inputs, "AppKey");
    struct fr_session_keys keys;

    CHECK_ROW(name, fr_session_keys_1_0(c, &key, (uint32_t)vector_uint(inputs, "JoinNonce"),
                                        (uint32_t)vector_hex(inputs, "NetID"),
                                        (uint16_t)vector_uint(inputs, "DevNonce"), &keys) == FR_OK);
    equal_key(name, expected, "NwkSKey", &keys.f_nwk_s_int);
    equal_key(name, expected, "NwkSKey", &keys.s_nwk_s_int);
    equal_key(name, expected, "NwkSKey", &keys.nwk_s_enc);
    equal_key(name, expected, "AppSKey", &keys.app_s);
}

static struct fr_session_keys keys_1_1(const json_t *inputs, const char *nonce)
{
    struct fr_key nwk = key_of(inputs, "NwkKey"), app = key_of(inputs, "AppKey");
    struct fr_session_keys keys;

    assert_int_equal(fr_session_keys_1_1(c, &nwk, &app, (uint32_t)vector_uint(inputs, "JoinNonce"),
                                         vector_hex(inputs, "JoinEUI"),
                                         (uint16_t)vector_uint(inputs, nonce), &keys),
                     FR_OK);
    return keys;
}

static void check_keys_1_1(const char *name, const json_t *inputs, const json_t *expected)
{
    struct fr_session_keys keys =
        keys_1_1(inputs, vector_find(inputs, "DevNonce") != NULL ? "DevNonce" : "RJcount");

    equal_key(name, expected, "FNwkSIntKey", &keys.f_nwk_s_int);
    equal_key(name, expected, "SNwkSIntKey", &keys.s_nwk_s_int);
    equal_key(name, expected, "NwkSEncKey", &keys.nwk_s_enc);
    equal_key(name, expected, "AppSKey", &keys.app_s);
}

/* What one peer wrongly derives must not come out of ours, which takes the JoinEUI of the same
 * test device. */
static void check_known_bug(const char *name, const json_t *inputs, const json_t *expected)
{
    struct fr_key nwk = key_of(inputs, "NwkKey"), app = {{0}}, wrong;
    struct fr_session_keys keys;
    const struct {
        const char *which;
        const struct fr_key *got;
    } rows[] = {{"SNwkSIntKey", &keys.s_nwk_s_int},
                {"FNwkSIntKey", &keys.f_nwk_s_int},
                {"NwkSEncKey", &keys.nwk_s_enc},
                {"AppSKey", &keys.app_s}};
    const struct fr_key *const app_keys[] = {&app, &nwk};

    for (size_t k = 0; k < 2; k++) {
        CHECK_ROW(name, fr_session_keys_1_1(
                            c, &nwk, app_keys[k], (uint32_t)vector_uint(inputs, "JoinNonce"),
                            0x0807060504030201, (uint16_t)vector_uint(inputs, "RJcount"),
                            &keys) == FR_OK);
        for (size_t i = 0; i < COUNT(rows); i++) {
            wrong = key_of(expected, rows[i].which);
            CHECK_ROW(name, memcmp(wrong.b, rows[i].got->b, sizeof wrong.b) != 0);
        }
    }
}

static void session_keys(void **state)
{
    (void)state;
    assert_int_equal(vectors_each("session_keys_1_0", check_keys_1_0), 1);
    assert_int_equal(vectors_each("session_keys_1_1", check_keys_1_1), 2);
    assert_int_equal(vectors_each("KNOWN_BUG_", check_known_bug), 1);
}

static void check_join_request(const char *name, const json_t *inputs, const json_t *expected)
{
    struct fr_key key = key_of(inputs, "key");
    struct fr_join_request j = {
        .join_eui = vector_hex(inputs, "JoinEUI"),
        .dev_eui = vector_hex(inputs, "DevEUI"),
        .dev_nonce = (uint16_t)vector_uint(inputs, "DevNonce"),
    };
    uint8_t frame[FR_JOIN_REQUEST_SIZE];
    struct fr_wr w = fr_wr(frame, sizeof frame);

    fr_join_request_write(&w, &j);
    CHECK_ROW(name, fr_frame_mic_put(c, &key, frame, sizeof frame) == FR_OK);
    equal_hex(name, expected, "expected", frame, sizeof frame);
    CHECK_ROW(name, fr_frame_mic_check(c, &key, fr_span(frame, sizeof frame)) == FR_OK);
    for (size_t i = 0; i < sizeof frame; i++) {
        frame[i] ^= 0x10;
        CHECK_ROW(name, fr_frame_mic_check(c, &key, fr_span(frame, sizeof frame)) == FR_E_CRYPTO);
        frame[i] ^= 0x10;
    }
}

static void check_rejoin(const char *name, const json_t *inputs, const json_t *expected)
{
    struct fr_key key = key_of(inputs, "key");
    struct fr_rejoin_request j = {
        .type = (uint8_t)vector_uint(inputs, "RejoinType"),
        .netid = (uint32_t)vector_hex(inputs, "NetID"),
        .dev_eui = vector_hex(inputs, "DevEUI"),
        .rjcount = (uint16_t)vector_uint(inputs, "RJcount0"),
    };
    uint8_t frame[FR_REJOIN_MAX];
    struct fr_wr w = fr_wr(frame, sizeof frame);

    fr_rejoin_request_write(&w, &j);
    CHECK_ROW(name, fr_frame_mic_put(c, &key, frame, w.at) == FR_OK);
    equal_hex(name, expected, "expected", frame, w.at);
    CHECK_ROW(name, fr_frame_mic_check(c, &key, fr_span(frame, w.at)) == FR_OK);
}

/* Which keys a Join-accept of the file is made with: given ones, or those of a 1.1 device. */
static void accept_keys(const char *name, const json_t *inputs, const json_t *expected,
                        struct fr_key *mic, struct fr_key *enc)
{
    struct fr_key nwk, js_int, js_enc;
    bool is_rejoin = strstr(name, "rejoin") != NULL;

    if (vector_find(inputs, "mic_key") != NULL) {
        *mic = key_of(inputs, "mic_key");
        *enc = key_of(inputs, "enc_key");
        return;
    }
    if (vector_find(inputs, "NwkKey") == NULL) {
        *mic = *enc = key_of(inputs, "key");
        return;
    }
    nwk = key_of(inputs, "NwkKey");
    CHECK_ROW(name, fr_js_keys(c, &nwk, vector_hex(inputs, "DevEUI"), &js_int, &js_enc) == FR_OK);
    equal_key(name, expected, "JSIntKey", &js_int);
    if (is_rejoin) equal_key(name, expected, "JSEncKey", &js_enc);
    *mic = js_int;
    *enc = is_rejoin ? js_enc : nwk;
}

static void check_accept(const char *name, const json_t *inputs, const json_t *expected)
{
    struct fr_join_accept accept =
                              {
                                  .join_nonce = (uint32_t)vector_uint(inputs, "JoinNonce"),
                                  .netid = (uint32_t)vector_hex(inputs, "NetID"),
                                  .dev_addr = (uint32_t)vector_hex(inputs, "DevAddr"),
                                  .dl_settings = (uint8_t)vector_hex(inputs, "DLSettings"),
                                  .rx_delay = (uint8_t)vector_uint(inputs, "RxDelay"),
                              },
                          back;
    struct fr_join_context context = {.join_req_type = FR_JOIN_REQ_TYPE_JOIN};
    struct fr_key mic, enc;
    uint8_t frame[FR_JOIN_ACCEPT_MAX], clear[FR_JOIN_ACCEPT_MAX];
    size_t n = 0;

    if (vector_find(inputs, "CFList") != NULL)
        accept.has_cflist = vector_bytes(inputs, "CFList", accept.cflist, 16) > 0;
    if (vector_find(inputs, "JoinReqType") != NULL)
        context.join_req_type = (uint8_t)vector_hex(inputs, "JoinReqType");
    if (vector_find(inputs, "JoinEUI") != NULL) {
        context.join_eui = vector_hex(inputs, "JoinEUI");
        context.nonce = (uint16_t)vector_uint(
            inputs, vector_find(inputs, "RJcount") != NULL ? "RJcount" : "DevNonce");
    }
    accept_keys(name, inputs, expected, &mic, &enc);
    CHECK_ROW(name, fr_join_accept_seal(c, &mic, &enc, &context, &accept, frame, &n) == FR_OK);
    equal_hex(name, expected, "PHYPayload", frame, n);
    CHECK_ROW(name, fr_aes_encrypt(c, &enc, frame + 1, n - 1, clear) == FR_OK);
    if (json_is_object(expected)) equal_hex(name, expected, "mic", clear + n - 5, 4);

    CHECK_ROW(name,
              fr_join_accept_open(c, &mic, &enc, &context, fr_span(frame, n), &back) == FR_OK);
    CHECK_ROW(name, back.join_nonce == accept.join_nonce && back.netid == accept.netid);
    CHECK_ROW(name, back.dev_addr == accept.dev_addr && back.has_cflist == accept.has_cflist);
    for (size_t i = 1; i < n; i++) {
        frame[i] ^= 1;
        CHECK_ROW(name, fr_join_accept_open(c, &mic, &enc, &context, fr_span(frame, n), &back) ==
                            FR_E_CRYPTO);
        frame[i] ^= 1;
    }
    for (size_t cut = 0; cut < n; cut++) {
        if (cut == FR_JOIN_ACCEPT_SIZE) continue;
        CHECK_ROW(name, fr_join_accept_open(c, &mic, &enc, &context, fr_span(frame, cut), &back) ==
                            FR_E_MALFORMED);
    }
    context.nonce ^= 1; /* 1.1 binds the accept to its request, 1.0 does not */
    enum fr_err other = fr_join_accept_open(c, &mic, &enc, &context, fr_span(frame, n), &back);
    CHECK_ROW(name,
              other == (fr_dl_settings_parse(accept.dl_settings).opt_neg ? FR_E_CRYPTO : FR_OK));
}

static void joins(void **state)
{
    (void)state;
    assert_int_equal(vectors_each("join_request_", check_join_request), 3);
    assert_int_equal(vectors_each("rejoin_type", check_rejoin), 1);
    assert_int_equal(vectors_each("join_accept_", check_accept), 6);
}

static uint64_t optional(const json_t *inputs, const char *key)
{
    return json_is_integer(vector_find(inputs, key)) ? vector_uint(inputs, key) : 0;
}

/* Which key the payload or the FOpts is encrypted with. */
static struct fr_key payload_key(const json_t *inputs)
{
    return key_of(inputs,
                  vector_find(inputs, "FRMPayload key") != NULL ? "FRMPayload key" : "AppSKey");
}

static void check_data(const char *name, const json_t *inputs, const json_t *expected)
{
    bool is_down = strncmp(name, "data_down_", 10) == 0, is_1_1 = strstr(name, "_1_1_") != NULL;
    enum fr_direction dir = is_down ? FR_DOWN : FR_UP;
    const char *mtype = json_string_value(json_object_get(inputs, "MType"));
    uint8_t payload[64], frame[128];
    uint32_t fcnt = (uint32_t)vector_uint(inputs, "FCnt");
    struct fr_data_frame d = {
        .mtype = is_down ? FR_MTYPE_UNCONFIRMED_DOWN : FR_MTYPE_UNCONFIRMED_UP,
        .dev_addr = (uint32_t)vector_hex(inputs, "DevAddr"),
        .fcnt = (uint16_t)fcnt,
        .has_fport = json_is_integer(vector_find(inputs, "FPort")),
        .fport = (uint8_t)optional(inputs, "FPort"),
    };

    if (mtype != NULL && strcmp(mtype, "ConfirmedDataUp") == 0) d.mtype = FR_MTYPE_CONFIRMED_UP;
    if (vector_find(inputs, "FCtrl") != NULL) {
        uint8_t fctrl = (uint8_t)vector_hex(inputs, "FCtrl");
        d.adr = (fctrl & 0x80) != 0;
        d.ack = (fctrl & 0x20) != 0;
    }
    if (vector_find(inputs, "FOpts") != NULL)
        d.fopts_n = (uint8_t)vector_bytes(inputs, "FOpts", d.fopts, sizeof d.fopts);
    if (vector_find(inputs, "FOpts plain") != NULL) {
        struct fr_key enc = key_of(inputs, "NwkSEncKey");
        d.fopts_n = (uint8_t)vector_bytes(inputs, "FOpts plain", d.fopts, sizeof d.fopts);
        CHECK_ROW(name, fr_fopts_crypt(c, &enc, dir, false, d.dev_addr, fcnt,
                                       fr_span(d.fopts, d.fopts_n), d.fopts) == FR_OK);
    }
    if (vector_find(inputs, "payload") != NULL) {
        struct fr_key key = payload_key(inputs);
        size_t n = vector_bytes(inputs, "payload", payload, sizeof payload);
        CHECK_ROW(name, fr_data_crypt(c, &key, dir, d.dev_addr, fcnt, fr_span(payload, n),
                                      payload) == FR_OK);
        d.payload = fr_span(payload, n);
    }

    struct fr_wr w = fr_wr(frame, sizeof frame);
    fr_data_frame_write(&w, &d);
    CHECK_ROW(name, fr_wr_err(&w) == FR_OK);
    struct fr_span message = fr_span(frame, w.at - FR_MIC_SIZE);
    enum fr_err err;
    if (is_1_1 && !is_down) {
        struct fr_key s = key_of(inputs, "SNwkSIntKey"), f = key_of(inputs, "FNwkSIntKey");
        struct fr_uplink_11 how = {(uint16_t)optional(inputs, "ConfFCnt"),
                                   (uint8_t)vector_uint(inputs, "TxDr"),
                                   (uint8_t)vector_uint(inputs, "TxCh")};
        uint8_t half[FR_MIC_SIZE];
        err = fr_data_mic_up_1_1(c, &s, &f, d.dev_addr, fcnt, &how, message, frame + message.n);
        CHECK_ROW(name, fr_data_mic(c, &f, FR_UP, d.dev_addr, fcnt, 0, message, half) == FR_OK);
        CHECK_ROW(name, memcmp(half, frame + message.n + 2, 2) ==
                            0); /* what a forwarding network can check */
    } else {
        struct fr_key key = key_of(inputs, is_1_1 ? "SNwkSIntKey" : "NwkSKey");
        err = fr_data_mic(c, &key, dir, d.dev_addr, fcnt, 0, message, frame + message.n);
    }
    CHECK_ROW(name, err == FR_OK);
    equal_hex(name, expected, "expected", frame, w.at);
}

static void data_frames(void **state)
{
    (void)state;
    assert_int_equal(vectors_each("data_up_1_0_", check_data), 6);
    assert_int_equal(vectors_each("data_up_1_1_", check_data), 3);
    assert_int_equal(vectors_each("data_down_", check_data), 2);
}

static size_t n_known;

static void count_known(const char *name, const json_t *inputs, const json_t *expected)
{
    (void)name;
    (void)inputs;
    (void)expected;
    n_known++;
}

/* A vector added to the file must be taken up by a test. */
static void every_vector_belongs_to_a_test(void **state)
{
    static const char *const prefixes[] = {
        /* here */ "aes128_",
        "aes_cmac_",
        "rfc3394_",
        "keyenvelope_",
        "session_keys_",
        "KNOWN_BUG_",
        "join_request_",
        "rejoin_type",
        "join_accept_",
        "data_up_1_",
        "data_down_",
        /* unit.frames.vectors */ "cflist_",
        "dlsettings_",
        "fcnt_full_",
        /* unit.names.vectors */ "netid_",
        "devaddr_",
        "dns_",
        /* the JSON of the Backend Interfaces: unit.backend */ "json_"};

    (void)state;
    n_known = 0;
    for (size_t i = 0; i < COUNT(prefixes); i++) (void)vectors_each(prefixes[i], count_known);
    assert_int_equal(n_known, 102);
    n_known = 0;
    assert_int_equal(vectors_each("", count_known), 102);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(primitives),
        cmocka_unit_test(session_keys),
        cmocka_unit_test(joins),
        cmocka_unit_test(data_frames),
        cmocka_unit_test(every_vector_belongs_to_a_test),
    };
    return cmocka_run_group_tests(tests, open_crypto, close_crypto);
}
