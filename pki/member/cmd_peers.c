/* fedroam peers list, peers watch: the networks of a federation, as a member may see them. */
#include "member_cli/cmds.h"

#include "base/json_out.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/random.h"
#include "base/table.h"
#include "enrol/roster.h"
#include "member_cli/place.h"

#include <stdio.h>
#include <time.h>

enum { EVERY_MS = 60000, EVERY_MAX_MS = 86400000, LINE_MAX = 8192 };

static enum fr_err open_federation(const struct fr_cli *cli, struct fr_place *place,
                                   struct fr_diag *diag, struct fr_publisher **out)
{
    enum fr_err err = fr_place_open(cli, NULL, diag, place);
    const struct fr_pair *pair = err ? NULL : fr_member_api_pair(place->pairs);

    if (!err && pair == NULL)
        err = fr_diag_fail(diag, FR_E_NOT_FOUND, "there is no certificate of %s: run fedroam join",
                           place->entry->name);
    return err ? err : fr_member_api_open(place->folder, place->entry, pair, diag, out);
}

/* --- list --- */

static const struct fr_column COLUMNS[] = {
    {.key = "netid"},
    {.key = "member"},
    {.key = "org"},
    {.key = "noc"},
    {.key = "endpoints"},
    {.key = "since"},
    {0},
};

static void put_peer(struct fr_table *table, const struct fr_roster_network *peer)
{
    char netid[FR_NETID_TEXT], endpoints[FR_ROSTER_ENDPOINTS][FR_ADDR_TEXT];
    const char *list[FR_ROSTER_ENDPOINTS];

    fr_netid_print(peer->netid, netid);
    for (size_t i = 0; i < peer->n_endpoints; i++) {
        fr_addr_print(&peer->endpoints[i], endpoints[i]);
        list[i] = endpoints[i];
    }
    fr_table_text(table, netid);
    fr_table_text(table, peer->member);
    fr_table_text(table, peer->org[0] ? peer->org : NULL);
    fr_table_text(table, peer->noc[0] ? peer->noc : NULL);
    fr_table_texts(table, list, peer->n_endpoints);
    fr_table_text(table, peer->since[0] ? peer->since : NULL);
}

enum fr_exit fr_cmd_peers_list(struct fr_cli *cli)
{
    struct fr_place place = {0};
    struct fr_publisher *publisher = NULL;
    struct fr_roster peers = {0};
    struct fr_table *table = NULL;
    struct fr_diag diag = {0};
    enum fr_err err = open_federation(cli, &place, &diag, &publisher);

