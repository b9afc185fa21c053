#include "backend/client.h"

#include "support/unit.h"
#include "transport/loop_poll.h"

#include <inttypes.h>
#include <stdio.h>

static const struct fr_bi_id US = {FR_BI_ID_NETID, 0x14}, PEER = {FR_BI_ID_NETID, 0x13};
static const uint8_t KEY[FR_BI_PIN] = {1}, OTHER_KEY[FR_BI_PIN] = {2};

struct seen {
    unsigned calls;
    enum fr_err err;
    enum fr_bi_result result;
};

static void on_done(void *data, const struct fr_bi_outcome *outcome)
{
    struct seen *seen = data;

    seen->calls++;
    seen->err = outcome->err;
    if (outcome->answer != NULL) seen->result = outcome->answer->result;
}

/* A request on its way to nobody: its answer can only come as a request of its own. */
static uint32_t send_request(struct fr_bi_client *client, bool is_async, struct seen *seen)
{
    const struct fr_addr nobody = {.ip = {4, {127, 0, 0, 1}}, .port = 1};
    const struct fr_bi_target target = {
        .federation = "fed.test",
        .id = PEER,
        .tls_name = "000013.netid.fed.test",
        .addrs = &nobody,
        .n_addrs = 1,
        .is_async = is_async,
        .has_pins = true,
        .n_pins = 1,
        .pins = {{1}},
    };
    struct fr_bi_message request = {.type = FR_BI_HOME_NS_REQ, .sender = US, .receiver = PEER};

    assert_int_equal(fr_bi_client_send(client, &target, &request, 1000, on_done, seen, NULL),
                     FR_OK);
    return request.transaction_id;
}

static bool take(struct fr_bi_client *client, const char *federation, const uint8_t *key,
                 const char *type, const char *sender, uint32_t tid)
{
    char text[256];
    bool answerable;
    struct fr_bi_message answer;

    (void)snprintf(text, sizeof text,
                   "{\"ProtocolVersion\":\"1.0\",\"SenderID\":\"%s\",\"ReceiverID\":\"000014\","
                   "\"TransactionID\":%" PRIu32 ",\"MessageType\":\"%s\","
                   "\"Result\":{\"ResultCode\":\"UnknownDevEUI\"}}",
                   sender, tid, type);
    assert_int_equal(fr_bi_open(fr_span_str(text), &answer, &answerable), FR_OK);
    bool was_wanted = fr_bi_client_take_answer(client, federation, key, &answer);
    fr_bi_message_deinit(&answer);
    return was_wanted;
}

/* Whose answers are taken: those of the peer asked, with one of its keys, where the peer answers this way. */
static void test_answers_that_come_as_requests(void **state)
{
    static const struct {
        const char *label, *federation;
        const uint8_t *key;
        const char *type, *sender;
        uint32_t tid_off;
        bool is_async, is_taken;
    } ROWS[] = {
        {"the answer", "fed.test", KEY, "HomeNSAns", "000013", 0, true, true},
        {"of a synchronous peer", "fed.test", KEY, "HomeNSAns", "000013", 0, false, false},
        {"with a key taken back", "fed.test", OTHER_KEY, "HomeNSAns", "000013", 0, true, false},
        {"from another federation", "other.test", KEY, "HomeNSAns", "000013", 0, true, false},
        {"of another type", "fed.test", KEY, "PRStartAns", "000013", 0, true, false},
        {"of another network", "fed.test", KEY, "HomeNSAns", "000015", 0, true, false},
        {"to another request", "fed.test", KEY, "HomeNSAns", "000013", 1, true, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct fr_loop *loop;
        struct fr_bi_client *client;
        struct seen seen = {.calls = 0};
        assert_int_equal(fr_loop_poll_new(fr_clock_system(), &loop), FR_OK);
        assert_int_equal(fr_bi_client_new(loop, &client), FR_OK);
        uint32_t tid = send_request(client, ROWS[i].is_async, &seen) + ROWS[i].tid_off;
        bool is_taken =
            take(client, ROWS[i].federation, ROWS[i].key, ROWS[i].type, ROWS[i].sender, tid);
        CHECK_ROW(ROWS[i].label, is_taken == ROWS[i].is_taken);
        CHECK_ROW(ROWS[i].label, seen.calls == (ROWS[i].is_taken ? 1U : 0U));
        if (is_taken) {
            assert_int_equal(seen.err, FR_OK);
            assert_int_equal(seen.result, FR_BI_UNKNOWN_DEV_EUI);
            CHECK_ROW("only once", !take(client, "fed.test", KEY, "HomeNSAns", "000013", tid));
        }
        fr_bi_client_free(client);
        fr_loop_poll_free(loop);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_that_come_as_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
