#pragma once
/*
 * What an operation is, seen from inside: a row of the table and what it is given to work with.
 *
 * Model: a *single* operation has `run`, which works in ctx->change and may be undone by its
 *   caller. A *long* one has begin, step and end, and makes its own changes; end is called in any
 *   case once begin was. An *issuing* one has intend and finish, which work in ctx->change, and sign
 *   between them, when what was intended is on disk and in the audit trail; end is called when intend
 *   set a state. All decode ctx->args by a table of rows (admin/args.h), call the store or the CA,
 *   and put what to tell into ctx->result.
 * Owns: the context lives as long as its task. Values given to fr_op_put and fr_op_push are taken
 *   over.
 * Threads: the one that runs the task.
 * Errors: an operation returns its code with ctx->diag filled. Failure to build the result is
 *   sticky in the context and becomes FR_E_NOMEM.
 */

#include "admin/engine.h"
#include "store/change.h"

#include <jansson.h>

struct fr_ca;

/* By whom an operation may be asked; or-ed. None of them stands for FR_BY_OPERATOR. */
enum fr_op_by {
    FR_BY_OPERATOR = 1, /* control.sock, or the state directory itself */
    FR_BY_ENROLLEE = 2, /* EST: a token, or a certificate about itself */
    FR_BY_MEMBER = 4,   /* the HTTPS API: a member about what is its own */
};

/* Devices, and JoinEUIs, that somebody claimed in vain. */
struct fr_op_conflict {
    uint64_t eui;
    uint32_t netid;                    /* of a device */
    uint8_t nibbles;                   /* of a JoinEUI; 0: a device */
    char member[FR_MEMBER_ID_MAX + 1]; /* of a JoinEUI */
};
struct fr_op_conflicts {
    struct fr_op_conflict *items;
    size_t n;
};

struct fr_op_ctx {
    struct fr_admin_fed *fed;
    struct fr_store *store;
    const struct fr_admin_actor *caller; /* who asks; until the task is freed */
    struct fr_change *change;            /* single operations only */
    struct fr_change_by by;              /* for the changes that long operations make */
    const json_t *args;
    struct fr_span body;
    bool dry_run;
    uint64_t *sequence; /* where a long operation puts the number of its last change */
    json_t *result;
    json_t *facts; /* what the audit trail tells beside what it takes of the result */
    bool is_out_of_memory;
    struct fr_op_conflicts conflicts;
    struct fr_diag *diag;
};

struct fr_op {
    const char *name;
    enum fr_err (*run)(struct fr_op_ctx *ctx);
    enum fr_err (*begin)(struct fr_op_ctx *ctx, void **state);
    enum fr_err (*step)(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done);
    void (*end)(void *state);
    /* *to_sign: there is something to sign, so that sign and finish follow. sign is also called
     * without, to end what needs no signature. */
    enum fr_err (*intend)(struct fr_op_ctx *ctx, void **state, bool *to_sign);
    enum fr_err (*sign)(struct fr_op_ctx *ctx, void *state);
    enum fr_err (*finish)(struct fr_op_ctx *ctx, void *state);
    /* How many persons a request takes, the one who asks included; NULL: one (admin/approval.h). *out is 1 when called. */
    enum fr_err (*persons)(const struct fr_op_ctx *ctx, struct fr_snap *snap, uint32_t *out);
    bool is_collected; /* its outcome is for who asks alone: he asks again when it was approved */
    bool has_body;
    bool signs;         /* long, and makes signatures: a line of the audit trail comes first */
    bool has_own_clock; /* signs whatever the clock says */
    bool
        is_protective; /* takes something back, or tells of trouble: done also when it cannot be recorded */
    bool is_quiet; /* the broker's own book-keeping: leaves a line of the trail only when refused */
    bool is_local; /* about this broker alone: no replica has to confirm it */
    bool is_bulk;  /* long, over many devices: one at a time, others do not wait for it */
    bool is_batch; /* long, a member's: as bulk, and neither waits for the other */
    unsigned by;   /* enum fr_op_by, or-ed; 0: an operator alone */
    uint32_t rights; /* enum fr_right, or-ed: what a member needs for it */
};

/* The operation of that name, or NULL. */
const struct fr_op *fr_op_find(const char *name);

/* Every operation; ends with a NULL name. */
extern const struct fr_op fr_ops[];

/* The member who asks; NULL: an operator does, or somebody who enrols. */
const char *fr_op_member(const struct fr_op_ctx *ctx);

