#include "agent/local.h"

#include "asking.h"
#include "transport/http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Requests on the Unix socket, over a source that fails on this side (no certificate). */

static char folder[] = "/tmp/agent-local-XXXXXX";
static char path[64];

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/agent.sock", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder); /* the socket file is gone */
}

struct run {
    struct asking a;
    struct fr_local *local;
    struct fr_http_client *client;
    unsigned answers, status;
    char body[1024];
};

static void start(struct run *r)
{
    const struct fr_local_conf conf = {.path = path, .conns = 5, .idle_ms = 1000};
    struct fr_http_client_conf how = fr_http_client_conf_default();
    *r = (struct run){0};
    asking_start(&r->a);
    assert_int_equal(fr_local_open(r->a.loop, &conf, r->a.source, NULL, &r->local), FR_OK);
    how.host = "agent";
    how.unix_path = path;
    assert_int_equal(fr_http_client_new(r->a.loop, &how, &r->client), FR_OK);
}

static void stop(struct run *r)
{
    fr_http_client_free(r->client);
    fr_local_close(r->local);
    fr_local_close(NULL);
    asking_stop(&r->a);
}

static void on_done(void *data, const struct fr_http_result *res)
{
    struct run *r = data;
    r->answers++;
    r->status = res->status;
    (void)fr_span_copy(res->body, r->body, sizeof r->body);
}

static void get(struct run *r, const char *method, const char *target)
{
    const struct fr_http_request request = {.method = method, .target = target};
    unsigned before = r->answers;
    assert_int_equal(fr_http_send(r->client, &request, 5000, on_done, r, NULL), FR_OK);
    for (int i = 0; i < 500 && r->answers == before; i++) asking_turns(&r->a, 1);
    assert_int_equal(r->answers, before + 1);
}

static void test_requests(void **state)
{
    (void)state;
    static const struct {
        const char *method, *target;
        unsigned status;
    } rows[] = {
        {"GET", "/v1/devices/70b3d57ed0000001", 500},
        {"GET", "/v1/networks/000013", 500},
        {"GET", "/v1/joineuis/70b3d57ed0000001?federation=fed.test", 500},
        {"GET", "/v1/joineuis/70b3d57ed0000001?federation=no.test", 400},
        {"GET", "/v1/devices/70b3d57ed0000001?federation=", 400},
        {"GET", "/v1/devices/70b3d57ed0000001?fed=fed.test", 400},
        {"GET", "/v1/devices/70b3d57ed0000001?", 500},
        {"GET", "/v1/devices/70b3d57ed000001", 400},
        {"GET", "/v1/devices/70b3d57ed0000001/", 400},
        {"GET", "/v1/networks/0000013", 400},
        {"GET", "/v1/", 400},
        {"GET", "/", 404},
        {"GET", "/v2/devices/70b3d57ed0000001", 404},
        {"DELETE", "/v1/devices/70b3d57ed0000001", 405},
    };
    struct run r;
    start(&r);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        get(&r, rows[i].method, rows[i].target);
        if (r.status != rows[i].status) fail_msg("%s: %u", rows[i].target, r.status);
        char text[32];
        snprintf(text, sizeof text, "\"status\":%u,", rows[i].status);
        assert_non_null(strstr(r.body, text));
    }
    const struct fr_local_counters *c = fr_local_counters(r.local);
    assert_int_equal(c->requests, sizeof rows / sizeof *rows);
    assert_int_equal(c->failed, sizeof rows / sizeof *rows);
    stop(&r);
}

static void test_closed_and_given_a_new_source_with_requests_under_way(void **state)
{
    (void)state;
    struct run r;
    struct asking other;
    const struct fr_http_request request = {.method = "GET",
                                            .target = "/v1/devices/70b3d57ed0000001"};
    start(&r);
    asking_start(&other);
    assert_int_equal(fr_http_send(r.client, &request, 5000, on_done, &r, NULL), FR_OK);
    for (int i = 0; i < 500 && fr_local_counters(r.local)->requests == 0; i++)
        (void)fr_loop_poll_turn(r.a.loop, 1);
    fr_local_set_source(r.local, other.source);
    stop(&r);
    asking_stop(&other);
    assert_int_equal(r.answers, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_closed_and_given_a_new_source_with_requests_under_way),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
