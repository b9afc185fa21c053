#include "enrol/roster.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { PAGE = 1000 };

void fr_roster_free(struct fr_roster *roster)
{
    fr_free(roster->list);
    *roster = (struct fr_roster){0};
}

static enum fr_err add(struct fr_roster *roster, const struct fr_roster_network *network)
{
    if (roster->n == roster->room) {
        const size_t room = roster->room ? 2 * roster->room : 64;
        struct fr_roster_network *grown = fr_reallocarray(roster->list, room, sizeof *grown);
        if (grown == NULL) return FR_E_NOMEM;
        roster->list = grown;
        roster->room = room;
    }
    roster->list[roster->n++] = *network;
    return FR_OK;
}

/* --- reading a page --- */

static bool shows(const char *text)
{
    const uint8_t *p = (const uint8_t *)text;

    for (size_t left = strlen(text), n; left > 0; p += n, left -= n) {
        n = fr_utf8_size(p, left);
        if (n == 0 || fr_utf8_is_control(fr_utf8_char(p, n))) return false;
    }
    return true;
}

/* A text that would not show, or is too long, is as if it were not there. */
static void copy_text(const json_t *object, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));

    if (text == NULL || !shows(text) || !fr_span_copy(fr_span_str(text), out, size)) out[0] = '\0';
}

static enum fr_err read_endpoints(const json_t *list, struct fr_roster_network *out)
{
    const json_t *one;
    size_t i;

    if (!json_is_array(list)) return FR_E_MALFORMED;
    json_array_foreach(list, i, one)
    {
        const char *text = json_string_value(one);
        struct fr_addr *addr = &out->endpoints[out->n_endpoints];
        if (text == NULL) return FR_E_MALFORMED;
        if (out->n_endpoints == FR_ROSTER_ENDPOINTS) continue; /* in order of preference */
        if (fr_addr_parse(fr_span_str(text), 0, addr) != FR_OK) return FR_E_MALFORMED;
        out->n_endpoints++;
    }
    return FR_OK;
}

static enum fr_err read_network(const json_t *object, struct fr_roster_network *out)
{
    const char *netid = json_string_value(json_object_get(object, "netid"));
    const char *member = json_string_value(json_object_get(object, "member"));
    const char *state = json_string_value(json_object_get(object, "state"));

    if (netid == NULL || member == NULL || strlen(netid) != FR_NETID_TEXT - 1 ||
        fr_netid_parse(fr_span_str(netid), &out->netid) != FR_OK ||
        fr_member_check(fr_span_str(member), NULL) != FR_OK)
        return FR_E_MALFORMED;
    (void)fr_span_copy(fr_span_str(member), out->member, sizeof out->member); /* just seen to fit */
    copy_text(object, "org", out->org, sizeof out->org);
    copy_text(object, "noc", out->noc, sizeof out->noc);
    copy_text(object, "since", out->since, sizeof out->since);
    out->is_suspended = state != NULL && strcmp(state, "active") != 0;
    return read_endpoints(json_object_get(object, "endpoints"), out);
}

/* They come in ascending order, which also ends the pages of a server that goes in circles. */
static enum fr_err add_page(const json_t *networks, struct fr_roster *roster)
{
    const json_t *one;
    size_t i;

    if (!json_is_array(networks)) return FR_E_MALFORMED;
    json_array_foreach(networks, i, one)
    {
        struct fr_roster_network network = {0};
        enum fr_err err = read_network(one, &network);
        if (!err && roster->n > 0 && network.netid <= roster->list[roster->n - 1].netid)
            err = FR_E_MALFORMED;
        if (!err && roster->n == FR_ROSTER_MAX) err = FR_E_LIMIT;
        if (!err) err = add(roster, &network);
        if (err) return err;
    }
    return FR_OK;
}

enum fr_err fr_roster_read(struct fr_span text, struct fr_diag *diag, struct fr_roster *roster,
                           bool *has_more)
{
    const size_t before = roster->n;
    json_t *object = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    enum fr_err err = add_page(json_object_get(object, "networks"), roster);

    *has_more = !err && json_is_string(json_object_get(object, "next")) && roster->n > before;
    json_decref(object);
    if (!err) return FR_OK;
    roster->n = before;
    if (err == FR_E_LIMIT)
        return fr_diag_fail(diag, err, "the federation has more than %d networks", FR_ROSTER_MAX);
    return fr_diag_fail(diag, err, "the broker's list of networks is no list");
}

/* --- asking --- */

static enum fr_err copy_page(const struct fr_roster *before, size_t from, size_t n,
                             struct fr_roster *roster)
{
    enum fr_err err = FR_OK;

    for (size_t i = 0; !err && i < n; i++) err = add(roster, &before->list[from + i]);
    return err;
}

