#pragma once
/* A reply seen from inside: made from a JSON object, or from the text of one. See admin/admin.h. */

#include "admin/admin.h"

#include <jansson.h>

/* Takes the object over, also on failure. FR_E_NOMEM. */
enum fr_err fr_admin_reply_new(json_t *object, struct fr_admin_reply **out);

/* Borrowed. */
const json_t *fr_admin_reply_object(const struct fr_admin_reply *reply);
