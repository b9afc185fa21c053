#pragma once
/*
 * Questions to a running broker about what it knows beside its store, asked over control.sock.
 *
 * Model: an *inquiry* travels as an operation does (POST /admin/v1/<name>, JSON in, JSON out) and
 *   changes nothing: no writer, no journal, no line of the audit trail. Who serves the socket gives a
 *   table of them; each is answered once, at once or later.
 *
 * Inquiries (arguments → reply; see admin/admin.h for how both are written):
 *   member.probe     members[] (none: every active one that has endpoints) → probes: [a run, as
 *                    probe/run.h writes it, or {member, error}]
 *   member.activity  (none) → since, members: [{id, last_lookup?, last_publish?, refused_24h, unknown_today,
 *                    connections, probe?: {when, result, why?}}]
 *   notify.test     (none) → ways: [{way, result ("taken", "failed"), why?}]; FR_E_NOT_FOUND where none is configured
 *   device.lookups   deveui, member → budgets: [{budget, limit, used?, refused_24h}], since, lookups: [{when, answer,
 *                    netid?, type}] of that device, the last first
 * Owns: the inquiry is borrowed until its `done` was called.
 * Threads: the socket's loop's. Errors: FR_E_INVALID (arguments), FR_E_UNAVAILABLE (no broker runs),
 *   those of the answer.
 * Trust: arguments are an operator's, and checked all the same.
 */
#include "admin/admin.h"

struct fr_inquiry {
    const char *args; /* text of one JSON object */
    /* Once. json: one object, when there is no error. */
    void (*done)(void *to, enum fr_err err, const struct fr_diag *diag, struct fr_span json);
    void *to;
};

struct fr_inquiry_row {
    const char *name;
    void (*run)(void *data, const struct fr_inquiry *inquiry);
};

/* Asks the broker that runs on this state directory; FR_E_UNAVAILABLE when none does. */
enum fr_err fr_admin_ask(const char *state, const struct fr_admin_request *request,
                         struct fr_diag *diag, struct fr_admin_reply **out);
