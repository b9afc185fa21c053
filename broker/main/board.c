#include "main/board.h"

#include "base/mem.h"
#include "base/wire.h"
#include "store/journal.h"

struct entry {
    uint32_t netid;
    int64_t when_s;
};

struct fr_board {
    struct fr_store *store;
    uint64_t next; /* record; 0: the place is to be found */
    struct entry *entries;
    size_t n, room;
};

enum fr_err fr_board_new(struct fr_store *store, struct fr_board **out)
{
    struct fr_board *board = fr_calloc(1, sizeof *board);

    if (!board) return FR_E_NOMEM;
    board->store = store;
    *out = board;
    return FR_OK;
}

void fr_board_free(struct fr_board *board)
{
    if (!board) return;
    fr_free(board->entries);
    fr_free(board);
}

int64_t fr_board_changed_s(const struct fr_board *board, uint32_t netid)
{
    for (size_t i = 0; i < board->n; i++)
        if (board->entries[i].netid == netid) return board->entries[i].when_s;
    return 0;
}

static enum fr_err note(struct fr_board *board, uint32_t netid, int64_t when_s)
{
    size_t i = 0;

    if (netid == 0) return FR_OK; /* not there; or a rollback, of all */
    while (i < board->n && board->entries[i].netid != netid) i++;
    if (i == board->room) {
        const size_t room = board->room ? 2 * board->room : 16;
        void *entries = fr_reallocarray(board->entries, room, sizeof *board->entries);
        if (!entries) return FR_E_NOMEM;
        board->entries = entries;
        board->room = room;
    }
    if (i == board->n) board->n++;
    board->entries[i] = (struct entry){netid, when_s};
    return FR_OK;
}

static enum fr_err note_fact(struct fr_board *board, const struct fr_fact *fact, int64_t when_s)
{
    struct fr_fact_device device;
    struct fr_rd key = fr_rd(fact->key);

    if (fact->kind == FR_FACT_IMAGE) return note(board, fr_rd_u24(&key), when_s);
    if (fact->kind != FR_FACT_DEVICE) return FR_OK;
    enum fr_err err = fr_fact_device_read(fact->value, &device);
    if (!err) err = note(board, device.netid, when_s);
    if (!err && device.has_was) err = note(board, device.was_netid, when_s);
    return err;
}

static enum fr_err note_record(struct fr_board *board, const struct fr_journal_record *record)
{
    struct fr_span facts = record->facts;
    struct fr_fact fact;
    enum fr_err err = FR_OK;

    while (!err) {
        err = fr_fact_next(&facts, &fact);
        if (!err) err = note_fact(board, &fact, record->when_s);
    }
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

void fr_board_tend(struct fr_board *board)
{
    struct fr_journal_record record;
    struct fr_snap *snap = NULL;

    if (fr_snap_begin(board->store, &snap)) return;
    const uint64_t head = fr_snap_sequence(snap);
    if (board->next == 0) board->next = head > FR_BOARD_BACK ? head - FR_BOARD_BACK + 1 : 1;
    for (int i = 0; i < FR_BOARD_STEP && board->next <= head; i++) {
        if (fr_journal_next(snap, board->next, &record)) break;
        if (note_record(board, &record)) break;
        board->next = record.sequence + 1;
    }
    fr_snap_end(snap);
}
