#pragma once
/* Inside of zones/store: the state of a bulk, shared by bulk.c (steps in place) and bulk_apart.c (building apart). */
#include "store/device_write.h"

enum fr_bulk_phase {
    FR_BULK_CLEAR, /* apart: what an earlier attempt left in the other generation */
    FR_BULK_WRITE, /* the list's own rows */
    FR_BULK_LEAVE, /* replace: devices that the list does not name */
    FR_BULK_FINISH,
    FR_BULK_DONE,
};

struct fr_bulk {
    struct fr_store *store;
    struct fr_device_job job; /* its list is not looked at after the plan */
    struct fr_plan plan;
    struct fr_device_report report; /* as it happens */
    struct fr_journal_record record;
    enum fr_bulk_phase phase;
    bool is_apart;
    uint64_t token; /* apart: tells two bulks that build at the same time apart */
    size_t at;      /* next row of the plan */
    uint64_t from;  /* leave: next EUI to look at */
    uint64_t handled, total;
    uint64_t sequence; /* of the image record */
};

/* One transaction of a bulk; `deadline_ms` on the monotonic clock. */
struct fr_bulk_step {
    struct fr_snap snap; /* over the write transaction */
    uint32_t table;      /* the current generation's */
    struct fr_tally tally;
    int64_t deadline_ms;
};
bool fr_bulk_is_over(const struct fr_bulk_step *step);

/* The phases of building apart. */
enum fr_err fr_bulk_clear(struct fr_bulk *bulk, struct fr_bulk_step *step);
enum fr_err fr_bulk_append(struct fr_bulk *bulk, struct fr_bulk_step *step, struct fr_diag *diag);
enum fr_err fr_bulk_flip(struct fr_bulk *bulk, struct fr_bulk_step *step, struct fr_diag *diag);
