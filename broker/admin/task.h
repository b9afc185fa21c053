#pragma once
/* A task seen from inside: the engine's bookkeeping of one request. See admin/engine.h. */

#include "admin/op.h"
#include "store/approval.h"

struct fr_task {
    const struct fr_op *op;
    struct fr_admin_actor actor;
    json_t *args;
    char *args_text; /* for the audit trail */
    char *reason;    /* or NULL */
    uint8_t *body;   /* owned; ctx.body is the view of it */
    struct fr_op_ctx ctx;
    void *state; /* of a long operation */
    bool is_begun;
    bool is_over;
    bool is_repeated;  /* a restore does again what was done before */
    uint32_t persons;  /* it needs so many: tried out, then put down; 0: not so */
    bool has_approval; /* it was agreed to: */
    uint8_t approval[FR_APPROVAL_ID_SIZE]; /* store/approval.h */
    int64_t started_s;
    enum fr_err err;
    struct fr_diag diag;
    uint64_t sequence;
};

/* Records what an operation noted, in the batch it ran in, or (NULL) a commit of its own. */
enum fr_err fr_task_record_conflicts(struct fr_task *task, struct fr_batch *batch);

/* Makes it the federation's, at this time. */
void fr_task_enter(struct fr_admin_fed *fed, struct fr_task *task);

/* It came to this: result and audit line are made. It is over once fr_record_release returned. */
void fr_task_close(struct fr_admin_fed *fed, struct fr_task *task, enum fr_err err);
