#include "roles/activation.h"

#include "base/url.h"
#include "roles/ns_priv.h"

#include <string.h>

/* What the device is told about receive windows: defaults of the region, and 1.1 when it can. */
enum { RX_DELAY_S = 1, DL_SETTINGS_1_0 = 0x00, DL_SETTINGS_1_1 = 0x80 };

static void finish(struct fr_activation *a, const struct fr_activation_outcome *outcome)
{
    fr_secret_zero(&a->device, sizeof a->device);
    a->call = NULL;
    a->done(a->data, outcome);
}

static void fail(struct fr_activation *a, enum fr_bi_result result, const char *why)
{
    struct fr_activation_outcome outcome = {.result = result, .why = why};

    finish(a, &outcome);
}

/* The keys of the answer as a session. */
static enum fr_err take_keys(struct fr_activation *a, const struct fr_bi_message *answer,
                             struct fr_session *s)
{
    const struct fr_bi_key *k = answer->keys;
    struct fr_crypto *crypto = a->ns->crypto;
    const struct fr_keys *keys = a->ns->keys;
    enum fr_err err;

    s->is_1_1 = k[FR_BI_NWK_S_KEY].n == 0;
    if (s->is_1_1) {
        err = fr_key_open(crypto, keys, &k[FR_BI_F_NWK_S_INT_KEY], s->f_nwk_s_int_key);
        if (err) return err;
        err = fr_key_open(crypto, keys, &k[FR_BI_S_NWK_S_INT_KEY], s->s_nwk_s_int_key);
        if (err) return err;
        err = fr_key_open(crypto, keys, &k[FR_BI_NWK_S_ENC_KEY], s->nwk_s_enc_key);
    } else {
        err = fr_key_open(crypto, keys, &k[FR_BI_NWK_S_KEY], s->f_nwk_s_int_key);
        memcpy(s->s_nwk_s_int_key, s->f_nwk_s_int_key, 16);
        memcpy(s->nwk_s_enc_key, s->f_nwk_s_int_key, 16);
    }
    if (err) return err;
    /* The AppSKey may be wrapped for an application server: then it is not for us to open. */
    s->has_app_s_key = k[FR_BI_APP_S_KEY].n > 0 &&
                       fr_key_open(crypto, keys, &k[FR_BI_APP_S_KEY], s->app_s_key) == FR_OK;
    return FR_OK;
}

static struct fr_span check_value(struct fr_crypto *crypto, const uint8_t key[16],
                                  uint8_t out[FR_KEY_CHECK_SIZE])
{
    struct fr_key k;

    memcpy(k.b, key, sizeof k.b);
    enum fr_err err = fr_key_check_value(crypto, &k, out);
    fr_secret_zero(&k, sizeof k);
    return err ? (struct fr_span){NULL, 0} : fr_span(out, FR_KEY_CHECK_SIZE);
}

/* Keys never stand in a log; their check values do, so that both ends of a session can be compared. */
static void log_session(const struct fr_activation *a, const struct fr_session *s)
{
    struct fr_crypto *crypto = a->ns->crypto;
    uint8_t v[4][FR_KEY_CHECK_SIZE];
    struct fr_span f = check_value(crypto, s->f_nwk_s_int_key, v[0]);
    struct fr_span app =
        s->has_app_s_key ? check_value(crypto, s->app_s_key, v[1]) : (struct fr_span){NULL, 0};

    if (s->is_1_1) {
        FR_LOG(a->ns->log, FR_LOG_INFO, "join.session", FR_STR("join", a->join_id),
               FR_DEVADDR("devaddr", s->dev_addr), FR_HEX("fnwksintkey", f),
               FR_HEX("snwksintkey", check_value(crypto, s->s_nwk_s_int_key, v[2])),
               FR_HEX("nwksenckey", check_value(crypto, s->nwk_s_enc_key, v[3])),
               FR_HEX("appskey", app));
    } else {
        FR_LOG(a->ns->log, FR_LOG_INFO, "join.session", FR_STR("join", a->join_id),
               FR_DEVADDR("devaddr", s->dev_addr), FR_HEX("nwkskey", f), FR_HEX("appskey", app));
    }
}

