#include "state/state.h"

#include "base/mem.h"
#include "state/state_priv.h"

#include <string.h>

#define SESSION_MAX (64 + 4 * 16 + FR_FED_MAX)

static void session_write(struct fr_wr *w, const struct fr_session *s)
{
    size_t fed = strlen(s->federation);

    fr_wr_u8(w, FR_ROW_VERSION);
    fr_wr_u64(w, s->join_eui);
    fr_wr_u32(w, s->dev_addr);
    fr_wr_u8(w, (uint8_t)(s->is_1_1 | s->has_app_s_key << 1));
    fr_wr_bytes(w, s->f_nwk_s_int_key, 16);
    fr_wr_bytes(w, s->s_nwk_s_int_key, 16);
    fr_wr_bytes(w, s->nwk_s_enc_key, 16);
    fr_wr_bytes(w, s->app_s_key, 16);
    fr_wr_u64(w, (uint64_t)s->since_s);
    fr_wr_u64(w, (uint64_t)s->until_s);
    fr_wr_u24(w, s->visited_netid);
    fr_wr_u8(w, (uint8_t)fed);
    fr_wr_bytes(w, s->federation, fed);
}

static enum fr_err session_read(struct fr_span row, struct fr_session *out)
{
    struct fr_session s = {.dev_eui = out->dev_eui};
    struct fr_rd r = fr_rd(row);
    uint8_t version = fr_rd_u8(&r);

    s.join_eui = fr_rd_u64(&r);
    s.dev_addr = fr_rd_u32(&r);
    uint8_t flags = fr_rd_u8(&r);
    s.is_1_1 = flags & 1;
    s.has_app_s_key = flags & 2;
    fr_rd_bytes(&r, s.f_nwk_s_int_key, 16);
    fr_rd_bytes(&r, s.s_nwk_s_int_key, 16);
    fr_rd_bytes(&r, s.nwk_s_enc_key, 16);
    fr_rd_bytes(&r, s.app_s_key, 16);
    s.since_s = (int64_t)fr_rd_u64(&r);
    s.until_s = (int64_t)fr_rd_u64(&r);
    s.visited_netid = fr_rd_u24(&r);
    struct fr_span fed = fr_rd_span(&r, fr_rd_u8(&r));
    enum fr_err err = fr_rd_end(&r);
    if (err) return err;
    if (version != FR_ROW_VERSION) return FR_E_SCHEMA;
    if (!fr_span_copy(fed, s.federation, sizeof s.federation)) return FR_E_MALFORMED;
    *out = s;
    fr_secret_zero(&s, sizeof s);
    return FR_OK;
}

static enum fr_err session_get(struct fr_txn *txn, uint64_t dev_eui, struct fr_session *out)
{
    uint8_t key[8];
    struct fr_span row;

    enum fr_err err = fr_txn_get(txn, FR_ST_SESSIONS, fr_state_key_eui(key, dev_eui), &row);
    if (err) return err;
    struct fr_session s = {.dev_eui = dev_eui};
    err = session_read(row, &s);
    if (err == FR_OK) *out = s;
    fr_secret_zero(&s, sizeof s);
    return err;
}

/* The address of the session before is free again, unless the new one goes on with it. */
static enum fr_err free_old_addr(struct fr_txn *txn, const struct fr_session *session)
{
    struct fr_session old;
    uint8_t key[4];

    enum fr_err err = session_get(txn, session->dev_eui, &old);
    if (err == FR_E_NOT_FOUND) return FR_OK;
    if (err) return err;
    if (old.dev_addr != session->dev_addr) {
        err = fr_txn_delete(txn, FR_ST_ADDRESSES, fr_state_key_addr(key, old.dev_addr));
        if (err == FR_E_NOT_FOUND) err = FR_OK;
    }
    fr_secret_zero(&old, sizeof old);
    return err;
}

/* The session took the reserved address: nothing is reserved any more. */
static enum fr_err end_reservation(struct fr_txn *txn, struct fr_span key, uint32_t dev_addr)
{
    uint8_t addr[4];
    struct fr_span row;

    enum fr_err err = fr_txn_get(txn, FR_ST_RESERVED, key, &row);
    if (err == FR_E_NOT_FOUND) return FR_OK;
    if (err) return err;
    if (!fr_span_equal(row, fr_state_key_addr(addr, dev_addr))) return FR_OK;
    return fr_txn_delete(txn, FR_ST_RESERVED, key);
}

enum fr_err fr_state_save_session(struct fr_state *state, const struct fr_session *session)
{
    uint8_t bytes[SESSION_MAX], eui[8], addr[4];
    struct fr_span key = fr_state_key_eui(eui, session->dev_eui);
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    struct fr_txn *txn = NULL;

    session_write(&w, session);
    enum fr_err err = fr_wr_err(&w);
    if (err) goto out;
    err = fr_txn_write(state->db, &txn);
    if (err) goto out;
    err = free_old_addr(txn, session);
    if (err) goto out;
    err = fr_txn_put(txn, FR_ST_ADDRESSES, fr_state_key_addr(addr, session->dev_addr), key);
    if (err) goto out;
    err = fr_txn_put(txn, FR_ST_SESSIONS, key, fr_wr_done(&w));
    if (err) goto out;
    err = end_reservation(txn, key, session->dev_addr);
    if (err) goto out;
    err = fr_txn_commit(txn);
    txn = NULL;
out:
    fr_txn_end(txn);
    fr_secret_zero(bytes, sizeof bytes);
    return err;
}

enum fr_err fr_state_find_session(struct fr_state *state, uint64_t dev_eui, struct fr_session *out)
{
    struct fr_txn *txn = NULL;

    enum fr_err err = fr_txn_read(state->db, &txn);
    if (err) return err;
    err = session_get(txn, dev_eui, out);
    fr_txn_end(txn);
    return err;
}

enum fr_err fr_state_drop_roamer(struct fr_state *state, const char *federation,
                                 uint32_t visited_netid, uint64_t dev_eui)
{
    struct fr_session s;

    enum fr_err err = fr_state_find_session(state, dev_eui, &s);
    if (err) return err;
    if (strcmp(s.federation, federation) != 0 || s.visited_netid != visited_netid) {
        err = FR_E_NOT_FOUND;
    } else {
        s.federation[0] = '\0';
        s.visited_netid = 0;
        err = fr_state_save_session(state, &s);
    }
    fr_secret_zero(&s, sizeof s);
    return err;
}
