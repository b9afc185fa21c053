#pragma once
/*
 * JoinEUIs of a federation: who holds them, one by one or as blocks, and which join servers are theirs.
 *
 * Model: a *prefix* is the first 1 to 16 nibbles of a JoinEUI: with 16 it is one JoinEUI, with fewer a block of all that begin so
 *   ("70b3d57ed0000000/40", like the blocks of store/block.h, but at whole nibbles, because names in DNS are cut there and one
 *   wildcard then stands for the block). A row gives a prefix to one member, with its join servers in the order in which they were
 *   said. Prefixes of two members never overlap; one member may have a prefix inside its own, whose servers then count there: for a
 *   JoinEUI the row with the longest prefix *that has servers* answers. Optional: without a row, devices are joined by their home
 *   network's own join server.
 * Owns: nothing. Threads: the snap's.
 * Errors: FR_E_NOT_FOUND; FR_E_CONFLICT (another member holds it, or something in it; named in the diag); FR_E_INVALID (a reserved
 *   JoinEUI, a block that is not at a nibble, a server's name inside the federation's zone, servers of one transport that differ in
 *   order or preference); FR_E_LIMIT.
 * Units and limits: FR_JOIN_SERVERS_MAX servers of a prefix, FR_JOINEUIS_MAX prefixes of a member.
 * Trust: text is anybody's.
 */
#include "store/block.h"
#include "store/join_server.h"
#include "store/network.h"
#include "store/sight.h"

#define FR_JOIN_SERVERS_MAX 8
#define FR_JOINEUIS_MAX 1024
#define FR_JOINEUI_NIBBLES 16
#define FR_JOINEUI_TEXT FR_BLOCK_TEXT

struct fr_joineui_row {
    uint64_t base; /* zero behind the nibbles */
    uint8_t nibbles;
    char member[FR_MEMBER_ID_MAX + 1];
    uint8_t n_servers;
    struct fr_join_server servers[FR_JOIN_SERVERS_MAX];
    int64_t changed_s;
};

/* "70b3d57ed0000001" or "70b3d57ed0000000/40". */
enum fr_err fr_joineui_parse(struct fr_span text, struct fr_diag *diag, uint64_t *base,
                             uint8_t *nibbles);
void fr_joineui_print(uint64_t base, uint8_t nibbles, char out[FR_JOINEUI_TEXT]);
/* A JoinEUI's first nibbles, zero behind them. */
uint64_t fr_joineui_base(uint64_t joineui, uint8_t nibbles);

enum fr_err fr_joineui_get(struct fr_snap *snap, uint64_t base, uint8_t nibbles,
                           struct fr_joineui_row *out);

/* All rows, or one member's, in order of their keys. */
typedef enum fr_err (*fr_joineui_fn)(void *data, const struct fr_joineui_row *row);
enum fr_err fr_joineui_each(struct fr_snap *snap, const char *member, fr_joineui_fn fn, void *data);
/* As each, but a row that does not decode is told to `bad` and passed over. */
typedef void (*fr_joineui_bad_fn)(void *data, uint64_t joineui, enum fr_err err);
enum fr_err fr_joineui_each_sound(struct fr_snap *snap, fr_joineui_fn fn, fr_joineui_bad_fn bad,
                                  void *data);

/*
 * Rows that answer: with servers, of members that are active, and, where somebody asks, that let them see (store/sight.h).
 */
struct fr_joineui_eyes {
    struct fr_sight
        *sight; /* refreshed to the snap's moment; NULL: nobody asks, it is the whole zone */
    const char *member; /* who asks */
};
/* Does this row? Else FR_E_NOT_FOUND. */
enum fr_err fr_joineui_check(struct fr_snap *snap, const struct fr_joineui_eyes *eyes,
                             const struct fr_joineui_row *row);
/* The one with the longest prefix of at most so many nibbles of this JoinEUI. */
enum fr_err fr_joineui_find(struct fr_snap *snap, const struct fr_joineui_eyes *eyes,
                            uint64_t joineui, uint8_t nibbles, struct fr_joineui_row *out);
/* The first one, in order of keys, that begins with these nibbles (0: any). */
enum fr_err fr_joineui_first(struct fr_snap *snap, const struct fr_joineui_eyes *eyes,
                             uint64_t joineui, uint8_t nibbles, struct fr_joineui_row *out);

/* Who holds the prefix: the longest row around it, else a row of somebody within it that is not `member`'s (NULL: anybody's). */
enum fr_err fr_joineui_holder(struct fr_snap *snap, uint64_t base, uint8_t nibbles,
                              const char *member, struct fr_joineui_row *out);

/* Claims row->base/nibbles for row->member and sets its servers, of which there may be none. Its time is the change's. */
enum fr_err fr_joineui_put(struct fr_change *change, const struct fr_joineui_row *row,
                           struct fr_diag *diag);
enum fr_err fr_joineui_remove(struct fr_change *change, uint64_t base, uint8_t nibbles,
                              struct fr_diag *diag);
/* Takes all of a member's away. */
enum fr_err fr_joineui_forget(struct fr_change *change, const char *member);
