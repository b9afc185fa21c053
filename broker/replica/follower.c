#include "replica/follower.h"

#include "base/file.h"
#include "base/mem.h"
#include "replica/lists.h"
#include "replica/renewal.h"
#include "store/feed_message.h"
#include "transport/http_client.h"
#include "transport/loop_poll.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define PATH "/api/v1/feed?"
#define DEADLINE_MS 60000
#define CONNECT_MS 3000
#define AGAIN_MS 500         /* after a fault */
#define HERALD_MS 2000       /* between two words of a herald */
#define CONNECTION_MS 600000 /* then a new one, with the certificates of the day */
#define CONTACT_EVERY_S 60
#define TURN_MS 100 /* so long may stopping take */

struct fr_follower {
    struct fr_follower_options options;
    char *url, *host, *chain, *key, *ca;
    struct fr_addr *addrs;
    size_t addr_at;
    struct fr_loop *loop;
    struct fr_http_client *client; /* to addrs[addr_at]; NULL: none */
    struct fr_tls_ctx *tls;        /* the client's */
    struct fr_lists *lists;
    struct fr_renewal *renewals
        [2]; /* of what it shows to the primary, and of what the broker shows where that is another; NULL */
    int64_t client_ms;
    int64_t contact_s; /* as it stands in the store */
    pthread_t thread;
    atomic_bool is_stopping;
    pthread_mutex_t lock; /* status */
    struct fr_follower_status status;
};

/* --- the status --- */

static void note_fault(struct fr_follower *f, const char *why)
{
    const struct fr_addr *addr = &f->addrs[f->addr_at];
    char text[FR_ADDR_TEXT];
    pthread_mutex_lock(&f->lock);
    bool is_new = strcmp(f->status.why, why) != 0;
    f->status.faults++;
    f->status.is_connected = false;
    (void)snprintf(f->status.why, sizeof f->status.why, "%s", why);
    pthread_mutex_unlock(&f->lock);
    fr_addr_print(addr, text);
    if (is_new)
        FR_LOG(f->options.log, FR_LOG_ERROR, "replica.fault",
               FR_STR("federation", fr_store_federation(f->options.store)), FR_STR("primary", text),
               FR_STR("why", why));
}

static void note_step(struct fr_follower *f, const struct fr_feed_applied *applied)
{
    const int64_t now_s = fr_clock_real_s(f->options.clock);
    const bool is_whole = !applied->is_behind && !applied->state.has_image;
    pthread_mutex_lock(&f->lock);
    bool was_fault = f->status.why[0] != '\0' || !f->status.is_connected;
    f->status.is_connected = true;
    f->status.why[0] = '\0';
    f->status.primary = applied->head.head.position;
    f->status.entries += applied->entries;
    f->status.rows += applied->rows;
    if (is_whole) f->status.in_step_s = now_s;
    pthread_mutex_unlock(&f->lock);
    if (was_fault)
        FR_LOG(f->options.log, FR_LOG_INFO, "replica.following",
               FR_STR("federation", fr_store_federation(f->options.store)),
               FR_STR("primary", f->url), FR_UINT("term", applied->head.term),
               FR_UINT("at", applied->state.head.position),
               FR_UINT("of", applied->head.head.position));
    if (!is_whole || now_s - f->contact_s < CONTACT_EVERY_S) return;
    if (fr_feed_note_contact(f->options.store, now_s) == FR_OK) f->contact_s = now_s;
}

void fr_follower_read(struct fr_follower *f, struct fr_follower_status *out)
{
    pthread_mutex_lock(&f->lock);
    *out = f->status;
    pthread_mutex_unlock(&f->lock);
}

/* --- the connection --- */

static void disconnect(struct fr_follower *f)
{
    fr_lists_disconnect(f->lists);
    for (size_t i = 0; i < 2; i++)
        if (f->renewals[i]) fr_renewal_disconnect(f->renewals[i]);
    fr_http_client_free(f->client);
    f->client = NULL;
    fr_tls_ctx_unref(f->tls);
    f->tls = NULL;
}

static struct fr_http_client_conf conf_of(const struct fr_follower *f)
{
    struct fr_http_client_conf conf = fr_http_client_conf_default();

    conf.host = f->host;
    conf.port = f->options.port;
    conf.addrs = &f->addrs[f->addr_at];
    conf.n_addrs = 1;
    conf.tls = f->tls;
    conf.has_h1 = true;
    conf.has_h2 = false;
    conf.connect_ms = CONNECT_MS;
    conf.body_bytes = FR_FEED_MESSAGE_MAX;
    return conf;
}

static enum fr_err connect_to(struct fr_follower *f, struct fr_diag *diag)
{
    const struct fr_tls_files files = {f->chain, f->key, f->ca};
    enum fr_err err = fr_tls_client_load(&files, diag, &f->tls);
    if (err) return err;
    const struct fr_http_client_conf conf = conf_of(f);
    err = fr_http_client_new(f->loop, &conf, &f->client);
    f->client_ms = fr_clock_mono_ms(f->options.clock);
    if (err) disconnect(f);
    return err;
}

