#include "enrol/listed.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/parse.h"

#include <stdio.h>
#include <string.h>

enum { TEXT = 16, FILE_MAX = FR_LISTED_MAX * TEXT };

void fr_listed_free(struct fr_listed *listed)
{
    for (size_t i = 0; i < listed->n; i++) fr_free(listed->list[i]);
    fr_free(listed->list);
    *listed = (struct fr_listed){0};
}

bool fr_listed_is_same(const struct fr_listed *a, const struct fr_listed *b)
{
    if (a->n != b->n) return false;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->list[i], b->list[i]) != 0) return false;
    return true;
}

static enum fr_err add(struct fr_listed *listed, uint32_t netid, uint16_t port)
{
    char text[TEXT];

    if (listed->n == FR_LISTED_MAX) return FR_E_LIMIT;
    if (listed->n % 64 == 0) {
        char **grown = fr_reallocarray(listed->list, listed->n + 64, sizeof *grown);
        if (grown == NULL) return FR_E_NOMEM;
        listed->list = grown;
    }
    (void)snprintf(text, sizeof text, "%06x:%u", (unsigned)netid, (unsigned)port);
    listed->list[listed->n] = fr_strdup(text);
    if (listed->list[listed->n] == NULL) return FR_E_NOMEM;
    listed->n++;
    return FR_OK;
}

/* "000014" or "000014:8005"; port 0: not said. */
static enum fr_err parse(struct fr_span text, uint32_t *netid, uint16_t *port)
{
    struct fr_span head, rest;
    uint64_t number = 0;
    const bool has_port = fr_span_cut(text, ':', &head, &rest);
    enum fr_err err = head.n == FR_NETID_TEXT - 1 ? fr_netid_parse(head, netid) : FR_E_MALFORMED;

    if (!err && has_port) err = fr_parse_u64(rest, 1, UINT16_MAX, &number);
    *port = (uint16_t)number;
    return err;
}

/* --- choosing --- */

static bool is_chosen(const struct fr_wallet_entry *entry, uint32_t netid, uint16_t *port)
{
    uint32_t one = 0;

    *port = 0;
    for (size_t i = 0; i < entry->n_peers; i++)
        if (parse(fr_span_str(entry->peers[i]), &one, port) == FR_OK && one == netid) return true;
    return entry->n_peers == 0;
}

enum fr_err fr_listed_choose(const struct fr_wallet_entry *entry, const struct fr_roster *peers,
                             uint32_t own, struct fr_diag *diag, struct fr_listed *out)
{
    struct fr_listed listed = {0};
    enum fr_err err = FR_OK;

    for (size_t i = 0; !err && i < peers->n; i++) {
        const struct fr_roster_network *p = &peers->list[i];
        uint16_t port = 0;
        if (p->netid == own || p->is_suspended || !is_chosen(entry, p->netid, &port)) continue;
        if (port == 0) port = p->n_endpoints > 0 ? p->endpoints[0].port : FR_LISTED_PORT;
        err = add(&listed, p->netid, port);
    }
    if (err == FR_E_LIMIT) {
        (void)fr_diag_fail(diag, err, "%s has more than %d networks", entry->name, FR_LISTED_MAX);
        fr_diag_hint(diag, "choose those that may visit: fedroam join … --peer NETID");
    }
    if (err)
        fr_listed_free(&listed);
    else
        *out = listed;
    return err;
}

/* --- keeping --- */

enum fr_err fr_listed_load(const char *folder, struct fr_diag *diag, struct fr_listed *out)
{
    struct fr_buf text = FR_BUF_INIT(FILE_MAX);
    struct fr_listed listed = {0};
    char path[FR_WALLET_PATH];
    struct fr_span rest, line;
    enum fr_err err = fr_wallet_path(path, diag, "%s/peers", folder);

    if (!err && fr_file_exists(path)) err = fr_file_read(path, diag, &text);
    rest = fr_buf_span(&text);
    while (!err && rest.n > 0) {
        uint32_t netid = 0;
        uint16_t port = 0;
        (void)fr_span_cut(rest, '\n', &line, &rest);
        err = parse(line, &netid, &port);
        if (!err && port == 0) err = FR_E_MALFORMED;
        if (!err) err = add(&listed, netid, port);
        if (err == FR_E_MALFORMED || err == FR_E_RANGE) {
            err = fr_diag_fail(diag, FR_E_MALFORMED, "%s is not as fedroam wrote it", path);
            fr_diag_hint(diag, "remove it, and run fedroam renew --all");
        }
    }
    fr_buf_deinit(&text);
    if (err)
        fr_listed_free(&listed);
    else
        *out = listed;
    return err;
}

enum fr_err fr_listed_save(const char *folder, const struct fr_listed *listed, struct fr_diag *diag,
                           bool *changed)
{
    struct fr_buf text = FR_BUF_INIT(FILE_MAX), old = FR_BUF_INIT(FILE_MAX);
    char path[FR_WALLET_PATH];
    enum fr_err err = fr_wallet_path(path, diag, "%s/peers", folder);

    for (size_t i = 0; i < listed->n; i++) fr_buf_printf(&text, "%s\n", listed->list[i]);
    if (!err) err = fr_buf_err(&text);
    const bool is_same = !err && fr_file_exists(path) && fr_file_read(path, NULL, &old) == FR_OK &&
                         fr_span_equal(fr_buf_span(&old), fr_buf_span(&text));
    if (!err && !is_same) err = fr_file_write(path, 0644, fr_buf_span(&text), diag);
    if (!err) *changed = !is_same;
    fr_buf_deinit(&old);
    fr_buf_deinit(&text);
    return err;
}
