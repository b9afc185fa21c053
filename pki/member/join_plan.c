#include "member_cli/join_plan.h"

#include "base/addr.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/parse.h"
#include "enrol/chirpstack.h"
#include "enrol/window.h"
#include "names/netid.h"

#include <netdb.h>
#include <string.h>

enum { WAIT_DEFAULT_S = 600, WAIT_MAX_S = 30 * 86400, ADDRESSES_MAX = 8, PEERS_MAX = 1000 };

/* --- the token --- */

static enum fr_err read_token(const struct fr_cli *cli, struct fr_diag *diag, struct fr_ticket *out)
{
    char line[FR_TICKET_MAX + 2];
    const char *arg = fr_cli_arg(cli, 0);

    if (strcmp(arg, "-") != 0) return fr_ticket_parse(fr_span_str(arg), diag, out);
    const size_t n = fread(line, 1, sizeof line, fr_cli_in(cli));
    enum fr_err err = fr_ticket_parse(fr_span(line, n), diag, out);
    fr_secret_zero(line, sizeof line);
    return err;
}

/* --- texts of the entry --- */

static enum fr_err set(char **at, const char *text)
{
    char *copy = text ? fr_strdup(text) : NULL;

    if (text != NULL && copy == NULL) return FR_E_NOMEM;
    fr_free(*at);
    *at = copy;
    return FR_OK;
}

static enum fr_err set_option(const struct fr_cli *cli, const char *name, char **at)
{
    const char *value = fr_cli_opt(cli, name);
    return value ? set(at, value) : FR_OK;
}

static enum fr_err add(char ***list, size_t *n, const char *text)
{
    char **grown = fr_reallocarray(*list, *n + 1, sizeof *grown);

    if (grown == NULL) return FR_E_NOMEM;
    *list = grown;
    grown[*n] = fr_strdup(text);
    if (grown[*n] == NULL) return FR_E_NOMEM;
    (*n)++;
    return FR_OK;
}

static void clear(char ***list, size_t *n)
{
    for (size_t i = 0; i < *n; i++) fr_free((*list)[i]);
    fr_free(*list);
    *list = NULL;
    *n = 0;
}

/* --- where the broker is --- */

static enum fr_err put_port(char **url_text, uint16_t port)
{
    struct fr_url url;
    struct fr_buf text = FR_BUF_INIT(FR_TICKET_URL);
    char authority[FR_AUTHORITY_TEXT];
    enum fr_err err = fr_url_parse(fr_span_str(*url_text), &url);

    if (!err) {
        url.port = port;
        fr_url_authority(&url, authority);
        fr_buf_printf(&text, "https://%s%s", authority, url.path);
        err = fr_buf_err(&text);
    }
    if (!err) err = set(url_text, fr_buf_str(&text));
    fr_buf_deinit(&text);
    return err;
}

static enum fr_err add_host(struct fr_wallet_entry *entry, const char *host, struct fr_diag *diag)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    const int rc = getaddrinfo(host, NULL, &hints, &list);
    enum fr_err err = FR_OK;

    if (rc != 0)
        return fr_diag_fail(diag, FR_E_NET, "--broker-address: %s: %s", host, gai_strerror(rc));
    for (const struct addrinfo *a = list; !err && a && entry->n_addresses < ADDRESSES_MAX;
         a = a->ai_next) {
        struct fr_addr addr;
        char text[FR_IP_TEXT];
        if (fr_addr_from_sockaddr(a->ai_addr, &addr) != FR_OK) continue; /* other families */
        fr_ip_print(&addr.ip, text);
        err = add(&entry->addresses, &entry->n_addresses, text);
    }
    freeaddrinfo(list);
    return err;
}

/* "ADDRESS", "ADDRESS:PORT", "[V6]:PORT", "HOST:PORT". */
static enum fr_err set_broker_address(struct fr_wallet_entry *entry, const char *text,
                                      struct fr_diag *diag)
{
    char host[256], ip[FR_IP_TEXT];
    struct fr_addr addr = {0};
    struct fr_span head, rest;
    uint64_t port = 0;
    enum fr_err err = FR_OK;

