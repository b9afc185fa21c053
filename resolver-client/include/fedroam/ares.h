#pragma once

#include <fedroam/options.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Public DNS for libfedroam by c-ares (library libfedroam-ares).
 *
 * Model:   an implementation of <fedroam/public_dns.h>: each handle has a c-ares channel of its own, on
 *          the loop of the handle.
 * Threads: as the handle. c-ares starts none.
 * Limits:  a server has 1 s, all of them together about 4; answers up to 1232 bytes over UDP, longer
 *          ones over TCP.
 */

/*
 * Handles made with these options ask `servers` ("192.0.2.53", "[2001:db8::53]:5353"; count of them),
 * or with none the name servers of /etc/resolv.conf, which is read when a handle is made and again
 * when it changed. Its search list, /etc/hosts and the environment do not matter.
 * FEDROAM_E_ARGUMENT: a server is not an address; FEDROAM_E_MEMORY.
 */
FEDROAM_API enum fedroam_err fedroam_ares_use(struct fedroam_options *options,
                                              const char *const *servers, size_t count);

#ifdef __cplusplus
}
#endif
