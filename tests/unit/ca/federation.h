/* A federation in a temporary folder, for the tests of this library. */
#pragma once

#include "ca/ca.h"
#include "ca/init.h"
#include "ca/issue.h"
#include "ca/member.h"
#include "ca/revoke.h"
#include "x509/csr.h"

#define NOW 1795157000LL

struct federation {
    char root[64]; /* the temporary folder */
    char dir[96];  /* the state directory in it */
    struct fr_store *store;
    struct fr_ca *ca;
};

extern const struct fr_change_by BY;

void federation_make(struct federation *f); /* init, open, CA open */
void federation_open(struct federation *f); /* again, after a close */
void federation_close(struct federation *f);
void federation_remove(struct federation *f); /* closes, and deletes the folder */

/* A request of a new key; the key too when key is not NULL. */
void make_csr(struct fr_buf *csr, struct fr_key **key);

struct fr_change *begin(struct federation *f);
void commit(struct fr_change *change);

/* A member with these NetIDs (0 ends the list). */
void add_member(struct federation *f, const char *id, const uint32_t *netids);
