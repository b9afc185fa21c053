#pragma once
/*
 * Inside of the engine: changes that need more than one person.
 *
 * Model: a row of the table of operations says how many persons a request needs (`persons`, see op.h; by policy). One that
 *   needs several is only tried out, and then put down to wait: FR_E_PENDING, with its number (store/approval.h). When enough
 *   persons have agreed (approval.approve) it is done as it was asked, by the same call that brought the last agreement; or,
 *   where its outcome is for who asked alone (`is_collected`: a token's text, a certificate), when he asks the same again.
 *   What was agreed to is named by a SHA-256 over operation, arguments and body, and is used once, in the change that it
 *   allows where that is one change.
 * Errors: FR_E_DENIED: who asks has no login (admin/login.h); FR_E_PENDING; FR_E_LIMIT: arguments too long to wait; the store's.
 */

#include "admin/task.h"
#include "store/approval.h"

/* Before it runs, in `snap`: decides whether it is done, or tried out and put down (task->persons). Sets the task's
 * approval where it was agreed to before. */
enum fr_err fr_approval_gate(struct fr_task *task, struct fr_snap *snap);

/* It ran, to be put down: makes the request, in this batch or (NULL) a commit of its own. Never FR_OK. */
enum fr_err fr_approval_wait(struct fr_task *task, struct fr_batch *batch);

/* It ran: its approval is used, in ctx->change; nothing where it has none. */
enum fr_err fr_approval_use(struct fr_task *task);
/* The same in a change of its own, for long operations. */
enum fr_err fr_approval_used(struct fr_task *task);

/* It could not be done although all agreed, and will not be: says so in its row. */
void fr_approval_fail(struct fr_task *task, enum fr_err err, const char *why);

/* What is agreed to, as SHA-256 over operation, newline, arguments (compact, keys in order), newline and body. */
enum fr_err fr_approval_digest(const char *op, const char *args, struct fr_span body,
                               uint8_t out[FR_DIGEST_SIZE]);

/* --- `persons` of operations --- */
enum fr_err fr_persons_for_member(const struct fr_op_ctx *ctx, struct fr_snap *snap, uint32_t *out);
enum fr_err fr_persons_for_networks(const struct fr_op_ctx *ctx, struct fr_snap *snap,
                                    uint32_t *out);
enum fr_err fr_persons_for_authority(const struct fr_op_ctx *ctx, struct fr_snap *snap,
                                     uint32_t *out);
enum fr_err fr_persons_for_removal(const struct fr_op_ctx *ctx, struct fr_snap *snap,
                                   uint32_t *out);
enum fr_err fr_persons_for_revocation(const struct fr_op_ctx *ctx, struct fr_snap *snap,
                                      uint32_t *out);
enum fr_err fr_persons_for_rights(const struct fr_op_ctx *ctx, struct fr_snap *snap, uint32_t *out);
enum fr_err fr_persons_for_more_rights(const struct fr_op_ctx *ctx, struct fr_snap *snap,
                                       uint32_t *out);
enum fr_err fr_persons_for_policy(const struct fr_op_ctx *ctx, struct fr_snap *snap, uint32_t *out);