/* --- one exchange --- */

struct exchange {
    struct fr_follower *f;
    bool is_over, is_herald;
    enum fr_err err;
    struct fr_diag diag;
    struct fr_feed_applied applied;
    struct fr_feed_message_head head;
};

static void take(struct exchange *e, struct fr_span body)
{
    struct fr_span rest;
    e->err = fr_feed_head_read(body, &e->head, &rest);
    if (e->err) {
        (void)fr_diag_fail(&e->diag, e->err, "the answer is no feed: %s", fr_err_text(e->err));
        return;
    }
    if (!e->is_herald) e->err = fr_feed_apply(e->f->options.store, body, &e->diag, &e->applied);
}

static void on_answer(void *data, const struct fr_http_result *r)
{
    struct exchange *e = data;
    e->is_over = true;
    if (r->fault != FR_HTTP_OK)
        e->err = fr_diag_fail(&e->diag, FR_E_NET, "%s", r->text);
    else if (r->status != 200)
        e->err = fr_diag_fail(&e->diag, FR_E_UNAVAILABLE, "HTTP %u: %.*s", r->status,
                              (int)(r->body.n < 160 ? r->body.n : 160), (const char *)r->body.p);
    else
        take(e, r->body);
}

static enum fr_err ask(struct fr_follower *f, const struct fr_feed_ask *what, struct exchange *e)
{
    struct fr_buf target = FR_BUF_INIT(FR_FEED_QUERY + 64);
    struct fr_http_call *call = NULL;
    *e = (struct exchange){.f = f, .is_herald = what->is_herald};
    enum fr_err err = FR_OK;
    if (f->client && fr_clock_mono_ms(f->options.clock) - f->client_ms > CONNECTION_MS)
        disconnect(f);
    if (!f->client) err = connect_to(f, &e->diag);
    if (err) goto out;
    fr_buf_printf(&target, PATH "wait=%d&", FR_FOLLOWER_WAIT_MS);
    fr_feed_ask_print(what, &target);
    err = fr_buf_err(&target);
    if (err) goto out;
    const struct fr_http_request request = {
        .method = "GET", .target = fr_buf_str(&target), .is_retryable = true};
    err = fr_http_send(f->client, &request, DEADLINE_MS, on_answer, e, &call);
    if (err) goto out;
    while (!e->is_over && !atomic_load(&f->is_stopping)) (void)fr_loop_poll_turn(f->loop, TURN_MS);
    if (!e->is_over) fr_http_cancel(call);
    err = e->err;
out:
    fr_buf_deinit(&target);
    return err;
}

/* --- by role --- */

static enum fr_err look_up(struct fr_follower *f, struct fr_feed_state *state,
                           struct fr_feed_ask *what)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(f->options.store, &snap);
    if (!err) err = fr_feed_get(snap, state);
    if (!err) err = fr_feed_ask_of(snap, what);
    fr_snap_end(snap);
    return err;
}

static void rest(struct fr_follower *f, int64_t ms)
{
    const int64_t until_ms = fr_clock_mono_ms(f->options.clock) + ms;
    while (!atomic_load(&f->is_stopping) && fr_clock_mono_ms(f->options.clock) < until_ms)
        (void)fr_loop_poll_turn(f->loop, TURN_MS);
}

static void fail(struct fr_follower *f, enum fr_err err, const struct fr_diag *diag)
{
    if (atomic_load(&f->is_stopping)) return;
    note_fault(f, diag->what[0] ? diag->what : fr_err_text(err));
    disconnect(f);
    f->addr_at = (f->addr_at + 1) % f->options.n_addrs;
    rest(f, AGAIN_MS);
}

static void follow(struct fr_follower *f, const struct fr_feed_ask *what)
{
    struct exchange e;
    enum fr_err err = ask(f, what, &e);
    if (err) {
        fail(f, err, &e.diag);
        return;
    }
    if (e.head.kind == FR_FEED_IMAGE && what->image.key_n == 0 && what->image.table == 0) {
        pthread_mutex_lock(&f->lock);
        f->status.images++;
        pthread_mutex_unlock(&f->lock);
    }
    note_step(f, &e.applied);
    if (e.applied.is_behind || e.applied.state.has_image) return;
    const struct fr_http_client_conf conf = conf_of(f);
    fr_lists_look(f->lists, &conf);
    for (size_t i = 0; i < 2; i++)
        if (f->renewals[i]) fr_renewal_look(f->renewals[i], &conf);
}

/* A primary that hears of a newer term than its own is none any more. */
static void herald(struct fr_follower *f, const struct fr_feed_state *state,
                   struct fr_feed_ask *what)
{
    struct exchange e;
    what->is_herald = true;
    enum fr_err err = ask(f, what, &e);
    if (!err && e.head.term > state->term &&
        strcmp(e.head.federation, fr_store_federation(f->options.store)) == 0) {
        err = fr_feed_depose(f->options.store, e.head.term, e.head.forks, e.head.n_forks, f->url);
        FR_LOG(f->options.log, FR_LOG_ERROR, "replica.deposed",
               FR_STR("federation", e.head.federation), FR_UINT("term", state->term),
               FR_UINT("newer", e.head.term), FR_STR("by", f->url),
               FR_STR("outcome", err ? fr_err_text(err) : "done"));
        return;
    }
    if (err) {
        disconnect(f);
        f->addr_at = (f->addr_at + 1) % f->options.n_addrs;
    }
    rest(f, HERALD_MS);
}

