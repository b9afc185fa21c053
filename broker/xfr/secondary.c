#include "xfr/secondary.h"

#include "base/mem.h"
#include "store/rows.h"
#include "xfr/credentials.h"
#include "xfr/inbound.h"

#include <string.h>
#include <strings.h>

struct fr_secondary {
    struct fr_secondary_options options;
    struct fr_inbound *inbounds;
    struct fr_secondary_counts counts;
    uint64_t seen; /* the store's transaction that rows were read of */
    bool has_seen, is_stopping;
};

const struct fr_secondary_options *fr_secondary_options_of(const struct fr_secondary *secondary)
{
    return &secondary->options;
}

struct fr_secondary_counts *fr_secondary_counts_of(struct fr_secondary *secondary)
{
    return &secondary->counts;
}

bool fr_secondary_may_begin(const struct fr_secondary *secondary)
{
    unsigned running = 0;

    for (const struct fr_inbound *f = secondary->inbounds; f; f = f->next)
        running += f->phase != FR_INBOUND_WAITS;
    return running < secondary->options.limits.at_once;
}

void fr_secondary_drop(struct fr_secondary *secondary, struct fr_inbound *inbound)
{
    for (struct fr_inbound **at = &secondary->inbounds; *at; at = &(*at)->next) {
        if (*at != inbound) continue;
        *at = inbound->next;
        break;
    }
    fr_inbound_free(inbound);
}

/* --- rows --- */

static struct fr_inbound *find(const struct fr_secondary *secondary,
                               const struct fr_primary_row *row)
{
    struct fr_inbound *f = secondary->inbounds;

    while (f && (f->is_gone || strcmp(f->row.member, row->member) != 0 ||
                 strcmp(f->row.zone, row->zone) != 0))
        f = f->next;
    return f;
}

static bool is_same(const struct fr_primary_row *a, const struct fr_primary_row *b)
{
    uint8_t bytes[2][FR_ROW_MAX];
    struct fr_wr x = fr_wr(bytes[0], FR_ROW_MAX), y = fr_wr(bytes[1], FR_ROW_MAX);

    fr_primary_write(&x, a); /* as stored: structs may differ where they hold nothing */
    fr_primary_write(&y, b);
    return fr_span_equal(fr_wr_done(&x), fr_wr_done(&y));
}

static enum fr_err take_row(void *data, const struct fr_primary_row *row)
{
    struct fr_secondary *secondary = data;
    struct fr_inbound *f = find(secondary, row);

    if (!f) {
        enum fr_err err = fr_inbound_new(secondary, row, &f);
        if (err) return err;
        f->next = secondary->inbounds;
        secondary->inbounds = f;
    } else if (!is_same(&f->row, row)) {
        fr_inbound_change(f, row);
    }
    f->is_seen = true;
    return FR_OK;
}

/* A inbound that waits for the writer goes when it is given back. */
static void forget_unseen(struct fr_secondary *secondary)
{
    struct fr_inbound *next;

    for (struct fr_inbound *f = secondary->inbounds; f; f = next) {
        next = f->next;
        if (f->is_seen || f->is_gone) continue;
        fr_inbound_stop(f);
        if (f->phase == FR_INBOUND_WRITES)
            f->is_gone = true;
        else
            fr_secondary_drop(secondary, f);
    }
}

static void read_rows(struct fr_secondary *secondary)
{
    struct fr_snap *snap = NULL;

    if (secondary->has_seen && secondary->seen == fr_store_last_txn(secondary->options.store))
        return;
    if (fr_snap_begin(secondary->options.store, &snap)) return;
    const uint64_t txn = fr_snap_txn(snap); /* the number above moves a moment before readers do */
    for (struct fr_inbound *f = secondary->inbounds; f; f = f->next) f->is_seen = false;
    enum fr_err err = fr_primary_each(snap, take_row, secondary);
    fr_snap_end(snap);
    if (err) return; /* the next look tries again */
    forget_unseen(secondary);
    secondary->seen = txn;
    secondary->has_seen = true;
}

/* --- expiry --- */

static bool is_expired(const struct fr_inbound *f, int64_t now_s)
{
    return f->state.has_serial && f->state.expire_s > 0 && f->contact_s > 0 &&
           now_s - f->contact_s > (int64_t)f->state.expire_s;
}

/* The set stays: a member's server that is away must not take its devices away. People are told. */
static void look_at_expiry(struct fr_secondary *secondary)
{
    const int64_t now_s = fr_clock_real_s(secondary->options.clock);

    for (struct fr_inbound *f = secondary->inbounds; f; f = f->next) {
        const bool was_expired = f->is_expired;
        f->is_expired = is_expired(f, now_s);
        if (!f->is_expired || was_expired) continue;
        FR_LOG(secondary->options.log, FR_LOG_ERROR, "transfer.expired",
               FR_STR("federation", fr_store_federation(secondary->options.store)),
               FR_STR("member", f->row.member), FR_STR("zone", f->row.zone),
               FR_STR("why", f->state.fault));
    }
}

