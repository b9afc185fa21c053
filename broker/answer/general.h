/* The general path: any query that could be read, answered record by record.
 *
 * Owns: nothing; the workspace is the answerer's. Threads: one. Trust: the query was read by
 * dns/query.h, its names and numbers are a peer's. See RFC 1034 4.3.2. */
#pragma once

#include "answer/answer.h"
#include "answer/node.h"
#include "answer/zone.h"
#include "dns/query.h"

struct fr_answer_room {
    struct fr_zone zone;
    struct fr_zone_node node;
    uint8_t message[FR_DNS_MESSAGE_MAX];
};

void fr_answer_general(struct fr_answer_room *room, struct fr_snap *snap,
                       const struct fr_asker *asker, const struct fr_dns_query *query,
                       int64_t now_s, struct fr_answer *out);
