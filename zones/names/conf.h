#pragma once
/* Identifiers in configuration files: parse functions for rows of base/conf.h (FR_T_CUSTOM).
 *
 * Errors: as a row's parse gives them; diag says what was expected. */
#include "base/conf.h"

/* member: uint32_t. Refuses NetIDs that no network may have (names/netid.h). */
enum fr_err fr_conf_parse_netid(struct fr_span text, void *member, struct fr_diag *diag);

/* member: uint64_t. */
enum fr_err fr_conf_parse_eui(struct fr_span text, void *member, struct fr_diag *diag);