/* May the caller change what belongs to this NetID? An operator may. A member that holds it in
 * `snap` may; else FR_E_DENIED, whether the NetID exists or not. */
enum fr_err fr_op_check_netid(const struct fr_op_ctx *ctx, struct fr_snap *snap, uint32_t netid);

/* The same for devices that are there: FR_E_NOT_FOUND for those that a member does not have, whether
 * somebody else has them or nobody. Single operations only. */
enum fr_err fr_op_check_devices(const struct fr_op_ctx *ctx, const uint64_t *euis, size_t n);

/* Is a member's certificate still what it was admitted by: issued, within its dates, with the
 * rights this operation needs, the member active? FR_E_DENIED. Others are not asked for one. The
 * engine calls it before the operation; a long one calls it again where it begins anew. */
enum fr_err fr_op_check_caller(const struct fr_op_ctx *ctx, struct fr_snap *snap, uint32_t rights);

/* The holder of this NetID claimed a device that another member has: recorded when the operation is
 * over, also when it was refused (store/conflict.h). More than FR_CONFLICTS_AT_ONCE are not. */
void fr_op_note_conflict(struct fr_op_ctx *ctx, uint32_t netid, uint64_t deveui);

/* The same of a member that claimed a JoinEUI or a block of them. */
void fr_op_note_joineui_conflict(struct fr_op_ctx *ctx, const char *member, uint64_t base,
                                 uint8_t nibbles);

/* Puts a member into an object, an item into a list. */
void fr_op_put(struct fr_op_ctx *ctx, json_t *object, const char *key, json_t *value);
void fr_op_push(struct fr_op_ctx *ctx, json_t *list, json_t *value);
/* A fact for the audit trail. Everybody may know it who reads that. */
void fr_op_note(struct fr_op_ctx *ctx, const char *key, json_t *value);

/* Members as this house prints them. */
json_t *fr_op_netid(uint32_t netid);
json_t *fr_op_eui(uint64_t eui);
json_t *fr_op_hex(const uint8_t *p, size_t n);
json_t *fr_op_time(int64_t real_s);
json_t *fr_op_uint(uint64_t value);

/* The federation's issuing CA, loaded at first use. */
enum fr_err fr_op_ca(struct fr_op_ctx *ctx, struct fr_ca **out);

/* What unlocks keys; may be NULL. */
const struct fr_passphrase *fr_op_passphrase(const struct fr_op_ctx *ctx);

/* The federation's state directory (borrowed), and the time. */
const char *fr_op_state(const struct fr_op_ctx *ctx);
int64_t fr_op_now_ms(const struct fr_op_ctx *ctx);

