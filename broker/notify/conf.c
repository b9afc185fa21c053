#include "notify/conf.h"

#include "base/mem.h"

#include <string.h>
#include <unistd.h>

const struct fr_conf_row fr_notify_rows[] = {
    {.key = "exec",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_notify_conf, exec, n_exec),
     .max = 64,
     .help =
         "Program and its arguments, [/usr/local/bin/page, --noc]; without a shell. It gets each "
         "notice as JSON on standard input, and takes it by ending with 0."},
    {.key = "exec_time",
     .type = FR_T_DURATION,
     FR_CONF_AT(struct fr_notify_conf, exec_ms),
     .def = "30s",
     .min = 100,
     .max = 600000,
     .help = "The program is killed after this time."},
    {.key = "post",
     .type = FR_T_STRING,
     FR_CONF_AT(struct fr_notify_conf, post),
     .max = 700,
     .help = "URL, http or https: each notice is POSTed there as JSON; any 2xx takes it."},
    {.key = "addresses",
     .type = FR_T_STRINGS,
     FR_CONF_ARRAY(struct fr_notify_conf, addresses, n_addresses),
     .max = FR_NOTIFY_ADDRS_MAX,
     .help = "Where the receiver is, ADDRESS or ADDRESS:PORT; without them its name is looked up."},
    {.key = "ca",
     .type = FR_T_PATH,
     FR_CONF_AT(struct fr_notify_conf, ca),
     .def = "/etc/ssl/certs/ca-certificates.crt",
     .help = "PEM file of the CAs that an https receiver may be of."},
    {.key = "post_time",
     .type = FR_T_DURATION,
     FR_CONF_AT(struct fr_notify_conf, post_ms),
     .def = "10s",
     .min = 100,
     .max = 600000,
     .help = "Time for one POST, the answer included."},
    {.key = NULL},
};

static enum fr_err check_post(const struct fr_notify_conf *conf, struct fr_diag *diag)
{
    struct fr_url url;
    struct fr_addr addr;

    if (fr_url_parse(fr_span_str(conf->post), &url))
        return fr_diag_fail(diag, FR_E_CONFIG, "notify: post: %s is no http or https URL",
                            conf->post);
    for (size_t i = 0; i < conf->n_addresses; i++)
        if (fr_addr_parse(fr_span_str(conf->addresses[i]), url.port, &addr))
            return fr_diag_fail(diag, FR_E_CONFIG, "notify: addresses: %s is no address",
                                conf->addresses[i]);
    return FR_OK;
}

enum fr_err fr_notify_conf_check(const struct fr_notify_conf *conf, struct fr_diag *diag)
{
    if (conf->n_exec > 0 && conf->exec[0][0] != '/') {
        (void)fr_diag_fail(diag, FR_E_CONFIG, "notify: exec: %s is no absolute path",
                           conf->exec[0]);
        fr_diag_hint(diag, "no shell and no PATH is looked at: exec: [/usr/local/bin/page, --noc]");
        return FR_E_CONFIG;
    }
    if (conf->n_exec > 0 && access(conf->exec[0], X_OK) != 0)
        return fr_diag_fail(diag, FR_E_CONFIG, "notify: exec: %s cannot be run by this user",
                            conf->exec[0]);
    if (!conf->post && conf->n_addresses > 0)
        return fr_diag_fail(diag, FR_E_CONFIG, "notify: addresses without post");
    return conf->post ? check_post(conf, diag) : FR_OK;
}

static bool is_same_text(const char *a, const char *b)
{
    if (!a || !b) return a == b;
    return strcmp(a, b) == 0;
}

static bool is_same_list(char *const *a, size_t n, char *const *b, size_t m)
{
    if (n != m) return false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(a[i], b[i]) != 0) return false;
    return true;
}

bool fr_notify_conf_equal(const struct fr_notify_conf *a, const struct fr_notify_conf *b)
{
    return is_same_list(a->exec, a->n_exec, b->exec, b->n_exec) && a->exec_ms == b->exec_ms &&
           is_same_text(a->post, b->post) &&
           is_same_list(a->addresses, a->n_addresses, b->addresses, b->n_addresses) &&
           is_same_text(a->ca, b->ca) && a->post_ms == b->post_ms;
}

/* One more than there are, and NULL at the end: an argv. */
static enum fr_err copy_list(char *const *from, size_t n, char ***out, size_t *n_out)
{
    *out = fr_calloc(n + 1, sizeof **out);
    if (!*out) return FR_E_NOMEM;
    for (; *n_out < n; ++*n_out) {
        (*out)[*n_out] = fr_strdup(from[*n_out]);
        if (!(*out)[*n_out]) return FR_E_NOMEM;
    }
    return FR_OK;
}

enum fr_err fr_notify_conf_copy(const struct fr_notify_conf *conf, struct fr_notify_conf *out)
{
    struct fr_notify_conf copy = {.exec_ms = conf->exec_ms, .post_ms = conf->post_ms};
    enum fr_err err = copy_list(conf->exec, conf->n_exec, &copy.exec, &copy.n_exec);

    if (!err)
        err = copy_list(conf->addresses, conf->n_addresses, &copy.addresses, &copy.n_addresses);
    copy.post = conf->post ? fr_strdup(conf->post) : NULL;
    copy.ca = conf->ca ? fr_strdup(conf->ca) : NULL;
    if ((conf->post && !copy.post) || (conf->ca && !copy.ca)) err = FR_E_NOMEM;
    if (err)
        fr_notify_conf_free(&copy);
    else
        *out = copy;
    return err;
}

static void free_list(char **list, size_t n)
{
    for (size_t i = 0; i < n; i++) fr_free(list[i]);
    fr_free(list);
}

void fr_notify_conf_free(struct fr_notify_conf *conf)
{
    free_list(conf->exec, conf->n_exec);
    free_list(conf->addresses, conf->n_addresses);
    fr_free(conf->post);
    fr_free(conf->ca);
    *conf = (struct fr_notify_conf){0};
}
