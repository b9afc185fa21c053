#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/loopback.h"
#include "support/unit.h"

/* The server against programs of others: curl and openssl s_client, run as children while the loop turns. */

extern char **environ;

struct world {
    struct lb lb;
    struct test_ca *ca;
    struct test_id server, member;
    char folder[64];
    char output[1 << 17];
};

static struct world W;

static void put(const char *name, const char *text)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", W.folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int start(void **state)
{
    struct fr_http_server_conf conf = fr_http_server_conf_default();

    (void)state;
    W.ca = test_ca_new("CA");
    test_issue(W.ca, &(struct test_leaf){.cn = "server", .names = {"h.test"}}, &W.server);
    test_issue(W.ca, &(struct test_leaf){.cn = "acme", .names = {"acme.member.test"}}, &W.member);
    strcpy(W.folder, "/tmp/fr-interop-XXXXXX");
    assert_non_null(mkdtemp(W.folder));
    put("ca.pem", test_ca_pem(W.ca));
    put("member.pem", W.member.chain);
    put("member.key", W.member.key);
    conf.body_bytes = 200000;
    lb_start(&W.lb, &conf);
    W.lb.services[0] =
        (struct lb_service){"h.test", lb_server_ctx(&W.server, W.ca), FR_TLS_CERT_REQUIRE, "x"};
    lb_listen_tls(&W.lb);
    return 0;
}

static int stop(void **state)
{
    static const char *const names[] = {"ca.pem", "member.pem", "member.key", "session", "upload"};
    char path[128];

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", W.folder, names[i]);
        unlink(path);
    }
    rmdir(W.folder);
    lb_stop(&W.lb);
    test_id_free(&W.server);
    test_id_free(&W.member);
    test_ca_free(W.ca);
    return 0;
}

/* Runs a command line with PORT and DIR replaced by shell variables, the loop turning meanwhile; gives its exit status and fills
 * W.output with what it printed. */
