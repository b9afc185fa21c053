#pragma once
/* Certificates for tests, made when the test runs: CAs and leaves with P-256 keys, as PEM text. Any failure ends the test. */

#include <stdbool.h>
#include <stdint.h>

struct test_ca;

struct test_id {
    char *chain; /* the leaf */
    char *key;
};

/* Seconds are relative to now. */
struct test_leaf {
    const char *cn;
    const char *names[4]; /* dNSNames, up to the first NULL */
    int64_t from_s, to_s; /* both 0: an hour ago to an hour ahead */
};

struct test_ca *test_ca_new(const char *cn);
void test_ca_free(struct test_ca *ca);
const char *test_ca_pem(const struct test_ca *ca);
void test_issue(struct test_ca *ca, const struct test_leaf *leaf, struct test_id *out);
void test_id_free(struct test_id *id);
