#include "agent/agent.h"

#include "agent/local.h"
#include "asking.h"
#include "base/buf.h"
#include "base/mem.h"
#include "dns/response.h"
#include "support/test_pki.h"
#include "transport/health.h"
#include "transport/http_client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* An agent with all its doors, whose broker's port is closed. */

static char folder[] = "/tmp/agent-XXXXXX";
static char chain[64], key[64], ca[64], sock[64], name[] = "fed.test";
static char url[] = "https://127.0.0.1:1/dns-query", nowhere[] = "/nowhere/key.pem";
static struct fr_federation_broker broker = {.url = url};

struct run {
    struct fr_loop *loop;
    struct fr_log log;
    struct fr_federation_conf federation;
    struct fr_addr listen;
    struct fr_agent_options options;
    struct fr_agent *agent;
};

static void write_file(char *path, size_t size, const char *file, const char *text)
{
    snprintf(path, size, "%s/%s", folder, file);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static int set_up(void **state)
{
    (void)state;
    struct test_id id;
    const struct test_leaf leaf = {.cn = "acme", .names = {"acme.member.fed.test"}};
    if (!mkdtemp(folder)) return -1;
    struct test_ca *authority = test_ca_new("fed.test");
    test_issue(authority, &leaf, &id);
    write_file(chain, sizeof chain, "me.chain.pem", id.chain);
    write_file(key, sizeof key, "me.key", id.key);
    write_file(ca, sizeof ca, "root.pem", test_ca_pem(authority));
    snprintf(sock, sizeof sock, "%s/agent.sock", folder);
    test_id_free(&id);
    test_ca_free(authority);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(chain);
    (void)unlink(key);
    (void)unlink(ca);
    return rmdir(folder);
}

static uint16_t free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    close(fd);
    return ntohs(at.sin_port);
}

static void prepare(struct run *r)
{
    const struct fr_log_options log = {.level = FR_LOG_DEBUG, .sink = no_sink};
    *r = (struct run){.federation = {.name = name,
                                     .brokers = &broker,
                                     .n_brokers = 1,
                                     .ca = ca,
                                     .certificate = chain,
                                     .key = key},
                      .listen = {.ip = {.family = 4, .b = {127, 0, 0, 1}}, .port = free_port()}};
    r->options = (struct fr_agent_options){.federations = &r->federation,
                                           .n_federations = 1,
                                           .listen = &r->listen,
                                           .n_listen = 1,
                                           .socket = sock,
                                           .pending = 10,
                                           .tcp = {10, 1000}};
    lookup_defaults(&r->options.lookup);
    assert_int_equal(fr_loop_poll_new(NULL, &r->loop), FR_OK);
    assert_int_equal(fr_log_init(&r->log, &log), FR_OK);
}

static void start(struct run *r)
{
    struct fr_diag diag = {0};
    prepare(r);
    if (fr_agent_open(r->loop, &r->options, &r->log, &diag, &r->agent) != FR_OK)
        fail_msg("%s", diag.what);
}

static void stop(struct run *r)
{
    fr_agent_close(r->agent);
    fr_loop_poll_free(r->loop);
}

static void turns(struct run *r, int n)
{
    while (n-- > 0) (void)fr_loop_poll_turn(r->loop, 10);
}

static void test_no_broker_by_udp(void **state)
{
    (void)state;
    struct run r;
    struct sockaddr_storage sa;
    uint8_t q[512], got[1300];
    struct fr_dns_response m;
    start(&r);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    socklen_t n = (socklen_t)fr_addr_to_sockaddr(&r.listen, &sa);
    struct fr_span query = asking_query("1.deveui.fed.test", q);
    assert_int_equal(sendto(fd, query.p, query.n, 0, (struct sockaddr *)&sa, n), query.n);
    ssize_t length = -1;
    for (int i = 0; i < 300 && length < 0; i++) {
        turns(&r, 1);
        length = recv(fd, got, sizeof got, 0);
    }
    assert_true(length > 0);
    assert_int_equal(fr_dns_response_read(fr_span(got, (size_t)length), &m), FR_OK);
    assert_int_equal(m.rcode, FR_DNS_SERVFAIL);
    assert_int_equal(m.edns.ede, FR_DNS_EDE_NO_REACHABLE_AUTHORITY);
    close(fd);
    stop(&r);
}

