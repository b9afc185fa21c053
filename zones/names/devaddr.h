#pragma once
/* DevAddr: 32 bits, a type prefix (type ones and a zero), NwkID, NwkAddr. Widths are those of
 * the errata (NwkID 6, 6, 9, 11, 12, 13, 15, 17 bits for types 0 to 7).
 *
 * RFU bits of a NetID are masked when computing. Trust: texts may be a peer's. */

#include "base/err.h"
#include "base/span.h"

#define FR_DEVADDR_TEXT 9         /* 8 digits and the terminator */
#define FR_DEVADDR_PREFIX_TEXT 12 /* "26000000/7" and the terminator */

struct fr_devaddr_prefix {
    uint32_t base; /* the fixed bits, zeros below */
    unsigned len;  /* how many are fixed: 7 to 25 */
};

/* 8 hex digits, either case; "0x" before them and dashes or colons between bytes are accepted.
 * FR_E_MALFORMED. */
enum fr_err fr_devaddr_parse(struct fr_span text, uint32_t *out);
void fr_devaddr_print(uint32_t addr, char out[FR_DEVADDR_TEXT]);

/* The type of an address, 0 to 7, or -1 (eight leading ones). */
int fr_devaddr_type(uint32_t addr);

/* The NwkID bits of an address. FR_E_INVALID when it has no type. */
enum fr_err fr_devaddr_nwkid(uint32_t addr, uint32_t *out);

struct fr_devaddr_prefix fr_devaddr_prefix(uint32_t netid);
uint32_t fr_devaddr_count(struct fr_devaddr_prefix prefix); /* addresses under it */
void fr_devaddr_prefix_print(struct fr_devaddr_prefix prefix, char out[FR_DEVADDR_PREFIX_TEXT]);

/* The NetID's prefix put over an address; the NwkAddr bits stay. */
uint32_t fr_devaddr_with_netid(uint32_t addr, uint32_t netid);

/* Could the address have been given by this network? */
bool fr_devaddr_match(uint32_t addr, uint32_t netid);

/* Do two NetIDs give the same addresses? (Types 3 to 7 lose ID bits; so do RFU bits.) */
bool fr_netid_same_prefix(uint32_t a, uint32_t b);

/* Can another NetID give the same addresses at all: true for types 3 to 7. */
bool fr_netid_prefix_is_shared(uint32_t netid);
