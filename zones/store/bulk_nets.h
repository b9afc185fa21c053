#pragma once
/* Inside of zones/store: a number for each NetID that occurs, however many there are, and whose it is.
 * Start from all zeros. */
#include "base/err.h"
#include "store/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fr_net {
    uint32_t netid; /* 0: empty slot */
    bool is_known;  /* its member has been looked up */
    char member[FR_MEMBER_ID_MAX + 1];
    bool has_row; /* is in the table of networks */
    int64_t devices;
};

struct fr_nets {
    struct fr_net *slots; /* a power of two of them, at most half of them used */
    size_t n, room;
    struct fr_net *last; /* neighbours share it */
};

/* The NetID's entry, made if it has none; good until the next call. netid is not 0. */
enum fr_err fr_nets_at(struct fr_nets *nets, uint32_t netid, struct fr_net **out);
void fr_nets_deinit(struct fr_nets *nets);