static int run(const char *line)
{
    char command[2048], port[16];
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, command, NULL};
    posix_spawn_file_actions_t actions;
    int fds[2], status = -1;
    size_t n = 0;
    pid_t pid;

    snprintf(port, sizeof port, "%u", fr_http_listener_addr(W.lb.listener)->port);
    setenv("PORT", port, 1);
    setenv("DIR", W.folder, 1);
    snprintf(command, sizeof command, "%s", line);
    assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
    posix_spawn_file_actions_adddup2(&actions, fds[1], 2);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    assert_int_equal(posix_spawn(&pid, "/bin/sh", &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    for (int i = 0; i < 6000; i++) {
        (void)fr_loop_poll_turn(W.lb.loop, 5);
        ssize_t r = read(fds[0], W.output + n, sizeof W.output - 1 - n);
        if (r > 0) n += (size_t)r;
        if (r == 0) break; /* the child has closed its end */
    }
    close(fds[0]);
    W.output[n] = '\0';
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define CURL                                                                                       \
    "curl -s -S --max-time 10 --resolve h.test:$PORT:127.0.0.1 --cacert $DIR/ca.pem --cert "       \
    "$DIR/member.pem --key "                                                                       \
    "$DIR/member.key "
#define URL "https://h.test:$PORT"

static void curl_is_served(void **state)
{
    static const struct {
        const char *label, *line, *has;
        int status;
    } rows[] = {
        {"HTTP/2", CURL "--http2 -w ' %{http_version} %{http_code}' " URL "/echo?x",
         "GET /echo?x  2 200", 0},
        {"HTTP/1.1", CURL "--http1.1 -w ' %{http_version} %{http_code}' " URL "/echo?x",
         "GET /echo?x  1.1 200", 0},
        {"HTTP/1.0 without ALPN", CURL "--no-alpn --http1.0 -w ' %{http_code}' " URL "/echo",
         "GET /echo  200", 0},
        {"identity", CURL URL "/peer", "CN=acme full acme.member.test", 0},
        {"POST, 2", CURL "--http2 -d hello " URL "/echo", "POST /echo hello", 0},
        {"POST, 1.1", CURL "--http1.1 -d hello " URL "/echo", "POST /echo hello", 0},
        {"POST in chunks", CURL "--http1.1 -H 'Transfer-Encoding: chunked' -d hello " URL "/echo",
         "POST /echo hello", 0},
        {"HEAD, 2", CURL "--http2 -I " URL "/big?5000", "content-length: 5000", 0},
        {"HEAD, 1.1", CURL "--http1.1 -I " URL "/big?5000", "Content-Length: 5000", 0},
        {"large, 2", CURL "--http2 -o /dev/null -w '%{size_download}' " URL "/big?3000000",
         "3000000", 0},
        {"large, 1.1", CURL "--http1.1 -o /dev/null -w '%{size_download}' " URL "/big?3000000",
         "3000000", 0},
        {"two on one connection", CURL "--http1.1 -w '%{num_connects},' " URL "/echo " URL "/echo",
         "GET /echo 0,", 0},
        {"Expect",
         "head -c 150000 /dev/zero > $DIR/upload; " CURL
         "--http1.1 -H 'Expect: 100-continue' -v -o /dev/null --data-binary @$DIR/upload " URL
         "/echo",
         "HTTP/1.1 100 Continue", 0},
        {"too large, 2",
         "head -c 250000 /dev/zero > $DIR/upload; " CURL
         "--http2 -o /dev/null -w '%{http_code}' --data-binary @$DIR/upload " URL "/echo",
         "413", 0},
        {"too large, 1.1",
         "head -c 250000 /dev/zero > $DIR/upload; " CURL
         "--http1.1 -H Expect: -o /dev/null -w '%{http_code}' --data-binary @$DIR/upload " URL
         "/echo",
         "413", 0},
        {"many at once, 2", CURL "--http2 -Z --parallel-max 20 \"" URL "/echo?[1-50]\"",
         "GET /echo?50", 0},
        {"TLS 1.2", CURL "--tls-max 1.2 " URL "/peer", "CN=acme", 0},
        {"the answer closes, 2", CURL "--http2 " URL "/close", "bye", 0},
        {"the answer closes, 1.1", CURL "--http1.1 " URL "/close", "bye", 0},
        {"no certificate",
         "curl -s -S --max-time 10 --resolve h.test:$PORT:127.0.0.1 --cacert $DIR/ca.pem " URL
         "/echo",
         "certificate required", 56},
        {"TLS 1.1", CURL "--tlsv1.0 --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0 " URL "/peer", "",
         35},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status = run(rows[i].line);

        if (status != rows[i].status || !strstr(W.output, rows[i].has))
            fail_msg("%s: exit %d: %s", rows[i].label, status, W.output);
    }
}

#define S_CLIENT                                                                                   \
    "openssl s_client -connect 127.0.0.1:$PORT -servername h.test -CAfile $DIR/ca.pem -cert "      \
    "$DIR/member.pem -key "                                                                        \
    "$DIR/member.key "

static void openssl_is_served(void **state)
{
    static const struct {
        const char *label, *line, *has;
    } rows[] = {
        {"h2", S_CLIENT "-alpn h2,http/1.1", "ALPN protocol: h2"},
        {"http/1.1", S_CLIENT "-alpn http/1.1", "ALPN protocol: http/1.1"},
        {"no ALPN", S_CLIENT, "No ALPN negotiated"},
        {"neither", S_CLIENT "-alpn dot", "no application protocol"},
        {"no SNI", "openssl s_client -connect 127.0.0.1:$PORT -noservername", "unrecognized name"},
        {"the CA is named", S_CLIENT, "Acceptable client certificate CA names\nCN = CA"},
        {"session, TLS 1.2",
         S_CLIENT "-tls1_2 -sess_out $DIR/session >/dev/null; " S_CLIENT
                  "-tls1_2 -sess_in $DIR/session",
         "Reused, TLSv1.2"},
        {"session, TLS 1.3",
         "(printf 'GET /peer HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'; sleep 0.3) | " S_CLIENT
         "-ign_eof -tls1_3 -sess_out $DIR/session >/dev/null & sleep 0.6; kill $! "
         "2>/dev/null; " S_CLIENT "-tls1_3 -sess_in $DIR/session",
         "Reused, TLSv1.3"},
        {"no renegotiation", S_CLIENT "-tls1_2", "Secure Renegotiation IS supported"},
        {"old TLS", S_CLIENT "-tls1_1 -cipher DEFAULT@SECLEVEL=0", "alert"},
        {"no AEAD", S_CLIENT "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA", "handshake failure"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        (void)run(rows[i].line); /* s_client's exit status says little */
        if (!strstr(W.output, rows[i].has)) fail_msg("%s: %s", rows[i].label, W.output);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curl_is_served),
        cmocka_unit_test(openssl_is_served),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