/* The page that stood at this place, whose tag is of its bytes. *from: where it begins. */
static const struct fr_roster_page *old_page(const struct fr_roster *before, size_t k, size_t *from)
{
    *from = 0;
    if (before == NULL || k >= before->n_pages) return NULL;
    for (size_t i = 0; i < k; i++) *from += before->pages[i].n;
    return &before->pages[k];
}

static enum fr_err ask_page(struct fr_publisher *publisher, const struct fr_roster *before,
                            struct fr_diag *diag, struct fr_roster *roster, bool *has_more)
{
    struct fr_publish_answer answer = FR_PUBLISH_ANSWER_INIT;
    struct fr_roster_page *page = &roster->pages[roster->n_pages];
    const size_t first = roster->n;
    size_t from = 0;
    const struct fr_roster_page *old = old_page(before, roster->n_pages, &from);
    char path[64];

    if (roster->n > 0)
        (void)snprintf(path, sizeof path, "/networks?limit=%d&after=%06x", PAGE,
                       (unsigned)roster->list[roster->n - 1].netid);
    else
        (void)snprintf(path, sizeof path, "/networks?limit=%d", PAGE);
    enum fr_err err =
        fr_member_api_get(publisher, path, old && old->tag[0] ? old->tag : NULL, diag, &answer);
    if (!err && answer.status == 304) {
        err = copy_page(before, from, old->n, roster);
        *page = *old;
        *has_more = roster->n_pages + 1 < before->n_pages;
    } else if (!err) {
        err = fr_roster_read(fr_buf_span(&answer.body), diag, roster, has_more);
        page->n = roster->n - first;
        memcpy(page->tag, answer.tag, sizeof page->tag);
    }
    if (!err) roster->n_pages++;
    fr_publish_answer_deinit(&answer);
    return err;
}

enum fr_err fr_roster_ask(struct fr_publisher *publisher, const struct fr_roster *before,
                          struct fr_diag *diag, struct fr_roster *out)
{
    struct fr_roster roster = {0};
    bool has_more = true;
    enum fr_err err = FR_OK;

    while (!err && has_more && roster.n_pages < FR_ROSTER_PAGES)
        err = ask_page(publisher, before, diag, &roster, &has_more);
    if (!err && has_more)
        err = fr_diag_fail(diag, FR_E_LIMIT, "the federation's list of networks has no end");
    if (err)
        fr_roster_free(&roster);
    else
        *out = roster;
    return err;
}

/* --- comparing --- */

const char *fr_roster_change_text(enum fr_roster_change change)
{
    switch (change) {
    case FR_ROSTER_JOINED: return "joined";
    case FR_ROSTER_LEFT: return "left";
    case FR_ROSTER_MOVED: return "moved";
    case FR_ROSTER_CHANGED: return "changed";
    }
    return "";
}

static bool has_moved(const struct fr_roster_network *a, const struct fr_roster_network *b)
{
    if (a->n_endpoints != b->n_endpoints) return true;
    for (size_t i = 0; i < a->n_endpoints; i++)
        if (!fr_addr_equal(&a->endpoints[i], &b->endpoints[i])) return true;
    return false;
}

static bool is_there(const struct fr_roster_network *p)
{
    return p != NULL && !p->is_suspended;
}

/* Of one NetID, before and after; either may be NULL. */
static enum fr_err compare_one(const struct fr_roster_network *a, const struct fr_roster_network *b,
                               fr_roster_fn fn, void *data)
{
    const bool was = is_there(a), is = is_there(b);
    const bool is_other = was && is && strcmp(a->member, b->member) != 0;
    enum fr_err err = FR_OK;

    if (was && (!is || is_other)) err = fn(data, FR_ROSTER_LEFT, a);
    if (err || !is) return err;
    if (!was || is_other) return fn(data, FR_ROSTER_JOINED, b);
    if (has_moved(a, b)) err = fn(data, FR_ROSTER_MOVED, b);
    const bool is_same = strcmp(a->org, b->org) == 0 && strcmp(a->noc, b->noc) == 0;
    return err || is_same ? err : fn(data, FR_ROSTER_CHANGED, b);
}

enum fr_err fr_roster_compare(const struct fr_roster *before, const struct fr_roster *after,
                              fr_roster_fn fn, void *data)
{
    size_t i = 0, k = 0;
    enum fr_err err = FR_OK;

    while (!err && (i < before->n || k < after->n)) {
        const struct fr_roster_network *a = i < before->n ? &before->list[i] : NULL;
        const struct fr_roster_network *b = k < after->n ? &after->list[k] : NULL;
        if (a && b && a->netid != b->netid) {
            if (a->netid < b->netid)
                b = NULL;
            else
                a = NULL;
        }
        err = compare_one(a, b, fn, data);
        i += a != NULL;
        k += b != NULL;
    }
    return err;
}