    clear(&entry->addresses, &entry->n_addresses);
    entry->port = 0;
    if (fr_ip_parse(fr_span_str(text), &addr.ip) == FR_OK ||
        fr_addr_parse(fr_span_str(text), 0, &addr) == FR_OK) {
        fr_ip_print(&addr.ip, ip);
        err = add(&entry->addresses, &entry->n_addresses, ip);
        port = addr.port;
    } else {
        const bool has_port = fr_span_cut(fr_span_str(text), ':', &head, &rest);
        if ((has_port && fr_parse_u64(rest, 1, 65535, &port) != FR_OK) || head.n == 0 ||
            !fr_span_copy(head, host, sizeof host))
            return fr_diag_fail(diag, FR_E_INVALID,
                                "--broker-address \"%s\" is not of the form HOST:PORT", text);
        err = add_host(entry, host, diag);
    }
    if (!err) entry->port = (uint16_t)port;
    return err;
}

/* --- options --- */

static enum fr_err check_listen(const char *listen, struct fr_diag *diag)
{
    struct fr_addr addr;

    if (listen == NULL || fr_addr_parse(fr_span_str(listen), 8005, &addr) == FR_OK) return FR_OK;
    return fr_diag_fail(diag, FR_E_INVALID, "--listen \"%s\" is not an address with a port",
                        listen);
}

static enum fr_err set_listen(const struct fr_cli *cli, struct fr_wallet_entry *entry,
                              struct fr_diag *diag)
{
    const char *listen = fr_cli_opt(cli, "listen");
    char text[FR_ADDR_TEXT];
    struct fr_addr addr;
    enum fr_err err = check_listen(listen, diag);

    if (err || listen == NULL) return err;
    (void)fr_addr_parse(fr_span_str(listen), 8005, &addr); /* just seen to be fine */
    fr_addr_print(&addr, text);
    return set(&entry->listen, text);
}

static enum fr_err set_window(const struct fr_cli *cli, struct fr_wallet_entry *entry,
                              struct fr_diag *diag)
{
    const char *text = fr_cli_opt(cli, "restart-window");
    struct fr_window window;
    enum fr_err err = text ? fr_window_parse(fr_span_str(text), diag, &window) : FR_OK;

    return err ? err : set_option(cli, "restart-window", &entry->window);
}

/* "all", which forgets those named before; "000014", or "000014:8005": a port that is not the published one. */
static enum fr_err add_peer(struct fr_wallet_entry *entry, const char *text, struct fr_diag *diag)
{
    char peer[FR_NETID_TEXT + 8], netid_text[FR_NETID_TEXT];
    struct fr_span head, rest;
    uint32_t netid = 0;
    uint64_t port = 0;
    const bool has_port = fr_span_cut(fr_span_str(text), ':', &head, &rest);
    enum fr_err err = FR_OK;

    if (strcmp(text, "all") == 0) {
        clear(&entry->peers, &entry->n_peers);
        return FR_OK;
    }
    err = fr_netid_parse(head, &netid);
    if (!err && has_port) err = fr_parse_u64(rest, 1, 65535, &port);
    if (err)
        return fr_diag_fail(diag, FR_E_INVALID, "--peer \"%s\" is not a NetID, NETID:PORT or all",
                            text);
    err = fr_netid_check(netid, diag);
    if (err) return err;
    fr_netid_print(netid, netid_text);
    for (size_t i = 0; i < entry->n_peers; i++) {
        if (!fr_span_starts(fr_span_str(entry->peers[i]), netid_text)) continue;
        if (!has_port) return FR_OK;
        (void)snprintf(peer, sizeof peer, "%s:%u", netid_text, (unsigned)port);
        return set(&entry->peers[i], peer);
    }
    if (entry->n_peers == PEERS_MAX)
        return fr_diag_fail(diag, FR_E_LIMIT, "more than %d peers", PEERS_MAX);
    (void)snprintf(peer, sizeof peer, has_port ? "%s:%u" : "%s", netid_text, (unsigned)port);
    return add(&entry->peers, &entry->n_peers, peer);
}

static enum fr_err set_lns(const struct fr_cli *cli, struct fr_wallet_entry *entry,
                           struct fr_diag *diag)
{
    const char *word = fr_cli_opt(cli, "lns"), *dir = fr_cli_opt(cli, "lns-dir");
    enum fr_err err = word ? fr_wallet_lns_parse(word, diag, &entry->lns) : FR_OK;

    if (!err && dir != NULL && dir[0] != '/')
        err = fr_diag_fail(diag, FR_E_INVALID, "--lns-dir \"%s\" does not begin with /", dir);
    if (!err) err = set_option(cli, "lns-dir", &entry->lns_dir);
    if (!err && entry->lns_dir == NULL && entry->lns == FR_LNS_CHIRPSTACK_V4)
        err = set(&entry->lns_dir, FR_CHIRPSTACK_V4_DIR);
    return err;
}

