#pragma once
/* Inside of zones/store: the journal moves the latest time forward. */
#include "db/txn.h"

enum fr_err fr_acted_raise(struct fr_txn *txn, int64_t now_s);
