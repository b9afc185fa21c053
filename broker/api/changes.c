/* What happened to the caller's networks and devices: GET /changes, at once or when there is something. */
#include "api/api_priv.h"
#include "api/call.h"
#include "api/problem.h"
#include "api/rows.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "base/wire.h"
#include "names/eui.h"
#include "names/netid.h"
#include "store/cert.h"
#include "store/device.h"
#include "store/journal.h"
#include "store/network.h"

#include <string.h>

#define LIMIT_MAX 10000
#define LIMIT_DEFAULT 1000
#define WAIT_MAX_S 60
#define FACTS_MAX 20000 /* looked at in one request */
#define TEXT_MAX (8 * 1024 * 1024)
#define LOOK_MS 100 /* between two looks whether the store has moved */
#define NETIDS_MAX 256

struct reading {
    const char *member;
    uint32_t netids[NETIDS_MAX]; /* the member's */
    size_t n_netids;
    uint64_t since, limit;
    uint64_t at;       /* the last record that was read whole */
    uint64_t n, facts; /* told, looked at */
    bool is_gone;      /* records behind `since` are not kept any more */
    struct fr_json json;
};

/* --- facts --- */

static enum fr_err add_netid(void *data, const struct fr_network_row *row)
{
    struct reading *r = data;
    if (r->n_netids == NETIDS_MAX) return FR_E_LIMIT;
    r->netids[r->n_netids++] = row->netid;
    return FR_OK;
}

static bool is_own(const struct reading *r, uint32_t netid)
{
    for (size_t i = 0; i < r->n_netids; i++)
        if (r->netids[i] == netid) return true;
    return false;
}

static void begin_change(struct reading *r, const struct fr_journal_record *record,
                         const char *what)
{
    char when[FR_TIME_TEXT];
    fr_time_print(record->when_s, when);
    fr_json_object(&r->json);
    fr_json_put_uint(&r->json, "sequence", record->sequence);
    fr_json_put_str(&r->json, "when", when);
    fr_json_put_str(&r->json, "what", what);
    r->n++;
}

static void put_netid(struct reading *r, uint32_t netid)
{
    char text[FR_NETID_TEXT];
    fr_netid_print(netid, text);
    fr_json_put_str(&r->json, "netid", text);
}

/* A device that comes, changes, or leaves: then it is told without its new network, which may be another member's. */
static enum fr_err tell_device(struct reading *r, const struct fr_journal_record *record,
                               const struct fr_fact *fact)
{
    char eui[FR_EUI_TEXT];
    struct fr_fact_device device;
    struct fr_rd rd = fr_rd(fact->key);
    const uint64_t deveui = fr_rd_u64(&rd);
    enum fr_err err = fr_rd_end(&rd);
    if (!err) err = fr_fact_device_read(fact->value, &device);
    if (err) return err;
    const bool is_here = device.netid && is_own(r, device.netid);
    if (!is_here && !(device.has_was && is_own(r, device.was_netid))) return FR_OK;
    fr_eui_print(deveui, eui);
    begin_change(r, record, is_here ? "device" : "device gone");
    fr_json_put_str(&r->json, "deveui", eui);
    if (is_here) put_netid(r, device.netid);
    if (is_here) fr_json_put_bool(&r->json, "hidden", (device.flags & FR_DEVICE_HIDDEN) != 0);
    fr_json_end(&r->json);
    return FR_OK;
}

/* A network of the caller's, or a list of its devices that came at once: then GET /devices says what there is. */
static enum fr_err tell_network(struct reading *r, const struct fr_journal_record *record,
                                const struct fr_fact *fact)
{
    struct fr_rd rd = fr_rd(fact->key);
    const uint32_t netid = fr_rd_u24(&rd);
    enum fr_err err = fr_rd_end(&rd);
    const bool is_image = fact->kind == FR_FACT_IMAGE;
    if (err || !(is_own(r, netid) || (is_image && netid == 0))) return err;
    begin_change(r, record, is_image ? "image" : "network");
    if (netid) put_netid(r, netid);
    fr_json_end(&r->json);
    return FR_OK;
}

