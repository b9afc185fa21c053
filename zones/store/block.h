#pragma once
/*
 * EUI blocks: which ranges of DevEUIs are whose, where the federation says so.
 *
 * Model: a block is all EUIs that begin with the same bits, "70b3d57ed0000000/36". Blocks never overlap. The policy `blocks` says
 *   whom they bind: with `given` (the default) a member that has blocks publishes inside them only, and one that has none
 *   anywhere; with `required` a member without blocks publishes nothing. What was there before stays, also
 *   outside, and a list that replaces a network's devices may name it.
 * Owns: struct fr_blocks its ranges, until fr_blocks_deinit. Threads: the snap's.
 * Errors: FR_E_MALFORMED, FR_E_RANGE (text), FR_E_INVALID (bits behind the prefix), FR_E_CONFLICT (overlap; the diag names the
 *   other one; or the member was removed), FR_E_NOT_FOUND (member, block), FR_E_LIMIT (blocks of one member).
 * Units and limits: 1 to 64 bits; FR_BLOCKS_MAX blocks of a member.
 * Trust: text is anybody's.
 */
#include "base/span.h"
#include "store/change.h"

#define FR_BLOCKS_MAX 4096
#define FR_BLOCK_TEXT 24 /* with the final zero */

struct fr_block_row {
    uint64_t base;
    uint8_t bits;
    char member[FR_MEMBER_ID_MAX + 1];
    int64_t created_s;
};

enum fr_err fr_block_parse(struct fr_span text, struct fr_diag *diag, uint64_t *base,
                           uint8_t *bits);
void fr_block_print(uint64_t base, uint8_t bits, char out[FR_BLOCK_TEXT]);

/* Gives a block to a member; one it has already: FR_OK without a trace. */
enum fr_err fr_block_add(struct fr_change *change, const char *member, uint64_t base, uint8_t bits,
                         struct fr_diag *diag);
enum fr_err fr_block_remove(struct fr_change *change, const char *member, uint64_t base,
                            uint8_t bits, struct fr_diag *diag);
/* Takes all of a member's blocks away. */
enum fr_err fr_block_forget(struct fr_change *change, const char *member);

/* Each block in order of its base; of one member, or all (NULL). */
typedef enum fr_err (*fr_block_fn)(void *data, const struct fr_block_row *row);
enum fr_err fr_block_each(struct fr_snap *snap, const char *member, fr_block_fn fn, void *data);

/* Is all that begins with these bits in one block of the member? FR_E_NOT_FOUND: not. */
enum fr_err fr_block_covers(struct fr_snap *snap, const char *member, uint64_t base, uint8_t bits);

/* What one member may publish at this moment; start from all zeros: everything. */
struct fr_blocks {
    bool is_bound;
    size_t n, room;
    struct {
        uint64_t first, last;
    } * ranges; /* ascending */
};
enum fr_err fr_blocks_load(struct fr_snap *snap, const char *member, struct fr_blocks *out);
bool fr_blocks_allow(const struct fr_blocks *blocks, uint64_t eui);
void fr_blocks_deinit(struct fr_blocks *blocks);