enum fr_err fr_op_member_add(struct fr_op_ctx *ctx);
enum fr_err fr_op_member_set(struct fr_op_ctx *ctx);
enum fr_err fr_op_member_suspend(struct fr_op_ctx *ctx);
enum fr_err fr_op_member_resume(struct fr_op_ctx *ctx);
enum fr_err fr_op_member_remove_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_member_remove_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                     bool *done);
void fr_op_member_remove_end(void *state);
enum fr_err fr_op_member_leave_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_member_leave_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                    bool *done);
void fr_op_member_leave_end(void *state);
enum fr_err fr_op_network_set(struct fr_op_ctx *ctx);
enum fr_err fr_op_joineui_add(struct fr_op_ctx *ctx);
enum fr_err fr_op_joineui_remove(struct fr_op_ctx *ctx);
enum fr_err fr_op_device_add(struct fr_op_ctx *ctx);
enum fr_err fr_op_device_remove(struct fr_op_ctx *ctx);
enum fr_err fr_op_batch_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_batch_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done);
void fr_op_batch_end(void *state);
enum fr_err fr_op_device_set(struct fr_op_ctx *ctx);
enum fr_err fr_op_device_release(struct fr_op_ctx *ctx);
enum fr_err fr_op_device_claim(struct fr_op_ctx *ctx);
enum fr_err fr_op_device_move(struct fr_op_ctx *ctx);
enum fr_err fr_op_block_add(struct fr_op_ctx *ctx);
enum fr_err fr_op_block_remove(struct fr_op_ctx *ctx);
enum fr_err fr_op_visibility_set(struct fr_op_ctx *ctx);
enum fr_err fr_op_import_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_import_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done);
void fr_op_import_end(void *state);
enum fr_err fr_op_primary_set(struct fr_op_ctx *ctx);
enum fr_err fr_op_primary_remove(struct fr_op_ctx *ctx);
enum fr_err fr_op_primary_refresh(struct fr_op_ctx *ctx);
enum fr_err fr_op_secondary_set(struct fr_op_ctx *ctx);
enum fr_err fr_op_secondary_remove(struct fr_op_ctx *ctx);
enum fr_err fr_op_zone_accept(struct fr_op_ctx *ctx);
enum fr_err fr_op_zone_change(struct fr_op_ctx *ctx);
enum fr_err fr_op_zone_note(struct fr_op_ctx *ctx);
enum fr_err fr_op_zone_transfer_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_zone_transfer_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                     bool *done);
void fr_op_zone_transfer_end(void *state);
enum fr_err fr_op_device_erase_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_member_erase_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_erase_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done);
void fr_op_erase_end(void *state);
enum fr_err fr_op_journal_trim_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_journal_trim_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                    bool *done);
void fr_op_journal_trim_end(void *state);
enum fr_err fr_op_rollback_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_rollback_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done);
void fr_op_rollback_end(void *state);
enum fr_err fr_op_policy_set(struct fr_op_ctx *ctx);
enum fr_err fr_op_cert_issue_intend(struct fr_op_ctx *ctx, void **state, bool *to_sign);
enum fr_err fr_op_cert_issue_sign(struct fr_op_ctx *ctx, void *state);
enum fr_err fr_op_cert_issue_finish(struct fr_op_ctx *ctx, void *state);
void fr_op_cert_issue_end(void *state);
enum fr_err fr_op_cert_revoke_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_cert_revoke_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                   bool *done);
void fr_op_cert_revoke_end(void *state);
enum fr_err fr_op_network_suspend(struct fr_op_ctx *ctx);
enum fr_err fr_op_network_resume(struct fr_op_ctx *ctx);
enum fr_err fr_op_clock_accept(struct fr_op_ctx *ctx);
enum fr_err fr_op_grace_open(struct fr_op_ctx *ctx);
enum fr_err fr_op_grace_close(struct fr_op_ctx *ctx);
enum fr_err fr_op_audit_rotate(struct fr_op_ctx *ctx);
enum fr_err fr_op_cert_set(struct fr_op_ctx *ctx);
enum fr_err fr_op_cert_adopt(struct fr_op_ctx *ctx);
enum fr_err fr_op_cert_note(struct fr_op_ctx *ctx);
enum fr_err fr_op_cert_bar(struct fr_op_ctx *ctx);
enum fr_err fr_op_restore_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_restore_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done);
void fr_op_restore_end(void *state);
enum fr_err fr_op_token_create(struct fr_op_ctx *ctx);
enum fr_err fr_op_token_revoke(struct fr_op_ctx *ctx);
enum fr_err fr_op_token_approve(struct fr_op_ctx *ctx);
enum fr_err fr_op_enrol_token_intend(struct fr_op_ctx *ctx, void **state, bool *to_sign);
enum fr_err fr_op_enrol_renew_intend(struct fr_op_ctx *ctx, void **state, bool *to_sign);
enum fr_err fr_op_enrol_extend_intend(struct fr_op_ctx *ctx, void **state, bool *to_sign);
enum fr_err fr_op_enrol_sign(struct fr_op_ctx *ctx, void *state);
enum fr_err fr_op_enrol_finish(struct fr_op_ctx *ctx, void *state);
void fr_op_enrol_end(void *state);
enum fr_err fr_op_ca_prepare(struct fr_op_ctx *ctx);
enum fr_err fr_op_ca_install(struct fr_op_ctx *ctx);
enum fr_err fr_op_ca_activate(struct fr_op_ctx *ctx);
enum fr_err fr_op_ca_taint(struct fr_op_ctx *ctx);
enum fr_err fr_op_ca_retire_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_ca_list_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_ca_sweep_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done);
void fr_op_ca_sweep_end(void *state);
enum fr_err fr_op_server_renew_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_server_renew_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                    bool *done);
enum fr_err fr_op_crl_publish_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_crl_publish_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                   bool *done);
enum fr_err fr_op_notice_look_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_notice_look_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                   bool *done);
void fr_op_notice_look_end(void *state);
enum fr_err fr_op_notice_told(struct fr_op_ctx *ctx);
enum fr_err fr_op_notice_ack(struct fr_op_ctx *ctx);
enum fr_err fr_op_promote_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_promote_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done);
enum fr_err fr_op_reapply(struct fr_op_ctx *ctx);
enum fr_err fr_op_approve_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_approve_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done);
void fr_op_approve_end(void *state);
enum fr_err fr_op_approval_refuse(struct fr_op_ctx *ctx);
