/* fedroam wallet list, wallet show. */
#include "member_cli/cmds.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/table.h"
#include "enrol/renew.h"
#include "member_cli/place.h"

#include <stdio.h>

static const struct fr_column list_columns[] = {{"federation", NULL, false},
                                                {"certificates", NULL, false},
                                                {"next_renewal", "next renewal", false},
                                                {"first_end", "first end", false},
                                                {"lns", NULL, false},
                                                {"state", NULL, false},
                                                {NULL, NULL, false}};

static void put_time(struct fr_table *table, int64_t when_s)
{
    char text[FR_TIME_TEXT];

    if (when_s == 0) {
        fr_table_none(table);
        return;
    }
    fr_time_print(when_s, text);
    fr_table_text(table, text);
}

static const char *state_of(const struct fr_pairs *pairs, int64_t now_s)
{
    bool is_over = false, is_due = false;

    if (pairs->n == 0) return "join not finished";
    for (size_t i = 0; i < pairs->n; i++) {
        is_over |= pairs->list[i].not_after_s < now_s;
        is_due |= fr_renew_due_s(&pairs->list[i]) <= now_s;
    }
    return is_over ? "expired" : is_due ? "renewal due" : "good";
}

static void put_federation(struct fr_table *table, const struct fr_wallet_entry *entry,
                           const struct fr_pairs *pairs, int64_t now_s)
{
    const char *names[FR_PAIRS_MAX];
    int64_t due_s = 0, end_s = 0;

    for (size_t i = 0; i < pairs->n; i++) {
        const struct fr_pair *p = &pairs->list[i];
        names[i] = p->subject.name;
        if (due_s == 0 || fr_renew_due_s(p) < due_s) due_s = fr_renew_due_s(p);
        if (end_s == 0 || p->not_after_s < end_s) end_s = p->not_after_s;
    }
    fr_table_text(table, entry->name);
    fr_table_texts(table, names, pairs->n);
    put_time(table, due_s);
    put_time(table, end_s);
    fr_table_text(table, fr_wallet_lns_text(entry->lns));
    fr_table_text(table, state_of(pairs, now_s));
}

enum fr_exit fr_cmd_wallet_list(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    struct fr_wallet wallet = {0};
    struct fr_table *table = NULL;
    char dir[FR_WALLET_PATH], folder[FR_WALLET_PATH];
    enum fr_err err = fr_place_dir(cli, &diag, dir);

    if (!err) err = fr_wallet_open(dir, &diag, &wallet);
    if (!err) err = fr_table_new(list_columns, &table);
    for (size_t i = 0; !err && i < wallet.n; i++) {
        struct fr_pairs *pairs = NULL;
        err = fr_wallet_path(folder, &diag, "%s/%s", dir, wallet.entries[i]->name);
        if (!err) err = fr_pairs_read(folder, wallet.entries[i]->name, &diag, &pairs);
        if (!err)
            put_federation(table, wallet.entries[i], pairs, fr_clock_real_s(fr_clock_system()));
        fr_free(pairs);
    }
    if (!err) err = fr_table_print(table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(table);
    fr_wallet_close(&wallet);
    return err ? fr_cli_fail(cli, err, &diag) : FR_EXIT_OK;
}

/* --- one --- */

static const struct fr_column show_columns[] = {{"name", NULL, false},
                                                {"member", NULL, false},
                                                {"serial", NULL, false},
                                                {"not_before", "from", false},
                                                {"not_after", "until", false},
                                                {"renewal", NULL, false},
                                                {"new_key_from", "new key from", false},
                                                {"certificate", NULL, false},
                                                {"key", NULL, false},
                                                {NULL, NULL, false}};

static void put_pair(struct fr_table *table, const struct fr_pair *p)
{
    fr_table_text(table, p->subject.name);
    fr_table_text(table, p->subject.member[0] ? p->subject.member : NULL);
    fr_table_text(table, p->serial);
    put_time(table, p->not_before_s);
    put_time(table, p->not_after_s);
    put_time(table, fr_renew_due_s(p));
    put_time(table, p->next_s);
    fr_table_text(table, p->chain);
    fr_table_text(table, p->key);
}

enum fr_exit fr_cmd_wallet_show(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    struct fr_place place = {0};
    struct fr_table *table = NULL;
    enum fr_err err = fr_place_open(cli, fr_cli_arg(cli, 0), &diag, &place);

    if (!err) err = fr_table_new(show_columns, &table);
    for (size_t i = 0; !err && i < place.pairs->n; i++) put_pair(table, &place.pairs->list[i]);
    if (!err) err = fr_table_print(table, fr_cli_output(cli), fr_cli_out(cli));
    if (!err && fr_cli_output(cli) == FR_OUTPUT_TEXT)
        fr_cli_note(cli, "%s: root %s/root.pem, broker %s, network server %s", place.entry->name,
                    place.folder, place.entry->broker ? place.entry->broker : "-",
                    fr_wallet_lns_text(place.entry->lns));
    fr_table_free(table);
    fr_place_close(&place);
    return err ? fr_cli_fail(cli, err, &diag) : FR_EXIT_OK;
}
