#pragma once
/* Two federations of one broker each, and look-ups that count what each of them was asked. */

#include "net.h"

struct scene {
    struct net net;
    struct asked a;
};

static inline void open_with(struct scene *s, void (*set)(struct fedroam_options *))
{
    struct fedroam_options *o = net_options(2, 1);
    net_init(&s->net);
    if (set) set(o);
    assert_int_equal(net_open(&s->net, o), FR_OK);
    fedroam_options_free(o);
}

static inline unsigned asked_of(const struct scene *s, int federation)
{
    return s->net.brokers[federation][0].asked;
}

/* Looks up without naming a federation, to the end; how many questions each federation got. */
static inline void look_up(struct scene *s, uint64_t deveui, enum fedroam_result result,
                           unsigned first, unsigned second)
{
    unsigned before[2] = {asked_of(s, 0), asked_of(s, 1)};
    ask(&s->net, &s->a, NULL, deveui, 0);
    net_run(&s->net, 2000);
    assert_int_equal(s->a.ends, 1);
    if (fedroam_answer_result(s->a.answer) != result)
        fail_msg("%s: %s", fedroam_result_text(fedroam_answer_result(s->a.answer)),
                 fedroam_answer_reason(s->a.answer));
    assert_int_equal(asked_of(s, 0) - before[0], first);
    assert_int_equal(asked_of(s, 1) - before[1], second);
    done(&s->a);
}
