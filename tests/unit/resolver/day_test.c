#include "sim.h"

#include <inttypes.h>

/* A day of a network server in two federations, as large as one with some 300 gateways: 20 000 strangers
 * that join for ever, 60 000 devices of its own, every copy of a join looked up, brokers that count as
 * a federation's do by default. A twentieth of it in every run, all of it with FR_LONG=1. */

enum {
    STRANGERS = 20000,
    OWN = 60000,
    DAY_S = 86400,
    HEARD_BY_MAX = 4,        /* gateways that hear one join */
    UNKNOWN_BUDGET = 100000, /* different unknown devices a day */
    MISSES_PER_S = 100,
    MOST_QUESTIONS = 144, /* for one stranger, in one federation */
};

#define FIRST_STRANGER 0x0102030400000000u
#define FIRST_OWN 0x70b3d57ed0000000u

struct day;

struct device {
    struct day *day;
    uint64_t eui;
    struct fr_timer join;
    unsigned per_day;   /* joins, when it has settled */
    int64_t powered_ms; /* -1: long ago */
    uint16_t questions[SIM_FEDERATIONS];
};

struct day {
    struct sim sim;
    size_t n_strangers, n_own;
    struct device *devices; /* strangers first */
    int64_t start_ms;
    uint64_t joins, lookups, found, unknown, refused;
    struct {
        uint64_t questions, unknown_devices, misses, most_per_s, this_s;
        int64_t second;
    } federations[SIM_FEDERATIONS];
};

static struct device *device_of(struct day *d, uint64_t eui)
{
    return eui >= FIRST_OWN ? &d->devices[d->n_strangers + (eui - FIRST_OWN)]
                            : &d->devices[eui - FIRST_STRANGER];
}

/* Our own devices are in the first federation. */
static uint32_t home_of(void *data, int federation, uint64_t deveui)
{
    (void)data;
    return federation == 0 && deveui >= FIRST_OWN ? 0x13 : 0;
}

static bool allows(void *data, int federation, uint64_t deveui, bool is_found,
                   uint32_t *retry_after_s)
{
    struct day *d = data;
    struct device *v = device_of(d, deveui);
    int64_t second = d->sim.now_ms / 1000;
    d->federations[federation].questions++;
    if (v->questions[federation]++ == 0 && !is_found) d->federations[federation].unknown_devices++;
    if (is_found) return true;
    if (second != d->federations[federation].second) d->federations[federation].this_s = 0;
    d->federations[federation].second = second;
    d->federations[federation].misses++;
    uint64_t n = ++d->federations[federation].this_s;
    if (n > d->federations[federation].most_per_s) d->federations[federation].most_per_s = n;
    if (n > MISSES_PER_S) *retry_after_s = 1;
    if (d->federations[federation].unknown_devices > UNKNOWN_BUDGET) *retry_after_s = 3600;
    return *retry_after_s == 0;
}

static void on_end(void *data, const struct fedroam_answer *a)
{
    struct day *d = data;
    enum fedroam_result result = fedroam_answer_result(a);
    if (result == FEDROAM_FOUND)
        d->found++;
    else if (result == FEDROAM_UNKNOWN)
        d->unknown++;
    else
        d->refused++;
}

/* LoRaWAN lets a device that nobody answers send for 36 s in its first hour, 36 s in the next ten, and
 * 8.7 s a day from then on: this gives the pause to the next join. */
static int64_t pause_ms(struct device *v)
{
    struct day *d = v->day;
    int64_t on_ms = v->powered_ms < 0 ? INT64_MAX : d->sim.now_ms - v->powered_ms;
    int64_t hour_ms = 3600000, settled_ms = (int64_t)DAY_S * 1000 / v->per_day;
    int64_t usual_ms = on_ms < hour_ms        ? settled_ms * 87 / 24 / 360
                       : on_ms < 11 * hour_ms ? settled_ms * 87 / 24 / 36
                                              : settled_ms;
    return usual_ms * 9 / 10 + (int64_t)sim_below(&d->sim, (uint64_t)usual_ms / 5 + 1);
}

