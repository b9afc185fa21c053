#pragma once
/* Inside of zones/store: the state of a bulk. bulk.c steps through the phases; bulk_check.c checks the list, bulk_place.c
 * writes in place, bulk_apart.c builds apart. */
#include "store/bulk_nets.h"
#include "store/device_write.h"

enum fr_bulk_phase {
    FR_BULK_SORT,  /* the list */
    FR_BULK_CHECK, /* what would become of each row; reads only */
    FR_BULK_CLEAR, /* apart: what an earlier one left in the other generation */
    FR_BULK_MERGE, /* apart: list and table into the other generation */
    FR_BULK_WRITE, /* in place: the list's own rows */
    FR_BULK_LEAVE, /* in place, replace: devices that the list does not name */
    FR_BULK_FINISH,
    FR_BULK_DONE,
};

struct fr_bulk_refusal {
    uint64_t eui;
    uint32_t row;
    uint32_t was;
    enum fr_device_outcome outcome;
};

struct fr_bulk {
    struct fr_store *store;
    struct fr_device_job job;
    struct fr_list *list, *own_list; /* own_list: made of the job's euis */
    struct fr_judge judge;
    int lock_fd; /* held while this is the one bulk */
    struct fr_device_report report;
    struct fr_journal_record record;
    enum fr_bulk_phase phase;
    bool is_apart;
    bool is_kept;        /* in place: its list is in a file */
    bool is_resumed;     /* its beginning was another process */
    uint64_t at;         /* next row of the list */
    uint64_t from;       /* lowest EUI not yet handled */
    struct fr_nets nets; /* whose networks are; apart: devices in the other generation */
    uint64_t seen;       /* apart: journal record up to which others' changes are taken over */
    uint32_t change;     /* apart: number in the rows written */
    uint64_t *touched;   /* apart: EUIs from `from` on that others changed, ascending */
    size_t n_touched, touched_at, touched_room;
    bool is_touched_sorted;
    unsigned work_ms;  /* of a step, before its commit */
    uint64_t sequence; /* of the image record */
    struct fr_bulk_refusal *refusals;
    size_t n_refusals, room;
};

/* One transaction of a bulk; `deadline_ms` on the monotonic clock. */
struct fr_bulk_step {
    struct fr_snap snap; /* over the write transaction */
    uint32_t table;      /* the current generation's */
    struct fr_tally tally;
    int64_t deadline_ms;
};

/* One at a time, over all processes; *fd stays negative when somebody else has it. Ends with its descriptor. */
enum fr_err fr_bulk_lock(const struct fr_store *store, int *fd);

/* In place: what makes it sure that a bulk is finished once it has begun. */
enum fr_err fr_bulk_mark(struct fr_bulk *bulk, struct fr_txn *txn);
enum fr_err fr_bulk_unmark(struct fr_txn *txn, uint32_t netid);
enum fr_err fr_bulk_keep_list(struct fr_bulk *bulk, struct fr_diag *diag);
void fr_bulk_drop_list(const struct fr_store *store);
/* The bulk that was cut short, ready to be stepped to its end; the caller's. FR_E_NOT_FOUND: there is none, or its list is not
 * there; FR_E_BUSY: it is under way. */
enum fr_err fr_bulk_resume(struct fr_store *store, struct fr_bulk **out);

#define FR_BULK_CLOCK_EVERY 1024 /* rows between two looks at the clock */
bool fr_bulk_is_over(int64_t deadline_ms);

/* What becomes of one device, by the rule. */
enum fr_err fr_bulk_outcome(struct fr_bulk *bulk, struct fr_snap *snap,
                            const struct fr_device_row *device, enum fr_device_outcome *out);
/* A row that was fine when the list was checked is refused now: the whole fails, or it is left out. */
enum fr_err fr_bulk_refuse_late(struct fr_bulk *bulk, uint64_t eui, struct fr_diag *diag);

/* After it the phase is the next one, or the time is over. */
enum fr_err fr_bulk_check(struct fr_bulk *bulk, int64_t deadline_ms, struct fr_diag *diag);
enum fr_err fr_bulk_write(struct fr_bulk *bulk, struct fr_bulk_step *step, struct fr_diag *diag);
enum fr_err fr_bulk_leave(struct fr_bulk *bulk, struct fr_bulk_step *step);
/* Takes rows out of the other generation while there is time; *is_left: there are more. */
enum fr_err fr_bulk_drop(struct fr_bulk_step *step, bool *is_left);
enum fr_err fr_bulk_clear(struct fr_bulk *bulk, struct fr_bulk_step *step);
enum fr_err fr_bulk_merge(struct fr_bulk *bulk, struct fr_bulk_step *step, struct fr_diag *diag);
enum fr_err fr_bulk_flip(struct fr_bulk *bulk, struct fr_bulk_step *step, struct fr_diag *diag);

/* List and table side by side, ascending. */
struct fr_bulk_walk {
    struct fr_list *list;
    uint64_t at; /* of rows[0] */
    const struct fr_list_row *rows;
    size_t n;
    struct fr_cursor *cursor;
    bool has_device;
    struct fr_device_row device;
    struct fr_span value; /* the device's bytes */
};
struct fr_bulk_item {
    uint64_t eui;
    bool is_listed, is_there;
    uint32_t row;                /* when listed */
    struct fr_device_row device; /* when there; else all zeros but the EUI */
    struct fr_span value;        /* good until the next */
};
enum fr_err fr_bulk_walk_begin(struct fr_bulk_walk *walk, struct fr_snap *snap,
                               struct fr_list *list, uint64_t at, uint64_t from);
/* FR_E_NOT_FOUND past the end of both. */
enum fr_err fr_bulk_walk_next(struct fr_bulk_walk *walk, struct fr_bulk_item *out);
/* The next row of the list, with its device if it has one; passes over the table's others. */
enum fr_err fr_bulk_walk_next_listed(struct fr_bulk_walk *walk, struct fr_bulk_item *out);
void fr_bulk_walk_end(struct fr_bulk_walk *walk);
