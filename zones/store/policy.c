#include "store/policy.h"

#include "base/nearest.h"
#include "base/parse.h"
#include "base/wire.h"
#include "store/approval.h"
#include "store/tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DAY 86400u
#define PERSONS FR_APPROVAL_PERSONS_MAX

static const char *const visibility_words[] = {
    [FR_VISIBILITY_FEDERATION] = "federation", [FR_VISIBILITY_GRANTED] = "granted"};

static const char *const crl_point_words[] = {
    [FR_CRL_POINT_HTTP] = "http", [FR_CRL_POINT_NONE] = "none"};

static const char *const blocks_words[] = {
    [FR_BLOCKS_GIVEN] = "given", [FR_BLOCKS_REQUIRED] = "required"};

static const char *const private_words[] = {
    [FR_PROBE_PRIVATE_REFUSED] = "refused", [FR_PROBE_PRIVATE_ALLOWED] = "allowed"};

static const struct fr_policy_about table[FR_POLICY_COUNT] = {
    [FR_POLICY_TTL_DEVEUI] = {"ttl.deveui", 3600, 10, 7 * DAY, "TTL of a device's CNAME",
                              FR_POLICY_SECONDS, NULL},
    [FR_POLICY_TTL_NETID] = {"ttl.netid", 60, 10, DAY,
                             "TTL of a network's records; a revocation reaches all within it",
                             FR_POLICY_SECONDS, NULL},
    [FR_POLICY_TTL_NEGATIVE] = {"ttl.negative", 60, 1, 3600,
                                "how long \"no such name\" is remembered", FR_POLICY_SECONDS, NULL},
    [FR_POLICY_LIFETIME_BROKER] = {"lifetime.broker", 90 * DAY, 3600, 397 * DAY,
                                   "life of a broker certificate", FR_POLICY_SECONDS, NULL},
    [FR_POLICY_LIFETIME_DOH] = {"lifetime.doh", 30 * DAY, 3600, 397 * DAY,
                                "life of a member's look-up certificate", FR_POLICY_SECONDS, NULL},
    [FR_POLICY_LIFETIME_NS] = {"lifetime.ns", 30 * DAY, 3600, 397 * DAY,
                               "life of a network server's certificate", FR_POLICY_SECONDS, NULL},
    [FR_POLICY_LIFETIME_JS] = {"lifetime.js", 30 * DAY, 3600, 397 * DAY,
                               "life of a join server's certificate", FR_POLICY_SECONDS, NULL},
    [FR_POLICY_VISIBILITY] = {"visibility", FR_VISIBILITY_FEDERATION, FR_VISIBILITY_FEDERATION,
                              FR_VISIBILITY_GRANTED,
                              "who sees a device: every member, or those its home allows",
                              FR_POLICY_WORD, visibility_words},
    [FR_POLICY_BUDGET_UNKNOWN] = {"budget.unknown", 100000, 0, 1000000000,
                                  "unknown DevEUIs, each counted once, a member may ask for in a "
                                  "day; 0: any number",
                                  FR_POLICY_NUMBER, NULL},
    [FR_POLICY_BUDGET_MISSES] = {"budget.misses", 100, 0, 1000000,
                                 "unknown devices a member may ask for in a second; 0: any number",
                                 FR_POLICY_NUMBER, NULL},
    [FR_POLICY_BUDGET_QUERIES] = {"budget.queries", 20000, 0, 100000000,
                                  "queries a member may send in a second; 0: any number",
                                  FR_POLICY_NUMBER, NULL},
    [FR_POLICY_BUDGET_CONNECTIONS] = {"budget.connections", 1000, 0, 1000000,
                                      "connections a member may have open to one broker; 0: any "
                                      "number",
                                      FR_POLICY_NUMBER, NULL},
    [FR_POLICY_CRL_POINT] = {"crl.point", FR_CRL_POINT_HTTP, FR_CRL_POINT_HTTP, FR_CRL_POINT_NONE,
                             "whether new certificates name http://crl.<fed>/ as the place of "
                             "their revocation list",
                             FR_POLICY_WORD, crl_point_words},
    [FR_POLICY_STATS_KEEP] = {"stats.keep", 400 * DAY, 31 * DAY, 3650 * DAY,
                              "how long the counts of look-ups by day are kept", FR_POLICY_SECONDS,
                              NULL},
    [FR_POLICY_BLOCKS] = {"blocks", FR_BLOCKS_GIVEN, FR_BLOCKS_GIVEN, FR_BLOCKS_REQUIRED,
                          "whether only members that were given EUI blocks are bound by them, or "
                          "everybody needs one to publish",
                          FR_POLICY_WORD, blocks_words},
    [FR_POLICY_JOURNAL_KEEP] = {"journal.keep", 90 * DAY, DAY, 3650 * DAY,
                                "how long the journal's records are kept", FR_POLICY_SECONDS, NULL},
    [FR_POLICY_JOURNAL_ROWS] = {"journal.rows", 10000000, 1000, 1000000000,
                                "how many of the journal's records are kept at most",
                                FR_POLICY_NUMBER, NULL},
    [FR_POLICY_PROBE_EVERY] = {"probe.every", 0, 0, 7 * DAY,
                               "how often the broker connects to every member's endpoints; 0: "
                               "only when asked",
                               FR_POLICY_SECONDS, NULL},
    [FR_POLICY_PROBE_PRIVATE] = {"probe.private", FR_PROBE_PRIVATE_REFUSED,
                                 FR_PROBE_PRIVATE_REFUSED, FR_PROBE_PRIVATE_ALLOWED,
                                 "whether the broker connects to endpoints with private addresses",
                                 FR_POLICY_WORD, private_words},
    [FR_POLICY_APPROVAL_MEMBER] = {"approval.member", 1, 1, PERSONS,
                                   "how many persons it takes to admit a member, or to give one a "
                                   "NetID",
                                   FR_POLICY_NUMBER, NULL},
    [FR_POLICY_APPROVAL_AUTHORITY] = {"approval.authority", 1, 1, PERSONS,
                                      "how many persons it takes to prepare, activate or retire an "
                                      "issuing CA",
                                      FR_POLICY_NUMBER, NULL},
    [FR_POLICY_APPROVAL_REVOCATION] = {"approval.revocation", 1, 1, PERSONS,
                                       "how many persons it takes to remove a member, or to revoke "
                                       "more than one key's certificates",
                                       FR_POLICY_NUMBER, NULL},
    [FR_POLICY_APPROVAL_RIGHTS] = {"approval.rights", 1, 1, PERSONS,
                                   "how many persons it takes to give a token or certificate more "
                                   "rights than its profile has, or to certify a broker",
                                   FR_POLICY_NUMBER, NULL},
    [FR_POLICY_APPROVAL_WAIT] = {"approval.wait", 3 * DAY, 300, 30 * DAY,
                                 "how long a request waits for the next person", FR_POLICY_SECONDS,
                                 NULL},
};

