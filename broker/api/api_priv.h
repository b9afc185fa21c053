#pragma once
/* The API's handle as its files share it. Inside of broker/api. */

#include "api/api.h"
#include "base/tally.h"
#include "transport/loop.h"

struct fr_api {
    struct fr_api_options options;
    struct fr_tally *members;      /* requests under way of each */
    struct fr_tally *batches;      /* and those of them that are batches */
    struct fr_api_waiter *waiters; /* for changes */
    struct fr_timer look;          /* armed while somebody waits */
    uint64_t seen_txn;             /* that the waiters know */
    struct fr_api_page *pages;     /* lists of devices that are being read; the next one first */
    struct fr_timer slice;         /* armed while there is one */
    bool is_stopping;
    unsigned under_way;
    struct fr_api_counters counters;
};

void fr_api_changes_init(struct fr_api *api);
void fr_api_pages_init(struct fr_api *api);
void fr_api_pages_stop(struct fr_api *api); /* they are answered with what they have */

/* What the gate refuses, as a problem. */
void fr_api_refuse_at_gate(struct fr_http_exchange *x, const struct fr_gate_refusal *why);

void fr_api_count_refusal(struct fr_api *api, unsigned status);

/* A request that is answered later: it counts as its member's until it is. FR_E_LIMIT, FR_E_NOMEM. */
enum fr_err fr_api_take_place(struct fr_api *api, const char *member);
void fr_api_give_place(struct fr_api *api, const char *member);
