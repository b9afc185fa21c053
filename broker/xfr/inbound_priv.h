#pragma once
/*
 * What the three files of an inbound share. inbound.c: when it looks, and how a look ends. inbound_talk.c: the connection.
 * inbound_write.c: the store.
 */
#include "xfr/inbound.h"

#define FR_INBOUND_SOON_MS 250 /* after a NOTIFY: more may follow at once */
#define FR_INBOUND_BUSY_MS 250

const struct fr_secondary_options *fr_inbound_options(const struct fr_inbound *f);
int64_t fr_inbound_now_s(const struct fr_inbound *f);

/* --- inbound.c --- */

void fr_inbound_wait_ms(struct fr_inbound *f, int64_t ms);
void fr_inbound_wait_refresh(struct fr_inbound *f);
void fr_inbound_wait_retry(struct fr_inbound *f);
void fr_inbound_drop_connection(struct fr_inbound *f);
void fr_inbound_drop_intake(struct fr_inbound *f);
/* This address failed; the next one may do better. After the last one it gives up. */
void fr_inbound_next_address(struct fr_inbound *f, const char *why);
void fr_inbound_give_up(struct fr_inbound *f, const char *why);
/* Changes could not be had, or not understood: the whole zone, from the same server. */
void fr_inbound_want_full(struct fr_inbound *f, const char *why);
/* The store has the truth: what the writer wrote. */
void fr_inbound_read_state(struct fr_inbound *f);

/* --- inbound_talk.c --- */

/* Connects to the address whose turn it is. */
void fr_inbound_begin(struct fr_inbound *f);

/* --- inbound_write.c --- */

/* Writes the state alone. */
void fr_inbound_note(struct fr_inbound *f);
/* Nothing newer, or what is held stays held. Written only when it tells something. */
void fr_inbound_is_current(struct fr_inbound *f);
/* The transfer is whole and proved: finishes its lists in slices, then writes. */
void fr_inbound_transferred(struct fr_inbound *f);
void fr_inbound_finish(struct fr_defer *d);
