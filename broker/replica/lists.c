#include "replica/lists.h"

#include "base/mem.h"
#include "ca/ca.h"
#include "ca/crl.h"
#include "ca/issuing.h"
#include "store/authority.h"
#include "x509/cert.h"

#include <stdio.h>
#include <string.h>

#define DEADLINE_MS 60000
#define TAG_MAX 64
#define TARGET_MAX (sizeof "/crl/.crl" + FR_HOST_MAX)

struct copy {
    char name[FR_HOST_MAX + 1];
    char tag[TAG_MAX]; /* of what was taken; "": nothing yet in this process */
    bool is_told;      /* that it was refused */
};

struct fr_lists {
    struct fr_lists_options options;
    struct fr_http_client *client;
    struct copy copies[FR_LISTS];
    size_t n, at; /* at == n: nothing is under way */
    int64_t began_ms;
    bool has_begun;
};

static void ask_next(struct fr_lists *lists);

/* --- what there is to ask for --- */

struct naming {
    struct fr_lists *lists;
    struct copy before[FR_LISTS];
    size_t n_before;
    int64_t now_s;
};

static enum fr_err add_name(void *data, const struct fr_authority_row *row)
{
    struct naming *naming = data;
    struct fr_lists *lists = naming->lists;
    const bool is_root = row->kind == FR_AUTHORITY_ROOT && row->der_size > 0;

    if (!is_root && !fr_ca_row_signs_lists(row, naming->now_s)) return FR_OK;
    if (lists->n == FR_LISTS) return FR_OK;
    struct copy *copy = &lists->copies[lists->n++];
    *copy = (struct copy){0};
    memcpy(copy->name, row->name, sizeof copy->name);
    for (size_t i = 0; i < naming->n_before; i++)
        if (strcmp(naming->before[i].name, row->name) == 0) *copy = naming->before[i];
    return FR_OK;
}

static enum fr_err read_names(struct fr_lists *lists)
{
    struct naming naming = {.lists = lists, .n_before = lists->n};
    struct fr_snap *snap = NULL;

    naming.now_s = fr_clock_real_s(lists->options.clock);
    memcpy(naming.before, lists->copies, sizeof naming.before);
    enum fr_err err = fr_snap_begin(lists->options.store, &snap);
    lists->n = 0;
    if (!err) err = fr_authority_each(snap, add_name, &naming);
    fr_snap_end(snap);
    lists->at = lists->n;
    return err;
}

/* --- taking one over --- */

static enum fr_err check_signature(struct fr_store *store, const char *name, struct fr_span der)
{
    struct fr_authority_row *row = fr_malloc(sizeof *row);
    struct fr_snap *snap = NULL;
    struct fr_cert *issuer = NULL;

    if (row == NULL) return FR_E_NOMEM;
    enum fr_err err = fr_snap_begin(store, &snap);
    if (!err) err = fr_authority_get(snap, name, row);
    fr_snap_end(snap);
    if (!err) err = fr_cert_parse(fr_span(row->der, row->der_size), &issuer);
    if (!err) err = fr_crl_verify(der, issuer);
    fr_cert_free(issuer);
    fr_free(row);
    return err;
}

/* An older one than the file, as of a primary that was restored, is left where it is. */
static enum fr_err take(struct fr_lists *lists, const char *name, struct fr_span der)
{
    const char *dir = fr_store_dir(lists->options.store);
    struct fr_crl_fields fields = {0}, last = {0};

    enum fr_err err = check_signature(lists->options.store, name, der);
    if (!err) err = fr_crl_read_fields(der, &fields);
    if (err || fr_crl_is_published(dir, name, der)) return err;
    if (fr_crl_load(dir, name, NULL, &last) == FR_OK && last.number >= fields.number) return FR_OK;
    return fr_crl_put(dir, name, der, NULL);
}

static void note_tag(struct copy *copy, const struct fr_http_result *r)
{
    copy->tag[0] = '\0';
    for (size_t i = 0; i < r->n_fields; i++)
        if (fr_span_is(r->fields[i].name, "etag"))
            (void)fr_span_copy(r->fields[i].value, copy->tag, sizeof copy->tag);
}

static void on_answer(void *data, const struct fr_http_result *r)
{
    struct fr_lists *lists = data;
    struct copy *copy = &lists->copies[lists->at];

    if (r->fault != FR_HTTP_OK) {
        lists->at = lists->n; /* the feed's own faults are told; here it is the next time */
        return;
    }
    enum fr_err err = r->status == 200 ? take(lists, copy->name, r->body) : FR_OK;
    if (err && !copy->is_told)
        FR_LOG(lists->options.log, FR_LOG_ERROR, "replica.list_refused",
               FR_STR("federation", fr_store_federation(lists->options.store)),
               FR_STR("ca", copy->name), FR_ERR("why", err));
    copy->is_told = err != FR_OK;
    if (r->status == 200 && !err) note_tag(copy, r);
    lists->at++;
    ask_next(lists);
}

/* --- asking --- */

static void ask_next(struct fr_lists *lists)
{
    char target[TARGET_MAX];

    if (lists->at == lists->n) return;
    const struct copy *copy = &lists->copies[lists->at];
    const struct fr_http_field fields[] = {FR_HTTP_FIELD("if-none-match", copy->tag)};
    (void)snprintf(target, sizeof target, "/crl/%s.crl", copy->name);
    const struct fr_http_request request = {.method = "GET",
                                            .target = target,
                                            .fields = fields,
                                            .n_fields = copy->tag[0] != '\0',
                                            .is_retryable = true};
    if (fr_http_send(lists->client, &request, DEADLINE_MS, on_answer, lists, NULL))
        lists->at = lists->n;
}

static enum fr_err connect_to(struct fr_lists *lists, const struct fr_http_client_conf *to)
{
    char host[sizeof "ca." + FR_FEDERATION_MAX];
    struct fr_http_client_conf conf = *to;

    (void)snprintf(host, sizeof host, "ca.%s", fr_store_federation(lists->options.store));
    conf.host = host;
    conf.body_bytes = FR_CRL_MAX;
    return fr_http_client_new(lists->options.loop, &conf, &lists->client);
}

void fr_lists_look(struct fr_lists *lists, const struct fr_http_client_conf *to)
{
    const int64_t now_ms = fr_clock_mono_ms(lists->options.clock);

    if (lists->at < lists->n) return; /* one is under way */
    if (lists->has_begun && now_ms - lists->began_ms < FR_LISTS_EVERY_MS) return;
    lists->has_begun = true;
    lists->began_ms = now_ms;
    if (!lists->client && connect_to(lists, to)) return;
    if (read_names(lists)) return;
    lists->at = 0;
    ask_next(lists);
}

void fr_lists_disconnect(struct fr_lists *lists)
{
    fr_http_client_free(lists->client);
    lists->client = NULL;
    lists->at = lists->n;
    lists->has_begun = false;
}

/* --- handle --- */

enum fr_err fr_lists_new(const struct fr_lists_options *options, struct fr_lists **out)
{
    struct fr_lists *lists = fr_calloc(1, sizeof *lists);

    if (lists == NULL) return FR_E_NOMEM;
    lists->options = *options;
    *out = lists;
    return FR_OK;
}

void fr_lists_free(struct fr_lists *lists)
{
    if (lists == NULL) return;
    fr_lists_disconnect(lists);
    fr_free(lists);
}