    if (!err) err = fr_roster_ask(publisher, NULL, &diag, &peers);
    if (!err) err = fr_table_new(COLUMNS, &table);
    for (size_t i = 0; !err && i < peers.n; i++) put_peer(table, &peers.list[i]);
    if (!err) err = fr_table_print(table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(table);
    fr_roster_free(&peers);
    fr_publisher_close(publisher);
    fr_place_close(&place);
    return fr_cli_fail(cli, err, &diag);
}

/* --- watch --- */

struct watch {
    const struct fr_cli *cli;
    const char *what; /* instead of the change's own word */
    char when[FR_TIME_TEXT];
};

static void print_text(const struct watch *w, const char *what,
                       const struct fr_roster_network *peer, struct fr_buf *out)
{
    char endpoint[FR_ADDR_TEXT];

    fr_buf_printf(out, "%s %-7s %06x %s", w->when, what, (unsigned)peer->netid, peer->member);
    for (size_t i = 0; i < peer->n_endpoints; i++) {
        fr_addr_print(&peer->endpoints[i], endpoint);
        fr_buf_printf(out, "%s%s", i ? "," : " ", endpoint);
    }
    if (peer->org[0]) fr_buf_printf(out, " (%s)", peer->org);
    fr_buf_add_char(out, '\n');
}

static void put_optional(struct fr_json *json, const char *key, const char *text)
{
    fr_json_put_str(json, key, text[0] ? text : NULL);
}

static void print_json(const struct watch *w, const char *what,
                       const struct fr_roster_network *peer, struct fr_buf *out)
{
    struct fr_json json = fr_json(out);
    char text[FR_ADDR_TEXT];

    fr_json_object(&json);
    fr_json_put_str(&json, "when", w->when);
    fr_json_put_str(&json, "change", what);
    fr_netid_print(peer->netid, text);
    fr_json_put_str(&json, "netid", text);
    fr_json_put_str(&json, "member", peer->member);
    put_optional(&json, "org", peer->org);
    put_optional(&json, "noc", peer->noc);
    fr_json_key(&json, "endpoints");
    fr_json_array(&json);
    for (size_t i = 0; i < peer->n_endpoints; i++) {
        fr_addr_print(&peer->endpoints[i], text);
        fr_json_str(&json, text);
    }
    fr_json_end(&json);
    put_optional(&json, "since", peer->since);
    fr_json_end(&json);
    fr_buf_add_char(out, '\n');
}

static enum fr_err print_change(void *data, enum fr_roster_change change,
                                const struct fr_roster_network *peer)
{
    const struct watch *w = data;
    const char *what = w->what ? w->what : fr_roster_change_text(change);
    struct fr_buf line = FR_BUF_INIT(LINE_MAX);

    if (fr_cli_output(w->cli) == FR_OUTPUT_JSON)
        print_json(w, what, peer, &line);
    else
        print_text(w, what, peer, &line);
    enum fr_err err = fr_buf_err(&line);
    if (!err && fwrite(fr_buf_str(&line), 1, line.n, fr_cli_out(w->cli)) != line.n) err = FR_E_IO;
    fr_buf_deinit(&line);
    return err;
}

/* Some earlier, some later, so that members do not all ask at once. */
static void pause_about(uint64_t every_ms)
{
    uint32_t chance = 0;

    if (fr_random(&chance, sizeof chance) == FR_OK && every_ms >= 4)
        every_ms = every_ms - every_ms / 8 + chance % (every_ms / 4);
    const struct timespec pause = {.tv_sec = (time_t)(every_ms / 1000),
                                   .tv_nsec = (long)(every_ms % 1000) * 1000000};
    (void)nanosleep(&pause, NULL); /* woken early: looks early */
}

static bool is_worth_waiting(enum fr_err err)
{
    return err == FR_E_NET || err == FR_E_TIMEOUT || err == FR_E_CLOSED || err == FR_E_BUSY ||
           err == FR_E_UNAVAILABLE;
}

/* One look; *peers becomes what there is now. */
static enum fr_err look(struct watch *w, struct fr_publisher *publisher, struct fr_roster *peers,
                        struct fr_diag *diag)
{
    struct fr_roster now = {0};
    enum fr_err err = fr_roster_ask(publisher, peers, diag, &now);

    fr_time_print(fr_clock_real_s(fr_clock_system()), w->when);
    if (!err) err = fr_roster_compare(peers, &now, print_change, w);
    if (!err && fflush(fr_cli_out(w->cli)) != 0) err = FR_E_IO;
    if (err) {
        fr_roster_free(&now);
        return err;
    }
    fr_roster_free(peers);
    *peers = now;
    return FR_OK;
}

/* Ends when nobody reads, or the federation refuses. Each time the files are read anew: the certificate
 * may have been renewed. */
static enum fr_err watch(const struct fr_cli *cli, uint64_t every_ms, struct fr_diag *diag)
{
    struct watch w = {.cli = cli, .what = "here"};
    struct fr_roster peers = {0};
    bool is_lost = false;
    enum fr_err err;

    for (;;) {
        struct fr_place place = {0};
        struct fr_publisher *publisher = NULL;
        err = open_federation(cli, &place, diag, &publisher);
        if (!err) err = look(&w, publisher, &peers, diag);
        fr_publisher_close(publisher);
        fr_place_close(&place);
        if (err && (w.what != NULL || !is_worth_waiting(err))) break;
        if ((err != FR_OK) != is_lost)
            fr_cli_note(cli, "%s: %s", w.when, err ? diag->what : "the federation answers again");
        is_lost = err != FR_OK;
        w.what = NULL;
        pause_about(every_ms);
    }
    fr_roster_free(&peers);
    return err;
}

enum fr_exit fr_cmd_peers_watch(struct fr_cli *cli)
{
    const char *every = fr_cli_opt(cli, "every");
    uint64_t every_ms = EVERY_MS;
    struct fr_diag diag = {0};

    if (every && fr_parse_duration_ms(fr_span_str(every), 1000, EVERY_MAX_MS, &every_ms) != FR_OK)
        return fr_cli_usage(cli, "--every \"%s\" is not a time such as 1m", every);
    return fr_cli_fail(cli, watch(cli, every_ms, &diag), &diag);
}