#define KEY_MAX 40

const struct fr_policy_about *fr_policy_about(enum fr_policy_key key)
{
    return &table[key];
}

enum fr_err fr_policy_find(const char *name, struct fr_diag *diag, enum fr_policy_key *out)
{
    const char *names[FR_POLICY_COUNT];

    for (int i = 0; i < FR_POLICY_COUNT; i++) {
        names[i] = table[i].name;
        if (strcmp(name, table[i].name) != 0) continue;
        *out = (enum fr_policy_key)i;
        return FR_OK;
    }
    const char *nearest = fr_nearest(fr_span_str(name), names, FR_POLICY_COUNT);
    (void)fr_diag_fail(diag, FR_E_NOT_FOUND, "no policy key \"%s\"", name);
    if (nearest != NULL) fr_diag_hint(diag, "did you mean %s?", nearest);
    return FR_E_NOT_FOUND;
}

static struct fr_span meta_key(enum fr_policy_key key, char out[KEY_MAX])
{
    snprintf(out, KEY_MAX, "policy.%s", table[key].name);
    return fr_span_str(out);
}

enum fr_err fr_policy_get(struct fr_snap *snap, enum fr_policy_key key, uint32_t *out)
{
    char name[KEY_MAX];
    struct fr_span value;

    enum fr_err err = fr_txn_get(snap->txn, FR_DB_META, meta_key(key, name), &value);
    if (err == FR_E_NOT_FOUND) {
        *out = table[key].def;
        return FR_OK;
    }
    if (err) return err;
    struct fr_rd r = fr_rd(value);
    uint32_t number = fr_rd_u32(&r);
    err = fr_rd_end(&r);
    if (err == FR_OK && number > table[key].max && table[key].words != NULL) err = FR_E_UNSUPPORTED;
    if (err == FR_OK) *out = number;
    return err;
}

