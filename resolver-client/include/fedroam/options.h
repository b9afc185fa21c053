#pragma once

#include <fedroam/answer.h>
#include <fedroam/error.h>
#include <fedroam/loop.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The options of a resolver: its federations with their brokers and files, its limits and its loop.
 *
 * Model:   filled by setters, read once by fedroam_new(), which copies what it needs; one options
 *          object may serve several handles and may be freed right after.
 * Owns:    copies of all text given to it.
 * Threads: one at a time.
 * Errors:  a setter that fails changes nothing. fedroam_options_error() says in words what was
 *          wrong with the last failing call.
 * Limits:  16 federations, 8 brokers each, 8 addresses a broker, 64 prefixes a list, 8 suffixes of a kind; paths up to 4095 bytes.
 */
struct fedroam_options;

/* NULL when out of memory. */
FEDROAM_API struct fedroam_options *fedroam_options_new(void);
FEDROAM_API void fedroam_options_free(struct fedroam_options *o);

/* The words for the last failed call on these options; "" when none failed. */
FEDROAM_API const char *fedroam_options_error(const struct fedroam_options *o);

/*
 * Adds a federation: its name ("fed.test", lower case), the PEM file of its CA, and our certificate
 * chain and private key (PEM, PKCS#8) as a member. The files are read when the first connection is
 * made and again whenever they change. FEDROAM_E_ARGUMENT: not a federation name, or there already.
 */
FEDROAM_API enum fedroam_err
fedroam_options_add_federation(struct fedroam_options *o, const char *federation,
                               const char *ca_path, const char *chain_path, const char *key_path);

/*
 * Adds a broker to a federation; brokers are tried in the order added. `url` is
 * "https://host[:port]/path"; its host is what the broker's certificate must name. `addresses`
 * (count of them, IPv4 or IPv6 text) say where it is, tried in order; none are needed when the
 * host of the URL is an IP literal, or when the options have public DNS already (public_dns.h): then
 * the host is looked up there, and again when its TTL ends or it cannot be reached. The library never asks the system's
 * resolver.
 */
FEDROAM_API enum fedroam_err fedroam_options_add_broker(struct fedroam_options *o,
                                                        const char *federation, const char *url,
                                                        const char *const *addresses, size_t count);

/*
 * A broker added before, by its URL, says in public DNS where it is (SVCB records of "_dns.<host>",
 * RFC 9461): their addresses, ports and paths are tried before those that were added with it. Whatever
 * they say, the server must prove the host of the URL before it gets our certificate.
 * FEDROAM_E_FEDERATION: no such broker; FEDROAM_E_ARGUMENT: the options have no public DNS, or the URL no name.
 */
FEDROAM_API enum fedroam_err
fedroam_options_discover_broker(struct fedroam_options *o, const char *federation, const char *url);

/* Time allowed to a look-up that names none itself: 10..600000 ms (2000). */
FEDROAM_API enum fedroam_err fedroam_options_set_timeout(struct fedroam_options *o, uint32_t ms);

/* Time one broker has before the next is asked: 10..60000 ms (1000). */
FEDROAM_API enum fedroam_err fedroam_options_set_broker_timeout(struct fedroam_options *o,
                                                                uint32_t ms);

/* Ask a second broker of the federation as well when the first was silent for so long, and take the
 * first answer: 0..60000 ms (0: never). Costs the brokers a few more questions, saves the wait for
 * one that is slow. */
FEDROAM_API enum fedroam_err fedroam_options_set_hedge(struct fedroam_options *o, uint32_t ms);

/* Names kept in the cache, per handle: 16..10000000 (100000). The least recently used goes. */
FEDROAM_API enum fedroam_err fedroam_options_set_cache_entries(struct fedroam_options *o,
                                                               uint32_t entries);

/* Memory of the cache, its own table included: 65536..4294967295 bytes (33554432). */
FEDROAM_API enum fedroam_err fedroam_options_set_cache_bytes(struct fedroam_options *o,
                                                             uint32_t bytes);

/* What is used again in the last part of its TTL is asked for before it ends: 0..50 percent of the
 * TTL (10; 0: never). */
FEDROAM_API enum fedroam_err fedroam_options_set_prefetch(struct fedroam_options *o,
                                                          uint32_t percent);

/* A file in which the cache survives a restart: read by fedroam_new(), written by fedroam_free(),
 * every 15 minutes if anything changed, and by fedroam_save(). It must be this user's alone; one that
 * is damaged or from the future is not used. Writing blocks for as long as the disk takes. NULL: none. */