static void on_join(struct fr_timer *t)
{
    struct device *v = t->data;
    struct day *d = v->day;
    uint64_t copies = 1 + sim_below(&d->sim, HEARD_BY_MAX);
    if (d->sim.now_ms >= d->start_ms + (int64_t)DAY_S * 1000) return;
    d->joins++;
    for (uint64_t i = 0; i < copies; i++) {
        d->lookups++;
        assert_int_equal(fedroam_lookup_device(d->sim.f, NULL, v->eui, 0, on_end, d, NULL), 0);
    }
    fr_timer_start(&d->sim.loop, &v->join, pause_ms(v));
}

static void begin(struct day *d, size_t part)
{
    static const unsigned settled[] = {140, 78, 44, 24, 10, 5}; /* joins a day at SF7 … SF12 */
    *d = (struct day){.n_strangers = STRANGERS / part, .n_own = OWN / part};
    sim_init(&d->sim, 1);
    d->sim.home = home_of;
    d->sim.allows = allows;
    d->sim.data = d;
    d->start_ms = d->sim.now_ms;
    d->devices = calloc(d->n_strangers + d->n_own, sizeof *d->devices);
    assert_non_null(d->devices);
    sim_open(&d->sim, sim_options(SIM_FEDERATIONS, 2));
    for (size_t i = 0; i < d->n_strangers + d->n_own; i++) {
        struct device *v = &d->devices[i];
        bool is_own = i >= d->n_strangers;
        *v = (struct device){.day = d, .per_day = is_own ? 1 : settled[i % 6], .powered_ms = -1};
        v->eui = is_own ? FIRST_OWN + (i - d->n_strangers) : FIRST_STRANGER + i;
        int64_t first_ms = (int64_t)sim_below(&d->sim, (uint64_t)DAY_S * 1000 / v->per_day);
        /* One stranger in twenty is switched on today. */
        if (!is_own && i % 20 == 0) v->powered_ms = d->start_ms + first_ms;
        fr_timer_init(&v->join, on_join, v);
        fr_timer_start(&d->sim.loop, &v->join, first_ms);
    }
}

static void tell(const struct day *d)
{
    print_message("%zu strangers, %zu own devices: %" PRIu64 " joins, %" PRIu64
                  " look-ups (%" PRIu64 " found, %" PRIu64 " unknown, %" PRIu64 " refused)\n",
                  d->n_strangers, d->n_own, d->joins, d->lookups, d->found, d->unknown, d->refused);
    for (int i = 0; i < SIM_FEDERATIONS; i++) {
        uint64_t sum = 0, most = 0;
        for (size_t k = 0; k < d->n_strangers; k++) {
            sum += d->devices[k].questions[i];
            if (d->devices[k].questions[i] > most) most = d->devices[k].questions[i];
        }
        print_message("%s: %" PRIu64 " questions, %" PRIu64 " misses, at most %" PRIu64
                      " a second, %" PRIu64 " different unknown devices; for a stranger %.1f on "
                      "average, %" PRIu64 " at most\n",
                      sim_zones[i], d->federations[i].questions, d->federations[i].misses,
                      d->federations[i].most_per_s, d->federations[i].unknown_devices,
                      (double)sum / (double)d->n_strangers, most);
        assert_in_range(most, 1, MOST_QUESTIONS);
    }
    print_message("cache: %" PRIu64 " names, %" PRIu64 " bytes, %" PRIu64 " evicted; %" PRIu64
                  " look-ups answered from it, %" PRIu64 " shared a question\n",
                  fedroam_count(d->sim.f, FEDROAM_COUNT_CACHE_ENTRIES),
                  fedroam_count(d->sim.f, FEDROAM_COUNT_CACHE_BYTES),
                  fedroam_count(d->sim.f, FEDROAM_COUNT_CACHE_EVICTED),
                  fedroam_count(d->sim.f, FEDROAM_COUNT_CACHED),
                  fedroam_count(d->sim.f, FEDROAM_COUNT_SHARED));
}

static void test_a_day(void **state)
{
    (void)state;
    static struct day d;
    const char *is_long = getenv("FR_LONG");
    begin(&d, is_long && is_long[0] == '1' ? 1 : 20);
    sim_run(&d.sim, d.start_ms + (int64_t)DAY_S * 1000 + 5000);
    tell(&d);
    assert_int_equal(d.found + d.unknown + d.refused, d.lookups);
    assert_int_equal(d.refused, 0);
    for (size_t i = 0; i < d.n_strangers + d.n_own; i++) fr_timer_stop(&d.devices[i].join);
    sim_close(&d.sim);
    free(d.devices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_day)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
