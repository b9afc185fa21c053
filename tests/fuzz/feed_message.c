/* What a replica takes from its primary, and a primary from its replica. First byte even: the query of an ask; odd: a message,
 * taken over into a small replica's store. What was read must be written again as the same. */
#include "store/feed_message.h"

#include "store/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fr_store *store;

static void start(void)
{
    char dir[] = "/tmp/fedroam-fuzz-XXXXXX", path[64];
    static const char *const files[] = {"data.mdb", "lock.mdb"};

    if (mkdtemp(dir) == NULL) abort();
    if (fr_store_create(&(struct fr_store_options){.dir = dir, .map_size = 1u << 26},
                        &(struct fr_store_new){.federation = "fed.test"}, NULL, &store))
        abort();
    if (fr_feed_make_replica(store, "https://broker.fed.test", NULL)) abort();
    for (size_t i = 0; i < 2; i++) { /* they live on as long as they are open */
        (void)snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(dir);
}

static void read_ask(struct fr_span query)
{
    struct fr_feed_ask ask, again;
    struct fr_buf text = FR_BUF_INIT(8192), second = FR_BUF_INIT(8192);

    if (fr_feed_ask_parse(query, &ask)) return;
    fr_feed_ask_print(&ask, &text);
    if (fr_buf_err(&text) || text.n > FR_FEED_QUERY) abort();
    if (fr_feed_ask_parse(fr_buf_span(&text), &again)) abort();
    fr_feed_ask_print(&again, &second);
    if (!fr_span_equal(fr_buf_span(&text), fr_buf_span(&second))) abort();
    fr_buf_deinit(&second);
    fr_buf_deinit(&text);
}

static enum fr_err count(void *data, const struct fr_table_digest *table)
{
    *(uint64_t *)data += table->rows;
    return FR_OK;
}

/* Whatever came: it is a replica still, and every row can be reached. */
static void check_store(void)
{
    struct fr_snap *snap = NULL;
    struct fr_feed_state state;
    struct fr_feed_ask ask;
    uint64_t rows = 0;

    if (fr_snap_begin(store, &snap)) abort();
    if (fr_feed_get(snap, &state) || state.role != FR_ROLE_REPLICA) abort();
    if (fr_feed_ask_of(snap, &ask) || fr_store_digest(snap, count, &rows)) abort();
    fr_snap_end(snap);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_feed_applied applied;

    if (size == 0) return 0;
    if (store == NULL) start();
    struct fr_span input = {data + 1, size - 1};
    if (data[0] % 2 == 0) {
        read_ask(input);
    } else {
        (void)fr_feed_apply(store, input, NULL, &applied);
        check_store();
    }
    return 0;
}
