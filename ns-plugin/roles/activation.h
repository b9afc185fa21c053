#pragma once
/*
 * The home side of a join: a Join-request of one of our devices becomes a session and a Join-accept.
 *
 * Model: an address is reserved, a JoinReq goes to the device's Join Server (the role in this process, or one elsewhere by
 *   HTTPS), its JoinAns becomes the device's session, saved before anybody is told. The same for a device heard by our own
 *   gateways and for one that a visited network carries.
 * Owns: an activation is a member of its caller's struct; cancelled by the caller, or over when its call-back runs.
 * Threads: the loop's. The call-back comes from the loop, or, with a Join Server in this process, from inside start.
 * Errors: told as a Result in the outcome.
 * Trust: the frame is a stranger's until its MIC was verified by the Join Server.
 */
#include "backend/client.h"
#include "roles/join_server.h"

struct fr_ns;
struct fr_activation;

struct fr_activation_outcome {
    enum fr_bi_result result;
    const char *why; /* "" when there is nothing to add; valid during the call-back */
    uint8_t accept[FR_JOIN_ACCEPT_MAX];
    size_t accept_n;
    struct fr_session session; /* SUCCESS; zeroed after the call-back */
};

typedef void (*fr_activated_fn)(void *data, const struct fr_activation_outcome *outcome);

struct fr_activation {
    struct fr_ns *ns;
    fr_activated_fn done;
    void *data;
    const char *join_id;     /* for the log; borrowed until it is over */
    struct fr_device device; /* a copy: a reload may come in between */
    struct fr_join_request join;
    struct fr_span phy;     /* borrowed until it is over */
    const char *federation; /* "": heard by our own gateways; borrowed */
    uint32_t visited_netid;
    int64_t received_ms;
    uint32_t dev_addr;
    struct fr_bi_call *call; /* to a Join Server elsewhere */
};

/* a: everything up to received_ms is filled in. */
void fr_activation_start(struct fr_activation *a, uint32_t left_ms);

/* No call-back comes after this. Harmless when it is over or never started. */
void fr_activation_cancel(struct fr_activation *a);