static enum fr_err set_options(const struct fr_cli *cli, struct fr_wallet_entry *entry,
                               struct fr_diag *diag)
{
    const char *address = fr_cli_opt(cli, "broker-address");
    enum fr_err err = set_lns(cli, entry, diag);

    if (!err) err = set_option(cli, "owner", &entry->owner);
    if (!err) err = set_option(cli, "exec", &entry->exec);
    if (!err) err = set_listen(cli, entry, diag);
    if (!err) err = set_window(cli, entry, diag);
    for (size_t i = 0; !err && i < fr_cli_opt_count(cli, "peer"); i++)
        err = add_peer(entry, fr_cli_opt_at(cli, "peer", i), diag);
    if (!err && address != NULL) err = set_broker_address(entry, address, diag);
    if (!err && entry->port != 0) err = put_port(&entry->est, entry->port);
    if (!err && entry->port != 0 && entry->broker) err = put_port(&entry->broker, entry->port);
    return err;
}

/* --- together --- */

static enum fr_err begin_entry(const struct fr_join_plan *plan, struct fr_diag *diag,
                               struct fr_wallet_entry **out)
{
    const struct fr_ticket *ticket = &plan->ticket;
    struct fr_wallet_entry *entry = NULL;
    enum fr_err err = fr_wallet_load(plan->dir, ticket->fed, NULL, &entry);

    if (err == FR_E_NOT_FOUND) {
        entry = fr_calloc(1, sizeof *entry);
        err = entry ? FR_OK : FR_E_NOMEM;
        if (!err) {
            entry->joined_s = (uint64_t)fr_clock_real_s(fr_clock_system());
            err = set(&entry->name, ticket->fed);
        }
    } else if (err) { /* with its sentence */
        err = fr_wallet_load(plan->dir, ticket->fed, diag, &entry);
    }
    /* where the federation is, its newest token says */
    if (!err) err = set(&entry->est, ticket->est);
    if (!err && ticket->broker[0]) err = set(&entry->broker, ticket->broker);
    if (err)
        fr_wallet_free(entry);
    else
        *out = entry;
    return err;
}

static enum fr_err set_wait(const struct fr_cli *cli, struct fr_join_plan *plan,
                            struct fr_diag *diag)
{
    const char *text = fr_cli_opt(cli, "wait");
    uint64_t ms = (uint64_t)WAIT_DEFAULT_S * 1000;

    if (text &&
        fr_parse_duration_ms(fr_span_str(text), 0, (uint64_t)WAIT_MAX_S * 1000, &ms) != FR_OK)
        return fr_diag_fail(diag, FR_E_INVALID, "--wait \"%s\" is not a time such as 10m", text);
    plan->wait_s = (uint32_t)(ms / 1000);
    return FR_OK;
}

static enum fr_err set_owners(struct fr_join_plan *plan, struct fr_diag *diag)
{
    enum fr_err err = FR_OK;

    for (int i = 0; !err && i < FR_WALLET_PROFILES; i++)
        err = fr_place_owner(plan->entry, (enum fr_wallet_profile)i, diag, &plan->owners[i]);
    return err;
}

enum fr_err fr_join_plan_make(const struct fr_cli *cli, struct fr_diag *diag,
                              struct fr_join_plan *out)
{
    struct fr_join_plan *plan = out;
    enum fr_err err;

    *plan = (struct fr_join_plan){0};
    err = read_token(cli, diag, &plan->ticket);
    if (!err) err = fr_place_dir(cli, diag, plan->dir);
    if (!err) err = fr_wallet_path(plan->folder, diag, "%s/%s", plan->dir, plan->ticket.fed);
    if (!err) err = begin_entry(plan, diag, &plan->entry);
    if (!err) err = set_options(cli, plan->entry, diag);
    if (!err) err = set_wait(cli, plan, diag);
    if (!err) err = set_owners(plan, diag);
    if (!err && plan->entry->lns == FR_LNS_CHIRPSTACK_V4)
        err = fr_chirpstack_probe_v4(plan->entry->lns_dir, diag);
    if (!err)
        err = fr_est_place_find(plan->entry->est, (const char *const *)plan->entry->addresses,
                                plan->entry->n_addresses, diag, &plan->place);
    if (err) fr_join_plan_free(plan);
    return err;
}

void fr_join_plan_free(struct fr_join_plan *plan)
{
    fr_wallet_free(plan->entry);
    plan->entry = NULL;
    fr_ticket_wipe(&plan->ticket);
}