struct reply {
    bool is_done;
    unsigned status;
    char type[64], body[4096];
};

static void on_done(void *data, const struct fr_http_result *res)
{
    struct reply *reply = data;
    struct fr_span type = fr_http_find(res->fields, res->n_fields, "content-type");
    reply->is_done = true;
    reply->status = res->status;
    (void)fr_span_copy(type, reply->type, sizeof reply->type);
    (void)fr_span_copy(res->body, reply->body, sizeof reply->body);
}

static void get(struct run *r, const struct fr_http_client_conf *how, const char *target,
                struct reply *reply)
{
    const struct fr_http_request request = {.method = "GET", .target = target};
    struct fr_http_client *client = NULL;
    *reply = (struct reply){0};
    assert_int_equal(fr_http_client_new(r->loop, how, &client), FR_OK);
    assert_int_equal(fr_http_send(client, &request, 5000, on_done, reply, NULL), FR_OK);
    for (int i = 0; i < 500 && !reply->is_done; i++) turns(r, 1);
    assert_true(reply->is_done);
    fr_http_client_free(client);
}

static void test_json_on_the_socket(void **state)
{
    (void)state;
    struct run r;
    struct reply reply;
    struct fr_http_client_conf how = fr_http_client_conf_default();
    start(&r);
    how.host = "agent";
    how.unix_path = sock;
    get(&r, &how, "/v1/devices/70b3d57ed0000001", &reply);
    assert_int_equal(reply.status, 503);
    assert_string_equal(reply.type, "application/problem+json");
    assert_non_null(strstr(reply.body, "\"result\":\"no broker\""));
    get(&r, &how, "/v1/devices/xyz", &reply);
    assert_int_equal(reply.status, 400);
    get(&r, &how, "/v1/networks/000013?federation=no.test", &reply);
    assert_int_equal(reply.status, 400);
    get(&r, &how, "/elsewhere", &reply);
    assert_int_equal(reply.status, 404);
    stop(&r);
    assert_int_equal(access(sock, F_OK), -1); /* the socket file is gone */
}

static void test_stopped_while_a_program_waits(void **state)
{
    (void)state;
    struct run r;
    struct reply reply = {0};
    struct fr_http_client *client = NULL;
    struct fr_http_client_conf how = fr_http_client_conf_default();
    const struct fr_http_request request = {.method = "GET",
                                            .target = "/v1/devices/70b3d57ed0000001"};
    start(&r);
    how.host = "agent";
    how.unix_path = sock;
    assert_int_equal(fr_http_client_new(r.loop, &how, &client), FR_OK);
    assert_int_equal(fr_http_send(client, &request, 5000, on_done, &reply, NULL), FR_OK);
    turns(&r, 2);
    fr_agent_close(r.agent);
    fr_http_client_free(client);
    assert_true(reply.is_done);
    fr_loop_poll_free(r.loop);
}

static void write_metrics(void *agent, struct fr_metrics *m)
{
    fr_agent_write_metrics(agent, m);
}

static void test_metrics_and_health(void **state)
{
    (void)state;
    struct run r;
    struct reply reply;
    struct fr_health *admin = NULL;
    struct fr_http_client_conf how = fr_http_client_conf_default();
    const struct fr_addr at = {.ip = {.family = 4, .b = {127, 0, 0, 1}}, .port = free_port()};
    struct fr_buf text = FR_BUF_INIT(65536);
    start(&r);
    struct fr_metrics m = fr_metrics(&text);
    fr_agent_write_metrics(r.agent, &m);
    fr_metrics_end(&m);
    assert_non_null(strstr(fr_buf_str(&text), "\nfedroam_agent_queries_total 0\n"));
    assert_non_null(
        strstr(fr_buf_str(&text), "\nfedroam_agent_requests_total{result=\"found\"} 0\n"));
    fr_buf_deinit(&text);

    assert_int_equal(fr_health_open(r.loop, &at, write_metrics, r.agent, NULL, &admin), FR_OK);
    how.host = "127.0.0.1";
    how.addrs = &at;
    how.n_addrs = 1;
    get(&r, &how, "/readyz", &reply);
    assert_int_equal(reply.status, 200);
    get(&r, &how, "/metrics", &reply);
    assert_non_null(strstr(reply.body, "fedroam_agent_datagrams_total"));
    fr_health_set_stopping(admin);
    get(&r, &how, "/readyz", &reply);
    assert_int_equal(reply.status, 503);
    fr_health_close(admin);
    stop(&r);
}

