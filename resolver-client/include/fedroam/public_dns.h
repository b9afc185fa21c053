#pragma once

#include <fedroam/error.h>
#include <fedroam/loop.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct fedroam_options;

/*
 * A way to ask public DNS, which the library has none of itself: the host brings one, or takes
 * libfedroam-ares (<fedroam/ares.h>). It is used for the names of brokers and,
 * where the options list them, for public trees of Join Servers; never for what is a federation's own.
 *
 * Model:   each handle opens a *session*, which carries its questions: a name and a type go in, a whole
 *          DNS response or nothing comes out. The library plays the loop: the session tells it through
 *          `loop` which descriptors and which time matter, and hears of them by process_fd and
 *          process_timer. So one implementation serves handles with a host's loop and without.
 * Owns:    the session owns its descriptors and closes them, after loop->watch(…, 0).
 * Threads: the calls come on the thread that is inside the library, one at a time for each session.
 * Errors:  a question that cannot be put is ask's return value; everything later is its end.
 * Trust:   the library takes nothing in an answer for true: it is read strictly, and what it leads to
 *          must prove a name under the federation's own CA before it learns anything of us.
 */

/*
 * The end of a question: a whole response (RFC 1035 4.1, any ID, any RCODE), or NULL and one sentence
 * that says why there is none. Both are valid during the call, which may come from inside ask() and
 * comes once, unless the question is cancelled or the session closed.
 */
typedef void (*fedroam_dns_done)(void *question, const uint8_t *message, size_t n, const char *why);

struct fedroam_public_dns {
    size_t size; /* sizeof(struct fedroam_public_dns) */

    /* Begins a session; asks nothing yet. `loop` and `loop_data` are valid until close(). The
     * call-backs of `loop` may be called from any of these functions. FEDROAM_E_MEMORY, FEDROAM_E_SYSTEM. */
    enum fedroam_err (*open)(void *data, const struct fedroam_host *loop, void *loop_data,
                             void **session);

    /* Ends it and what is under way: done() is not called any more. */
    void (*close)(void *session);

    /* Asks for `name` ("_dns.broker.fed.test": letters, digits, '-', '_' and dots, absolute, without the
     * final dot), class IN, `type` as a number. `question` goes to done() and is not NULL. *handle
     * names the question to cancel() until done() was called. */
    enum fedroam_err (*ask)(void *session, const char *name, uint16_t type, fedroam_dns_done done,
                            void *question, void **handle);

    /* Gives up: done() is not called. The library does this also when it waited for long enough. */
    void (*cancel)(void *session, void *handle);

    /* A watched descriptor is ready; the time armed last came. done() is called from here. */
    void (*process_fd)(void *session, int fd, unsigned events);
    void (*process_timer)(void *session);

    /* Frees `data`; NULL when there is nothing to free. */
    void (*release)(void *data);
};

/*
 * Public DNS for handles made with these options. `dns` is copied; `data` is used by
 * fedroam_new() and fedroam_reload(), and released when the options are freed or another is set.
 * NULL: none, as before. FEDROAM_E_ARGUMENT: a function is missing; nothing is released.
 */
FEDROAM_API enum fedroam_err fedroam_options_set_public_dns(struct fedroam_options *o,
                                                            const struct fedroam_public_dns *dns,
                                                            void *data);

#ifdef __cplusplus
}
#endif
