#pragma once
/*
 * Where one worker charges its members for what they use.
 *
 * Model: a *desk* belongs to a worker and federation, a *till* to one member at that desk; both are
 *   the worker's alone and lead to the member's account (usage/usage.h). Queries are paid in advance,
 *   some at a time, so that most cost a subtraction. Devices that are found cost a glance at one
 *   shared word; unknown ones pay: a token, and a place in today's sketch.
 *   A question about a device while a budget for devices is used up is refused whether the device is
 *   known or not, so a refusal says nothing about it.
 *   The day is the UTC day of the clock's real time.
 * Owns: its tills, until it is freed. Threads: one.
 * Errors: FR_E_NOMEM; refusals are no errors.
 * Trust: EUIs are a peer's.
 */
#include <stdbool.h>

#include "store/store.h"
#include "usage/notes.h"
#include "usage/usage.h"

struct fr_desk;
struct fr_till;

struct fr_desk_counters {
    uint64_t over[FR_BUDGETS]; /* refused */
    uint64_t walks;            /* alarms */
};

enum fr_err fr_desk_new(struct fr_usage *usage, struct fr_desk **out);
void fr_desk_free(struct fr_desk *desk); /* every connection has left. NULL is fine */

/* Takes the budgets of the snap's moment; next to nothing when nothing moved. */
enum fr_err fr_desk_refresh(struct fr_desk *desk, struct fr_snap *snap);

/* The member's till; good until the desk is freed. FR_E_NOMEM. */
enum fr_err fr_desk_till(struct fr_desk *desk, const char *member, struct fr_till **out);

struct fr_refusal {
    enum fr_budget budget;
    uint32_t retry_after_s;
};

/* One more connection, until leave. False: refused. */
bool fr_till_enter(struct fr_till *till, struct fr_refusal *why);
void fr_till_leave(struct fr_till *till);

/* One more query. */
bool fr_till_query(struct fr_till *till, struct fr_refusal *why);

/* What came of a question about a device; to be called before it is told. */
bool fr_till_device(struct fr_till *till, uint64_t eui, bool is_unknown, struct fr_refusal *why);

/* What was told about a device in the end: for the counts of look-ups, and for the query log. */
struct fr_told {
    uint64_t deveui;
    uint16_t type; /* of the question */
    enum fr_note_answer answer;
    uint32_t netid; /* of FR_NOTE_FOUND */
};
void fr_till_tell(struct fr_till *till, const struct fr_told *told);

const char *fr_till_member(const struct fr_till *till);

const struct fr_desk_counters *fr_desk_counters(const struct fr_desk *desk);
