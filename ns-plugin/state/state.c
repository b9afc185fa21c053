#include "state/state.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/random.h"
#include "names/devaddr.h"
#include "state/state_priv.h"

static const char *const TABLES[] = {
    [FR_ST_NONCES] = "nonces",       [FR_ST_USED] = "used",         [FR_ST_SESSIONS] = "sessions",
    [FR_ST_ADDRESSES] = "addresses", [FR_ST_RESERVED] = "reserved", [FR_ST_VISITORS] = "visitors",
    [FR_ST_CARRIED] = "carried",
};

struct fr_span fr_state_key_eui(uint8_t out[8], uint64_t eui)
{
    struct fr_wr w = fr_wr(out, 8);

    fr_wr_u64(&w, eui);
    return fr_wr_done(&w);
}

struct fr_span fr_state_key_addr(uint8_t out[4], uint32_t addr)
{
    struct fr_wr w = fr_wr(out, 4);

    fr_wr_u32(&w, addr);
    return fr_wr_done(&w);
}

enum fr_err fr_state_open(const char *dir, uint64_t map_size, struct fr_diag *diag,
                          struct fr_state **out)
{
    struct fr_state *state = NULL;
    const struct fr_db_options options = {
        .dir = dir,
        .tables = TABLES,
        .n_tables = sizeof TABLES / sizeof TABLES[0],
        .schema = 1,
        .map_size = map_size,
        .create = true,
    };

    enum fr_err err = fr_dir_make(dir, 0700, diag);
    if (err) return err;
    state = fr_calloc(1, sizeof *state);
    if (state == NULL) return FR_E_NOMEM;
    err = fr_db_open(&options, diag, &state->db);
    if (err) goto out;
    *out = state;
    state = NULL;
out:
    fr_state_close(state);
    return err;
}

void fr_state_close(struct fr_state *state)
{
    if (state == NULL) return;
    fr_db_close(state->db);
    fr_free(state);
}

struct nonces {
    bool has_dev_nonce;
    uint16_t dev_nonce;  /* the last one taken */
    uint32_t join_nonce; /* the last one given; 0: none yet */
};

static enum fr_err nonces_get(struct fr_txn *txn, struct fr_span key, struct nonces *out)
{
    struct fr_span row;

    *out = (struct nonces){0};
    enum fr_err err = fr_txn_get(txn, FR_ST_NONCES, key, &row);
    if (err == FR_E_NOT_FOUND) return FR_OK;
    if (err) return err;
    struct fr_rd r = fr_rd(row);
    uint8_t version = fr_rd_u8(&r);
    out->has_dev_nonce = fr_rd_u8(&r) != 0;
    out->dev_nonce = fr_rd_u16(&r);
    out->join_nonce = fr_rd_u32(&r);
    err = fr_rd_end(&r);
    return err == FR_OK && version != FR_ROW_VERSION ? FR_E_SCHEMA : err;
}

static enum fr_err nonces_put(struct fr_txn *txn, struct fr_span key, const struct nonces *nonces)
{
    uint8_t row[8];
    struct fr_wr w = fr_wr(row, sizeof row);

    fr_wr_u8(&w, FR_ROW_VERSION);
    fr_wr_u8(&w, nonces->has_dev_nonce);
    fr_wr_u16(&w, nonces->dev_nonce);
    fr_wr_u32(&w, nonces->join_nonce);
    return fr_txn_put(txn, FR_ST_NONCES, key, fr_wr_done(&w));
}

/* Remembers the DevNonce. A device changed from 1.0.3 to 1.0.4 keeps what it used before out of reach either way. */
static enum fr_err take_dev_nonce(struct fr_txn *txn, uint64_t dev_eui, uint16_t dev_nonce,
                                  enum fr_nonce_rule rule, struct nonces *nonces)
{
    uint8_t key[10];
    struct fr_wr w = fr_wr(key, sizeof key);

    if (rule == FR_NONCE_COUNTER && nonces->has_dev_nonce && dev_nonce <= nonces->dev_nonce) {
        return FR_E_CONFLICT;
    }
    nonces->has_dev_nonce = true;
    nonces->dev_nonce = dev_nonce;
    if (rule == FR_NONCE_COUNTER) return FR_OK;
    fr_wr_u64(&w, dev_eui);
    fr_wr_u16(&w, dev_nonce);
    enum fr_err err = fr_txn_insert(txn, FR_ST_USED, fr_wr_done(&w), (struct fr_span){0});
    return err == FR_E_EXISTS ? FR_E_CONFLICT : err;
}

enum fr_err fr_state_take_nonces(struct fr_state *state, uint64_t dev_eui, uint16_t dev_nonce,
                                 enum fr_nonce_rule rule, uint32_t *join_nonce)
{
    uint8_t bytes[8];
    struct fr_span key = fr_state_key_eui(bytes, dev_eui);
    struct fr_txn *txn = NULL;
    struct nonces nonces;

