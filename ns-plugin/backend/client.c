#include "backend/client.h"

#include "backend/link.h"
#include "base/mem.h"
#include "base/random.h"

#include <string.h>

struct fr_bi_call {
    struct fr_bi_call *prev, *next;
    struct fr_bi_client *client;
    struct fr_bi_link *link;
    struct fr_http_call *http; /* NULL once its response came */
    struct fr_timer timer;     /* an asynchronous answer's deadline */
    uint32_t transaction_id;
    enum fr_bi_type answer_type;
    struct fr_bi_id us, peer;
    bool is_async, is_post;
    bool is_cancelled;
    bool has_pins;
    size_t n_pins;
    uint8_t pins[FR_BI_PINS_MAX][FR_BI_PIN];
    fr_bi_done_fn done;
    void *data;
    bool is_new_connection;
};

struct fr_bi_client {
    struct fr_loop *loop;
    struct fr_bi_links links;
    struct fr_bi_call calls; /* list head */
    size_t n_calls;
    uint64_t requests, answers, failures;
};

enum fr_err fr_bi_client_new(struct fr_loop *loop, struct fr_bi_client **out)
{
    struct fr_bi_client *c = fr_calloc(1, sizeof *c);

    if (c == NULL) return FR_E_NOMEM;
    c->loop = loop;
    fr_bi_links_init(&c->links, loop);
    c->calls.prev = c->calls.next = &c->calls;
    *out = c;
    return FR_OK;
}

static void call_free(struct fr_bi_call *call)
{
    fr_timer_stop(&call->timer);
    call->prev->next = call->next;
    call->next->prev = call->prev;
    call->client->n_calls--;
    fr_bi_link_release(call->link);
    fr_free(call);
}

void fr_bi_client_cancel(struct fr_bi_call *call)
{
    struct fr_http_call *http = call->http;

    call->is_cancelled = true;
    call->http = NULL;
    if (http != NULL)
        fr_http_cancel(http); /* on_response runs and frees the call */
    else
        call_free(call);
}

void fr_bi_client_free(struct fr_bi_client *c)
{
    if (c == NULL) return;
    while (c->calls.next != &c->calls) fr_bi_client_cancel(c->calls.next);
    fr_bi_links_deinit(&c->links);
    fr_free(c);
}

static void finish(struct fr_bi_call *call, const struct fr_bi_outcome *outcome)
{
    fr_bi_done_fn done = call->done;
    void *data = call->data;

    if (outcome->err == FR_OK)
        call->client->answers++;
    else
        call->client->failures++;
    call_free(call);
    done(data, outcome);
}

static void fail(struct fr_bi_call *call, enum fr_err err, unsigned status, const char *text)
{
    struct fr_bi_outcome outcome = {
        .err = err, .status = status, .text = text, .is_new_connection = call->is_new_connection};

    finish(call, &outcome);
}

static void on_deadline(struct fr_timer *t)
{
    fail(t->data, FR_E_TIMEOUT, 200, "the peer took the request, but no answer came from it");
}

static bool is_answer_to(const struct fr_bi_call *call, const struct fr_bi_message *m)
{
    return m->is_version_1_0 && m->type == call->answer_type &&
           m->transaction_id == call->transaction_id && fr_bi_id_equal(m->sender, call->peer) &&
           fr_bi_id_equal(m->receiver, call->us);
}

/* A whole message that answers the call, or the reason why not. */
static void take_body(struct fr_bi_call *call, unsigned status, struct fr_span body)
{
    struct fr_bi_message m;
    bool answerable;
    struct fr_bi_outcome outcome = {
        .status = status, .text = "", .is_new_connection = call->is_new_connection};

    outcome.err = fr_bi_open(body, &m, &answerable);
    if (outcome.err == FR_OK && !is_answer_to(call, &m)) {
        outcome.err = FR_E_MALFORMED;
        outcome.text = "the peer's answer does not belong to the request";
    } else {
        if (outcome.err == FR_OK) outcome.err = fr_bi_read_members(&m);
        if (outcome.err == FR_OK)
            outcome.answer = &m;
        else if (status < 200 || status > 299)
            outcome.text = "the peer refused the request";
        else if (body.n == 0)
            outcome.text = "the peer's answer is empty: does it answer asynchronously?";
        else
            outcome.text = "the peer's answer is malformed";
    }
    finish(call, &outcome);
    fr_bi_message_deinit(&m);
}

/* spki_sha256: NULL when the peer showed no certificate. */
static bool has_right_key(const struct fr_bi_call *call, const uint8_t *spki_sha256)
{
    if (!call->has_pins) return true;
    for (size_t i = 0; spki_sha256 != NULL && i < call->n_pins; i++) {
        if (memcmp(call->pins[i], spki_sha256, FR_BI_PIN) == 0) return true;
    }
    return false;
}

static void on_response(void *data, const struct fr_http_result *r)
{
    struct fr_bi_call *call = data;

    call->http = NULL;
    if (call->is_cancelled) {
        call_free(call);
        return;
    }
    call->is_new_connection |= r->is_new_connection;
    if (r->fault != FR_HTTP_OK) {
        fail(call, fr_http_fault_err(r->fault), 0, r->text);
        return;
    }
    if (!has_right_key(call, r->cert != NULL ? r->cert->spki_sha256 : NULL)) {
        fail(call, FR_E_AUTH, r->status, "the peer's key is not among those the broker names");
        return;
    }
    bool is_ok = r->status >= 200 && r->status <= 299;
    if (call->is_post) {
        if (is_ok)
            finish(call, &(struct fr_bi_outcome){.status = r->status, .text = ""});
        else
            fail(call, FR_E_DENIED, r->status, "the peer refused the answer");
    } else if (call->is_async && is_ok && r->body.n == 0) {
        return; /* acknowledged: the answer comes as a request, or the timer ends it */
    } else {
        take_body(call, r->status, r->body);
    }
}

