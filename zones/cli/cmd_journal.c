/* fedroam journal tail, show, export, trim */
#include "zones_cli/cmds.h"

#include "base/clock.h"
#include "base/parse.h"
#include "store/journal_json.h"
#include "zones_cli/reading.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define RECORD_JSON_MAX (4u << 20)
#define PAGE 16 /* records in one snapshot: whoever reads may be slow */
#define FOLLOW_MS 500

struct printing {
    struct fr_cli *cli;
    FILE *out;
    bool is_json, with_changes;
    bool is_lines; /* JSON: one record a line; else one list */
    uint64_t printed;
    int64_t until_s; /* records before this time only */
    struct fr_buf text;
};

static enum fr_err add_text(struct printing *p, const struct fr_journal_record *record)
{
    struct fr_span facts = record->facts;
    char line[FR_FACT_TEXT + FR_ACTOR_MAX + FR_REASON_MAX + 64], time[FR_TIME_TEXT];
    struct fr_fact fact;
    enum fr_err err = FR_OK;

    fr_time_print(record->when_s, time);
    snprintf(line, sizeof line, "%" PRIu64 "  %s  %s  %" PRIu32 " changes%s%s\n", record->sequence,
             time, record->actor, record->n_facts, record->reason[0] != '\0' ? "  " : "",
             record->reason);
    fr_buf_add_span(&p->text, fr_span_str(line));
    while (err == FR_OK && p->with_changes) {
        char what[FR_FACT_TEXT];
        err = fr_fact_next(&facts, &fact);
        if (err == FR_OK) err = fr_fact_print(&fact, what);
        if (err) break;
        snprintf(line, sizeof line, "    %s\n", what);
        fr_buf_add_span(&p->text, fr_span_str(line));
    }
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

static enum fr_err add_record(struct printing *p, const struct fr_journal_record *record)
{
    struct fr_json json = fr_json(&p->text);

    if (!p->is_json) return add_text(p, record);
    if (!p->is_lines && p->printed > 0) fr_buf_add_span(&p->text, FR_SPAN_LIT(",\n"));
    enum fr_err err = fr_journal_put_json(&json, record);
    if (p->is_lines) fr_buf_add_span(&p->text, FR_SPAN_LIT("\n"));
    return err;
}

static enum fr_err flush(struct printing *p)
{
    enum fr_err err = fr_buf_err(&p->text);

    if (err == FR_OK && p->text.n > 0 && fwrite(p->text.p, 1, p->text.n, p->out) != p->text.n)
        err = FR_E_IO;
    if (err == FR_OK && fflush(p->out) != 0) err = FR_E_IO;
    fr_buf_deinit(&p->text);
    p->text = FR_BUF_INIT(PAGE * RECORD_JSON_MAX);
    return err;
}

/* Some records from *from on; FR_E_NOT_FOUND after the last one that is wanted. */
static enum fr_err print_page(struct printing *p, struct fr_snap *snap, uint64_t *from)
{
    struct fr_journal_record record;
    enum fr_err end = FR_OK;

    for (size_t i = 0; i < PAGE && end == FR_OK; i++) {
        end = fr_journal_next(snap, *from, &record);
        if (end == FR_OK && record.when_s >= p->until_s) end = FR_E_NOT_FOUND;
        if (end == FR_OK) end = add_record(p, &record);
        if (end) break;
        p->printed++;
        *from = record.sequence + 1;
    }
    if (end && end != FR_E_NOT_FOUND) return end;
    fr_snap_reset(snap);
    enum fr_err err = flush(p);
    if (err == FR_OK) err = fr_snap_renew(snap);
    return err ? err : end;
}

static enum fr_err print_all(struct printing *p, struct fr_snap *snap, uint64_t *from)
{
    enum fr_err err = FR_OK;

    while (err == FR_OK) err = print_page(p, snap, from);
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

static struct printing printing_of(struct fr_cli *cli)
{
    return (struct printing){.cli = cli,
                             .out = fr_cli_out(cli),
                             .is_json = fr_cli_output(cli) == FR_OUTPUT_JSON,
                             .until_s = INT64_MAX,
                             .text = FR_BUF_INIT(PAGE * RECORD_JSON_MAX)};
}

/* --- tail --- */

/* Ends when the reader goes away or a signal comes. */
static enum fr_err follow(struct printing *p, struct fr_session *session, uint64_t from)
{
    uint64_t seen = fr_snap_txn(session->snap);
    enum fr_err err = FR_OK;

