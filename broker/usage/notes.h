#pragma once
/*
 * Notes that workers leave for the clerk: a bounded queue, off until somebody reads it.
 *
 * Model: put never waits for the reader: when the queue is full the note is lost, and counted. The
 *   reader sleeps here, too: until there is much to read, a time has passed, or it is woken.
 * Owns: the queue, made when it is first turned on. Threads: put from any; wait and take from one.
 * Errors: FR_E_NOMEM. Units and limits: FR_NOTES_MAX notes of 64 octets.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/limits.h"

#define FR_NOTES_MAX 16384

enum fr_note_answer { FR_NOTE_FOUND, FR_NOTE_NONE, FR_NOTE_REFUSED };

struct fr_note {
    int64_t when_ms; /* real time */
    uint64_t deveui;
    uint32_t netid; /* of FR_NOTE_FOUND */
    uint16_t type;  /* of the question */
    uint8_t answer; /* enum fr_note_answer */
    char member[FR_MEMBER_ID_MAX + 1];
};

struct fr_notes;

enum fr_err fr_notes_new(struct fr_notes **out);
void fr_notes_free(struct fr_notes *notes); /* NULL is fine */

enum fr_err fr_notes_turn(struct fr_notes *notes, bool is_on);
bool fr_notes_is_on(struct fr_notes *notes); /* a glance */
void fr_notes_put(struct fr_notes *notes, const struct fr_note *note);

/* Until the queue is half full, fr_notes_wake, or timeout_ms. */
void fr_notes_wait(struct fr_notes *notes, unsigned timeout_ms);
void fr_notes_wake(struct fr_notes *notes);
size_t fr_notes_take(struct fr_notes *notes, struct fr_note *out, size_t max); /* oldest first */
uint64_t fr_notes_lost(struct fr_notes *notes);
