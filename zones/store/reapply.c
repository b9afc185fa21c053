#include "store/reapply.h"

#include "base/hex.h"
#include "base/wire.h"
#include "store/cert_index.h"
#include "store/policy.h"
#include "store/rows.h"
#include "store/tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *fr_reapplied_text(enum fr_reapplied outcome)
{
    return outcome == FR_REAPPLY_DONE ? "done" : "same";
}

static enum fr_err by_hand(struct fr_diag *diag, const char *what)
{
    return fr_diag_fail(diag, FR_E_UNSUPPORTED, "to be done by hand: %s", what);
}

/* One of this broker's own facts beside the lost one. */
static enum fr_err compare(const struct fr_fact *fact, const struct fr_fact *here,
                           uint64_t sequence, bool *is_same, struct fr_diag *diag)
{
    if (here->kind != fact->kind || !fr_span_equal(here->key, fact->key)) return FR_OK;
    *is_same = fr_span_equal(here->value, fact->value);
    if (*is_same) return FR_OK;
    return fr_diag_fail(diag, FR_E_CONFLICT, "change %" PRIu64 " of this broker decided otherwise",
                        sequence);
}

/* Has anybody touched that row here since? *is_same: in the same way. */
static enum fr_err check_untouched(struct fr_snap *snap, const struct fr_fact *fact,
                                   const struct fr_reapply_span *span, bool *is_same,
                                   struct fr_diag *diag)
{
    struct fr_journal_record record;
    struct fr_fact here;
    enum fr_err err = FR_OK;

    *is_same = false;
    for (uint64_t from = span->fork + 1; err == FR_OK; from = record.sequence + 1) {
        err = fr_journal_next(snap, from, &record);
        if (err || record.sequence > span->until) break;
        while (err == FR_OK) {
            err = fr_fact_next(&record.facts, &here);
            if (err == FR_OK) err = compare(fact, &here, record.sequence, is_same, diag);
            if (*is_same) return FR_OK;
        }
        if (err == FR_E_NOT_FOUND) err = FR_OK;
    }
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

/* --- kind by kind --- */

static enum fr_err redo_device(struct fr_change *change, const struct fr_fact *fact,
                               struct fr_diag *diag)
{
    struct fr_fact_device row = {0};
    struct fr_device_row there = {0};
    struct fr_device_report report;
    struct fr_rd r = fr_rd(fact->key);
    uint64_t eui = fr_rd_u64(&r);
    enum fr_err err = fr_rd_end(&r);

    if (err == FR_OK && fact->value.n > 0) err = fr_fact_device_read(fact->value, &row);
    if (err) return err;
    err = fr_device_get(fr_change_snap(change), eui, &there);
    if (err && err != FR_E_NOT_FOUND) return err;
    if (row.netid == 0 && there.netid == 0) return FR_OK;
    const struct fr_device_job job = {.netid = row.netid != 0 ? row.netid : there.netid,
                                      .mode = row.netid != 0 ? FR_DEVICE_ADD : FR_DEVICE_REMOVE,
                                      .euis = &eui,
                                      .n = 1};
    err = fr_device_apply(change, &job, diag, &report);
    if (err || row.netid == 0) return err;
    uint64_t changed = 0;
    return fr_device_set_hidden(change, &eui, 1, (row.flags & FR_DEVICE_HIDDEN) != 0, diag,
                                &changed);
}

static enum fr_err redo_cert(struct fr_change *change, const struct fr_fact *fact,
                             struct fr_diag *diag)
{
    struct fr_cert_row row = {0}, there;

    if (fact->key.n != FR_SERIAL_SIZE) return FR_E_MALFORMED;
    memcpy(row.serial, fact->key.p, FR_SERIAL_SIZE);
    enum fr_err err = fr_cert_row_read(fact->value, &row);
    if (err) return err;
    err = fr_cert_row_get(fr_change_snap(change), row.serial, &there);
    if (err == FR_E_NOT_FOUND)
        return by_hand(diag, "a certificate issued there is unknown here: let it be issued again");
    if (err) return err;
    if (row.status == FR_CERT_REVOKED && there.status != FR_CERT_REVOKED)
        return fr_cert_row_revoke(change, row.serial, row.revoked_cause, diag);
    if (there.status == FR_CERT_REVOKED || there.rights == row.rights) return FR_OK;
    return fr_cert_row_set_rights(change, row.serial, row.rights, diag);
}

static enum fr_err redo_key(struct fr_change *change, const struct fr_fact *fact)
{
    struct fr_key_row row;

    if (fact->key.n != FR_DIGEST_SIZE) return FR_E_MALFORMED;
    enum fr_err err = fr_key_read(fact->value, &row);
    return err || !row.is_blocked ? err : fr_key_block(change, fact->key.p);
}

static enum fr_err redo_member(struct fr_change *change, const struct fr_fact *fact,
                               struct fr_diag *diag)
{
    struct fr_member_row row = {0};

