/* The networks of a federation, as it tells a member: whom there is, whom to call, where they are.
 *
 * Model    Asked for page by page; of a page that is as before only its tag goes over the wire. Sorted
 *          by NetID. Two states are compared by fr_roster_compare.
 * Owns     The list: fr_roster_free.
 * Threads  One; asking blocks.
 * Errors   FR_E_MALFORMED, FR_E_LIMIT; those of enrol/member_api.h. On failure what there was stays.
 * Limits   FR_ROSTER_MAX networks.
 * Trust    The answer is the broker's, whose certificate was verified; texts in it are other members'.
 *          What would not show on a terminal is left out. */
#pragma once

#include "base/addr.h"
#include "base/clock.h"
#include "enrol/member_api.h"
#include "names/netid.h"

#define FR_ROSTER_MAX 20000
#define FR_ROSTER_PAGES 64
#define FR_ROSTER_ENDPOINTS 8
#define FR_ROSTER_TEXT 256

struct fr_roster_network {
    uint32_t netid;
    char member[FR_MEMBER_TEXT];
    char org[FR_ROSTER_TEXT], noc[FR_ROSTER_TEXT]; /* "": not said */
    char since[FR_TIME_TEXT];
    bool is_suspended; /* told of our own alone */
    size_t n_endpoints;
    struct fr_addr endpoints[FR_ROSTER_ENDPOINTS];
};

struct fr_roster {
    size_t n, room;
    struct fr_roster_network *list;
    size_t n_pages;
    struct fr_roster_page {
        size_t n; /* networks in it */
        char tag[FR_PUBLISH_TAG];
    } pages[FR_ROSTER_PAGES];
};

void fr_roster_free(struct fr_roster *roster); /* a zeroed one is legal */

/* The networks of now. before: as they were, or NULL. */
enum fr_err fr_roster_ask(struct fr_publisher *publisher, const struct fr_roster *before,
                          struct fr_diag *diag, struct fr_roster *out);

/* One page, added to what is there. *has_more: another follows. */
enum fr_err fr_roster_read(struct fr_span text, struct fr_diag *diag, struct fr_roster *roster,
                           bool *has_more);

/* What became of a network between two states. */
enum fr_roster_change {
    FR_ROSTER_JOINED,
    FR_ROSTER_LEFT,    /* or suspended, or handed to another member, which joins then */
    FR_ROSTER_MOVED,   /* its endpoints */
    FR_ROSTER_CHANGED, /* anything else that is told of it */
};
const char *fr_roster_change_text(enum fr_roster_change change);

/* network is borrowed: of `after`, but for those that left. Stops at the first error, and gives it. */
typedef enum fr_err (*fr_roster_fn)(void *data, enum fr_roster_change change,
                                    const struct fr_roster_network *network);
enum fr_err fr_roster_compare(const struct fr_roster *before, const struct fr_roster *after,
                              fr_roster_fn fn, void *data);
