/* fedroam zone export, check, stats */
#include "zones_cli/cmds.h"

#include "base/clock.h"
#include "store/check.h"
#include "store/export.h"
#include "store/member.h"
#include "store/visibility.h"
#include "zones_cli/reading.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct export_to {
    struct fr_cli *cli;
    FILE *spool;
};

static enum fr_err write_piece(void *data, struct fr_span text)
{
    const struct export_to *to = data;

    return fwrite(text.p, 1, text.n, to->spool) == text.n ? FR_OK : FR_E_IO;
}

/* A reader of stdout may be slow, and a snapshot that is held makes the store grow: unless stdout is a file, the text is set
 * down first and handed on afterwards. */
static enum fr_err open_spool(FILE *out, struct fr_diag *diag, FILE **spool)
{
    struct stat st;

    *spool = out;
    if (fstat(fileno(out), &st) == 0 && S_ISREG(st.st_mode)) return FR_OK;
    FILE *file = tmpfile();
    if (file == NULL)
        return fr_diag_fail(diag, fr_err_from_errno(errno), "no temporary file: %s",
                            strerror(errno));
    *spool = file;
    return FR_OK;
}

static enum fr_err hand_on(FILE *spool, FILE *out)
{
    char piece[16384];
    size_t n;

    rewind(spool);
    while ((n = fread(piece, 1, sizeof piece, spool)) > 0)
        if (fwrite(piece, 1, n, out) != n) return FR_E_IO;
    return ferror(spool) ? FR_E_IO : FR_OK;
}

static void tell_bad_row(void *data, const char *row)
{
    const struct export_to *to = data;

    fr_cli_note(to->cli, "%s cannot be read and is not in it", row);
}

static enum fr_exit tell_report(struct fr_cli *cli, const struct fr_export_report *report)
{
    if (report->hidden > 0)
        fr_cli_note(cli, "%" PRIu64 " hidden devices are %s", report->hidden,
                    fr_cli_flag(cli, "hidden") ? "in it, each with a comment: a server that loads "
                                                 "it answers them"
                                               : "not in it (--hidden)");
    if (report->damaged == 0) return FR_EXIT_OK;
    fr_cli_note(cli, "%" PRIu64 " rows are damaged and left out; see: fedroam zone check",
                report->damaged);
    return FR_EXIT_CRITICAL;
}

enum fr_exit fr_cmd_zone_export(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_export_report report = {0};
    struct fr_diag diag = {0};
    FILE *out = fr_cli_out(cli), *spool = NULL;
    struct export_to to = {.cli = cli};
    struct fr_export_options options = {.now_s = fr_clock_real_s(fr_clock_system()),
                                        .with_hidden = fr_cli_flag(cli, "hidden"),
                                        .piece = write_piece,
                                        .bad = tell_bad_row,
                                        .data = &to};

    if (fr_cli_output(cli) == FR_OUTPUT_JSON)
        return fr_cli_usage(cli, "a master file has no JSON form");
    enum fr_err err = fr_session_open(cli, &diag, &session);
    if (err == FR_OK) err = open_spool(out, &diag, &spool);
    to.spool = spool;
    if (err == FR_OK) err = fr_export_zone(session.snap, &options, &report);
    fr_session_close(&session);
    if (err == FR_OK && spool != out) err = hand_on(spool, out);
    if (err == FR_OK && fflush(out) != 0) err = FR_E_IO;
    if (spool != NULL && spool != out) fclose(spool);
    return err ? fr_cli_fail(cli, err, &diag) : tell_report(cli, &report);
}

/* --- check --- */

static const struct fr_column finding_columns[] = {{.key = "level"}, {.key = "finding"}, {0}};

static void note_finding(void *data, const struct fr_finding *finding)
{
    struct fr_table *table = data;

    fr_table_text(table, finding->kind == FR_FINDING_DAMAGE ? "damage" : "warning");
    fr_table_text(table, finding->what);
}

enum fr_exit fr_cmd_zone_check(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct fr_check_report report = {0};
    struct fr_table *table = NULL;

    enum fr_err err = fr_session_open(cli, &diag, &session);
    if (err == FR_OK) err = fr_table_new(finding_columns, &table);
    if (err == FR_OK) err = fr_check_store(session.snap, note_finding, table, &report);
    if (err == FR_OK) err = fr_check_primaries(session.snap, note_finding, table, &report);
    if (err == FR_OK) err = fr_table_print(table, fr_cli_output(cli), fr_cli_out(cli));
    fr_table_free(table);
    fr_session_close(&session);
    if (err) return fr_cli_fail(cli, err, &diag);
    fr_cli_note(cli,
                "%" PRIu64 " devices, %" PRIu64 " networks, %" PRIu64 " members, %" PRIu64
                " certificates checked: %" PRIu64 " warnings, %" PRIu64 " damages",
                report.devices, report.networks, report.members, report.certs, report.warnings,
                report.damages);
    if (report.hidden > 0 || report.grants > 0)
        fr_cli_note(cli, "%" PRIu64 " devices are hidden; %" PRIu64 " pairs of members are allowed",
                    report.hidden, report.grants);
    if (report.damages > 0) return FR_EXIT_CRITICAL;
    return report.warnings > 0 ? FR_EXIT_WARNINGS : FR_EXIT_OK;
}

