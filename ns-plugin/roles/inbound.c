#include "roles/inbound.h"

#include <string.h>

int64_t fr_inbound_ms(const struct fr_inbound *in)
{
    return fr_loop_now_ms(in->ns->loop) - in->x->received_ms;
}

static void inbound_free(struct fr_inbound *in)
{
    struct fr_ns *ns = in->ns;

    if (in->prev != NULL)
        in->prev->next = in->next;
    else
        ns->inbounds = in->next;
    if (in->next != NULL) in->next->prev = in->prev;
    ns->n_inbounds--;
    if (in->lookup != NULL) fedroam_lookup_cancel(in->lookup);
    if (in->check != NULL) fr_peer_cancel(in->check);
    fedroam_answer_free(in->answer);
    fr_activation_cancel(&in->activation);
    fr_secret_free(in, sizeof *in);
    fr_ns_ended(ns);
}

static void on_posted(void *data, const struct fr_bi_outcome *outcome)
{
    struct fr_ns *ns = data;

    if (outcome->err == FR_OK) return;
    FR_LOG(ns->log, FR_LOG_WARN, "peer.post_failed", FR_ERR("error", outcome->err),
           FR_STR("why", outcome->text));
}

/* To an asynchronous peer: its request was acknowledged, the answer is ours to deliver. */
static enum fr_err post(struct fr_inbound *in, const struct fr_bi_message *answer)
{
    struct fr_ns_place place;

    if (in->answer == NULL) return FR_E_NOT_FOUND;
    enum fr_err err = fr_ns_place(in->ns, in->answer, &place);
    if (err) return err;
    return fr_bi_client_post(in->ns->client, &place.target, answer, in->ns->options->answer_ms,
                             on_posted, in->ns);
}

void fr_inbound_answer(struct fr_inbound *in, const struct fr_bi_message *answer)
{
    struct fr_bi_exchange *x = in->x;
    enum fr_err err = FR_OK;

    if (answer->result != FR_BI_SUCCESS) in->ns->counters.inbound_refused++;
    if (in->is_async) err = post(in, answer);
    FR_LOG(in->ns->log, answer->result == FR_BI_SUCCESS && err == FR_OK ? FR_LOG_INFO : FR_LOG_WARN,
           "peer.answered", FR_STR("join", in->id), FR_INT("ms", fr_inbound_ms(in)),
           FR_STR("federation", x->peer.federation), FR_NETID("peer", (uint32_t)x->peer.id.value),
           FR_STR("type", answer->type_text), FR_UINT("tid", answer->transaction_id),
           FR_STR("result", fr_bi_result_print(answer->result)), FR_BOOL("async", in->is_async),
           FR_SPAN("why", answer->description), FR_STR("error", err ? fr_err_text(err) : NULL));
    fr_bi_exchange_answer(x, 200, answer);
    inbound_free(in);
}

void fr_inbound_result(struct fr_inbound *in, enum fr_bi_result result, const char *why)
{
    struct fr_bi_message answer;

    fr_bi_answer_init(&answer, &in->x->request, result);
    answer.description = fr_span_str(why);
    fr_inbound_answer(in, &answer);
}

void fr_ns_drop_inbounds(struct fr_ns *ns)
{
    while (ns->inbounds != NULL) {
        fr_bi_exchange_result(ns->inbounds->x, 200, FR_BI_OTHER, "shutting down");
        inbound_free(ns->inbounds);
    }
}

/* A stop ends the carrying at either side. */
static void pr_stop(struct fr_inbound *in)
{
    const struct fr_bi_peer *peer = &in->x->peer;
    uint64_t dev_eui = in->x->request.dev_eui;
    uint32_t netid = (uint32_t)peer->id.value;

    enum fr_err err = fr_state_drop_visitor(in->ns->state, peer->federation, netid, dev_eui);
    if (err == FR_E_NOT_FOUND) {
        err = fr_state_drop_roamer(in->ns->state, peer->federation, netid, dev_eui);
    }
    if (err == FR_OK)
        fr_inbound_result(in, FR_BI_SUCCESS, "");
    else if (err == FR_E_NOT_FOUND)
        fr_inbound_result(in, FR_BI_UNKNOWN_DEV_EUI, "");
    else
        fr_inbound_result(in, FR_BI_OTHER, "the state could not be written");
}

