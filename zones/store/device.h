#pragma once
/*
 * Devices: which NetID each DevEUI belongs to, and the one set of rules by which that changes.
 *
 * Model: fr_device_apply adds devices to a NetID, or makes its set equal to the given one (replace), or removes them. Import,
 *   `device add|remove` and every later way go through it. For each row an *outcome*:
 *     added · moved (from another NetID of the same member) · same (was there) · repeated (earlier in this list)
 *     refused: reserved (all zeros or all ones) · outside (of its EUI blocks, store/block.h: said before it is looked whether the
 *       device exists) · taken (belongs to another member, who is named, and has not released it: store/release.h) · unreleased (a claim
 *       of what is not released) · unknown (a move of what is not there)
 *     removed · absent (removal of what is not there) · foreign (removal of another NetID's device)
 *   Asked by a member, only its own NetIDs are written to, other members' devices are as absent, and no owner is named.
 *   Any refusal fails the whole with nothing changed unless `keep_going`.
 *   Small sets are part of a change (fr_device_apply). Large ones are a *bulk*: steps of bounded length between which others
 *   may write. A bulk sorts its list and checks all of it against the present state; then either
 *     - *apart*, when it is at least an eighth of the table: the table and the list are merged into the generation that nobody
 *       reads, with what others change meanwhile, and one last step makes that the current one. Cut short at any moment it
 *       leaves the old state. A device that somebody else changes meanwhile stays as they left it;
 *     - or *in place*, in ordinary steps: each shows. Once begun it is finished, by fr_bulk_tidy when its process ended: the list is kept
 *       in a file for that. A row that somebody else's change makes a refusal meanwhile is left out and counted.
 *   Either way there is one `image` record at the end. One bulk at a time, over all processes.
 * Owns: the list of EUIs is borrowed for the call (apply) or until the bulk is freed.
 * Errors: FR_E_NOT_FOUND (no such network or device), FR_E_DENIED (the member's NetID or blocks), FR_E_CONFLICT / FR_E_INVALID
 *   (refused rows, nothing changed),
 *   FR_E_LIMIT (more than FR_DEVICE_APPLY_MAX rows in one change: use a bulk), FR_E_BUSY (another bulk is under way).
 * Units and limits: FR_LIST_MAX rows in a bulk.
 */
#include "store/change.h"
#include "store/list.h"

#define FR_DEVICE_APPLY_MAX 10000

enum fr_device_flag { FR_DEVICE_HIDDEN = 1 }; /* no look-up finds it */
#define FR_DEVICE_FLAGS_ALL 1u

struct fr_device_row {
    uint64_t deveui;
    uint32_t netid;
    uint8_t flags;   /* enum fr_device_flag, or-ed; kept when the device moves to another NetID */
    uint32_t change; /* low 32 bits of the sequence that last touched it */
};

enum fr_device_outcome {
    FR_DEVICE_ADDED,
    FR_DEVICE_MOVED,
    FR_DEVICE_SAME,
    FR_DEVICE_REPEATED,
    FR_DEVICE_REMOVED,
    FR_DEVICE_ABSENT,
    FR_DEVICE_RESERVED,
    FR_DEVICE_TAKEN,
    FR_DEVICE_FOREIGN,
    FR_DEVICE_OUTSIDE,
    FR_DEVICE_UNRELEASED,
    FR_DEVICE_UNKNOWN,
    FR_DEVICE_OUTCOMES,
};
const char *fr_device_outcome_text(enum fr_device_outcome outcome);
bool fr_device_outcome_is_refusal(enum fr_device_outcome outcome);

/* The devices' home: ~0.5 µs. FR_E_NOT_FOUND: nobody's. Whether that network is live: fr_network_get_live. */
enum fr_err fr_device_get(struct fr_snap *snap, uint64_t deveui, struct fr_device_row *out);

/* Devices from `from` upward, all or one NetID's (netid 0: all). The callback's failure ends the walk and is returned. */
typedef enum fr_err (*fr_device_fn)(void *data, const struct fr_device_row *row);
enum fr_err fr_device_each(struct fr_snap *snap, uint64_t from, uint32_t netid, fr_device_fn fn,
                           void *data);
/* As each, of all NetIDs; a row that does not decode is told to `bad` and passed over. */
typedef void (*fr_device_bad_fn)(void *data, uint64_t deveui, enum fr_err err);
enum fr_err fr_device_each_sound(struct fr_snap *snap, uint64_t from, fr_device_fn fn,
                                 fr_device_bad_fn bad, void *data);
