#include "est/crl_shelf.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "ca/crl.h"
#include "names/member.h"
#include "store/authority.h"
#include "transport/http_tag.h"

#include <stdio.h>
#include <string.h>

#define LISTS_KEPT 4

struct list {
    char name[FR_HOST_MAX + 1];
    struct fr_file_stamp stamp;
    struct fr_buf der;
    char etag[FR_HTTP_TAG_TEXT];
};

struct fr_crl_shelf {
    const char *state;
    struct fr_store *store;
    struct list lists[LISTS_KEPT];
    unsigned next;                     /* place of the list that is read next */
    struct fr_authority_row authority; /* looked up last */
    char authority_etag[FR_HTTP_TAG_TEXT];
    struct fr_crl_shelf_counters counters;
};

enum fr_err fr_crl_shelf_new(const char *state, struct fr_store *store, struct fr_crl_shelf **out)
{
    struct fr_crl_shelf *shelf = fr_calloc(1, sizeof *shelf);
    if (!shelf) return FR_E_NOMEM;
    shelf->state = state;
    shelf->store = store;
    for (size_t i = 0; i < LISTS_KEPT; i++) fr_buf_init(&shelf->lists[i].der, FR_CRL_MAX);
    *out = shelf;
    return FR_OK;
}

void fr_crl_shelf_free(struct fr_crl_shelf *shelf)
{
    if (!shelf) return;
    for (size_t i = 0; i < LISTS_KEPT; i++) fr_buf_deinit(&shelf->lists[i].der);
    fr_free(shelf);
}

const struct fr_crl_shelf_counters *fr_crl_shelf_counters(const struct fr_crl_shelf *shelf)
{
    return &shelf->counters;
}

bool fr_crl_shelf_is_named(const struct fr_crl_shelf *shelf, struct fr_span authority)
{
    struct fr_span host, port, label, rest;
    (void)fr_span_cut(authority, ':', &host, &port);
    return fr_span_cut(host, '.', &label, &rest) &&
           fr_span_equal_nocase(label, FR_SPAN_LIT("crl")) &&
           fr_span_equal_nocase(rest, fr_span_str(fr_store_federation(shelf->store)));
}

/* --- answers --- */

static struct fr_crl_answer refusal(unsigned status, const char *text)
{
    return (struct fr_crl_answer){.status = status, .content = fr_span_str(text)};
}

/* --- lists --- */

static struct list *list_find(struct fr_crl_shelf *shelf, const char *name)
{
    for (size_t i = 0; i < LISTS_KEPT; i++)
        if (strcmp(shelf->lists[i].name, name) == 0) return &shelf->lists[i];
    struct list *list = &shelf->lists[shelf->next++ % LISTS_KEPT];
    fr_buf_deinit(&list->der);
    list->name[0] = '\0';
    return list;
}

/* The stamp is taken before the bytes, so that what is replaced meanwhile is read again. */
static enum fr_err list_read(struct fr_crl_shelf *shelf, const char *name, struct list **out)
{
    static const struct fr_file_stamp none = {0};
    char path[FR_CRL_PATH_MAX];
    enum fr_err err = fr_crl_path(shelf->state, name, path);
    if (err) return err;
    const struct fr_file_stamp stamp = fr_file_stamp(path);
    if (fr_file_stamp_equal(&stamp, &none)) return FR_E_NOT_FOUND;
    struct list *list = list_find(shelf, name);
    *out = list;
    if (list->name[0] && fr_file_stamp_equal(&stamp, &list->stamp)) return FR_OK;
    list->name[0] = '\0';
    fr_buf_reset(&list->der);
    err = fr_file_read(path, NULL, &list->der);
    if (err) return err;
    (void)snprintf(list->name, sizeof list->name, "%s", name);
    list->stamp = stamp;
    fr_http_tag_make(fr_buf_span(&list->der), list->etag);
    return FR_OK;
}

static struct fr_crl_answer find_list(struct fr_crl_shelf *shelf, const char *name)
{
    struct list *list = NULL;
    enum fr_err err = list_read(shelf, name, &list);
    if (err == FR_E_NOT_FOUND) return refusal(404, "There is no revocation list of that name.");
    if (err) return refusal(503, "The revocation list cannot be read now.");
    return (struct fr_crl_answer){200, "application/pkix-crl", list->etag, "public, max-age=300",
                                  fr_buf_span(&list->der)};
}

/* --- certificates of the authorities --- */

static struct fr_crl_answer find_certificate(struct fr_crl_shelf *shelf, const char *name)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(shelf->store, &snap);
    if (!err) err = fr_authority_get(snap, name, &shelf->authority);
    fr_snap_end(snap);
    if (err == FR_E_NOT_FOUND || (!err && shelf->authority.der_size == 0))
        return refusal(404, "There is no certificate of that name.");
    if (err) return refusal(503, "The certificate cannot be read now.");
    struct fr_span der = fr_span(shelf->authority.der, shelf->authority.der_size);
    fr_http_tag_make(der, shelf->authority_etag);
    return (struct fr_crl_answer){200, "application/pkix-cert", shelf->authority_etag,
                                  "public, max-age=86400", der};
}

/* --- requests --- */

/* "<name><suffix>" of a path; false for any other. */
static bool name_of(struct fr_span path, const char *suffix, char out[FR_HOST_MAX + 1])
{
    const size_t skip = fr_span_starts(path, "/crl/") ? 5 : fr_span_starts(path, "/") ? 1 : 0;
    struct fr_span name = fr_span(path.p + skip, path.n - skip);
    if (!fr_span_ends(name, suffix)) return false;
    name.n -= strlen(suffix);
    return fr_is_host_label(name) && fr_span_copy(name, out, FR_HOST_MAX + 1);
}

struct fr_crl_answer fr_crl_shelf_find(struct fr_crl_shelf *shelf, struct fr_span method,
                                       struct fr_span path, struct fr_span if_none_match)
{
    char name[FR_HOST_MAX + 1];
    const bool is_list = name_of(path, ".crl", name);
    if (!is_list && !name_of(path, ".cer", name))
        return refusal(404, "Revocation lists are at /<ca>.crl, CA certificates at /<ca>.cer.");
    if (!fr_span_is(method, "GET") && !fr_span_is(method, "HEAD")) return refusal(405, "Use GET.");
    struct fr_crl_answer answer = is_list ? find_list(shelf, name) : find_certificate(shelf, name);
    if (answer.status == 200 && fr_http_tag_is_held(if_none_match, answer.etag))
        return (struct fr_crl_answer){
            .status = 304, .etag = answer.etag, .freshness = answer.freshness};
    return answer;
}

void fr_crl_shelf_request(struct fr_crl_shelf *shelf, struct fr_http_exchange *x)
{
    const struct fr_crl_answer answer =
        fr_crl_shelf_find(shelf, x->method, x->path, fr_http_exchange_field(x, "if-none-match"));
    if (answer.status == 200 || answer.status == 304) {
        const bool is_same = answer.status == 304;
        const struct fr_http_field fields[] = {
            FR_HTTP_FIELD("etag", answer.etag),
            FR_HTTP_FIELD("cache-control", answer.freshness),
            FR_HTTP_FIELD("content-type", is_same ? "" : answer.type),
        };
        is_same ? shelf->counters.same++ : shelf->counters.given++;
        fr_http_reply(x, answer.status, fields, is_same ? 2 : 3, answer.content);
        return;
    }
    shelf->counters.absent++;
    fr_http_reply_text(x, answer.status, (const char *)answer.content.p);
}
