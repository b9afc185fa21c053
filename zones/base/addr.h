#pragma once
/* IP addresses and ports as plain values and as text. No look-up of names is done here.
 *
 * Units: address bytes in network order, ports in host order. Trust: texts may be a peer's. */

#include "base/err.h"
#include "base/span.h"

struct sockaddr;
struct sockaddr_storage;

struct fr_ip {
    uint8_t family; /* 4 or 6; 0 = none */
    uint8_t b[16];  /* the first 4 or all 16 */
};

struct fr_addr {
    struct fr_ip ip;
    uint16_t port;
};

#define FR_IP_TEXT 46   /* longest text of an address and the terminator */
#define FR_ADDR_TEXT 54 /* "[v6]:port" and the terminator */

/* "192.0.2.1" or "2001:db8::1" (no brackets, no zone). FR_E_MALFORMED. */
enum fr_err fr_ip_parse(struct fr_span text, struct fr_ip *out);
void fr_ip_print(const struct fr_ip *ip, char out[FR_IP_TEXT]);
bool fr_ip_equal(const struct fr_ip *a, const struct fr_ip *b);
bool fr_ip_is_loopback(const struct fr_ip *ip);
bool fr_ip_is_any(const struct fr_ip *ip); /* 0.0.0.0 or :: */

/* "192.0.2.1:8005", "[2001:db8::1]:8005"; without a port `default_port` is taken, and when that
 * is 0 it is FR_E_MALFORMED. A bare v6 address without brackets is taken as an address without
 * port. Port 0 is FR_E_RANGE. */
enum fr_err fr_addr_parse(struct fr_span text, uint16_t default_port, struct fr_addr *out);
void fr_addr_print(const struct fr_addr *addr, char out[FR_ADDR_TEXT]);
bool fr_addr_equal(const struct fr_addr *a, const struct fr_addr *b);

/* To and from the socket interface. The first returns the length to pass on. The second:
 * FR_E_UNSUPPORTED for families other than IPv4 and IPv6; a v4-mapped v6 address becomes v4. */
size_t fr_addr_to_sockaddr(const struct fr_addr *addr, struct sockaddr_storage *out);
enum fr_err fr_addr_from_sockaddr(const struct sockaddr *sa, struct fr_addr *out);