enum fr_err fr_device_count(struct fr_snap *snap, uint64_t *out);

enum fr_device_mode {
    FR_DEVICE_ADD,
    FR_DEVICE_REPLACE,
    FR_DEVICE_REMOVE,
    FR_DEVICE_CLAIM, /* only what was released to the NetID's holder, or is its own */
    FR_DEVICE_MOVE,  /* whoever has it, and without looking at blocks: an operator's override */
    FR_DEVICE_MODES,
};

struct fr_device_refusal {
    size_t row; /* index in the list, or the row that fr_list_add was given */
    uint64_t deveui;
    enum fr_device_outcome outcome;
    const char *owner; /* the member holding it, or NULL; never told to a member */
};

struct fr_device_job {
    uint32_t netid;     /* 0 with FR_DEVICE_REMOVE: whichever they belong to */
    const char *member; /* who asks; NULL: an operator. Borrowed until the bulk is freed */
    enum fr_device_mode mode;
    const uint64_t *euis; /* in the order of the user's list */
    size_t n;
    struct fr_list *list; /* bulk: instead of euis; borrowed until the bulk is freed */
    bool keep_going;      /* leave refused rows out instead of failing */
    bool is_dry;          /* bulk: only say what would happen */
    /* Called for each refused row in the list's order; in a bulk for the first FR_BULK_REFUSED_MAX by EUI. May be NULL. */
    void (*refused)(void *data, const struct fr_device_refusal *refusal);
    void *data;
    uint8_t *
        outcomes; /* fr_device_apply: n of them, enum fr_device_outcome, in the list's order; may be NULL */
};

struct fr_device_report {
    uint64_t count[FR_DEVICE_OUTCOMES];
    uint64_t before;  /* devices of the NetID before */
    uint64_t after;   /* … and after */
    uint64_t refused; /* sum of the refusals */
};

/* Does it inside a change. */
enum fr_err fr_device_apply(struct fr_change *change, const struct fr_device_job *job,
                            struct fr_diag *diag, struct fr_device_report *report);

/* Hides devices from every look-up, or shows them again; *changed of them were not so before.
 * FR_E_NOT_FOUND: one of them does not exist (nothing may be committed then). */
enum fr_err fr_device_set_hidden(struct fr_change *change, const uint64_t *euis, size_t n,
                                 bool is_hidden, struct fr_diag *diag, uint64_t *changed);

#define FR_BULK_REFUSED_MAX 100000 /* refused rows told one by one */

struct fr_bulk;
/* Begins one; `by` is copied (NULL when is_dry). Nothing is read or written yet but the job's NetID. */
enum fr_err fr_bulk_new(struct fr_store *store, const struct fr_device_job *job,
                        const struct fr_change_by *by, struct fr_diag *diag, struct fr_bulk **out);
/*
 * One part of about budget_ms, commit included; *done when it was the last. Refused rows are told when the whole list has
 * been checked: without keep_going that is FR_E_CONFLICT or FR_E_INVALID, and nothing was written. A failure ends the
 * bulk: free it.
 */
enum fr_err fr_bulk_step(struct fr_bulk *bulk, unsigned budget_ms, struct fr_diag *diag,
                         bool *done);
/* Report so far; complete once the last step is done. *sequence is the image record's number then. */
void fr_bulk_report(const struct fr_bulk *bulk, struct fr_device_report *report,
                    uint64_t *sequence);
void fr_bulk_free(struct fr_bulk *bulk);

/* Bulks that never reached their last step (process ended, disk full). */
struct fr_bulk_pending {
    uint32_t netid;
    int64_t since_s;
};
enum fr_err fr_bulk_find_pending(struct fr_snap *snap,
                                 struct fr_bulk_pending *out); /* FR_E_NOT_FOUND: none */

/* Finishes a bulk in place that was cut short (or, where its list is not: on a replica that took over, or a restored store, ends
 * it with its record and leaves what had been written), and takes away what one apart left in the generation that nobody reads, about
 * budget_ms of it; *done when nothing is left, or a bulk is under way. For whenever there is nothing else to do, and at the start. */
enum fr_err fr_bulk_tidy(struct fr_store *store, unsigned budget_ms, bool *done);