void fr_secondary_tend(struct fr_secondary *secondary, const struct fr_secondary_limits *limits,
                       bool is_renewed)
{
    if (secondary->is_stopping) return;
    secondary->options.limits = *limits;
    read_rows(secondary);
    look_at_expiry(secondary);
    if (!is_renewed) return;
    for (struct fr_inbound *f = secondary->inbounds; f; f = f->next) {
        const struct fr_primary_row row = f->row;
        if (row.has_tls) fr_inbound_change(f, &row);
    }
}

/* --- NOTIFY --- */

static bool is_from(const struct fr_inbound *f, const struct fr_ip *from)
{
    for (uint8_t i = 0; i < f->row.n_addrs; i++)
        if (fr_ip_equal(&f->row.addrs[i].ip, from)) return true;
    return false;
}

/* A signed one must verify under the zone's key; an unsigned one only makes us ask, and the answer is proved. */
static enum fr_dns_rcode check_proof(struct fr_secondary *secondary, const struct fr_inbound *f,
                                     struct fr_span message, struct fr_notify_proof *proof)
{
    struct fr_tsig tsig;
    struct fr_tsig_mac mac = {0};
    enum fr_tsig_error error = FR_TSIG_NOERROR;

    enum fr_err err = fr_tsig_find(message, &tsig);
    if (err == FR_E_NOT_FOUND) return FR_DNS_NOERROR;
    if (err) return FR_DNS_FORMERR;
    proof->is_signed = true;
    proof->error = FR_TSIG_BADKEY;
    if (!f->has_key) return FR_DNS_NOTAUTH;
    proof->key = &f->key;
    err = fr_tsig_check(&f->key, FR_TSIG_REQUEST, NULL, fr_clock_real_s(secondary->options.clock),
                        message, &tsig, &error, &mac);
    proof->error = error;
    proof->mac_n = mac.n;
    memcpy(proof->mac, mac.b, mac.n);
    return err ? FR_DNS_NOTAUTH : FR_DNS_NOERROR;
}

enum fr_dns_rcode fr_secondary_notified(struct fr_secondary *secondary, const struct fr_ip *from,
                                        const struct fr_notify *notify, struct fr_span message,
                                        struct fr_notify_proof *proof)
{
    enum fr_dns_rcode rcode = FR_DNS_REFUSED;

    *proof = (struct fr_notify_proof){0};
    if (secondary->is_stopping) return FR_DNS_REFUSED;
    for (struct fr_inbound *f = secondary->inbounds; f; f = f->next) {
        if (f->is_gone || !is_from(f, from) ||
            !fr_dname_equal(fr_dname_span(&f->zone), fr_dname_span(&notify->zone)))
            continue;
        rcode = check_proof(secondary, f, message, proof);
        if (rcode != FR_DNS_NOERROR) continue;
        secondary->counts.notifies++;
        fr_inbound_ask(f);
        return rcode;
    }
    if (rcode != FR_DNS_REFUSED) secondary->counts.notifies_refused++;
    return rcode;
}

/* --- handle --- */

enum fr_err fr_secondary_new(const struct fr_secondary_options *options, struct fr_secondary **out)
{
    struct fr_secondary *secondary = fr_calloc(1, sizeof *secondary);

    if (!secondary) return FR_E_NOMEM;
    secondary->options = *options;
    fr_credentials_sweep(options->state, options->store, fr_clock_real_s(options->clock));
    *out = secondary;
    return FR_OK;
}

void fr_secondary_count(const struct fr_secondary *secondary, struct fr_secondary_counts *out)
{
    *out = secondary->counts;
    for (const struct fr_inbound *f = secondary->inbounds; f; f = f->next) {
        out->zones += !f->is_gone;
        out->held += f->state.is_held;
        out->failing += f->state.failed_s != 0;
        out->expired += f->is_expired;
    }
}

void fr_secondary_stop(struct fr_secondary *secondary)
{
    if (!secondary) return;
    secondary->is_stopping = true;
    for (struct fr_inbound *f = secondary->inbounds; f; f = f->next) {
        fr_inbound_stop(f);
        f->is_gone = f->phase == FR_INBOUND_WRITES;
    }
}

void fr_secondary_free(struct fr_secondary *secondary)
{
    if (!secondary) return;
    while (secondary->inbounds) {
        struct fr_inbound *f = secondary->inbounds;
        secondary->inbounds = f->next;
        /* one that the writer will still give back lives until then */
        if (f->phase == FR_INBOUND_WRITES)
            f->secondary = NULL;
        else
            fr_inbound_free(f);
    }
    fr_free(secondary);
}
