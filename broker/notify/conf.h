#pragma once
/*
 * `notify:` of a federation in broker.yaml: by which ways notices reach its operator.
 *
 * Model: a program (`exec:`, argv without a shell), a receiver (`post:`, a URL), both, or none. Checked when the file is loaded, so that
 *   what cannot work is found by --check and not at three in the night.
 * Owns: its strings, as the configuration around it. Errors: FR_E_CONFIG. Trust: the operator's file.
 */
#include "base/addr.h"
#include "base/conf.h"
#include "base/url.h"

#define FR_NOTIFY_ADDRS_MAX 8

struct fr_notify_conf {
    char **exec; /* argv; n_exec 0: no program */
    size_t n_exec;
    uint32_t exec_ms;
    char *post; /* URL; NULL: no receiver */
    char **addresses;
    size_t n_addresses; /* 0: looked up */
    char *ca;
    uint32_t post_ms;
};

/* Rows of the group, offsets within struct fr_notify_conf. */
extern const struct fr_conf_row fr_notify_rows[];

enum fr_err fr_notify_conf_check(const struct fr_notify_conf *conf, struct fr_diag *diag);

bool fr_notify_conf_equal(const struct fr_notify_conf *a, const struct fr_notify_conf *b);

/* A copy of its own; *out is freed by fr_notify_conf_free. FR_E_NOMEM. */
enum fr_err fr_notify_conf_copy(const struct fr_notify_conf *conf, struct fr_notify_conf *out);
void fr_notify_conf_free(struct fr_notify_conf *conf);
