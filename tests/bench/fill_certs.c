/* Fills a federation's store with certificates' rows, for the rows of `./dev bench` about them: STATE CERTIFICATES
 * REVOKED AUTHORITY. Members m0 to m999 hold NetIDs 600000 to 6003e7; the rows are random but for that. The DER beside each is
 * not a certificate: nothing reads it here. */
#include "base/clock.h"
#include "store/cert.h"
#include "store/member.h"
#include "store/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBERS 1000
#define GROUP 400 /* rows of one change */
#define DAY 86400

static uint64_t seed = 88172645463325252u;

static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void fill(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) p[i] = (uint8_t)(next() >> 32);
}

static void expect(enum fr_err err, const struct fr_diag *diag)
{
    if (!err) return;
    (void)fprintf(stderr, "fill_certs: %s: %s\n", fr_err_text(err), diag->what);
    exit(1);
}

static uint32_t netid_of(unsigned member)
{
    return 0x600000 + member; /* type 3 */
}

static void add_members(struct fr_change *change, struct fr_diag *diag)
{
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct fr_member_row row = {.state = FR_MEMBER_ACTIVE};
        (void)snprintf(row.id, sizeof row.id, "m%u", i);
        expect(fr_member_add(change, &row, diag), diag);
        expect(fr_network_add(change, netid_of(i), row.id, diag), diag);
    }
}

static void add_cert(struct fr_change *change, const char *authority, bool is_revoked,
                     struct fr_diag *diag)
{
    const unsigned member = (unsigned)(next() % MEMBERS);
    const int64_t end_s = fr_change_now(change) + (int64_t)(next() % (60 * DAY)) - 30 * DAY;
    struct fr_cert_row row = {.profile = FR_PROFILE_NS, .netid = netid_of(member), .n_names = 1};
    uint8_t sha256[FR_DIGEST_SIZE];
    fill(row.serial, sizeof row.serial);
    fill(row.spki, sizeof row.spki);
    fill(sha256, sizeof sha256);
    row.rights = FR_RIGHT_LOOKUP | FR_RIGHT_ROAM;
    row.not_after_s = is_revoked ? fr_change_now(change) + 20 * DAY : end_s;
    row.not_before_s = row.not_after_s - 30 * DAY;
    (void)snprintf(row.member, sizeof row.member, "m%u", member);
    (void)snprintf(row.names[0], sizeof row.names[0], "%06x.netid.fed.test", row.netid);
    (void)snprintf(row.authority, sizeof row.authority, "%s", authority);
    expect(fr_cert_row_intend(change, &row, diag), diag);
    expect(fr_cert_row_issue(change, row.serial, fr_span(sha256, sizeof sha256), sha256,
                             row.not_before_s, row.not_after_s, diag),
           diag);
    if (is_revoked) expect(fr_cert_row_revoke(change, row.serial, 4, diag), diag);
}

/* Many changes in one commit. */
static void run(struct fr_store *store, const char *authority, unsigned long from, unsigned long to,
                unsigned long revoked, struct fr_diag *diag)
{
    const struct fr_change_by by = {.actor = "bench", .now_s = fr_clock_real_s(fr_clock_system())};
    struct fr_batch *batch = NULL;
    expect(fr_batch_begin(store, diag, &batch), diag);
    while (from < to) {
        struct fr_change *change = NULL;
        uint64_t sequence = 0;
        expect(fr_batch_change(batch, &by, diag, &change), diag);
        for (int i = 0; i < GROUP && from < to; i++, from++)
            add_cert(change, authority, from < revoked, diag);
        expect(fr_change_commit(change, diag, &sequence), diag);
    }
    expect(fr_batch_commit(batch, diag), diag);
}

int main(int argc, char **argv)
{
    struct fr_store *store = NULL;
    struct fr_change *change = NULL;
    struct fr_diag diag = {0};
    uint64_t sequence = 0;
    if (argc != 5) {
        (void)fprintf(stderr, "usage: fill_certs STATE CERTIFICATES REVOKED AUTHORITY\n");
        return 64;
    }
    const unsigned long count = strtoul(argv[2], NULL, 10), revoked = strtoul(argv[3], NULL, 10);
    expect(fr_store_open(&(struct fr_store_options){.dir = argv[1]}, &diag, &store), &diag);
    const struct fr_change_by by = {.actor = "bench", .now_s = fr_clock_real_s(fr_clock_system())};
    expect(fr_store_change(store, &by, &diag, &change), &diag);
    add_members(change, &diag);
    expect(fr_change_commit(change, &diag, &sequence), &diag);
    for (unsigned long at = 0; at < count; at += 20000)
        run(store, argv[4], at, at + 20000 < count ? at + 20000 : count, revoked, &diag);
    fr_store_close(store);
    return 0;
}