static void join_req(struct fr_inbound *in)
{
    const struct fr_bi_peer *peer = &in->x->peer;
    const struct fr_ns_peer_rule *rule =
        fr_ns_find_rule(in->ns->options, peer->federation, (uint32_t)peer->id.value);
    const struct fr_kek *kek = NULL;
    struct fr_js js = fr_ns_js(in->ns);
    struct fr_js_scratch scratch;
    struct fr_bi_message answer;

    if (rule != NULL && rule->kek != NULL) {
        kek = fr_keys_find_kek(in->ns->keys, fr_span_str(rule->kek));
        if (kek == NULL) {
            fr_inbound_result(in, FR_BI_OTHER, "unknown KEK label");
            return;
        }
    }
    fr_js_join(&js, &in->x->request, kek, &scratch, &answer);
    fr_inbound_answer(in, &answer);
    fr_bi_message_deinit(&answer);
}

static void home_ns_req(struct fr_inbound *in)
{
    const struct fr_bi_peer *peer = &in->x->peer;
    struct fr_js js = fr_ns_js(in->ns);
    struct fr_bi_message answer;

    if (!fr_ns_may_roam(in->ns->options, peer->federation, (uint32_t)peer->id.value)) {
        fr_inbound_result(in, FR_BI_NO_ROAMING_AGREEMENT, "not allowed by our rules");
        return;
    }
    fr_js_home_ns(&js, &in->x->request, &answer);
    fr_inbound_answer(in, &answer);
}

/* The role that the message is for. ReceiverID says whether it speaks to the network or to its Join Server. */
static void act(struct fr_inbound *in)
{
    const struct fr_bi_message *m = &in->x->request;
    bool is_to_js = m->receiver.kind == FR_BI_ID_EUI;
    bool wants_js = m->type == FR_BI_JOIN_REQ || m->type == FR_BI_HOME_NS_REQ;

    if (is_to_js != wants_js) {
        fr_inbound_result(in, FR_BI_UNKNOWN_RECEIVER, "ReceiverID is of another kind of server");
        return;
    }
    switch (m->type) {
    case FR_BI_JOIN_REQ: join_req(in); return;
    case FR_BI_HOME_NS_REQ: home_ns_req(in); return;
    case FR_BI_PR_START_REQ:
        if (in->ns->options->roles.home)
            fr_home_start(in);
        else
            fr_inbound_result(in, FR_BI_NO_ROAMING_AGREEMENT, "this network has no devices");
        return;
    case FR_BI_PR_STOP_REQ: pr_stop(in); return;
    case FR_BI_XMIT_DATA_REQ:
        if (m->has & FR_BI_HAS_DL)
            fr_inbound_result(in, FR_BI_XMIT_FAILED, "only joins are sent");
        else
            fr_inbound_result(in, FR_BI_UNKNOWN_DEV_ADDR, "only joins are taken");
        return;
    case FR_BI_JOIN_ANS:
    case FR_BI_PR_START_ANS:
    case FR_BI_PR_STOP_ANS:
    case FR_BI_XMIT_DATA_ANS:
    case FR_BI_HOME_NS_ANS:
    case FR_BI_OTHER_REQ:
    case FR_BI_OTHER_ANS: break;
    }
    fr_inbound_result(in, FR_BI_MALFORMED_REQUEST, "this message is not served here");
}

/* Not one of the network's own keys (any more): the certificate may be good, its owner has withdrawn it. */
static void refuse_key(struct fr_inbound *in, const char *why)
{
    struct fr_bi_exchange *x = in->x;
    char addr[FR_ADDR_TEXT];

    in->ns->counters.inbound_refused++;
    fr_addr_print(&x->peer.addr, addr);
    FR_LOG(in->ns->log, FR_LOG_WARN, "peer.refused", FR_STR("peer", addr),
           FR_STR("federation", x->peer.federation), FR_NETID("sender", (uint32_t)x->peer.id.value),
           FR_STR("type", x->request.type_text), FR_UINT("status", 403), FR_STR("why", why));
    fr_bi_exchange_result(x, 403, FR_BI_UNKNOWN_SENDER, why);
    inbound_free(in);
}

