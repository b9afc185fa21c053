/* fedroam doctor */
#include "pki_cli/cmds.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/table.h"
#include "doctor/doctor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct fr_column COLUMNS[] = {
    {.key = "level"}, {.key = "check"}, {.key = "what"}, {.key = "mend"}, {.key = "acked"}, {0},
};

struct findings {
    struct fr_table *table;
    unsigned warnings, critical; /* that nobody has acknowledged */
    unsigned planned, acked;
    struct fr_buf *line; /* for a monitor: the worst ones' sentences */
};

static void note(void *data, const struct fr_symptom *symptom)
{
    struct findings *f = data;
    const bool is_acked = symptom->acked[0] != '\0';

    fr_table_text(f->table, fr_symptom_level_text(symptom->level));
    fr_table_text(f->table, symptom->check);
    fr_table_text(f->table, symptom->what);
    fr_table_text(f->table, symptom->mend[0] != '\0' ? symptom->mend : NULL);
    fr_table_text(f->table, is_acked ? symptom->acked : NULL);
    if (is_acked)
        f->acked++;
    else if (symptom->level == FR_SYMPTOM_PLAN)
        f->planned++;
    else if (symptom->level == FR_SYMPTOM_WARNING)
        f->warnings++;
    else
        f->critical++;
    if (is_acked || symptom->level == FR_SYMPTOM_PLAN) return;
    if (f->line->n > 0) fr_buf_add_str(f->line, "; ");
    /* '|' begins the figures in a monitor's line. */
    for (const char *c = symptom->what; *c != '\0'; c++)
        fr_buf_add_char(f->line, *c == '|' || *c == '\n' ? ' ' : *c);
}

static enum fr_exit verdict(const struct findings *f)
{
    if (f->critical > 0) return FR_EXIT_CRITICAL;
    return f->warnings > 0 ? FR_EXIT_WARNINGS : FR_EXIT_OK;
}

/* --- for a monitor --- */

/* 0, 1, 2: ok, warning, critical; 3: it could not look. */
static enum fr_exit monitor_exit(enum fr_exit verdict)
{
    switch ((int)verdict) {
    case FR_EXIT_OK: return (enum fr_exit)0;
    case FR_EXIT_WARNINGS: return (enum fr_exit)1;
    case FR_EXIT_CRITICAL: return (enum fr_exit)2;
    default: return (enum fr_exit)3;
    }
}

static void print_figure(FILE *out, const char *name, int64_t value, const char *unit)
{
    if (value >= 0) fprintf(out, " %s=%" PRId64 "%s", name, value, unit);
}

static void print_line(FILE *out, const struct findings *f, const struct fr_doctor_figures *figures)
{
    const char *word = f->critical > 0 ? "CRITICAL" : f->warnings > 0 ? "WARNING" : "OK";

    fprintf(out, "FEDROAM %s - %s |", word, f->line->n > 0 ? fr_buf_str(f->line) : "all is well");
    print_figure(out, "critical", f->critical, "");
    print_figure(out, "warnings", f->warnings, "");
    print_figure(out, "planned", f->planned, "");
    print_figure(out, "acked", f->acked, "");
    print_figure(out, "root_left", figures->root_left_s, "s");
    print_figure(out, "issuing_left", figures->issuing_left_s, "s");
    print_figure(out, "server_left", figures->server_left_s, "s");
    print_figure(out, "list_left", figures->list_left_s, "s");
    print_figure(out, "disk_free", figures->disk_free_percent, "%");
    print_figure(out, "backup_age", figures->backup_age_s, "s");
    print_figure(out, "unknown", figures->unknown, "");
    print_figure(out, "overdue", figures->overdue, "");
    fprintf(out, "\n");
}

/* --- for people --- */

struct said {
    FILE *out;
    struct findings *f;
};

static void say(void *data, const struct fr_symptom *symptom)
{
    struct said *said = data;

    static const char *const words[] = {[FR_SYMPTOM_PLAN] = "PLAN",
                                        [FR_SYMPTOM_WARNING] = "WARNING",
                                        [FR_SYMPTOM_CRITICAL] = "CRITICAL"};

    note(said->f, symptom);
    fprintf(said->out, "%-8s %-9s %s\n",
            symptom->acked[0] != '\0' ? "ACKED" : words[symptom->level], symptom->check,
            symptom->what);
    if (symptom->mend[0] != '\0') fprintf(said->out, "         → %s\n", symptom->mend);
    if (symptom->acked[0] != '\0') fprintf(said->out, "         (%s)\n", symptom->acked);
}

enum fr_exit fr_cmd_doctor(struct fr_cli *cli)
{
    struct fr_session session = FR_SESSION_INIT;
    struct fr_diag diag = {0};
    struct fr_buf line = FR_BUF_INIT(65536);
    struct findings f = {.line = &line};
    struct said said = {fr_cli_out(cli), &f};
    struct fr_doctor_figures figures = {0};
    const char *form = fr_cli_opt(cli, "output");
    const bool is_monitor = form != NULL && strcmp(form, "nagios") == 0;
    const bool is_text = !is_monitor && fr_cli_output(cli) == FR_OUTPUT_TEXT;
    enum fr_err err = fr_session_open(cli, &diag, &session);
    enum fr_exit result = FR_EXIT_OK;

    if (!err) err = fr_table_new(COLUMNS, &f.table);
    const struct fr_doctor_options options = {.state = session.dir,
                                              .store = session.store,
                                              .snap = session.snap,
                                              .now_s = fr_clock_real_s(fr_clock_system()),
                                              .is_deep = fr_cli_flag(cli, "deep")};
    if (!err)
        err = is_text ? fr_doctor_examine(&options, say, &said, &diag, &figures)
                      : fr_doctor_examine(&options, note, &f, &diag, &figures);
    if (!err && is_monitor)
        print_line(fr_cli_out(cli), &f, &figures);
    else if (!err && is_text && f.critical + f.warnings + f.planned + f.acked == 0)
        fprintf(fr_cli_out(cli), "all is well\n");
    else if (!err && !is_text)
        err = fr_table_print(f.table, fr_cli_output(cli), fr_cli_out(cli));
    result = err ? fr_cli_fail(cli, err, &diag) : verdict(&f);
    if (is_monitor && err) fprintf(fr_cli_out(cli), "FEDROAM UNKNOWN - %s\n", diag.what);
    fr_table_free(f.table);
    fr_session_close(&session);
    fr_buf_deinit(&line);
    return is_monitor ? monitor_exit(result) : result;
}