    enum fr_err err = fr_txn_write(state->db, &txn);
    if (err) return err;
    err = nonces_get(txn, key, &nonces);
    if (err) goto out;
    err = take_dev_nonce(txn, dev_eui, dev_nonce, rule, &nonces);
    if (err) goto out;
    if (nonces.join_nonce >= 0xffffff) {
        err = FR_E_LIMIT;
        goto out;
    }
    nonces.join_nonce++;
    err = nonces_put(txn, key, &nonces);
    if (err) goto out;
    err = fr_txn_commit(txn);
    txn = NULL;
    if (err == FR_OK) *join_nonce = nonces.join_nonce;
out:
    fr_txn_end(txn);
    return err;
}

/* Random first, so that addresses tell nothing; then one after the other, so that the last free one is found, too. */
static enum fr_err find_free_addr(struct fr_txn *txn, uint32_t netid, uint32_t *out)
{
    struct fr_devaddr_prefix prefix = fr_devaddr_prefix(netid);
    uint32_t count = fr_devaddr_count(prefix), start;
    uint8_t key[4];
    struct fr_span row;
    enum { TRIES = 1 << 17 };

    enum fr_err err = fr_random(&start, sizeof start);
    if (err) return err;
    for (uint32_t i = 0; i < count && i < TRIES; i++) {
        uint32_t addr = prefix.base | ((start + i) % count);
        err = fr_txn_get(txn, FR_ST_ADDRESSES, fr_state_key_addr(key, addr), &row);
        if (err == FR_E_NOT_FOUND) {
            *out = addr;
            return FR_OK;
        }
        if (err) return err;
    }
    return FR_E_LIMIT;
}

static enum fr_err read_addr(struct fr_span row, uint32_t *out)
{
    struct fr_rd r = fr_rd(row);
    uint32_t addr = fr_rd_u32(&r);

    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *out = addr;
    return err;
}

enum fr_err fr_state_reserve_addr(struct fr_state *state, uint64_t dev_eui, uint32_t netid,
                                  uint32_t *dev_addr)
{
    uint8_t eui[8], addr_key[4];
    struct fr_span key = fr_state_key_eui(eui, dev_eui), row;
    struct fr_txn *txn = NULL;
    uint32_t addr;

    enum fr_err err = fr_txn_write(state->db, &txn);
    if (err) return err;
    err = fr_txn_get(txn, FR_ST_RESERVED, key, &row);
    if (err == FR_OK) {
        err = read_addr(row, &addr);
        if (err == FR_OK && fr_devaddr_match(addr, netid)) {
            *dev_addr = addr;
            goto out;
        }
    }
    if (err != FR_OK && err != FR_E_NOT_FOUND) goto out;
    err = find_free_addr(txn, netid, &addr);
    if (err) goto out;
    row = fr_state_key_addr(addr_key, addr);
    err = fr_txn_put(txn, FR_ST_ADDRESSES, row, key);
    if (err) goto out;
    err = fr_txn_put(txn, FR_ST_RESERVED, key, row);
    if (err) goto out;
    err = fr_txn_commit(txn);
    txn = NULL;
    if (err == FR_OK) *dev_addr = addr;
out:
    fr_txn_end(txn);
    return err;
}

enum fr_err fr_state_find_addr(struct fr_state *state, uint32_t dev_addr, uint64_t *dev_eui)
{
    uint8_t key[4];
    struct fr_txn *txn = NULL;
    struct fr_span row;

    enum fr_err err = fr_txn_read(state->db, &txn);
    if (err) return err;
    err = fr_txn_get(txn, FR_ST_ADDRESSES, fr_state_key_addr(key, dev_addr), &row);
    if (err == FR_OK) {
        struct fr_rd r = fr_rd(row);
        uint64_t eui = fr_rd_u64(&r);
        err = fr_rd_end(&r);
        if (err == FR_OK) *dev_eui = eui;
    }
    fr_txn_end(txn);
    return err;
}

enum fr_err fr_state_count(struct fr_state *state, struct fr_state_counts *out)
{
    struct fr_txn *txn = NULL;
    struct fr_state_counts counts = {0};

    enum fr_err err = fr_txn_read(state->db, &txn);
    if (err) return err;
    err = fr_txn_count(txn, FR_ST_NONCES, &counts.devices);
    if (err == FR_OK) err = fr_txn_count(txn, FR_ST_SESSIONS, &counts.sessions);
    if (err == FR_OK) err = fr_txn_count(txn, FR_ST_VISITORS, &counts.visitors);
    fr_txn_end(txn);
    if (err == FR_OK) *out = counts;
    return err;
}
