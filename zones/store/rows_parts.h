#pragma once
/* Inside of zones/store: pieces that the rows of rows.h are made of. */
#include "base/addr.h"
#include "base/wire.h"

#define FR_ROW_FORM 1

void fr_row_read_form(struct fr_rd *r); /* FR_E_UNSUPPORTED: not FR_ROW_FORM */
void fr_row_read_text(struct fr_rd *r, char *out, size_t max);
void fr_row_write_text(struct fr_wr *w, const char *text);
int64_t fr_row_read_time(struct fr_rd *r);
void fr_row_write_time(struct fr_wr *w, int64_t t);
void fr_row_read_addrs(struct fr_rd *r, struct fr_addr *addrs, size_t max, uint8_t *n);
