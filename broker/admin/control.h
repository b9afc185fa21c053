#pragma once
/*
 * control.sock: the administrator's way into a running broker.
 *
 * Model: HTTP/1.1 on a Unix socket in the state directory; POST /admin/v1/<op> becomes a task for
 *   the writer and is answered when it is over, or goes to an inquiry of that name (admin/inquiry.h).
 *   Who asks is the user at the other end
 *   (SO_PEERCRED): root and the broker's own user only.
 * Owns: the server and the socket file, which goes away at stop. Borrows loop, writer and log.
 * Threads: the loop's. Errors: those of the listener.
 * Limits: FR_ADMIN_BODY_MAX bytes of body, FR_CONTROL_CONNECTIONS connections.
 * Trust: bytes on the socket are an outsider's until the peer is known; afterwards still parsed
 *   strictly.
 */

#include "admin/inquiry.h"
#include "admin/writer.h"

#define FR_CONTROL_CONNECTIONS 64

struct fr_control;

struct fr_control_options {
    struct fr_loop *loop; /* with posts enabled */
    const char *state;    /* the directory; borrowed for the call */
    struct fr_writer *writer;
    const struct fr_log *log;
    const struct fr_inquiry_row *inquiries; /* ends with a NULL name; NULL: none. Static */
    void *inquiries_data;
};

enum fr_err fr_control_open(const struct fr_control_options *options, struct fr_diag *diag,
                            struct fr_control **out);

/* Takes no more requests and removes the socket; on_stopped once those in progress are answered, or
 * drain_ms is over. */
void fr_control_stop(struct fr_control *control, uint32_t drain_ms, void (*on_stopped)(void *data),
                     void *data);

/* After the writer is stopped: its call-backs come here. NULL is legal. */
void fr_control_free(struct fr_control *control);
