#pragma once
/*
 * Approvals: changes that one person asked for and that wait until others agree.
 *
 * Model: a row is a *request*: an operation with its arguments, who asked, until when it waits and how many persons it needs, the
 *   one who asked included. A person agrees once, and never with his own request. With the last one the request is *agreed*; it is
 *   *done* when the operation was, or *refused* by anybody, or *failed*. A request whose time is over is worth nothing, whatever its
 *   state says. Rows that are closed stay as a record, until room is needed.
 *   What was asked cannot be changed: a row's operation, arguments and digest are written once.
 * Errors: FR_E_NOT_FOUND; FR_E_DENIED (his own, or has no name); FR_E_EXISTS (agreed already); FR_E_CONFLICT (closed);
 *   FR_E_EXPIRED; FR_E_LIMIT (FR_APPROVALS_OPEN wait already).
 * Units and limits: Unix seconds. FR_APPROVALS_MAX rows.
 * Trust: operation, arguments and reason are what somebody on this machine wrote; they were checked before they came here.
 */
#include "store/change.h"

#define FR_APPROVALS_MAX 1000
#define FR_APPROVALS_OPEN 100
#define FR_APPROVAL_ID_SIZE 4
#define FR_APPROVAL_OP_MAX 63
#define FR_APPROVAL_ARGS_MAX 4096
#define FR_APPROVAL_WHY_MAX 255
#define FR_APPROVAL_PERSONS_MAX 5

enum fr_approval_state {
    FR_APPROVAL_WAITING,
    FR_APPROVAL_AGREED, /* by enough persons, and not done yet */
    FR_APPROVAL_DONE,
    FR_APPROVAL_REFUSED,
    FR_APPROVAL_FAILED,
};
const char *fr_approval_state_text(enum fr_approval_state state);

struct fr_approval_row {
    uint8_t id[FR_APPROVAL_ID_SIZE];
    char op[FR_APPROVAL_OP_MAX + 1];
    char args[FR_APPROVAL_ARGS_MAX + 1]; /* JSON */
    uint8_t digest[FR_DIGEST_SIZE]; /* SHA-256 of what was asked, with what is not in the row */
    char reason[FR_REASON_MAX + 1];
    char asker[FR_ACTOR_MAX + 1];  /* as the journal names him */
    char person[FR_ACTOR_MAX + 1]; /* his login; "": he has none */
    int64_t asked_s, expires_s;
    uint8_t needed; /* persons, the asker included */
    uint8_t n;      /* who agreed */
    struct fr_approval_by {
        char person[FR_ACTOR_MAX + 1];
        int64_t when_s;
    } by[FR_APPROVAL_PERSONS_MAX];
    enum fr_approval_state state;
    char closer[FR_ACTOR_MAX + 1]; /* who refused it, or "" */
    int64_t closed_s;
    char why[FR_APPROVAL_WHY_MAX + 1]; /* it was refused, or failed */
};

enum fr_err fr_approval_get(struct fr_snap *snap, const uint8_t id[FR_APPROVAL_ID_SIZE],
                            struct fr_approval_row *out);
typedef enum fr_err (*fr_approval_fn)(void *data, const struct fr_approval_row *row);
enum fr_err fr_approval_each(struct fr_snap *snap, fr_approval_fn fn, void *data); /* by id */

/* Waits or is agreed, and its time is not over. */
bool fr_approval_is_open(const struct fr_approval_row *row, int64_t now_s);

/* What this person asked for with this digest, and is open. FR_E_NOT_FOUND. person NULL: anybody. */
enum fr_err fr_approval_find(struct fr_snap *snap, const uint8_t digest[FR_DIGEST_SIZE],
                             const char *person, int64_t now_s, struct fr_approval_row *out);

/* Puts a new request: id, asked_s and state are set here, in *row too. */
enum fr_err fr_approval_ask(struct fr_change *change, struct fr_approval_row *row,
                            struct fr_diag *diag);
/* One person more agrees; *out: the row as it is then. Who agreed to what is agreed but not done may say so again. */
enum fr_err fr_approval_agree(struct fr_change *change, const uint8_t id[FR_APPROVAL_ID_SIZE],
                              const char *person, struct fr_diag *diag,
                              struct fr_approval_row *out);
/* Ends an open one as DONE, REFUSED (by that person) or FAILED. why may be NULL. */
enum fr_err fr_approval_close(struct fr_change *change, const uint8_t id[FR_APPROVAL_ID_SIZE],
                              enum fr_approval_state state, const char *person, const char *why,
                              struct fr_diag *diag);
/* Refuses all that are open; *n of them. */
enum fr_err fr_approval_close_all(struct fr_change *change, const char *why, size_t *n);