static void test_reload(void **state)
{
    (void)state;
    struct run r;
    struct fr_diag diag = {0};
    start(&r);
    struct fr_agent_options more = r.options;
    more.pending = 20;
    assert_int_equal(fr_agent_reload(r.agent, &more, &diag), FR_OK);

    struct fr_agent_options moved = more;
    struct fr_addr other = {.ip = {.family = 4, .b = {127, 0, 0, 2}}, .port = 1};
    moved.listen = &other;
    assert_int_equal(fr_agent_reload(r.agent, &moved, &diag), FR_E_CONFIG);
    assert_string_equal(diag.what, "listen changed: restart for that");
    moved = more;
    moved.socket = NULL;
    assert_int_equal(fr_agent_reload(r.agent, &moved, &diag), FR_E_CONFIG);
    assert_string_equal(diag.what, "socket changed: restart for that");

    struct fr_federation_conf bad = r.federation;
    bad.key = nowhere;
    moved = more;
    moved.federations = &bad;
    assert_int_not_equal(fr_agent_check(&moved, &diag), FR_OK);
    assert_int_not_equal(fr_agent_reload(r.agent, &moved, &diag), FR_OK);
    assert_non_null(strstr(diag.where[0] ? diag.where : diag.what, nowhere));
    stop(&r);
}

/* Questions of each kind, whose answers may or may not come. */
static void ask_all(struct run *r)
{
    static const char *const names[] = {"1.deveui.fed.test", "example.org"};
    struct sockaddr_storage sa;
    uint8_t q[512];
    socklen_t n = (socklen_t)fr_addr_to_sockaddr(&r->listen, &sa);
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), tcp = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(tcp, (struct sockaddr *)&sa, n), 0);
    for (size_t i = 0; i < 2; i++) {
        struct fr_span query = asking_query(names[i], q);
        const uint8_t length[2] = {0, (uint8_t)query.n};
        assert_int_equal(sendto(udp, query.p, query.n, 0, (struct sockaddr *)&sa, n), query.n);
        (void)!send(tcp, length, 2, MSG_NOSIGNAL);
        (void)!send(tcp, query.p, query.n, MSG_NOSIGNAL);
    }
    for (int i = 0; i < 8; i++) (void)fr_loop_poll_turn(r->loop, 1);
    close(udp);
    close(tcp);
}

/* The n-th allocation fails, for every n: no crash, no leak, and the next agent works. */
static void test_without_memory(void **state)
{
    (void)state;
    bool has_failed = true;
    unsigned long n = 0;
    while (has_failed) {
        struct run r;
        prepare(&r);
        fr_mem_fail_nth(++n);
        if (fr_agent_open(r.loop, &r.options, &r.log, NULL, &r.agent) == FR_OK) {
            ask_all(&r);
            struct fr_agent_options same = r.options;
            if (fr_agent_reload(r.agent, &same, NULL) != FR_OK) assert_true(fr_mem_failed());
            fr_agent_close(r.agent);
        } else {
            assert_true(fr_mem_failed());
        }
        has_failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        fr_loop_poll_free(r.loop);
    }
    assert_true(n > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_broker_by_udp),
        cmocka_unit_test(test_json_on_the_socket),
        cmocka_unit_test(test_stopped_while_a_program_waits),
        cmocka_unit_test(test_metrics_and_health),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
