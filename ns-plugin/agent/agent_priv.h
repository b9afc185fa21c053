#pragma once
/* The inside of the agent, for agent.c and its metrics. Threads: the loop's. */
#include "agent/agent.h"
#include "agent/desk.h"
#include "agent/local.h"
#include "agent/udp.h"

struct fr_agent_door {
    struct fr_udp *udp;
    struct fr_tcp *tcp;
};

struct fr_agent {
    struct fr_loop *loop;
    const struct fr_agent_options *options;
    struct fr_guests guests; /* of the options; the doors borrow it */
    struct fr_tcp_conf tcp_conf;
    struct fr_desk *desk;
    struct fr_agent_door *doors;
    size_t n_doors;
    struct fr_local *local; /* NULL: no socket */
};