enum fr_err fr_policy_read(struct fr_snap *snap, struct fr_policy *out)
{
    struct fr_policy policy;
    enum fr_err err = FR_OK;

    for (int i = 0; err == FR_OK && i < FR_POLICY_COUNT; i++)
        err = fr_policy_get(snap, (enum fr_policy_key)i, &policy.value[i]);
    if (err == FR_OK) *out = policy;
    return err;
}

/* "90" is seconds; with a unit, whole seconds. */
static enum fr_err parse_seconds(const struct fr_policy_about *about, const char *value,
                                 uint32_t *out)
{
    uint64_t n = 0;

    enum fr_err err = fr_parse_u64(fr_span_str(value), about->min, about->max, &n);
    if (err == FR_E_MALFORMED) {
        err = fr_parse_duration_ms(fr_span_str(value), (uint64_t)about->min * 1000,
                                   (uint64_t)about->max * 1000, &n);
        if (err == FR_OK && n % 1000 != 0) err = FR_E_MALFORMED;
        n /= 1000;
    }
    if (err == FR_OK) *out = (uint32_t)n;
    return err;
}

static enum fr_err parse_word(const struct fr_policy_about *about, const char *value, uint32_t *out)
{
    for (uint32_t i = 0; i <= about->max; i++) {
        if (strcmp(value, about->words[i]) != 0) continue;
        *out = i;
        return FR_OK;
    }
    return FR_E_MALFORMED;
}

/* "federation or granted" */
static void list_words(const struct fr_policy_about *about, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    for (uint32_t i = 0; i <= about->max && n < size; i++) {
        int more = snprintf(out + n, size - n, "%s%s", i > 0 ? " or " : "", about->words[i]);
        n += more > 0 ? (size_t)more : size;
    }
}

static enum fr_err parse_value(const struct fr_policy_about *about, const char *value,
                               struct fr_diag *diag, uint32_t *out)
{
    uint64_t n = 0;
    char words[80];
    enum fr_err err = FR_OK;

    switch (about->unit) {
    case FR_POLICY_SECONDS:
        err = parse_seconds(about, value, out);
        if (err == FR_OK) return FR_OK;
        (void)fr_diag_fail(diag, err,
                           "%s: \"%s\" is not a time from %" PRIu32 " to %" PRIu32 " seconds",
                           about->name, value, about->min, about->max);
        fr_diag_hint(diag, "write 90, 15m, 1h or 30d");
        return err;
    case FR_POLICY_NUMBER:
        err = fr_parse_u64(fr_span_str(value), about->min, about->max, &n);
        if (err)
            return fr_diag_fail(diag, err,
                                "%s: \"%s\" is not a number from %" PRIu32 " to %" PRIu32,
                                about->name, value, about->min, about->max);
        *out = (uint32_t)n;
        return FR_OK;
    case FR_POLICY_WORD:
        if (parse_word(about, value, out) == FR_OK) return FR_OK;
        (void)fr_diag_fail(diag, FR_E_MALFORMED, "%s: \"%s\" is not one of its words", about->name,
                           value);
        list_words(about, words, sizeof words);
        fr_diag_hint(diag, "write %s", words);
        return FR_E_MALFORMED;
    }
    return FR_E_INTERNAL;
}

enum fr_err fr_policy_set(struct fr_change *change, enum fr_policy_key key, const char *value,
                          struct fr_diag *diag)
{
    const struct fr_policy_about *about = &table[key];
    char name[KEY_MAX];
    uint8_t bytes[4];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    uint32_t number = 0, there;

    enum fr_err err = parse_value(about, value, diag, &number);
    if (err == FR_OK) err = fr_policy_get(fr_change_snap(change), key, &there);
    if (err || there == number) return err;
    fr_wr_u32(&w, number);
    struct fr_span meta = meta_key(key, name);
    err = fr_txn_put(fr_change_txn(change), FR_DB_META, meta, fr_wr_done(&w));
    return err ? err
               : fr_change_note(change, FR_FACT_POLICY, fr_span_str(about->name), fr_wr_done(&w));
}