static enum fr_err tell_record(struct reading *r, const struct fr_journal_record *record)
{
    struct fr_span facts = record->facts;
    struct fr_fact fact;
    enum fr_err err;
    while ((err = fr_fact_next(&facts, &fact)) == FR_OK) {
        r->facts++;
        if (fact.kind == FR_FACT_DEVICE)
            err = tell_device(r, record, &fact);
        else if (fact.kind == FR_FACT_NETWORK || fact.kind == FR_FACT_IMAGE)
            err = tell_network(r, record, &fact);
        if (err) return err;
    }
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

/* --- records --- */

static enum fr_err read_records(struct reading *r, struct fr_snap *snap)
{
    struct fr_journal_record *record = fr_malloc(sizeof *record);
    enum fr_err err = record ? FR_OK : FR_E_NOMEM;
    r->at = r->since;
    while (!err && r->n < r->limit && r->facts < FACTS_MAX) {
        err = fr_journal_next(snap, r->at + 1, record);
        if (err) break;
        if (r->at == r->since && record->sequence > r->since + 1) {
            r->is_gone = true;
            break;
        }
        err = tell_record(r, record);
        r->at = record->sequence;
    }
    fr_free(record);
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

static enum fr_err read_changes(struct reading *r, struct fr_snap *snap, struct fr_buf *out)
{
    r->json = fr_json(out);
    fr_json_object(&r->json);
    fr_json_key(&r->json, "changes");
    fr_json_array(&r->json);
    enum fr_err err = fr_network_each_of(snap, r->member, add_netid, r);
    if (!err) err = read_records(r, snap);
    fr_json_end(&r->json);
    fr_json_put_uint(&r->json, "sequence", r->at);
    fr_json_end(&r->json);
    return err ? err : fr_buf_err(out);
}

static void answer(struct fr_api_call *call, enum fr_err err, const struct reading *r,
                   const struct fr_buf *text)
{
    struct fr_diag diag = {0};
    if (err) {
        fr_api_refuse_as(call, 503, FR_E_UNAVAILABLE, FR_API_UNREADABLE);
    } else if (r->is_gone) {
        const struct fr_problem problem = {.status = 410, .code = FR_E_NOT_FOUND, .diag = &diag};
        (void)fr_diag_fail(&diag, FR_E_NOT_FOUND, "what came behind %llu is not kept any more",
                           (unsigned long long)r->since);
        fr_diag_hint(&diag,
                     "read the whole list from /devices, then go on from the sequence of now");
        fr_api_count_refusal(call->api, 410);
        fr_problem_reply(call->x, &problem);
    } else {
        fr_api_answer(call, 200, fr_buf_span(text));
    }
}

/* --- waiting --- */

struct fr_api_waiter {
    struct fr_api *api;
    struct fr_api_waiter *next;
    struct fr_http_exchange *x;
    char member[FR_MEMBER_ID_MAX + 1];
    uint64_t since, limit;
    int64_t until_ms;
};

/* Answers, or says that there is nothing yet. */
static bool try_answer(struct fr_api_call *call, uint64_t since, uint64_t limit, bool is_final,
                       uint64_t *at)
{
    struct reading *r = fr_calloc(1, sizeof *r);
    struct fr_buf text = FR_BUF_INIT(TEXT_MAX);
    enum fr_err err = FR_E_NOMEM;
    bool is_answered = true;
    if (r) {
        r->member = call->pass->who->member;
        r->since = since;
        r->limit = limit;
        err = read_changes(r, call->pass->snap, &text);
    }
    if (!err && !is_final && !r->is_gone && r->n == 0) {
        is_answered = false;
        *at = r->at;
    } else {
        answer(call, err, r, &text);
    }
    fr_buf_deinit(&text);
    fr_free(r);
    return is_answered;
}

/* Who asks may have lost the right to since. True: x is answered. *oldest: the oldest moment that was looked at. */
static bool look_again(struct fr_api_waiter *w, bool is_final, uint64_t *oldest)
{
    struct fr_gate_pass pass;
    if (!fr_gate_admit_as(w->api->options.gate, w->x, FR_SERVICE_BROKER, FR_RIGHT_PUBLISH,
                          fr_api_refuse_at_gate, &pass))
        return true;
    struct fr_api_call call = {.api = w->api, .x = w->x, .pass = &pass};
    const uint64_t txn = fr_snap_txn(pass.snap);
    if (txn < *oldest) *oldest = txn;
    const bool is_answered = try_answer(&call, w->since, w->limit, is_final, &w->since);
    fr_gate_leave(w->api->options.gate);
    return is_answered;
}

/* What is remembered is the moment that was looked at: a commit shows in the store's number a moment before readers get it. */
static void look(struct fr_api *api, bool is_final)
{
    const int64_t now_ms = fr_loop_now_ms(api->options.loop);
    const bool has_moved = fr_store_last_txn(api->options.store) != api->seen_txn;
    struct fr_api_waiter **at = &api->waiters;
    uint64_t oldest = UINT64_MAX;
    while (*at) {
        struct fr_api_waiter *w = *at;
        const bool is_over = is_final || now_ms >= w->until_ms || !w->x->conn;
        if (!(has_moved || is_over) || !look_again(w, is_over, &oldest)) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        fr_api_give_place(api, w->member);
        fr_free(w);
    }
    if (has_moved && oldest != UINT64_MAX) api->seen_txn = oldest;
}

static void on_look(struct fr_timer *timer)
{
    struct fr_api *api = timer->data;
    look(api, false);
    if (api->waiters) fr_timer_start(api->options.loop, &api->look, LOOK_MS);
}

void fr_api_changes_init(struct fr_api *api)
{
    fr_timer_init(&api->look, on_look, api);
}

void fr_api_stop(struct fr_api *api)
{
    fr_timer_stop(&api->look);
    api->is_stopping = true;
    look(api, true);
    fr_api_pages_stop(api);
}

static void wait_for_more(struct fr_api_call *call, uint64_t since, uint64_t limit, uint64_t wait_s)
{
    struct fr_api *api = call->api;
    struct fr_diag diag = {0};
    const char *member = call->pass->who->member;
    struct fr_api_waiter *w = fr_malloc(sizeof *w);
    enum fr_err err = w ? fr_api_take_place(api, member) : FR_E_NOMEM;
    if (err == FR_E_LIMIT)
        (void)fr_diag_fail(&diag, err, "this member has too many requests under way");
    if (err) {
        fr_free(w);
        if (err == FR_E_LIMIT)
            fr_api_refuse_busy(call, &diag);
        else
            fr_api_refuse_as(call, 503, FR_E_NOMEM, "out of memory");
        return;
    }
    *w = (struct fr_api_waiter){
        .api = api, .next = api->waiters, .x = call->x, .since = since, .limit = limit};
    memcpy(w->member, member, sizeof w->member);
    w->until_ms = fr_loop_now_ms(api->options.loop) + (int64_t)wait_s * 1000;
    if (!api->waiters) api->seen_txn = fr_snap_txn(call->pass->snap);
    api->waiters = w;
    if (!api->look.is_armed) fr_timer_start(api->options.loop, &api->look, LOOK_MS);
}

void fr_api_changes_get(struct fr_api_call *call)
{
    struct fr_query_value known[] = {{.name = "since"}, {.name = "limit"}, {.name = "wait"}, {0}};
    struct fr_diag diag = {0};
    uint64_t since = 0, limit = 0, wait_s = 0;
    if (!fr_api_read_query(call, known)) return;
    const uint64_t now = fr_snap_sequence(call->pass->snap);
    enum fr_err err = fr_query_uint(&known[0], 0, INT64_MAX, now, &diag, &since);
    if (!err) err = fr_query_uint(&known[1], 1, LIMIT_MAX, LIMIT_DEFAULT, &diag, &limit);
    if (!err) err = fr_query_uint(&known[2], 0, WAIT_MAX_S, 0, &diag, &wait_s);
    if (!err && since > now)
        err = fr_diag_fail(&diag, FR_E_INVALID, "since is ahead of %llu, the sequence of now",
                           (unsigned long long)now);
    if (err) {
        fr_api_refuse(call, err, &diag);
        return;
    }
    const bool can_wait = wait_s > 0 && !call->api->is_stopping;
    if (!try_answer(call, since, limit, !can_wait, &since))
        wait_for_more(call, since, limit, wait_s);
}
