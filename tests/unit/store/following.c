#include "unit/store/following.h"

#include "base/mem.h"
#include "db/tap.h"
#include "store/digest.h"
#include "store/feed_message.h"
#include "unit/store/fixture.h"

#include <stdio.h>

struct fr_feed_state state_of(struct fr_store *store)
{
    struct fr_snap *snap = begin_snap(store);
    struct fr_feed_state state;

    assert_int_equal(fr_feed_get(snap, &state), FR_OK);
    fr_snap_end(snap);
    return state;
}

/* One exchange, over the text of the ask as on the road. */
void exchange(struct fr_store *from, struct fr_store *to, size_t room, struct fr_buf *out)
{
    struct fr_buf query = FR_BUF_INIT(FR_FEED_QUERY);
    struct fr_feed_ask ask;
    struct fr_snap *snap = begin_snap(to);

    assert_int_equal(fr_feed_ask_of(snap, &ask), FR_OK);
    fr_snap_end(snap);
    fr_feed_ask_print(&ask, &query);
    memset(&ask, 0, sizeof ask);
    assert_int_equal(fr_feed_ask_parse(fr_buf_span(&query), &ask), FR_OK);
    fr_buf_deinit(&query);
    snap = begin_snap(from);
    fr_buf_reset(out);
    assert_int_equal(fr_feed_write(snap, &ask, 1, room, out), FR_OK);
    fr_snap_end(snap);
}

enum fr_err pull(struct fr_store *from, struct fr_store *to, size_t room,
                 struct fr_feed_applied *applied, struct fr_diag *diag)
{
    struct fr_buf message = FR_BUF_INIT(FR_TAP_MAX);

    exchange(from, to, room, &message);
    enum fr_err err = fr_feed_apply(to, fr_buf_span(&message), diag, applied);
    fr_buf_deinit(&message);
    return err;
}

/* Until nothing is left; how many exchanges it took. */
unsigned follow(struct fr_store *from, struct fr_store *to, size_t room)
{
    struct fr_feed_applied applied = {.is_behind = true};
    unsigned n = 0;

    for (; applied.is_behind; n++) {
        assert_true(n < 100000);
        assert_int_equal(pull(from, to, room, &applied, NULL), FR_OK);
    }
    assert_false(applied.state.has_image);
    return n;
}

static enum fr_err add_digest(void *data, const struct fr_table_digest *table)
{
    char *text = data;

    sprintf(text + strlen(text), "%s %llu %s\n", table->table, (unsigned long long)table->rows,
            table->digest);
    return FR_OK;
}

void digest(struct fr_store *store, char text[8192])
{
    struct fr_snap *snap = begin_snap(store);

    text[0] = '\0';
    assert_int_equal(fr_store_digest(snap, add_digest, text), FR_OK);
    fr_snap_end(snap);
}

void assert_same(struct fr_store *a, struct fr_store *b)
{
    char x[8192], y[8192];

    digest(a, x);
    digest(b, y);
    assert_string_equal(x, y);
}

/* By the herald's words, as they travel. */
void depose(struct fr_store *store, const struct fr_feed_state *by)
{
    struct fr_feed_ask herald = {.have = by->head, .term = by->term, .is_herald = true}, read;
    struct fr_buf query = FR_BUF_INIT(FR_FEED_QUERY);

    herald.n_forks = by->n_forks;
    memcpy(herald.forks, by->forks, sizeof herald.forks);
    fr_feed_ask_print(&herald, &query);
    assert_int_equal(fr_feed_ask_parse(fr_buf_span(&query), &read), FR_OK);
    assert_true(read.is_herald);
    assert_int_equal(fr_feed_depose(store, read.term, read.forks, read.n_forks, PRIMARY), FR_OK);
    fr_buf_deinit(&query);
    assert_int_equal(state_of(store).role, FR_ROLE_DEPOSED);
    assert_int_equal(state_of(store).n_forks, by->n_forks);
}
