#include "xfr/outlet.h"

#include "access/access.h"
#include "base/mem.h"
#include "dns/tsig.h"
#include "store/downstream.h"
#include "xfr/credentials.h"

#include <stdio.h>
#include <string.h>

struct fr_outlet {
    struct fr_outlet_options options;
    struct fr_zone zone;
    struct fr_zone_history history;
    struct fr_notifier *notifier;
    unsigned running;
    struct fr_outlet_counts counts;
    struct copy {
        struct fr_outlet_copy told;
        int64_t heard_ms, level_ms;
    } copies[FR_OUTLET_COPIES];
    size_t n_copies;
};

struct fr_outlet_transfer {
    struct fr_outlet *outlet;
    struct fr_outgoing *outgoing;
    struct fr_tsig_key key;
    struct fr_tsig_stream stream;
    bool is_signed, is_done;
    char name[FR_DOWNSTREAM_NAME_MAX + 1], who[128];
    int64_t begun_ms;
};

/* What a question's signature came to. */
struct proof {
    bool is_signed, is_good;
    enum fr_tsig_error error;
    struct fr_tsig_key key; /* its own, or just the name that was given */
    struct fr_tsig_mac mac;
    char who[FR_DOWNSTREAM_NAME_MAX + 1];
};

/* --- proofs --- */

struct search {
    char key_name[FR_DNAME_TEXT];
    struct fr_downstream_row row;
    bool is_found;
};

static enum fr_err find_key(void *data, const struct fr_downstream_row *row)
{
    struct search *search = data;

    if (row->key_name[0] == '\0' ||
        !fr_span_equal_nocase(fr_span_str(row->key_name), fr_span_str(search->key_name)))
        return FR_OK;
    search->row = *row;
    search->is_found = true;
    return FR_OK;
}

/* FR_E_NOT_FOUND: nobody's key. */
static enum fr_err load_key(const struct fr_outlet *outlet, struct fr_snap *snap,
                            const struct fr_tsig *tsig, struct proof *proof)
{
    struct search search = {0};
    struct fr_diag diag = {0};
    struct fr_tsig_key key;

    fr_dname_print(fr_dname_span(&tsig->name), search.key_name);
    enum fr_err err = fr_downstream_each(snap, find_key, &search);
    if (err || !search.is_found) return err ? err : FR_E_NOT_FOUND;
    err = fr_credentials_key(outlet->options.state, search.row.key_name, search.row.key_algorithm,
                             search.row.key_id, &diag, &key);
    if (err) {
        FR_LOG(outlet->options.log, FR_LOG_ERROR, "secondary.key",
               FR_STR("federation", fr_store_federation(outlet->options.store)),
               FR_STR("secondary", search.row.name),
               FR_STR("why", diag.what[0] ? diag.what : fr_err_text(err)));
        return FR_E_NOT_FOUND;
    }
    memcpy(proof->who, search.row.name, sizeof proof->who);
    proof->key = key;
    fr_secret_zero(&key, sizeof key);
    return FR_OK;
}

/* The RCODE that the signature asks for. */
static enum fr_dns_rcode check_signature(const struct fr_outlet *outlet, struct fr_snap *snap,
                                         struct fr_span message, struct proof *proof)
{
    struct fr_tsig tsig;

    enum fr_err err = fr_tsig_find(message, &tsig);
    if (err == FR_E_NOT_FOUND) return FR_DNS_NOERROR;
    if (err) return FR_DNS_FORMERR;
    proof->is_signed = true;
    proof->error = FR_TSIG_BADKEY;
    proof->key = (struct fr_tsig_key){.name = tsig.name, .algorithm = FR_TSIG_SHA256};
    err = load_key(outlet, snap, &tsig, proof);
    if (err) return err == FR_E_NOT_FOUND ? FR_DNS_NOTAUTH : FR_DNS_SERVFAIL;
    err = fr_tsig_check(&proof->key, FR_TSIG_REQUEST, NULL, fr_clock_real_s(outlet->options.clock),
                        message, &tsig, &proof->error, &proof->mac);
    if (err) return FR_DNS_NOTAUTH;
    proof->error = FR_TSIG_NOERROR;
    proof->is_good = true;
    return FR_DNS_NOERROR;
}

