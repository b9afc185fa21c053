#pragma once

#include <fedroam/api.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The host's loop, as the library needs it: watch a descriptor, arm one timer.
 *
 * Model:   the library tells the host through the two call-backs which descriptors and which time
 *          matter; the host tells the library through fedroam_process_fd() and
 *          fedroam_process_timer() (fedroam.h) that they came. libev users take <fedroam/ev.h>.
 * Owns:    the library owns the descriptors and closes them, after watch(…, 0).
 * Threads: the call-backs run on the thread that calls into the library, often from inside one of
 *          its functions; they must not call the library back.
 */
enum fedroam_events { FEDROAM_READ = 1, FEDROAM_WRITE = 2 };

struct fedroam_host {
    size_t size; /* sizeof(struct fedroam_host) */

    /* From now on watch fd for exactly these events (FEDROAM_READ | FEDROAM_WRITE, level
     * triggered); 0: forget it. 0 on success, anything else when the host cannot. */
    int (*watch)(void *data, int fd, unsigned events);

    /* Call fedroam_process_timer() once, delay_ms from now; replaces what was armed before.
     * Negative: disarm. */
    void (*timer)(void *data, int64_t delay_ms);
};

#ifdef __cplusplus
}
#endif
