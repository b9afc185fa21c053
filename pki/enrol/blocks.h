/* The federations' blocks of a configuration file (resolver.yaml, agent.yaml, ns.yaml), put in and
 * taken out without touching what else an administrator wrote there.
 *
 * Model    The file's top level has `federations:` with one item (block) for each, in YAML's block
 *          style, found by its `name:`. Of a block that is there only the members that are ours are
 *          replaced (broker, addresses, ca, certificate, key); others stay with their comments.
 * Owns     Texts are appended to the caller's buffer.
 * Threads  Any.
 * Errors   FR_E_CONFLICT: federations is there in a form that cannot be edited (flow style, tabs); the
 *          diag says what to do by hand. FR_E_LIMIT.
 * Limits   FR_BLOCKS_MAX bytes.
 * Trust    The administrator's bytes. What comes out is for the program's own reader to judge. */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "base/span.h"

#define FR_BLOCKS_MAX (4 * 1024 * 1024)

struct fr_block {
    const char *name;
    const char *broker;
    char *const *addresses;
    size_t n_addresses;
    const char *ca, *certificate, *key; /* as they shall stand in the file */
};

/* The text with the block in it; the same bytes when it says so already. */
enum fr_err fr_blocks_put(struct fr_span text, const struct fr_block *block, struct fr_diag *diag,
                          struct fr_buf *out);

/* The text without the block; the same bytes when there is none. *left: how many others remain. */
enum fr_err fr_blocks_remove(struct fr_span text, const char *name, struct fr_diag *diag,
                             struct fr_buf *out, size_t *left);

/* The value of a scalar of the top level ("netid"), without quotes; false when there is none. */
bool fr_blocks_scalar(struct fr_span text, const char *key, char *out, size_t size);
