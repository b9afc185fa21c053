#include "probe/check.h"

#include "base/mem.h"
#include "transport/http_client.h"

#include <stdio.h>

#define ANSWER_MAX 65536

struct fr_check {
    struct fr_check_ask ask;
    char *host;
    struct fr_http_client *client;
    int64_t started_ms;
};

const char *fr_check_step_text(enum fr_check_step step)
{
    static const char *const words[FR_CHECK_STEPS] = {"address", "tcp",  "tls", "chain",
                                                      "name",    "http", "key"};
    return step < FR_CHECK_STEPS ? words[step] : "";
}

static const char *const todos[FR_CHECK_STEPS] = {
    [FR_CHECK_TCP] = "start the network server; let TCP to this port in through firewall and NAT; "
                     "or register the "
                     "endpoint where it does listen",
    [FR_CHECK_TLS] = "something else than the network server's TLS listens there: look at its "
                     "configuration and at what the firewall sends there",
    [FR_CHECK_CHAIN] = "let the network server show the whole chain that the federation issued "
                       "(ns-NETID.chain.pem), and restart it after a renewal; look at its clock",
    [FR_CHECK_NAME] = "the certificate is another's: let the network server show the one of this "
                      "NetID, or register the endpoint where this network is",
    [FR_CHECK_KEY] = "the certificate was revoked or replaced: fedroam renew, and restart the "
                     "network server so that it shows the present one",
    [FR_CHECK_HTTP] = "the network server must take certificates of the federation's root: its CA "
                      "file is root.pem of the wallet; and it must speak HTTP there",
};

static void find(struct fr_check_finding *f, enum fr_check_step step, const char *seen)
{
    f->wrong = step;
    f->todo = todos[step];
    (void)snprintf(f->seen, sizeof f->seen, "%s", seen);
}

void fr_check_refuse(struct fr_check_finding *finding, const char *seen, const char *todo)
{
    *finding = (struct fr_check_finding){.wrong = FR_CHECK_ADDRESS, .todo = todo};
    (void)snprintf(finding->seen, sizeof finding->seen, "%s", seen);
}

/* Once TLS is up, what fails is HTTP; before, the counters know how far it came. */
static enum fr_check_step step_of(const struct fr_check *check, enum fr_http_fault fault)
{
    const struct fr_http_client_counters *n = fr_http_client_counters(check->client);

    if (fault == FR_HTTP_TLS_UNTRUSTED) return FR_CHECK_CHAIN;
    if (fault == FR_HTTP_TLS_NAME) return FR_CHECK_NAME;
    if (n->handshakes > 0) return FR_CHECK_HTTP;
    return n->connects > 0 ? FR_CHECK_TLS : FR_CHECK_TCP;
}

static void judge(const struct fr_check *check, const struct fr_http_result *r,
                  struct fr_check_finding *f)
{
    char text[160];

    if (r->fault == FR_HTTP_TLS_ALERT) {
        (void)snprintf(text, sizeof text, "it refuses the broker's certificate: %s", r->alert_word);
        find(f, FR_CHECK_HTTP, text);
    } else if (r->fault != FR_HTTP_OK) {
        find(f, step_of(check, r->fault), r->text);
    } else if (!r->cert || !check->ask.is_pinned(check->ask.data, r->cert->spki_sha256)) {
        find(f, FR_CHECK_KEY, "the key of its certificate is not published for this network");
    } else {
        f->wrong = FR_CHECK_STEPS;
    }
}

static void on_done(void *data, const struct fr_http_result *r)
{
    struct fr_check *check = data;
    struct fr_check_finding finding = {0};

    if (r->fault == FR_HTTP_CANCELLED) return; /* freed */
    judge(check, r, &finding);
    finding.ms = (uint32_t)(fr_loop_now_ms(check->ask.loop) - check->started_ms);
    check->ask.done(check->ask.data, &finding);
}

enum fr_err fr_check_start(const struct fr_check_ask *ask, struct fr_check **out)
{
    const struct fr_http_request request = {.method = "GET", .target = "/"};
    struct fr_http_client_conf conf = fr_http_client_conf_default();
    struct fr_check *check = fr_calloc(1, sizeof *check);

    if (!check) return FR_E_NOMEM;
    check->ask = *ask;
    check->started_ms = fr_loop_now_ms(ask->loop);
    check->host = fr_strdup(ask->host);
    conf.host = check->host;
    conf.port = ask->at.port;
    conf.addrs = &ask->at;
    conf.n_addrs = 1;
    conf.tls = ask->tls;
    conf.has_h1 = true;
    conf.has_h2 = false; /* what network servers speak to each other */
    conf.connect_ms = FR_CHECK_CONNECT_MS;
    conf.idle_ms = 0;
    conf.body_bytes = ANSWER_MAX;
    enum fr_err err = check->host ? FR_OK : FR_E_NOMEM;
    if (!err) err = fr_http_client_new(ask->loop, &conf, &check->client);
    if (!err) err = fr_http_send(check->client, &request, FR_CHECK_MS, on_done, check, NULL);
    if (err) {
        fr_check_free(check);
        return err;
    }
    *out = check;
    return FR_OK;
}

void fr_check_free(struct fr_check *check)
{
    if (!check) return;
    fr_http_client_free(check->client);
    fr_free(check->host);
    fr_free(check);
}
