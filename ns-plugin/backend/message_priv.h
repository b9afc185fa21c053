#pragma once
/*
 * What the files of the message codec share: decoding of hex members into the message's own memory. For message*.c only.
 *
 * Owns, Threads, Errors, Trust: as backend/message.h.
 */
#include "backend/jval.h"
#include "backend/message.h"

/* A hex member of any length up to max, decoded into the message's own memory; empty when absent or at fault. */
struct fr_span fr_bi_decode(struct fr_bi_message *m, struct fr_jread *r, const char *name,
                            enum fr_jpresence presence, size_t max);

/* ULMetaData and DLMetaData; their faults go to r. FR_E_LIMIT: more gateways than FR_BI_GW_MAX. */
enum fr_err fr_bi_read_ul(struct fr_bi_message *m, struct fr_jread *r, enum fr_jpresence presence);
enum fr_err fr_bi_read_dl(struct fr_bi_message *m, struct fr_jread *r, enum fr_jpresence presence);