static bool is_in_flight(const struct fr_bi_client *c, uint32_t transaction_id)
{
    const struct fr_bi_call *call = c->calls.next;

    while (call != &c->calls && call->transaction_id != transaction_id) call = call->next;
    return call != &c->calls;
}

static enum fr_err call_new(struct fr_bi_client *c, const struct fr_bi_target *target,
                            const struct fr_bi_message *m, fr_bi_done_fn done, void *data,
                            struct fr_bi_call **out)
{
    if (c->n_calls >= FR_BI_CALLS_MAX) return FR_E_LIMIT;
    struct fr_bi_call *call = fr_calloc(1, sizeof *call);
    if (call == NULL) return FR_E_NOMEM;
    enum fr_err err = fr_bi_links_get(&c->links, target, &call->link);
    if (err) {
        fr_free(call);
        return err;
    }
    call->client = c;
    call->done = done;
    call->data = data;
    call->us = m->sender;
    call->peer = target->id;
    call->is_async = target->is_async;
    call->has_pins = target->has_pins;
    call->n_pins = target->n_pins < FR_BI_PINS_MAX ? target->n_pins : FR_BI_PINS_MAX;
    memcpy(call->pins, target->pins, sizeof call->pins);
    fr_timer_init(&call->timer, on_deadline, call);
    call->next = c->calls.next;
    call->prev = &c->calls;
    c->calls.next->prev = call;
    c->calls.next = call;
    c->n_calls++;
    *out = call;
    return FR_OK;
}

static enum fr_err call_start(struct fr_bi_call *call, const struct fr_bi_target *target,
                              const struct fr_bi_message *m, uint32_t deadline_ms)
{
    struct fr_buf body = FR_BUF_INIT(FR_BI_BODY_MAX);
    const struct fr_http_field fields[] = {FR_HTTP_FIELD("content-type", "application/json")};

    enum fr_err err = fr_bi_write(m, &body);
    if (err) goto out;
    /* A kept connection may have died unseen: the peer judges a repetition by the frame's own nonce. */
    const struct fr_http_request request = {
        .method = "POST",
        .target = target->path != NULL ? target->path : "/",
        .fields = fields,
        .n_fields = 1,
        .body = fr_buf_span(&body),
        .is_retryable = true,
    };
    err = fr_http_send(call->link->http, &request, deadline_ms, on_response, call, &call->http);
    if (err) goto out;
    if (call->is_async && !call->is_post) {
        fr_timer_start(call->client->loop, &call->timer, deadline_ms);
    }
    call->client->requests++;
out:
    fr_buf_deinit_secret(&body);
    return err;
}

enum fr_err fr_bi_client_send(struct fr_bi_client *c, const struct fr_bi_target *target,
                              struct fr_bi_message *request, uint32_t deadline_ms,
                              fr_bi_done_fn done, void *data, struct fr_bi_call **out)
{
    struct fr_bi_call *call = NULL;

    do {
        enum fr_err err = fr_random(&request->transaction_id, sizeof request->transaction_id);
        if (err) return err;
    } while (is_in_flight(c, request->transaction_id));
    enum fr_err err = call_new(c, target, request, done, data, &call);
    if (err) return err;
    call->transaction_id = request->transaction_id;
    call->answer_type = (enum fr_bi_type)(request->type + 1);
    err = call_start(call, target, request, deadline_ms);
    if (err) {
        call_free(call);
        return err;
    }
    if (out != NULL) *out = call;
    return FR_OK;
}

enum fr_err fr_bi_client_post(struct fr_bi_client *c, const struct fr_bi_target *target,
                              const struct fr_bi_message *answer, uint32_t deadline_ms,
                              fr_bi_done_fn done, void *data)
{
    struct fr_bi_call *call = NULL;

    enum fr_err err = call_new(c, target, answer, done, data, &call);
    if (err) return err;
    call->is_post = true;
    call->answer_type = FR_BI_OTHER_ANS;
    call->transaction_id = answer->transaction_id;
    err = call_start(call, target, answer, deadline_ms);
    if (err) call_free(call);
    return err;
}

bool fr_bi_client_take_answer(struct fr_bi_client *c, const char *federation,
                              const uint8_t spki_sha256[FR_BI_PIN], struct fr_bi_message *answer)
{
    for (struct fr_bi_call *call = c->calls.next; call != &c->calls; call = call->next) {
        if (!call->is_async || call->is_post) continue;
        if (strcmp(call->link->federation, federation) != 0 || !is_answer_to(call, answer))
            continue;
        if (!has_right_key(call, spki_sha256)) continue;
        struct fr_bi_outcome outcome = {.status = 200, .text = ""};
        outcome.err = fr_bi_read_members(answer);
        if (outcome.err == FR_OK)
            outcome.answer = answer;
        else
            outcome.text = "the peer's answer is malformed";
        /* The HTTP response to the request may still be under way: nobody waits for it any more. */
        struct fr_http_call *http = call->http;
        if (http == NULL) {
            finish(call, &outcome);
            return true;
        }
        fr_bi_done_fn done = call->done;
        void *data = call->data;
        c->answers++;
        fr_bi_client_cancel(call);
        done(data, &outcome);
        return true;
    }
    return false;
}

void fr_bi_client_close_idle(struct fr_bi_client *c)
{
    fr_bi_links_close_idle(&c->links);
}

void fr_bi_client_traffic(struct fr_bi_client *c, struct fr_bi_traffic *out)
{
    *out = (struct fr_bi_traffic){
        .requests = c->requests, .answers = c->answers, .failures = c->failures};
    fr_bi_links_traffic(&c->links, out);
}
