#pragma once

#include <fedroam/answer.h>
#include <fedroam/error.h>
#include <fedroam/options.h>
#include <fedroam/peer.h>
#include <fedroam/public_dns.h>
#include <fedroam/version.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * libfedroam: finds the home network of a LoRaWAN device by its DevEUI in a roaming federation.
 *
 * Model:   a handle asks the brokers of its federations over DNS-over-HTTPS with our certificate,
 *          over one kept connection per broker, and remembers answers, also negative ones, for
 *          their TTL. Look-ups of the same name share one question. Each look-up ends by its
 *          deadline with exactly one call of its call-back, unless it is cancelled.
 * Owns:    its connections, timers and cache.
 * Threads: handles share nothing. A handle with a host belongs to one thread. A handle without may be
 *          used by any number of threads at once, but for fedroam_free(): calls that block wait
 *          together, and call-backs run on the thread that has its turn, one at a time. The library
 *          starts no thread, installs no signal handler, raises no SIGPIPE, prints nothing, reads no
 *          environment variable.
 * Errors:  calls return enum fedroam_err; what became of a look-up is in its answer.
 * See:     RFC 8484 (DoH), RFC 2308 (negative answers), RFC 9520 (failures), RFC 8767 (stale).
 */
struct fedroam;

/* Makes a handle; connects to nobody yet. `options` is the caller's and may be freed after. */
FEDROAM_API enum fedroam_err fedroam_new(const struct fedroam_options *options,
                                         struct fedroam **out);

/* Closes all connections and drops the waiting look-ups without calling their call-backs. Not from
 * inside a call-back. NULL is allowed. */
FEDROAM_API void fedroam_free(struct fedroam *f);

/*
 * Takes over other options, and reads the certificate files now instead of when something is next
 * asked. Look-ups under way go on, the cache stays. `options` NULL: only the files. The federations of
 * the handle must stand first, in the same order; more may follow. The host cannot change.
 * FEDROAM_E_ARGUMENT, FEDROAM_E_MEMORY: nothing changed. FEDROAM_E_SYSTEM: a federation's files cannot
 * be used, those that could before stay in use; the log says which.
 */
FEDROAM_API enum fedroam_err fedroam_reload(struct fedroam *f,
                                            const struct fedroam_options *options);

/* ---- Look-ups that call back ---- */

/* A look-up under way. It is the library's, and ends when its call-back returns. */
struct fedroam_lookup;

/* The end of a look-up. `answer` is valid until the call-back returns: fedroam_answer_dup() to
 * keep it. New look-ups may be started and others cancelled from here. */
typedef void (*fedroam_answer_cb)(void *data, const struct fedroam_answer *answer);

/*
 * Start a look-up: of a device by DevEUI, of a network by NetID, of a Join Server by JoinEUI
 * (numbers, most significant byte first).
 *
 * `federation` NULL asks all of them (fedroam_options_set_ask() says in which order): the first that
 * has it wins, and "unknown" means unknown in every one. `timeout_ms` 0 takes the one of the options. The call-back is never called
 * from inside these functions. `out` may be NULL; otherwise it can be used to cancel until the
 * call-back was called. FEDROAM_E_FEDERATION, FEDROAM_E_ARGUMENT (a NetID above 24 bits),
 * FEDROAM_E_LIMIT, FEDROAM_E_MEMORY: nothing was started.
 */
FEDROAM_API enum fedroam_err fedroam_lookup_device(struct fedroam *f, const char *federation,
                                                   uint64_t deveui, uint32_t timeout_ms,
                                                   fedroam_answer_cb done, void *data,
                                                   struct fedroam_lookup **out);
FEDROAM_API enum fedroam_err fedroam_lookup_network(struct fedroam *f, const char *federation,
                                                    uint32_t netid, uint32_t timeout_ms,
                                                    fedroam_answer_cb done, void *data,
                                                    struct fedroam_lookup **out);
FEDROAM_API enum fedroam_err fedroam_lookup_join_server(struct fedroam *f, const char *federation,
                                                        uint64_t joineui, uint32_t timeout_ms,
                                                        fedroam_answer_cb done, void *data,
                                                        struct fedroam_lookup **out);

/* Ends a look-up without its call-back. Where several threads use the handle, its call-back must not
 * be running or over on another. */
FEDROAM_API void fedroam_lookup_cancel(struct fedroam_lookup *lookup);

/* ---- For the host's loop ---- */

/* A watched descriptor is ready: `events` of enum fedroam_events. A descriptor that is not (or no
 * longer) watched is ignored. Call-backs of look-ups run from here. */
