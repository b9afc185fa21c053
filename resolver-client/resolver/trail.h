#pragma once
/* The trail from the name of a Join Server (or network) to where it is: NAPTR → SRV → A/AAAA.
 *
 * Model: a list of steps in the order in which the servers are to be tried. It begins with one, the
 *   NAPTR of the name; the answer to a step puts the next ones in its place, rules by order and
 *   preference, SRV targets by priority; a step of addresses stays and is a server in the end.
 *   fr_trail_next() gives the first question that is open, fr_trail_learn() or fr_trail_miss() settles
 *   it. Without NAPTR the records at the name itself count: SRV, else addresses on the default port.
 *     NAPTR name ─┬─ order 50: SRV ─┬─ A server1
 *                 │                 └─ A server2
 *                 └─ order 90: NAPTR ─── U https://…
 *   A broker is asked below its zone, and what it sends along counts; public DNS is asked elsewhere,
 *   and only its Answer counts. Pure: no I/O, no clock; equal rules are ordered by a draw from the
 *   seed, equal SRVs keep their weights for a draw at each use (draw.h).
 * Owns: its steps. Threads: any one at a time. Errors: FR_E_MALFORMED with `why` for a broker's answer
 *   that must not be used; FR_E_NOMEM. A dead end is no error: the next step is taken.
 * Units and limits: the caps below; what goes beyond is left out. A step that leads to where the trail
 *   has been is left out, so it ends. TTL: the smallest of all records used.
 * Trust: all records are a peer's, those of public DNS a stranger's.
 * See: Backend Interfaces 1.0 section 19, RFC 3403, RFC 2782. */

#include "resolver/place.h"
#include <fedroam/answer.h>

enum {
    FR_TRAIL_STEPS_MAX = 32, /* all that were ever in the list */
    FR_TRAIL_ASKS_MAX = 24,  /* questions */
    FR_TRAIL_DEPTH_MAX = 4,  /* NAPTRs one behind the other */
    FR_TRAIL_RULES_MAX = 16, /* taken of one answer; SRVs likewise */
    FR_TRAIL_HOSTS_MAX = 8,  /* servers */
    FR_TRAIL_PART_TTL_S = 30 /* of what was found when a step had no answer */
};

struct fr_trail;

/* Where it begins, and what it may use. */
struct fr_trail_start {
    struct fr_dname name;
    const struct fr_dname *zone; /* of the federation; NULL: a public tree. Copied */
    const char *tree;            /* of a public tree: its suffix; else "" */
    bool has_public;             /* names outside the zone can be asked in public DNS */
    unsigned services;           /* enum fedroam_service, or'ed: taken of the rules */
    enum fedroam_service plain;  /* what records at the name itself offer */
    uint16_t port;               /* and on which port when it has addresses only */
    uint64_t seed;
};

enum fr_err fr_trail_new(const struct fr_trail_start *start, struct fr_trail **out);
void fr_trail_free(struct fr_trail *t);

struct fr_trail_question {
    struct fr_dname name;
    uint16_t type;
    bool is_public;
};

/* The next question, the same one until it is settled; false when there is none. */
bool fr_trail_next(struct fr_trail *t, struct fr_trail_question *out);

/* Takes in the reply to that question, whose verdict is neither BAD nor REFUSED nor FAILED. After an
 * error the trail is of no use. */
enum fr_err fr_trail_learn(struct fr_trail *t, const struct fr_reply *reply, const char **why);

/* There is no usable reply to it: `why` is static text or lives as long as the trail. */
void fr_trail_miss(struct fr_trail *t, const char *why);

/* It is not to be asked: a dead end, now and later. `why` likewise. */
void fr_trail_refuse(struct fr_trail *t, const char *why);

enum fr_trail_end {
    FR_TRAIL_FOUND,   /* the name is there, though perhaps without a server */
    FR_TRAIL_UNKNOWN, /* there is no such name, or nothing at it */
    FR_TRAIL_FAILED   /* no server, because a step had no answer */
};

/* Once there is no question left. `ttl_s` is how long that stands (FAILED: 0), `why` is why there is no server
 * though the name is there, "" where there is one. */
enum fr_trail_end fr_trail_end(const struct fr_trail *t, uint32_t *ttl_s, const char **why);

/* The servers in order, of a FOUND. An endpoint without an address has a name that nobody here can
 * resolve. FR_E_NOMEM. */
enum fr_err fr_trail_place(const struct fr_trail *t, struct fr_place **out);