/* --- stats --- */

static enum fr_err put_network(void *data, const struct fr_network_row *row)
{
    struct fr_json *json = data;
    char netid[8];

    snprintf(netid, sizeof netid, "%06" PRIx32, row->netid);
    fr_json_object(json);
    fr_json_put_str(json, "netid", netid);
    fr_json_put_str(json, "member", row->member);
    fr_json_put_uint(json, "devices", row->devices);
    fr_json_end(json);
    return fr_buf_err(json->out);
}

/* Who sees whom: the policy's word, and how many of the pairs (visited, home) that makes. */
static enum fr_err read_visibility(struct fr_snap *snap, const char **word,
                                   struct fr_visibility_pairs *pairs, uint64_t *seen)
{
    uint32_t value = 0;

    enum fr_err err = fr_policy_get(snap, FR_POLICY_VISIBILITY, &value);
    if (err == FR_OK) err = fr_visibility_count(snap, pairs);
    if (err) return err;
    *word = fr_policy_about(FR_POLICY_VISIBILITY)->words[value];
    *seen = value == FR_VISIBILITY_GRANTED ? pairs->granted : pairs->all;
    return FR_OK;
}

static enum fr_err put_visibility(struct fr_json *json, struct fr_snap *snap)
{
    struct fr_visibility_pairs pairs;
    const char *word = NULL;
    uint64_t seen = 0;

    enum fr_err err = read_visibility(snap, &word, &pairs, &seen);
    if (err) return err;
    fr_json_put_str(json, "visibility", word);
    fr_json_put_uint(json, "pairs", pairs.all);
    fr_json_put_uint(json, "pairs_seen", seen);
    return FR_OK;
}

static enum fr_err print_json(FILE *out, struct fr_snap *snap, const struct fr_store_info *info)
{
    struct fr_buf text = FR_BUF_INIT(64 << 20);
    struct fr_json json = fr_json(&text);

    fr_json_object(&json);
    fr_json_put_str(&json, "federation", info->federation);
    fr_json_put_uint(&json, "sequence", info->sequence);
    fr_json_put_uint(&json, "devices", info->devices);
    fr_json_put_uint(&json, "members", info->members);
    fr_json_put_uint(&json, "joineuis", info->joineuis);
    fr_json_put_uint(&json, "certificates", info->certs);
    fr_json_put_uint(&json, "bytes", info->used);
    enum fr_err err = put_visibility(&json, snap);
    fr_json_key(&json, "networks");
    fr_json_array(&json);
    if (err == FR_OK) err = fr_network_each(snap, put_network, &json);
    fr_json_end(&json);
    fr_json_end(&json);
    if (err == FR_OK) err = fr_buf_err(&text);
    if (err == FR_OK && fprintf(out, "%s\n", fr_buf_str(&text)) < 0) err = FR_E_IO;
    fr_buf_deinit(&text);
    return err;
}

static enum fr_err add_row(void *data, const struct fr_network_row *row)
{
    struct fr_table *table = data;

    fr_cell_netid(table, row->netid);
    fr_table_text(table, row->member);
    fr_table_uint(table, row->devices);
    return FR_OK;
}

static enum fr_err print_text(FILE *out, struct fr_snap *snap, const struct fr_store_info *info)
{
    static const struct fr_column columns[] = {
        {.key = "netid"}, {.key = "member"}, {.key = "devices", .is_right = true}, {0}};
    struct fr_table *table = NULL;
    struct fr_visibility_pairs pairs;
    const char *word = NULL;
    uint64_t seen = 0;

    enum fr_err err = read_visibility(snap, &word, &pairs, &seen);
    if (err) return err;
    fprintf(out,
            "%s: %" PRIu64 " devices, %" PRIu64 " networks, %" PRIu64 " members, %" PRIu64
            " join servers, %" PRIu64 " certificates; sequence %" PRIu64 ", %" PRIu64 " bytes\n",
            info->federation, info->devices, info->networks, info->members, info->joineuis,
            info->certs, info->sequence, info->used);
    fprintf(out, "visibility %s: %" PRIu64 " of %" PRIu64 " pairs (visited, home) see devices\n",
            word, seen, pairs.all);
    err = fr_table_new(columns, &table);
    if (err == FR_OK) err = fr_network_each(snap, add_row, table);
    if (err == FR_OK) err = fr_table_print(table, FR_OUTPUT_TEXT, out);
    fr_table_free(table);
    return err;
}

enum fr_exit fr_cmd_zone_stats(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct fr_store_info info;

    enum fr_err err = fr_session_open(cli, &diag, &session);
    if (err == FR_OK) err = fr_store_read_info(session.store, &info);
    if (err == FR_OK)
        err = fr_cli_output(cli) == FR_OUTPUT_JSON
                  ? print_json(fr_cli_out(cli), session.snap, &info)
                  : print_text(fr_cli_out(cli), session.snap, &info);
    fr_session_close(&session);
    return fr_cli_fail(cli, err, &diag);
}
