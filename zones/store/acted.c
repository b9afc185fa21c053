#include "store/acted.h"

#include "base/clock.h"
#include "store/acted_write.h"
#include "store/tables.h"

#define ACTED "acted"

enum fr_err fr_acted_get(struct fr_snap *snap, int64_t *out)
{
    uint64_t at = 0;

    enum fr_err err = fr_meta_get_u64(snap->txn, ACTED, &at);
    if (err && err != FR_E_NOT_FOUND) return err;
    *out = at > INT64_MAX ? 0 : (int64_t)at;
    return FR_OK;
}

enum fr_err fr_acted_raise(struct fr_txn *txn, int64_t now_s)
{
    uint64_t at = 0;

    enum fr_err err = fr_meta_get_u64(txn, ACTED, &at);
    if (err && err != FR_E_NOT_FOUND) return err;
    if (now_s <= 0 || (uint64_t)now_s <= at) return FR_OK;
    return fr_meta_put_u64(txn, ACTED, (uint64_t)now_s);
}

enum fr_err fr_acted_note(struct fr_store *store, int64_t now_s)
{
    struct fr_txn *txn = NULL;

    enum fr_err err = fr_txn_write(store->db, &txn);
    if (err) return err;
    err = fr_acted_raise(txn, now_s);
    if (err == FR_OK) return fr_txn_commit(txn);
    fr_txn_end(txn);
    return err;
}

enum fr_err fr_acted_set(struct fr_change *change, int64_t now_s)
{
    char text[FR_TIME_TEXT];

    fr_time_print(now_s, text);
    enum fr_err err = fr_meta_put_u64(fr_change_txn(change), ACTED, (uint64_t)now_s);
    if (err) return err;
    return fr_change_note(change, FR_FACT_META, fr_span_str(ACTED), fr_span_str(text));
}