/* Where the peer is, as far as anybody knows; then its role acts. */
static void go_on(struct fr_inbound *in, const struct fedroam_answer *network)
{
    in->answer = network != NULL ? fedroam_answer_dup(network) : NULL;
    if (in->is_async) fr_bi_exchange_ack(in->x);
    act(in);
}

static void on_peer_checked(void *data, enum fedroam_peer verdict, const char *why,
                            const struct fedroam_answer *network)
{
    struct fr_inbound *in = data;

    in->check = NULL;
    switch (verdict) {
    case FEDROAM_PEER_OK: break;
    case FEDROAM_PEER_STALE:
        FR_LOG(in->ns->log, FR_LOG_WARN, "peer.stale", FR_STR("join", in->id),
               FR_STR("federation", in->x->peer.federation),
               FR_NETID("sender", (uint32_t)in->x->peer.id.value), FR_STR("why", why));
        break;
    case FEDROAM_PEER_UNKNOWN:
    case FEDROAM_PEER_REVOKED:
    case FEDROAM_PEER_WRONG_NETID: refuse_key(in, why); return;
    case FEDROAM_PEER_UNDECIDED:
        fr_inbound_result(in, FR_BI_OTHER, "the broker cannot be asked about the sender's key");
        return;
    }
    go_on(in, network);
}

/* Keys are not checked; an asynchronous answer still needs to know where to. */
static void on_peer_found(void *data, const struct fedroam_answer *answer)
{
    struct fr_inbound *in = data;

    in->lookup = NULL;
    go_on(in, answer);
}

static enum fr_err ask_about(struct fr_inbound *in)
{
    const struct fr_bi_peer *peer = &in->x->peer;
    uint32_t netid = (uint32_t)peer->id.value, within_ms = in->ns->options->answer_ms;

    if (in->ns->options->backend.check_keys) {
        const struct fr_peer_call call = {.done = on_peer_checked, .data = in};
        return fr_peer_start(in->ns->resolver, peer->federation, netid, peer->spki_sha256,
                             within_ms, call, &in->check);
    }
    return fedroam_lookup_network(in->ns->resolver, peer->federation, netid, within_ms,
                                  on_peer_found, in, &in->lookup) == FEDROAM_OK
               ? FR_OK
               : FR_E_LIMIT;
}

static struct fr_inbound *inbound_new(struct fr_ns *ns, struct fr_bi_exchange *x)
{
    struct fr_inbound *in = ns->n_inbounds < ns->options->joins ? fr_calloc(1, sizeof *in) : NULL;

    if (in == NULL) return NULL;
    in->ns = ns;
    in->x = x;
    fr_ns_join_id(x->request.phy_payload, in->id);
    in->next = ns->inbounds;
    if (in->next != NULL) in->next->prev = in;
    ns->inbounds = in;
    ns->n_inbounds++;
    return in;
}

void fr_ns_on_request(void *data, struct fr_bi_exchange *x)
{
    struct fr_ns *ns = data;

    ns->counters.inbound++;
    if (x->peer.id.kind != FR_BI_ID_NETID) {
        fr_bi_exchange_result(x, 200, FR_BI_UNKNOWN_SENDER, "requests are taken from networks");
        return;
    }
    struct fr_inbound *in = ns->is_stopping ? NULL : inbound_new(ns, x);
    if (in == NULL) {
        fr_bi_exchange_result(x, 200, FR_BI_OTHER, "too busy");
        return;
    }
    const struct fr_ns_peer_rule *rule =
        fr_ns_find_rule(ns->options, x->peer.federation, (uint32_t)x->peer.id.value);
    in->is_async = rule != NULL && rule->answers == FR_ANSWERS_ASYNC;
    if (!ns->options->backend.check_keys && !in->is_async) {
        act(in);
        return;
    }
    enum fr_err err = ask_about(in);
    if (err) fr_inbound_result(in, FR_BI_OTHER, fr_err_text(err));
}
