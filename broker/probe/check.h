#pragma once
/*
 * One connection to one endpoint of a network, looked at step by step.
 *
 * Model: address (may it be asked?) → tcp → tls → chain (leads to the federation's root) → name
 *   (of the network) → http (takes our certificate, and answers) → key (is published). A step is right,
 *   wrong, or untried; after the first that is wrong the others are untried. One request is sent, GET /,
 *   and any answer will do: what it says, and where it may send us, is not looked at.
 * Owns: the connection, until `done`. Borrows loop, TLS context and what was asked.
 * Threads: the loop's. Errors: FR_E_NOMEM; what is wrong with the endpoint is the finding.
 * Units and limits: FR_CHECK_MS for all of it; of the answer 64 KiB.
 * Trust: everything the endpoint sends is a member's, and no byte of it is told to anybody but the
 *   names in its certificate.
 */
#include "base/addr.h"
#include "base/err.h"
#include "transport/loop.h"
#include "transport/tls.h"

#define FR_CHECK_CONNECT_MS 5000
#define FR_CHECK_MS 8000

enum fr_check_step {
    FR_CHECK_ADDRESS,
    FR_CHECK_TCP,
    FR_CHECK_TLS,
    FR_CHECK_CHAIN,
    FR_CHECK_NAME,
    FR_CHECK_HTTP,
    FR_CHECK_KEY,
    FR_CHECK_STEPS,
};
const char *fr_check_step_text(enum fr_check_step step);

struct fr_check_finding {
    enum fr_check_step wrong; /* FR_CHECK_STEPS: nothing is */
    char seen[320];           /* what is wrong, for people */
    const char *todo;         /* what to do about it; static */
    uint32_t ms;              /* all of it took */
};

struct fr_check_ask {
    struct fr_loop *loop;
    struct fr_tls_ctx *tls;
    struct fr_addr at;
    const char *host; /* the name that its certificate must have */
    /* Is this the hash of a key that is published for it? */
    bool (*is_pinned)(void *data, const uint8_t spki_sha256[32]);
    void (*done)(void *data, const struct fr_check_finding *finding); /* once, from the loop */
    void *data;
};

struct fr_check;

/* The ask is copied, the host with it. */
enum fr_err fr_check_start(const struct fr_check_ask *ask, struct fr_check **out);

/* Ends it without a word. A check that is done must be freed too, but not from inside done. NULL is legal. */
void fr_check_free(struct fr_check *check);

/* An endpoint that is not connected to. */
void fr_check_refuse(struct fr_check_finding *finding, const char *seen, const char *todo);
