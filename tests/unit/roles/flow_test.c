#include "roles/flow.h"

#include "support/unit.h"

enum event { COLLECTED, FOUND, ANSWERED, ACK };

struct step {
    int64_t at_ms; /* after reception */
    enum event event;
    enum fr_tx_error error;
    enum fr_flow_do expected;
    enum fr_window window;
    uint32_t left_ms;
};

struct scenario {
    const char *label;
    bool needs_lookup;
    struct step steps[6];
    size_t n;
};

/* Joins on a simulated clock, answer 4 s at most, 100 ms lead. */
static const struct scenario SCENARIOS[] = {
    {"ours",
     false,
     {{200, COLLECTED, 0, FR_FLOW_ASK, 0, 4000},
      {203, ANSWERED, 0, FR_FLOW_SEND, FR_WINDOW_RX1, 5697},
      {210, ACK, FR_TX_NONE, FR_FLOW_STOP, 0, 0}},
     3},
    {"found while copies are collected",
     true,
     {{20, FOUND, 0, FR_FLOW_WAIT, 0, 0},
      {200, COLLECTED, 0, FR_FLOW_ASK, 0, 4000},
      {400, ANSWERED, 0, FR_FLOW_SEND, FR_WINDOW_RX1, 5500},
      {405, ACK, FR_TX_NONE, FR_FLOW_STOP, 0, 0}},
     4},
    {"found after the copies",
     true,
     {{200, COLLECTED, 0, FR_FLOW_WAIT, 0, 0},
      {1900, FOUND, 0, FR_FLOW_ASK, 0, 4000},
      {4900, ANSWERED, 0, FR_FLOW_SEND, FR_WINDOW_RX1, 1000}},
     3},
    {"found late: less time to ask",
     true,
     {{200, COLLECTED, 0, FR_FLOW_WAIT, 0, 0}, {3000, FOUND, 0, FR_FLOW_ASK, 0, 2900}},
     2},
    {"found too late",
     true,
     {{200, COLLECTED, 0, FR_FLOW_WAIT, 0, 0}, {5900, FOUND, 0, FR_FLOW_STOP, 0, 0}},
     2},
    {"answer past the first window",
     false,
     {{200, COLLECTED, 0, FR_FLOW_ASK, 0, 4000},
      {4901, ANSWERED, 0, FR_FLOW_SEND, FR_WINDOW_RX2, 999},
      {4910, ACK, FR_TX_NONE, FR_FLOW_STOP, 0, 0}},
     3},
    {"answer past both",
     false,
     {{200, COLLECTED, 0, FR_FLOW_ASK, 0, 4000}, {5901, ANSWERED, 0, FR_FLOW_STOP, 0, 0}},
     2},
    {"too late in RX1, RX2 taken",
     false,
     {{200, COLLECTED, 0, FR_FLOW_ASK, 0, 4000},
      {300, ANSWERED, 0, FR_FLOW_SEND, FR_WINDOW_RX1, 5600},
      {310, ACK, FR_TX_TOO_LATE, FR_FLOW_SEND, FR_WINDOW_RX2, 5590},
      {320, ACK, FR_TX_NONE, FR_FLOW_STOP, 0, 0}},
     4},
    {"collision in RX1 and in RX2",
     false,
     {{200, COLLECTED, 0, FR_FLOW_ASK, 0, 4000},
      {300, ANSWERED, 0, FR_FLOW_SEND, FR_WINDOW_RX1, 5600},
      {310, ACK, FR_TX_COLLISION_PACKET, FR_FLOW_SEND, FR_WINDOW_RX2, 5590},
      {320, ACK, FR_TX_COLLISION_BEACON, FR_FLOW_STOP, 0, 0}},
     4},
    {"refused when RX2 is over, too",
     false,
     {{200, COLLECTED, 0, FR_FLOW_ASK, 0, 4000},
      {4900, ANSWERED, 0, FR_FLOW_SEND, FR_WINDOW_RX1, 1000},
      {5901, ACK, FR_TX_TOO_LATE, FR_FLOW_STOP, 0, 0}},
     3},
    {"nothing happens after the end",
     false,
     {{5901, COLLECTED, 0, FR_FLOW_STOP, 0, 0},
      {5902, FOUND, 0, FR_FLOW_WAIT, 0, 0},
      {5903, ANSWERED, 0, FR_FLOW_WAIT, 0, 0},
      {5904, ACK, FR_TX_TOO_LATE, FR_FLOW_WAIT, 0, 0}},
     4},
    {"asked once",
     false,
     {{200, COLLECTED, 0, FR_FLOW_ASK, 0, 4000}, {201, FOUND, 0, FR_FLOW_WAIT, 0, 0}},
     2},
};

static struct fr_flow_todo play(struct fr_flow *f, const struct step *s, int64_t now)
{
    switch (s->event) {
    case COLLECTED: return fr_flow_collected(f, now);
    case FOUND: return fr_flow_found(f, now);
    case ANSWERED: return fr_flow_answered(f, now, 5, true, true);
    case ACK: break;
    }
    return fr_flow_tx_ack(f, now, s->error);
}

static void test_scenarios(void **state)
{
    const int64_t begin = 123456789;

    (void)state;
    for (size_t i = 0; i < COUNT(SCENARIOS); i++) {
        const struct scenario *sc = &SCENARIOS[i];
        struct fr_flow f;
        fr_flow_init(&f, begin, sc->needs_lookup, 4000, 100);
        for (size_t k = 0; k < sc->n; k++) {
            const struct step *s = &sc->steps[k];
            struct fr_flow_todo todo = play(&f, s, begin + s->at_ms);
            CHECK_ROW(sc->label, todo.what == s->expected);
            if (todo.what == FR_FLOW_SEND) CHECK_ROW(sc->label, todo.window == s->window);
            if (todo.what != FR_FLOW_STOP) CHECK_ROW(sc->label, todo.left_ms == s->left_ms);
        }
    }
}

/* The windows are the answer's, not the region's. */
static void test_other_windows(void **state)
{
    struct fr_flow f;

    (void)state;
    fr_flow_init(&f, 0, false, 4000, 100);
    (void)fr_flow_collected(&f, 200);
    struct fr_flow_todo todo = fr_flow_answered(&f, 300, 5, false, true);
    assert_int_equal(todo.window, FR_WINDOW_RX2);
    todo = fr_flow_tx_ack(&f, 310, FR_TX_TOO_LATE);
    assert_int_equal(todo.what, FR_FLOW_STOP);
    assert_non_null(todo.why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenarios),
        cmocka_unit_test(test_other_windows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
