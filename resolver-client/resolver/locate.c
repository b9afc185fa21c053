#include "resolver/locate.h"

#include "resolver/own_loop.h"
#include "resolver/public_dns.h"
#include <poll.h>

static void on_done(void *data)
{
    *(bool *)data = true;
}

static void run(struct fr_own_loop *loop, uint32_t within_ms, const bool *is_done)
{
    const struct fr_clock *clock = fr_clock_system();
    int64_t until_ms = fr_clock_mono_ms(clock) + within_ms;
    for (int64_t left_ms = within_ms; !*is_done && left_ms > 0;
         left_ms = until_ms - fr_clock_mono_ms(clock)) {
        struct pollfd fd = {.fd = fr_own_loop_fd(loop), .events = POLLIN};
        int64_t wait_ms = fr_own_loop_wait_ms(loop);
        (void)poll(&fd, 1, (int)(wait_ms < 0 || wait_ms > left_ms ? left_ms : wait_ms));
        fr_own_loop_process(loop);
    }
}

enum fr_err fr_locate(const struct fedroam_options *options, const struct fr_broker_opt *broker,
                      uint32_t within_ms, struct fr_ways *out)
{
    struct fr_own_loop *loop = NULL;
    struct fr_public_dns *dns = NULL;
    struct fr_discovery *d = NULL;
    bool is_done = !fr_discovery_is_wanted(broker);
    enum fr_err err = fr_own_loop_new(fr_clock_system(), &loop);
    if (err) return err;
    err = fr_public_dns_new(fr_own_loop(loop), &dns);
    if (!err) err = fr_public_dns_set(dns, options, options);
    if (!err) err = fr_discovery_new(fr_own_loop(loop), dns, broker, on_done, &is_done, &d);
    if (!err && !is_done) {
        fr_discovery_start(d);
        run(loop, within_ms, &is_done);
    }
    if (!err) *out = *fr_discovery_ways(d);
    fr_discovery_free(d);
    fr_public_dns_free(dns);
    fr_own_loop_free(loop);
    return err;
}