FEDROAM_API enum fedroam_err fedroam_options_set_cache_file(struct fedroam_options *o,
                                                            const char *path);

/* How long past its TTL an answer may serve while no broker can be reached: 0..259200 s (86400). */
FEDROAM_API enum fedroam_err fedroam_options_set_stale(struct fedroam_options *o, uint32_t s);

/* How long past their TTL the keys of a network serve fedroam_check_peer() while no broker can be
 * reached: 0..259200 s (86400). */
FEDROAM_API enum fedroam_err fedroam_options_set_peer_stale(struct fedroam_options *o, uint32_t s);

/* A DevEUI that no federation knew is asked about again when the broker's negative TTL is over; each
 * time in a row the wait doubles, up to this: 1..86400 s (600). */
FEDROAM_API enum fedroam_err fedroam_options_set_unknown_max(struct fedroam_options *o, uint32_t s);

/* Several federations, and a look-up that names none: the federation where the device was last is
 * asked first, alone; the others, and all of them for a device not seen before, at once or one after
 * the other in the order added. The next ones are also asked when those before take longer than the
 * time of a broker. */
enum fedroam_ask { FEDROAM_ASK_ALL = 0, FEDROAM_ASK_IN_ORDER };
FEDROAM_API enum fedroam_err fedroam_options_set_ask(struct fedroam_options *o,
                                                     enum fedroam_ask ask);

/*
 * Which devices a federation is asked about: those whose DevEUI begins with one of `only` (all when
 * there are none) and with none of `except`. A prefix is the first 1 to 16 hex digits ("70b3d57ed"),
 * at most 64 in each list. Others are unknown there without a question. Replaces what was set.
 */
FEDROAM_API enum fedroam_err fedroam_options_set_devices(struct fedroam_options *o,
                                                         const char *federation,
                                                         const char *const *only, size_t only_count,
                                                         const char *const *except,
                                                         size_t except_count);

/*
 * Public trees: where a Join Server (or a network) is looked for in public DNS (public_dns.h, without
 * which this says nothing) when the look-up names no federation and none has it: under each of
 * `suffixes` in this order, "joineuis.lora-alliance.org", or with the port to take for a name that has
 * addresses only, "joineui.iotreg.net:8443". At most 8; replaces what was set; none: nowhere.
 * FEDROAM_E_ARGUMENT: not such a name, or a kind that is in no tree.
 */
FEDROAM_API enum fedroam_err fedroam_options_set_suffixes(struct fedroam_options *o,
                                                          enum fedroam_kind kind,
                                                          const char *const *suffixes,
                                                          size_t count);

/* Which services of NAPTR records are taken, of Join Servers in federations as well: FEDROAM_SERVICE_LWN,
 * FEDROAM_SERVICE_LWNS or both (FEDROAM_SERVICE_LWNS). */
FEDROAM_API enum fedroam_err
fedroam_options_set_services(struct fedroam_options *o, enum fedroam_kind kind, unsigned services);

/* Look-ups that may wait at the same time: 1..1000000 (10000). More: FEDROAM_E_LIMIT. */
FEDROAM_API enum fedroam_err fedroam_options_set_pending(struct fedroam_options *o,
                                                         uint32_t lookups);

/*
 * Where to tell what happens: one line for each event, "event=broker.failed federation=… why=…" with
 * time and level, n bytes without a line end, valid during the call. It comes on a thread that is inside
 * the library and must not call it back. NULL: nowhere, as before.
 */
enum fedroam_log_level {
    FEDROAM_LOG_ERROR = 0,
    FEDROAM_LOG_WARN,
    FEDROAM_LOG_INFO,
    FEDROAM_LOG_DEBUG
};
typedef void (*fedroam_log_cb)(void *data, enum fedroam_log_level level, const char *line,
                               size_t n);
FEDROAM_API enum fedroam_err fedroam_options_set_log(struct fedroam_options *o,
                                                     enum fedroam_log_level level,
                                                     fedroam_log_cb cb, void *data);

/* The host's loop (loop.h); `host` is copied, `data` goes to its call-backs. NULL: none, which
 * leaves the blocking calls. */
FEDROAM_API enum fedroam_err fedroam_options_set_host(struct fedroam_options *o,
                                                      const struct fedroam_host *host, void *data);

#ifdef __cplusplus
}
#endif