/* NULL: may have the zone. Else why not. */
static const char *check_asker(const struct fr_outlet *outlet, struct fr_snap *snap,
                               const struct fr_outlet_asker *asker, struct proof *proof)
{
    struct fr_access_seat *seat = NULL;

    if (!asker->is_tls) return proof->is_good ? NULL : "the question is not signed";
    seat = fr_calloc(1, sizeof *seat);
    if (!seat) return "out of memory";
    const enum fr_access verdict = fr_access_check(
        seat, asker->cert, snap, fr_clock_real_s(outlet->options.clock), FR_RIGHT_SECONDARY);
    if (verdict == FR_ACCESS_OK && !proof->is_good)
        (void)snprintf(proof->who, sizeof proof->who, "%s",
                       seat->row.member[0] ? seat->row.member : seat->row.host);
    fr_free(seat);
    return verdict == FR_ACCESS_OK ? NULL : fr_access_word(verdict);
}

/* --- how far they are --- */

static struct copy *copy_of(struct fr_outlet *outlet, const char *name)
{
    struct copy *oldest = &outlet->copies[0];

    for (size_t i = 0; i < outlet->n_copies; i++) {
        struct copy *copy = &outlet->copies[i];
        if (strcmp(copy->told.name, name) == 0) return copy;
        if (copy->heard_ms < oldest->heard_ms) oldest = copy;
    }
    if (outlet->n_copies < FR_OUTLET_COPIES) oldest = &outlet->copies[outlet->n_copies++];
    *oldest = (struct copy){.level_ms = fr_clock_mono_ms(outlet->options.clock)};
    (void)snprintf(oldest->told.name, sizeof oldest->told.name, "%s", name);
    return oldest;
}

static struct copy *note_heard(struct fr_outlet *outlet, const char *name)
{
    struct copy *copy = copy_of(outlet, name);

    copy->heard_ms = fr_clock_mono_ms(outlet->options.clock);
    return copy;
}

static void note_serial(struct copy *copy, uint32_t serial)
{
    copy->told.serial = serial;
    copy->told.has_serial = true;
}

static void note_given(struct fr_outlet *outlet, const struct fr_outlet_transfer *t)
{
    struct copy *copy = note_heard(outlet, t->name);

    note_serial(copy, fr_outgoing_serial(t->outgoing));
    copy->level_ms = copy->heard_ms;
}

size_t fr_outlet_copies(const struct fr_outlet *outlet, struct fr_outlet_copy out[FR_OUTLET_COPIES])
{
    const int64_t now_ms = fr_clock_mono_ms(outlet->options.clock);

    for (size_t i = 0; i < outlet->n_copies; i++) {
        out[i] = outlet->copies[i].told;
        out[i].silent_ms = now_ms - outlet->copies[i].heard_ms;
        out[i].lag_ms = now_ms - outlet->copies[i].level_ms;
    }
    return outlet->n_copies;
}

/* --- answers --- */

static enum fr_err reply(const struct fr_outlet *outlet, const struct fr_xfr_ask *ask,
                         enum fr_dns_rcode rcode, const struct fr_rr *soa,
                         const struct proof *proof, uint8_t *memory, size_t max, size_t *n)
{
    struct fr_tsig_mac ours;

    enum fr_err err = fr_xfr_answer_write(ask, rcode, soa, memory, max, n);
    if (err || !proof->is_signed) return err;
    return fr_tsig_sign(&proof->key, FR_TSIG_ANSWER, &proof->mac, proof->error,
                        fr_clock_real_s(outlet->options.clock), memory, max, n, &ours);
}