static void go_on(struct fr_follower *f)
{
    struct fr_feed_state state;
    struct fr_feed_ask what;
    const struct fr_diag diag = {0};
    enum fr_err err = look_up(f, &state, &what);
    if (err) {
        fail(f, err, &diag);
    } else if (state.role == FR_ROLE_REPLICA) {
        follow(f, &what);
    } else if (state.role == FR_ROLE_PRIMARY) {
        herald(f, &state, &what);
    } else if (!state.is_saved || fr_feed_follow(f->options.store, f->url)) {
        rest(f, AGAIN_MS);
    }
}

static void *run(void *data)
{
    struct fr_follower *f = data;
    while (!atomic_load(&f->is_stopping)) go_on(f);
    disconnect(f);
    return NULL;
}

/* --- handle --- */

static void follower_free(struct fr_follower *f)
{
    if (!f) return;
    fr_lists_free(f->lists);
    for (size_t i = 0; i < 2; i++) fr_renewal_free(f->renewals[i]);
    fr_loop_poll_free(f->loop);
    pthread_mutex_destroy(&f->lock);
    fr_free(f->url);
    fr_free(f->host);
    fr_free(f->chain);
    fr_free(f->key);
    fr_free(f->ca);
    fr_free(f->addrs);
    fr_free(f);
}

static enum fr_err copy_options(struct fr_follower *f, const struct fr_follower_options *options)
{
    f->options = *options;
    f->url = fr_strdup(options->url);
    f->host = fr_strdup(options->host);
    f->chain = fr_strdup(options->chain);
    f->key = fr_strdup(options->key);
    f->ca = fr_strdup(options->ca);
    f->addrs = fr_memdup(options->addrs, options->n_addrs * sizeof *f->addrs);
    return f->url && f->host && f->chain && f->key && f->ca && f->addrs ? FR_OK : FR_E_NOMEM;
}

static enum fr_err make_lists(struct fr_follower *f)
{
    const struct fr_lists_options options = {.store = f->options.store,
                                             .log = f->options.log,
                                             .clock = f->options.clock,
                                             .loop = f->loop};
    return fr_lists_new(&options, &f->lists);
}

static enum fr_err make_renewals(struct fr_follower *f)
{
    const char *dir = fr_store_dir(f->options.store);
    char *chain = fr_path_join(dir, "server.chain.pem"), *key = fr_path_join(dir, "server.key");
    struct fr_renewal_options options = {.store = f->options.store,
                                         .log = f->options.log,
                                         .clock = f->options.clock,
                                         .loop = f->loop,
                                         .chain = f->chain,
                                         .key = f->key,
                                         .ca = f->ca};
    enum fr_err err = chain && key ? fr_renewal_new(&options, &f->renewals[0]) : FR_E_NOMEM;
    if (!err && strcmp(chain, f->chain) != 0) {
        options.chain = chain;
        options.key = key;
        err = fr_renewal_new(&options, &f->renewals[1]);
    }
    fr_free(chain);
    fr_free(key);
    return err;
}

static enum fr_err read_contact(struct fr_follower *f)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(f->options.store, &snap);
    if (!err) err = fr_feed_contact(snap, &f->contact_s);
    fr_snap_end(snap);
    f->status.in_step_s = f->contact_s;
    return err;
}

enum fr_err fr_follower_start(const struct fr_follower_options *options, struct fr_diag *diag,
                              struct fr_follower **out)
{
    const struct fr_tls_files files = {options->chain, options->key, options->ca};
    struct fr_tls_ctx *tls = NULL;
    enum fr_err err = fr_tls_client_load(&files, diag, &tls); /* better said now than in a log */
    if (err) return err;
    fr_tls_ctx_unref(tls);
    struct fr_follower *f = fr_calloc(1, sizeof *f);
    if (!f) return FR_E_NOMEM;
    pthread_mutex_init(&f->lock, NULL);
    atomic_init(&f->is_stopping, false);
    err = copy_options(f, options);
    if (!err) err = fr_loop_poll_new(NULL, &f->loop);
    if (!err) err = make_lists(f);
    if (!err) err = make_renewals(f);
    if (!err) err = read_contact(f);
    int errnum = err ? 0 : pthread_create(&f->thread, NULL, run, f);
    if (errnum) err = fr_err_from_errno(errnum);
    if (err) {
        follower_free(f);
        return err;
    }
    *out = f;
    return FR_OK;
}

void fr_follower_stop(struct fr_follower *f)
{
    if (!f) return;
    atomic_store(&f->is_stopping, true);
    (void)pthread_join(f->thread, NULL);
    follower_free(f);
}
