#include "federation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <ftw.h>

const struct fr_change_by BY = {.actor = "test", .reason = "because", .now_s = NOW};

enum { MAP_SIZE = 64 << 20 };

static void show(enum fr_err err, const struct fr_diag *diag)
{
    char text[1200];

    if (err == FR_OK) return;
    fr_diag_print(diag, err, text, sizeof text);
    fail_msg("%s", text);
}

void federation_open(struct federation *f)
{
    const struct fr_store_options options = {.dir = f->dir, .map_size = MAP_SIZE};
    struct fr_diag diag = {0};

    show(fr_store_open(&options, &diag, &f->store), &diag);
    show(fr_ca_open(f->dir, f->store, &BY, &diag, &f->ca), &diag);
}

void federation_make(struct federation *f)
{
    struct fr_diag diag = {0};
    struct fr_ca_init_result result;

    (void)snprintf(f->root, sizeof f->root, "/tmp/fr-ca-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    (void)snprintf(f->dir, sizeof f->dir, "%s/state", f->root);
    const struct fr_ca_init_options options = {.dir = f->dir,
                                               .federation = "fed.test",
                                               .host = "host1",
                                               .netid_pool = "600100-600102",
                                               .map_size = MAP_SIZE,
                                               .now_s = NOW,
                                               .actor = "test"};
    show(fr_ca_init(&options, &diag, &result), &diag);
    federation_open(f);
}

void federation_close(struct federation *f)
{
    fr_ca_close(f->ca);
    fr_store_close(f->store);
    f->ca = NULL;
    f->store = NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

void federation_remove(struct federation *f)
{
    federation_close(f);
    assert_int_equal(nftw(f->root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void make_csr(struct fr_buf *csr, struct fr_key **key)
{
    struct fr_key *made = NULL;

    assert_int_equal(fr_key_generate(&made), FR_OK);
    assert_int_equal(fr_csr_build(made, "whatever", csr), FR_OK);
    if (key != NULL)
        *key = made;
    else
        fr_key_free(made);
}

struct fr_change *begin(struct federation *f)
{
    struct fr_change *change = NULL;
    struct fr_diag diag = {0};

    show(fr_store_change(f->store, &BY, &diag, &change), &diag);
    return change;
}

void commit(struct fr_change *change)
{
    struct fr_diag diag = {0};
    uint64_t sequence = 0;

    show(fr_change_commit(change, &diag, &sequence), &diag);
}

void add_member(struct federation *f, const char *id, const uint32_t *netids)
{
    struct fr_diag diag = {0};
    struct fr_change *change = begin(f);
    struct fr_member_request request = {.id = id, .netids = netids};

    while (netids[request.netid_count] != 0) request.netid_count++;
    show(fr_member_create(change, &request, &diag), &diag);
    commit(change);
}