static enum fr_err transfer_new(struct fr_outlet *outlet, const struct fr_xfr_ask *ask,
                                const struct proof *proof, const struct fr_outlet_asker *asker,
                                struct fr_outlet_transfer **out)
{
    const struct fr_outgoing_options options = {
        .store = outlet->options.store,
        .zone = &outlet->zone,
        .history = &outlet->history,
        .ask = ask,
        .now_s = fr_clock_real_s(outlet->options.clock),
    };
    if (outlet->running >= FR_OUTLET_TRANSFERS) return FR_E_BUSY;
    struct fr_outlet_transfer *t = fr_calloc(1, sizeof *t);
    if (!t) return FR_E_NOMEM;
    enum fr_err err = fr_outgoing_begin(&options, &t->outgoing);
    if (!err && proof->is_good) {
        t->key = proof->key;
        t->is_signed = true;
        err = fr_tsig_stream_init(&t->stream, &t->key, &proof->mac);
    }
    if (err) {
        fr_outgoing_free(t->outgoing);
        fr_secret_free(t, sizeof *t);
        return err;
    }
    (void)snprintf(t->name, sizeof t->name, "%s", proof->who);
    (void)snprintf(t->who, sizeof t->who, "%s %s", proof->who, asker->from);
    t->begun_ms = fr_clock_mono_ms(outlet->options.clock);
    t->outlet = outlet;
    outlet->running++;
    *out = t;
    return FR_OK;
}

static void log_refusal(struct fr_outlet *outlet, const struct fr_outlet_asker *asker,
                        const char *why)
{
    outlet->counts.refused++;
    FR_LOG(outlet->options.log, FR_LOG_INFO, "secondary.refused",
           FR_STR("federation", fr_store_federation(outlet->options.store)),
           FR_STR("peer", asker->from), FR_STR("why", why));
}

static enum fr_err answer(struct fr_outlet *outlet, const struct fr_outlet_asker *asker,
                          const struct fr_xfr_ask *ask, struct fr_snap *snap,
                          const struct proof *proof, uint8_t *memory, size_t max, size_t *n,
                          struct fr_outlet_transfer **transfer)
{
    struct fr_rr soa;
    struct copy *copy = note_heard(outlet, proof->who);
    copy->told.has_key = proof->is_good;
    if (ask->type == FR_DNS_IXFR) note_serial(copy, ask->have);
    const bool is_soa = ask->type == FR_DNS_SOA || (asker->is_datagram && ask->type == FR_DNS_IXFR);

    if (!is_soa && !asker->is_datagram) {
        enum fr_err err = transfer_new(outlet, ask, proof, asker, transfer);
        if (!err) return FR_OK;
        outlet->counts.failed++;
        FR_LOG(outlet->options.log, err == FR_E_BUSY ? FR_LOG_INFO : FR_LOG_ERROR,
               "secondary.failed", FR_STR("federation", fr_store_federation(outlet->options.store)),
               FR_STR("secondary", proof->who), FR_STR("why", fr_err_text(err)));
        return reply(outlet, ask, FR_DNS_SERVFAIL, NULL, proof, memory, max, n);
    }
    if (!is_soa) return reply(outlet, ask, FR_DNS_FORMERR, NULL, proof, memory, max, n);
    enum fr_err err = fr_outgoing_soa(&outlet->zone, snap, &soa);
    if (err) return reply(outlet, ask, FR_DNS_SERVFAIL, NULL, proof, memory, max, n);
    return reply(outlet, ask, FR_DNS_NOERROR, &soa, proof, memory, max, n);
}

enum fr_err fr_outlet_ask(struct fr_outlet *outlet, const struct fr_outlet_asker *asker,
                          const struct fr_xfr_ask *ask, struct fr_span message, uint8_t *memory,
                          size_t max, size_t *n, struct fr_outlet_transfer **transfer)
{
    struct proof proof = {0};
    struct fr_snap *snap = NULL;
    const char *why = "not a question for the zone";

    *n = 0;
    *transfer = NULL;
    enum fr_err err = fr_snap_begin(outlet->options.store, &snap);
    if (err) return reply(outlet, ask, FR_DNS_SERVFAIL, NULL, &proof, memory, max, n);
    enum fr_dns_rcode rcode = check_signature(outlet, snap, message, &proof);
    if (rcode != FR_DNS_NOERROR) {
        why = proof.is_signed ? fr_tsig_error_text(proof.error) : "malformed";
    } else if ((rcode = ask->rcode) == FR_DNS_NOERROR) {
        why = check_asker(outlet, snap, asker, &proof);
        if (why) rcode = FR_DNS_REFUSED;
    }
    if (rcode == FR_DNS_NOERROR) {
        err = answer(outlet, asker, ask, snap, &proof, memory, max, n, transfer);
    } else {
        log_refusal(outlet, asker, why);
        err = reply(outlet, ask, rcode, NULL, &proof, memory, max, n);
    }
    fr_snap_end(snap);
    fr_secret_zero(&proof, sizeof proof);
    return err;
}