    while (err == FR_OK) {
        fr_snap_reset(session->snap);
        (void)poll(NULL, 0, FOLLOW_MS);
        bool has_more = fr_store_last_txn(session->store) != seen;
        err = fr_snap_renew(session->snap);
        seen = fr_snap_txn(session->snap);
        if (err == FR_OK && has_more) err = print_all(p, session->snap, &from);
    }
    return err;
}

enum fr_exit fr_cmd_journal_tail(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct printing p = printing_of(cli);
    const char *count = fr_cli_opt(cli, "lines");
    struct fr_diag diag = {0};
    uint64_t n = 10;
    enum fr_err err = FR_OK;

    p.is_lines = p.with_changes = true;
    if (count != NULL && fr_parse_u64(fr_span_str(count), 0, UINT64_MAX, &n) != FR_OK)
        err = fr_diag_fail(&diag, FR_E_USAGE, "--lines %s is not a number", count);
    if (err == FR_OK) err = fr_session_open(cli, &diag, &session);
    if (err) goto out;
    uint64_t last = fr_snap_sequence(session.snap), from = 1;
    err = fr_journal_latest(session.snap, n, &from);
    if (err == FR_E_NOT_FOUND) err = FR_OK;
    if (err == FR_OK) err = print_all(&p, session.snap, &from);
    if (from <= last) from = last + 1;
    if (err == FR_OK && fr_cli_flag(cli, "follow")) err = follow(&p, &session, from);
out:
    fr_buf_deinit(&p.text);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

/* --- show --- */

enum fr_exit fr_cmd_journal_show(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct printing p = printing_of(cli);
    struct fr_journal_record record;
    struct fr_diag diag = {0};
    uint64_t sequence = 0;

    p.is_lines = p.with_changes = true;
    if (fr_parse_u64(fr_span_str(fr_cli_arg(cli, 0)), 1, UINT64_MAX, &sequence) != FR_OK)
        return fr_cli_usage(cli, "\"%s\" is not the number of a record", fr_cli_arg(cli, 0));
    enum fr_err err = fr_session_open(cli, &diag, &session);
    if (err) goto out;
    err = fr_journal_next(session.snap, sequence, &record);
    if (err == FR_OK && record.sequence != sequence) err = FR_E_NOT_FOUND;
    if (err == FR_E_NOT_FOUND)
        err = fr_diag_fail(&diag, err, "the journal has no record %" PRIu64, sequence);
    if (err == FR_OK) err = add_record(&p, &record);
    if (err == FR_OK) err = flush(&p);
out:
    fr_buf_deinit(&p.text);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

/* --- export --- */

/* --since is a number of a record or a time: the first record of then. */
static enum fr_err find_since(struct fr_snap *snap, const char *text, struct fr_diag *diag,
                              uint64_t *out)
{
    struct fr_journal_record record;
    uint64_t low = 0, high = fr_snap_sequence(snap) + 1;
    int64_t since_s = 0;

    if (fr_parse_u64(fr_span_str(text), 0, UINT64_MAX, out) == FR_OK) return FR_OK;
    enum fr_err err = fr_arg_time(text, diag, &since_s);
    if (err) return err;
    err = fr_journal_first(snap, &low);
    /* Times hardly ever go back from record to record; where they do, some more are printed. */
    while (err == FR_OK && low < high) {
        uint64_t mid = low + (high - low) / 2;
        err = fr_journal_next(snap, mid, &record);
        if (err == FR_OK && record.when_s < since_s)
            low = record.sequence + 1;
        else
            high = mid;
        if (err == FR_E_NOT_FOUND) err = FR_OK;
    }
    if (err && err != FR_E_NOT_FOUND) return err;
    *out = low;
    return FR_OK;
}

enum fr_exit fr_cmd_journal_export(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct printing p = printing_of(cli);
    const char *since = fr_cli_opt(cli, "since"), *until = fr_cli_opt(cli, "until");
    struct fr_diag diag = {0};
    uint64_t from = 0;
    enum fr_err err = until != NULL ? fr_arg_time(until, &diag, &p.until_s) : FR_OK;

    p.with_changes = true;
    if (err == FR_OK) err = fr_session_open(cli, &diag, &session);
    if (err == FR_OK && since != NULL) err = find_since(session.snap, since, &diag, &from);
    if (err) goto out;
    if (p.is_json) fputc('[', p.out);
    err = print_all(&p, session.snap, &from);
    if (p.is_json) fputs("]\n", p.out);
    if (err == FR_OK && fflush(p.out) != 0) err = FR_E_IO;
out:
    fr_buf_deinit(&p.text);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}

/* --- trim --- */

enum fr_exit fr_cmd_journal_trim(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(16);
    struct fr_admin_reply *reply = NULL;
    struct fr_diag diag = {0};
    enum fr_exit code = FR_EXIT_OK;

    fr_buf_add_span(&args, FR_SPAN_LIT("{}"));
    enum fr_err err =
        fr_session_change(cli, "journal.trim", &args, (struct fr_span){0}, &diag, &reply);
    if (err == FR_OK)
        code = fr_print_change(cli, reply, "%" PRIu64 " records removed\n",
                               fr_admin_reply_uint(reply, "removed", 0));
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err ? fr_cli_fail(cli, err, &diag) : code;
}
