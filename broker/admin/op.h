#pragma once
/*
 * What an operation is, seen from inside: a row of the table and what it is given to work with.
 *
 * Model: a *single* operation has `run`, which works in ctx->change and may be undone by its
 *   caller. A *long* one has begin, step and end, and makes its own changes; end is called in any
 *   case once begin was. Both decode ctx->args by a table of rows (admin/args.h), call the store or
 *   the CA, and put what to tell into ctx->result.
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

struct fr_op_ctx {
    struct fr_admin_fed *fed;
    struct fr_store *store;
    struct fr_change *change; /* single operations only */
    struct fr_change_by by;   /* for the changes that long operations make */
    const json_t *args;
    struct fr_span body;
    bool dry_run;
    uint64_t *sequence; /* where a long operation puts the number of its last change */
    json_t *result;
    bool is_out_of_memory;
    struct fr_diag *diag;
};

struct fr_op {
    const char *name;
    enum fr_err (*run)(struct fr_op_ctx *ctx);
    enum fr_err (*begin)(struct fr_op_ctx *ctx, void **state);
    enum fr_err (*step)(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done);
    void (*end)(void *state);
    bool has_body;
    bool is_bulk;      /* long, over many devices: one at a time, others do not wait for it */
    bool is_for_peers; /* asked by members over the network, never by a user of this machine */
};

/* The operation of that name, or NULL. */
const struct fr_op *fr_op_find(const char *name);

/* Every operation; ends with a NULL name. */
extern const struct fr_op fr_ops[];

/* Puts a member into an object, an item into a list. */
void fr_op_put(struct fr_op_ctx *ctx, json_t *object, const char *key, json_t *value);
void fr_op_push(struct fr_op_ctx *ctx, json_t *list, json_t *value);

/* Members as this house prints them. */
json_t *fr_op_netid(uint32_t netid);
json_t *fr_op_eui(uint64_t eui);
json_t *fr_op_hex(const uint8_t *p, size_t n);
json_t *fr_op_time(int64_t real_s);
json_t *fr_op_uint(uint64_t value);

/* The federation's issuing CA, loaded at first use. */
enum fr_err fr_op_ca(struct fr_op_ctx *ctx, struct fr_ca **out);

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
enum fr_err fr_op_network_set(struct fr_op_ctx *ctx);
enum fr_err fr_op_joineui_set(struct fr_op_ctx *ctx);
enum fr_err fr_op_joineui_remove(struct fr_op_ctx *ctx);
enum fr_err fr_op_device_add(struct fr_op_ctx *ctx);
enum fr_err fr_op_device_remove(struct fr_op_ctx *ctx);
enum fr_err fr_op_device_set(struct fr_op_ctx *ctx);
enum fr_err fr_op_visibility_set(struct fr_op_ctx *ctx);
enum fr_err fr_op_import_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_import_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms, bool *done);
void fr_op_import_end(void *state);
enum fr_err fr_op_policy_set(struct fr_op_ctx *ctx);
enum fr_err fr_op_cert_issue_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_cert_issue_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                  bool *done);
enum fr_err fr_op_cert_revoke(struct fr_op_ctx *ctx);
enum fr_err fr_op_cert_set(struct fr_op_ctx *ctx);
enum fr_err fr_op_token_create(struct fr_op_ctx *ctx);
enum fr_err fr_op_token_revoke(struct fr_op_ctx *ctx);
enum fr_err fr_op_token_approve(struct fr_op_ctx *ctx);
enum fr_err fr_op_enrol_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_enrol_token_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                   bool *done);
enum fr_err fr_op_enrol_renew_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                   bool *done);
enum fr_err fr_op_enrol_extend_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                    bool *done);
enum fr_err fr_op_crl_publish_begin(struct fr_op_ctx *ctx, void **state);
enum fr_err fr_op_crl_publish_step(struct fr_op_ctx *ctx, void *state, unsigned budget_ms,
                                   bool *done);