FEDROAM_API void fedroam_process_fd(struct fedroam *f, int fd, unsigned events);

/* The time armed by the host's timer call-back came (earlier is harmless). Call-backs run here. */
FEDROAM_API void fedroam_process_timer(struct fedroam *f);

/* ---- One descriptor instead ---- */

/*
 * For a handle without a host, in a program that has a loop of any kind: watch this descriptor for
 * reading, and call fedroam_process() when it is ready or when fedroam_timeout_ms() is over,
 * whichever comes first; the time changes with each call of the library. -1: the handle has a host.
 */
FEDROAM_API int fedroam_fd(const struct fedroam *f);

/* ms until fedroam_process() is wanted though the descriptor is silent; -1: not until it is ready. */
FEDROAM_API int64_t fedroam_timeout_ms(struct fedroam *f);

/* Does what is due, without waiting. Call-backs run from here. */
FEDROAM_API void fedroam_process(struct fedroam *f);

/* ---- Look-ups that block ---- */

/* The same look-ups for a handle without a host's loop: wait for the answer and give it, the
 * caller's to free. An answer always comes by the deadline. FEDROAM_E_STATE: the handle has a
 * host, or this is a call-back of its. Several threads may wait on one handle. */
FEDROAM_API enum fedroam_err fedroam_wait_device(struct fedroam *f, const char *federation,
                                                 uint64_t deveui, uint32_t timeout_ms,
                                                 struct fedroam_answer **out);
FEDROAM_API enum fedroam_err fedroam_wait_network(struct fedroam *f, const char *federation,
                                                  uint32_t netid, uint32_t timeout_ms,
                                                  struct fedroam_answer **out);
FEDROAM_API enum fedroam_err fedroam_wait_join_server(struct fedroam *f, const char *federation,
                                                      uint64_t joineui, uint32_t timeout_ms,
                                                      struct fedroam_answer **out);

/* ---- What is remembered ---- */

/* Forgets what was learnt of a federation (NULL: of all). Look-ups under way go on.
 * FEDROAM_E_FEDERATION. */
FEDROAM_API enum fedroam_err fedroam_flush(struct fedroam *f, const char *federation);

/* Writes the cache to its file now. FEDROAM_E_STATE: the options name none; FEDROAM_E_SYSTEM: it
 * cannot be written; FEDROAM_E_MEMORY. */
FEDROAM_API enum fedroam_err fedroam_save(struct fedroam *f);

/* ---- Text ---- */

/* A DevEUI or JoinEUI of 16 hex digits, a NetID of 6: either case, also with "0x", or dashes or colons
 * between bytes. FEDROAM_E_ARGUMENT: something else; *out is untouched. */
FEDROAM_API enum fedroam_err fedroam_parse_eui(const char *text, uint64_t *out);
FEDROAM_API enum fedroam_err fedroam_parse_netid(const char *text, uint32_t *out);

/* ---- Numbers ---- */

/* What the handle did so far, all federations together. */
enum fedroam_counter {
    FEDROAM_COUNT_LOOKUPS = 0,   /* started */
    FEDROAM_COUNT_CACHED,        /* of these, answered from the cache within the TTL */
    FEDROAM_COUNT_SHARED,        /* questions not sent because the same one was under way */
    FEDROAM_COUNT_STALE,         /* answered past the TTL */
    FEDROAM_COUNT_EXCHANGES,     /* questions sent to a broker */
    FEDROAM_COUNT_FAILURES,      /* exchanges that failed in transport */
    FEDROAM_COUNT_RELOADS,       /* times changed certificate files were taken over */
    FEDROAM_COUNT_CACHE_ENTRIES, /* names in the cache now */
    FEDROAM_COUNT_HEDGES,     /* exchanges that were a second question because the first was slow */
    FEDROAM_COUNT_PROBES,     /* questions of our own to see that a broker is well and connected */
    FEDROAM_COUNT_PREFETCHES, /* names asked for again before their TTL ended */
    FEDROAM_COUNT_CACHE_BYTES,      /* memory of the cache now */
    FEDROAM_COUNT_CACHE_EVICTED,    /* names dropped because the cache was full */
    FEDROAM_COUNT_HELD,             /* questions not sent because the federation had said 429 */
    FEDROAM_COUNT_PUBLIC_DNS,       /* questions put to public DNS */
    FEDROAM_COUNT_PUBLIC_DNS_FAILED /* of these, without an answer of use */
};

/* 0 for a counter this version does not have. */
FEDROAM_API uint64_t fedroam_count(const struct fedroam *f, enum fedroam_counter which);

#ifdef __cplusplus
}
#endif
