/* A load run: connections × streams of questions to one DNS-over-HTTPS server, and what came back.
 *
 * Model: closed loop: every stream asks the next question when its answer is there. Connections are
 * kept, or closed and made anew after some answers (to measure handshakes), with or without
 * resumption. Blocks until the time or the count is over.
 * Owns: nothing after it returns. Threads: the caller's alone. It calls the system's clock, sockets
 * and OpenSSL itself: the loop and streams of transport do more than a generator may cost.
 * Errors: FR_E_NET (no connection works, with the first reason), those of the files, FR_E_NOMEM.
 * Limits: 4,096 connections, 1,024 streams each. Trust: the server's bytes. */
#pragma once

#include "base/addr.h"
#include "base/diag.h"
#include "bench/h2_load.h"
#include "bench/histogram.h"
#include "bench/question.h"

#define FR_LOAD_CONNECTIONS 4096

struct fr_load_plan {
    struct fr_addr address;
    const char *host;                   /* expected in the certificate, and the SNI */
    const char *ca, *certificate, *key; /* PEM files */
    struct fr_h2_load_conf http;
    unsigned connections;
    unsigned per_connection; /* answers after which a connection is made anew; 0: never */
    bool is_resuming;
    bool is_busy;        /* polls without sleeping, so that the server need not wake us */
    int64_t duration_ms; /* 0: until count */
    uint64_t count;      /* answers; 0: until the time is over */
};

struct fr_load_result {
    int64_t took_us;
    uint64_t asked, answered;
    uint64_t ok; /* status 200 */
    uint64_t status[1000];
    uint64_t rcode[16], no_message; /* of those with status 200 */
    uint64_t resets;                /* streams without an answer */
    uint64_t handshakes, resumed, broken;
    uint64_t bytes_in, bytes_out;           /* of TLS records' content */
    struct fr_histogram latency, handshake; /* us */
};

enum fr_err fr_load_run(const struct fr_load_plan *plan, struct fr_questions *questions,
                        struct fr_diag *diag, struct fr_load_result *out);