/* A successful JoinAns: the session is on disk before anybody hears of it. */
static void take_answer(struct fr_activation *a, const struct fr_bi_message *answer)
{
    struct fr_activation_outcome outcome = {.result = FR_BI_SUCCESS, .why = ""};
    struct fr_session *s = &outcome.session;

    if (answer->phy_payload.n != FR_JOIN_ACCEPT_SIZE &&
        answer->phy_payload.n != FR_JOIN_ACCEPT_MAX) {
        fail(a, FR_BI_OTHER, "the Join Server's PHYPayload is not a Join-accept");
        return;
    }
    outcome.accept_n = answer->phy_payload.n;
    memcpy(outcome.accept, answer->phy_payload.p, outcome.accept_n);
    s->dev_eui = a->device.dev_eui;
    s->join_eui = a->device.join_eui;
    s->dev_addr = a->dev_addr;
    s->since_s = fr_loop_real_s(a->ns->loop);
    if (answer->lifetime_s > 0 && answer->lifetime_s < UINT32_MAX) {
        s->until_s = s->since_s + (int64_t)answer->lifetime_s;
    }
    (void)fr_span_copy(fr_span_str(a->federation), s->federation, sizeof s->federation);
    s->visited_netid = a->visited_netid;
    enum fr_err err = take_keys(a, answer, s);
    if (err) {
        fail(a, FR_BI_OTHER, "the Join Server's keys cannot be opened: unknown KEK label?");
    } else if (fr_state_save_session(a->ns->state, s) != FR_OK) {
        fail(a, FR_BI_OTHER, "the session could not be saved");
    } else {
        log_session(a, s);
        finish(a, &outcome);
    }
    fr_secret_zero(&outcome, sizeof outcome);
}

static void on_join_ans(struct fr_activation *a, const struct fr_bi_message *answer)
{
    char why[128] = "";

    FR_LOG(a->ns->log, FR_LOG_INFO, "join.joinans", FR_STR("join", a->join_id),
           FR_INT("ms", fr_loop_now_ms(a->ns->loop) - a->received_ms),
           FR_STR("result", fr_bi_result_print(answer->result)),
           FR_SPAN("why", answer->description));
    if (answer->result == FR_BI_SUCCESS) {
        take_answer(a, answer);
        return;
    }
    (void)fr_span_copy(answer->description, why, sizeof why); /* too long: the code says it, too */
    fail(a, answer->result, why);
}

static void on_remote(void *data, const struct fr_bi_outcome *outcome)
{
    struct fr_activation *a = data;

    a->call = NULL;
    if (outcome->err == FR_OK) {
        on_join_ans(a, outcome->answer);
        return;
    }
    FR_LOG(a->ns->log, FR_LOG_WARN, "join.joinserver_failed", FR_STR("join", a->join_id),
           FR_INT("ms", fr_loop_now_ms(a->ns->loop) - a->received_ms),
           FR_ERR("error", outcome->err), FR_STR("why", outcome->text));
    fail(a, FR_BI_OTHER, "the Join Server did not answer");
}

/* The rule for a JoinEUI, or NULL. */
static const struct fr_ns_join_server *find_server(const struct fr_ns_options *o, uint64_t join_eui)
{
    for (size_t i = 0; i < o->n_join_servers; i++) {
        if (o->join_servers[i].join_eui == join_eui) return &o->join_servers[i];
    }
    return NULL;
}

/* "https://js.example:8006/path" and the addresses beside it, as a target. */
static enum fr_err server_target(struct fr_ns *ns, const struct fr_ns_join_server *server,
                                 struct fr_url *url, struct fr_ns_place *out)
{
    struct fr_bi_target *t = &out->target;
    const char *name = server->federation != NULL ? server->federation : ns->feds[0].name;
    const struct fr_ns_fed *fed = fr_ns_find_fed(ns, name);
    size_t n = 0;

