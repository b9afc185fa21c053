#pragma once
/*
 * Requests and refusals as they travel over control.sock: both directions of both.
 *
 * Model: POST /admin/v1/<op>. Without a body of its own a request is the JSON *envelope*
 *   {"args":{…},"dry_run":bool,"reason":text} (application/json, so that curl can send one); with
 *   one it is FR_ADMIN_FRAME_TYPE: length of the envelope (4 bytes, big endian), envelope, body. A
 *   success is 200 and the reply; a refusal is {"error":{"code","what","where","hint"}}.
 * Owns: a decoded request borrows its body from the input; its texts belong to it until
 *   fr_admin_message_free.
 * Errors: FR_E_INVALID with a diag, FR_E_LIMIT, FR_E_NOMEM. Trust: every byte decoded is an
 *   outsider's.
 */

#include "admin/admin.h"
#include "base/buf.h"

#define FR_ADMIN_PATH "/admin/v1/"
#define FR_ADMIN_FRAME_TYPE "application/vnd.fedroam.change"

struct fr_admin_message {
    struct fr_admin_request request; /* op is left NULL: it stands in the path */
    char *args, *reason;
};

/* Appends the content; *type is a literal. */
enum fr_err fr_admin_message_write(const struct fr_admin_request *request, struct fr_buf *out,
                                   const char **type);
enum fr_err fr_admin_message_read(bool is_framed, struct fr_span content, struct fr_diag *diag,
                                  struct fr_admin_message *out);
void fr_admin_message_free(struct fr_admin_message *message);

/* The HTTP status of an outcome, and its refusal. */
unsigned fr_admin_status(enum fr_err err);
enum fr_err fr_admin_refusal_write(enum fr_err err, const struct fr_diag *diag, struct fr_buf *out);

/* The code and diag of a refusal; FR_E_INTERNAL when it is not one. Never FR_OK. */
enum fr_err fr_admin_refusal_read(struct fr_span content, struct fr_diag *diag);
