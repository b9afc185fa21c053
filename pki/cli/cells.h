/* Cells of a table that this folder's listings share. */
#pragma once

#include "base/table.h"

void fr_cell_time(struct fr_table *table, int64_t when_s); /* "2026-11-20T06:52:19Z"; 0: none */
void fr_cell_hex(struct fr_table *table, const uint8_t *bytes, size_t n); /* at most 32 bytes */
