/* Inside of broker/answer: how a node is put together. */
#pragma once

#include "answer/node.h"

/* A fr_record_fn; data: the node. */
enum fr_err fr_zone_node_add(void *data, const struct fr_record *record);

/* Of the names below joineui.<fed>. `node` is empty. */
enum fr_err fr_zone_node_joineui(struct fr_zone_node *node, struct fr_snap *snap,
                                 const struct fr_asker *asker, const struct fr_owner *owner);
