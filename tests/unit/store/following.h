/* A replica's store in a test: it follows another one's feed, over the texts as they travel. */
#pragma once

#include "base/buf.h"
#include "store/feed.h"
#include "store/feed_message.h"
#include "support/unit.h"

#define PRIMARY "https://broker.fed.test (192.0.2.1)"
#define ROOM (64 * 1024)

struct fr_feed_state state_of(struct fr_store *store);

/* One exchange, over the text of the ask as on the road. */
void exchange(struct fr_store *from, struct fr_store *to, size_t room, struct fr_buf *out);
enum fr_err pull(struct fr_store *from, struct fr_store *to, size_t room,
                 struct fr_feed_applied *applied, struct fr_diag *diag);
/* Until nothing is left; how many exchanges it took. */
unsigned follow(struct fr_store *from, struct fr_store *to, size_t room);

void digest(struct fr_store *store, char text[8192]);
void assert_same(struct fr_store *a, struct fr_store *b); /* every table */

/* By the herald's words, as they travel. */
void depose(struct fr_store *store, const struct fr_feed_state *by);