    if (fact->value.n == 0) return by_hand(diag, "a member erased there");
    if (!fr_span_copy(fact->key, row.id, sizeof row.id)) return FR_E_MALFORMED;
    enum fr_err err = fr_member_read(fact->value, &row);
    if (err) return err;
    return fr_change_put(change, FR_TABLE_MEMBERS, FR_FACT_MEMBER, fact->key, fact->value);
}

static enum fr_err redo_network(struct fr_change *change, const struct fr_fact *fact,
                                struct fr_diag *diag)
{
    struct fr_rd r = fr_rd(fact->key);
    struct fr_network_row row = {.netid = fr_rd_u24(&r)};
    enum fr_err err = fr_rd_end(&r);

    if (err) return err;
    if (fact->value.n == 0) return by_hand(diag, "a NetID given up there");
    err = fr_network_read(fact->value, &row);
    if (err == FR_OK) err = fr_network_add(change, row.netid, row.member, diag);
    if (err == FR_OK)
        err = fr_network_set_endpoints(change, row.netid, row.endpoints, row.n_endpoints, diag);
    return err ? err : fr_network_set_state(change, row.netid, row.state, diag);
}

static enum fr_err redo_visibility(struct fr_change *change, const struct fr_fact *fact,
                                   struct fr_diag *diag)
{
    char home[FR_MEMBER_ID_MAX + 1], visited[FR_MEMBER_ID_MAX + 1];
    struct fr_span first, second;

    if (!fr_span_cut(fact->key, '\0', &first, &second) || !fr_span_copy(first, home, sizeof home) ||
        !fr_span_copy(second, visited, sizeof visited))
        return FR_E_MALFORMED;
    return fact->value.n > 0 ? fr_visibility_allow(change, home, visited, diag)
                             : fr_visibility_deny(change, home, visited, diag);
}

static enum fr_err redo_joineui(struct fr_change *change, const struct fr_fact *fact,
                                struct fr_diag *diag)
{
    struct fr_joineui_row row;
    enum fr_err err = fr_joineui_read_key(fact->key, &row);

    if (err) return err;
    if (fact->value.n == 0) return fr_joineui_remove(change, row.base, row.nibbles, diag);
    err = fr_joineui_read(fact->value, &row);
    return err ? err : fr_joineui_put(change, &row, diag);
}

static enum fr_err redo_policy(struct fr_change *change, const struct fr_fact *fact,
                               struct fr_diag *diag)
{
    char name[40], meta[48];
    struct fr_rd r = fr_rd(fact->value);
    uint32_t number = fr_rd_u32(&r);
    enum fr_policy_key key;
    enum fr_err err = fr_rd_end(&r);

    if (err || !fr_span_copy(fact->key, name, sizeof name)) return FR_E_MALFORMED;
    err = fr_policy_find(name, diag, &key);
    if (err) return err;
    const struct fr_policy_about *about = fr_policy_about(key);
    if (number < about->min || number > about->max) return FR_E_MALFORMED;
    uint32_t there = 0;
    err = fr_policy_get(fr_change_snap(change), key, &there);
    if (err || there == number) return err;
    (void)snprintf(meta, sizeof meta, "policy.%s", name);
    err = fr_txn_put(fr_change_txn(change), FR_DB_META, fr_span_str(meta), fact->value);
    return err ? err : fr_change_note(change, FR_FACT_POLICY, fact->key, fact->value);
}

static enum fr_err redo(struct fr_change *change, const struct fr_fact *fact, struct fr_diag *diag)
{
    switch ((int)fact->kind) {
    case FR_FACT_DEVICE: return redo_device(change, fact, diag);
    case FR_FACT_CERT: return redo_cert(change, fact, diag);
    case FR_FACT_KEY: return redo_key(change, fact);
    case FR_FACT_MEMBER: return redo_member(change, fact, diag);
    case FR_FACT_NETWORK: return redo_network(change, fact, diag);
    case FR_FACT_VISIBILITY: return redo_visibility(change, fact, diag);
    case FR_FACT_JOINEUI: return redo_joineui(change, fact, diag);
    case FR_FACT_POLICY: return redo_policy(change, fact, diag);
    case FR_FACT_IMAGE: return by_hand(diag, "an import: repeat it");
    case FR_FACT_TOKEN: return by_hand(diag, "a token made there: make another");
    case FR_FACT_APPROVAL: return by_hand(diag, "a request for approval: ask again");
    default: return by_hand(diag, "a change of a kind that is not made again");
    }
}

enum fr_err fr_reapply(struct fr_change *change, const struct fr_fact *fact,
                       const struct fr_reapply_span *span, struct fr_diag *diag,
                       enum fr_reapplied *outcome)
{
    bool is_same = false;
    enum fr_err err = check_untouched(fr_change_snap(change), fact, span, &is_same, diag);

    if (err == FR_OK && !is_same) err = redo(change, fact, diag);
    if (err == FR_E_MALFORMED || err == FR_E_TRUNCATED)
        err = fr_diag_fail(diag, FR_E_MALFORMED, "no row of kind %u is like that",
                           (unsigned)fact->kind);
    if (err == FR_OK)
        *outcome = is_same || fr_change_is_empty(change) ? FR_REAPPLY_SAME : FR_REAPPLY_DONE;
    return err;
}