/* --- transfers --- */

static const char *kind_text(const struct fr_outlet_transfer *t)
{
    switch (fr_outgoing_kind(t->outgoing)) {
    case FR_OUTGOING_FULL: return "axfr";
    case FR_OUTGOING_CHANGES: return "ixfr";
    case FR_OUTGOING_CURRENT: break;
    }
    return "current";
}

enum fr_err fr_outlet_next(struct fr_outlet_transfer *t, uint8_t *memory, size_t max, size_t *n,
                           bool *done)
{
    const size_t room = max - FR_TSIG_RECORD_MAX;

    enum fr_err err = fr_outgoing_next(
        t->outgoing, memory, room < FR_OUTLET_MESSAGE_MAX ? room : FR_OUTLET_MESSAGE_MAX, n, done);
    if (!err && t->is_signed)
        err = fr_tsig_stream_sign(&t->stream, fr_clock_real_s(t->outlet->options.clock), memory,
                                  max, n);
    if (!err && *done) t->is_done = true;
    return err;
}

void fr_outlet_end(struct fr_outlet_transfer *t, const char *why)
{
    if (!t) return;
    struct fr_outlet *outlet = t->outlet;
    const int64_t took_ms = fr_clock_mono_ms(outlet->options.clock) - t->begun_ms;

    if (t->is_done) note_given(outlet, t);
    if (!t->is_done)
        outlet->counts.failed++;
    else if (fr_outgoing_kind(t->outgoing) == FR_OUTGOING_FULL)
        outlet->counts.full++;
    else if (fr_outgoing_kind(t->outgoing) == FR_OUTGOING_CHANGES)
        outlet->counts.changes++;
    else
        outlet->counts.current++;
    FR_LOG(outlet->options.log, t->is_done ? FR_LOG_INFO : FR_LOG_WARN,
           t->is_done ? "secondary.served" : "secondary.failed",
           FR_STR("federation", fr_store_federation(outlet->options.store)),
           FR_STR("secondary", t->who), FR_STR("kind", kind_text(t)),
           FR_UINT("serial", fr_outgoing_serial(t->outgoing)),
           FR_UINT("records", fr_outgoing_records(t->outgoing)),
           FR_UINT("took_ms", (uint64_t)(took_ms < 0 ? 0 : took_ms)),
           FR_STR("why", t->is_done ? NULL : why));
    outlet->running--;
    fr_outgoing_free(t->outgoing);
    fr_tsig_stream_deinit(&t->stream);
    fr_secret_free(t, sizeof *t);
}

/* --- handle --- */

enum fr_err fr_outlet_new(const struct fr_outlet_options *options, struct fr_outlet **out)
{
    struct fr_outlet *outlet = fr_calloc(1, sizeof *outlet);

    if (!outlet) return FR_E_NOMEM;
    outlet->options = *options;
    const struct fr_notifier_options notifier = {
        .loop = options->loop,
        .store = options->store,
        .state = options->state,
        .zone = &outlet->zone.apex,
        .log = options->log,
        .clock = options->clock,
    };
    enum fr_err err = fr_zone_init(&outlet->zone, fr_store_federation(options->store));
    if (!err) err = fr_notifier_new(&notifier, &outlet->notifier);
    if (err)
        fr_outlet_free(outlet);
    else
        *out = outlet;
    return err;
}

void fr_outlet_tend(struct fr_outlet *outlet)
{
    fr_notifier_tend(outlet->notifier);
}

const struct fr_dname *fr_outlet_zone(const struct fr_outlet *outlet)
{
    return &outlet->zone.apex;
}

const struct fr_log *fr_outlet_log(const struct fr_outlet *outlet)
{
    return outlet->options.log;
}

void fr_outlet_count(const struct fr_outlet *outlet, struct fr_outlet_counts *out)
{
    *out = outlet->counts;
    out->notify = *fr_notifier_counts(outlet->notifier);
}

void fr_outlet_free(struct fr_outlet *outlet)
{
    if (!outlet) return;
    fr_notifier_free(outlet->notifier);
    fr_zone_history_deinit(&outlet->history);
    fr_free(outlet);
}
