#pragma once
/*
 * When each network's devices last changed, as the journal tells it.
 *
 * Model: the journal is read behind its end, a bounded piece at a time, and of each NetID the time of the
 *   last record that published, moved, hid or withdrew a device is kept; whoever wrote it: the API, a
 *   transfer, an import. At the start the last FR_BOARD_BACK records are read, what is older is not known.
 * Owns: a row for each NetID seen. Borrows the store. Threads: one. Errors: FR_E_NOMEM, the store's.
 * Units and limits: FR_BOARD_STEP records a call. Unix seconds.
 */
#include "store/store.h"

#define FR_BOARD_BACK 100000
#define FR_BOARD_STEP 2000

struct fr_board;

enum fr_err fr_board_new(struct fr_store *store, struct fr_board **out);
void fr_board_free(struct fr_board *board); /* NULL is legal */

/* Every second: reads on. What fails is tried again. */
void fr_board_tend(struct fr_board *board);

/* 0: not known. */
int64_t fr_board_changed_s(const struct fr_board *board, uint32_t netid);