    enum fr_err err = fr_url_parse(fr_span_str(server->url), url);
    if (err) return err;
    if (fed == NULL || !url->is_tls) return FR_E_INVALID;
    if (url->is_ip) {
        err = fr_ip_parse(fr_span_str(url->host), &out->addrs[0].ip);
        if (err) return err;
        out->addrs[0].port = url->port;
        n = 1;
    }
    for (size_t i = 0; i < server->n_addresses && n < FR_NS_ADDRS_MAX; i++) {
        err = fr_ip_parse(fr_span_str(server->addresses[i]), &out->addrs[n].ip);
        if (err) return err;
        out->addrs[n++].port = url->port;
    }
    *t = (struct fr_bi_target){.federation = fed->name,
                               .id = {.kind = FR_BI_ID_EUI, .value = server->join_eui},
                               .tls_name = url->host,
                               .tls = fed->client,
                               .addrs = out->addrs,
                               .n_addrs = n,
                               .path = url->path};
    return n > 0 ? FR_OK : FR_E_NOT_FOUND;
}

static void ask_remote(struct fr_activation *a, struct fr_bi_message *request, uint32_t left_ms)
{
    const struct fr_ns_join_server *server = find_server(a->ns->options, a->join.join_eui);
    struct fr_ns_place place;
    struct fr_url url;

    if (server == NULL) {
        fail(a, FR_BI_OTHER, "no Join Server is configured for the JoinEUI");
        return;
    }
    FR_LOG(a->ns->log, FR_LOG_INFO, "join.joinreq", FR_STR("join", a->join_id),
           FR_INT("ms", fr_loop_now_ms(a->ns->loop) - a->received_ms),
           FR_STR("join_server", server->url));
    enum fr_err err = server_target(a->ns, server, &url, &place);
    if (err == FR_OK) {
        err = fr_bi_client_send(a->ns->client, &place.target, request, left_ms, on_remote, a,
                                &a->call);
    }
    if (err) fail(a, FR_BI_OTHER, "the Join Server cannot be asked");
}

static void ask_local(struct fr_activation *a, const struct fr_bi_message *request)
{
    struct fr_js js = fr_ns_js(a->ns);
    struct fr_js_scratch scratch;
    struct fr_bi_message answer;

    FR_LOG(a->ns->log, FR_LOG_INFO, "join.joinreq", FR_STR("join", a->join_id),
           FR_INT("ms", fr_loop_now_ms(a->ns->loop) - a->received_ms),
           FR_STR("join_server", "local"));
    fr_js_join(&js, request, NULL, &scratch, &answer);
    on_join_ans(a, &answer);
    fr_bi_message_deinit(&answer);
}

void fr_activation_start(struct fr_activation *a, uint32_t left_ms)
{
    const struct fr_bi_id server = {.kind = FR_BI_ID_EUI, .value = a->join.join_eui};
    struct fr_bi_message request;

    enum fr_err err =
        fr_state_reserve_addr(a->ns->state, a->device.dev_eui, a->ns->options->netid, &a->dev_addr);
    if (err) {
        fail(a, FR_BI_OTHER, err == FR_E_LIMIT ? "every DevAddr is taken" : "no DevAddr: state");
        return;
    }
    fr_bi_request_init(&request, FR_BI_JOIN_REQ, fr_ns_id(a->ns), server);
    request.mac_version = fr_span_str(fr_lorawan_print(a->device.version));
    request.phy_payload = a->phy;
    request.has = FR_BI_HAS_DEV_EUI | FR_BI_HAS_DEV_ADDR;
    request.dev_eui = a->device.dev_eui;
    request.dev_addr = a->dev_addr;
    request.dl_settings = a->device.version == FR_LORAWAN_1_1 ? DL_SETTINGS_1_1 : DL_SETTINGS_1_0;
    request.rx_delay = RX_DELAY_S;
    if (a->device.app_key.is_set)
        ask_local(a, &request);
    else
        ask_remote(a, &request, left_ms);
}

void fr_activation_cancel(struct fr_activation *a)
{
    struct fr_bi_call *call = a->call;

    a->call = NULL;
    fr_secret_zero(&a->device, sizeof a->device);
    if (call != NULL) fr_bi_client_cancel(call);
}
