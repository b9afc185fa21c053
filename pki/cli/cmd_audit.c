/* fedroam audit verify, tail, export, rotate */
#include "pki_cli/cmds.h"

#include "admin/audit.h"
#include "admin/audit_read.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/parse.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TAIL_MAX = 100000, LOOK_MS = 200 };

/* Which file, and as whom it is read. */
struct trail {
    char dir[FR_STATE_DIR_MAX];
    char *file, *head; /* head NULL: a file that was named */
    struct fr_admin_identity identity;
    bool has_identity;
};

static enum fr_err open_trail(const struct fr_cli *cli, struct fr_diag *diag, struct trail *t)
{
    enum fr_err err = FR_OK;

    if (fr_cli_n_args(cli) == 1) {
        t->file = fr_strdup(fr_cli_arg(cli, 0));
        return t->file != NULL ? FR_OK : FR_E_NOMEM;
    }
    err = fr_session_find(cli, diag, t->dir);
    if (!err) err = fr_admin_identity_enter(t->dir, diag, &t->identity);
    if (err) return err;
    t->has_identity = true;
    t->file = fr_path_join(t->dir, FR_AUDIT_FILE);
    t->head = fr_path_join(t->dir, FR_AUDIT_HEAD);
    return t->file != NULL && t->head != NULL ? FR_OK : FR_E_NOMEM;
}

static void close_trail(struct trail *t)
{
    if (t->has_identity) fr_admin_identity_leave(&t->identity);
    fr_free(t->file);
    fr_free(t->head);
}

/* --- verify --- */

struct faults {
    const struct fr_cli *cli;
    struct fr_json *json; /* or NULL */
};

static void tell_fault(void *data, uint64_t number, const char *what)
{
    const struct faults *f = data;

    if (f->json == NULL) {
        fprintf(fr_cli_out(f->cli), "line %" PRIu64 ": %s\n", number, what);
        return;
    }
    fr_json_object(f->json);
    fr_json_put_uint(f->json, "line", number);
    fr_json_put_str(f->json, "what", what);
    fr_json_end(f->json);
}

static void print_verdict(const struct fr_cli *cli, const struct trail *t,
                          const struct fr_audit_verdict *v)
{
    if (v->faults > 0)
        fprintf(fr_cli_out(cli), "%s: %" PRIu64 " faults in %" PRIu64 " lines\n", t->file,
                v->faults, v->lines);
    else
        fprintf(fr_cli_out(cli),
                "%s: %" PRIu64 " lines, records %" PRIu64 " to %" PRIu64 ": the chain holds\n",
                t->file, v->lines, v->first_seq, v->last_seq);
}

static enum fr_err verify_json(const struct fr_cli *cli, const struct trail *t,
                               struct fr_diag *diag, struct fr_audit_verdict *v)
{
    struct fr_buf text = FR_BUF_INIT(64u << 20);
    struct fr_json json = fr_json(&text);
    struct faults faults = {cli, &json};

    fr_json_object(&json);
    fr_json_put_str(&json, "file", t->file);
    fr_json_key(&json, "faults");
    fr_json_array(&json);
    enum fr_err err = fr_audit_check(t->file, t->head, tell_fault, &faults, diag, v);
    fr_json_end(&json);
    fr_json_put_bool(&json, "holds", !err && v->faults == 0);
    fr_json_put_uint(&json, "lines", v->lines);
    fr_json_put_uint(&json, "first", v->first_seq);
    fr_json_put_uint(&json, "last", v->last_seq);
    fr_json_end(&json);
    if (!err) err = fr_buf_err(&text);
    if (!err && fprintf(fr_cli_out(cli), "%s\n", fr_buf_str(&text)) < 0) err = FR_E_IO;
    fr_buf_deinit(&text);
    return err;
}

enum fr_exit fr_cmd_audit_verify(struct fr_cli *cli)
{
    struct trail t = {0};
    struct fr_diag diag = {0};
    struct fr_audit_verdict verdict = {0};
    struct faults faults = {cli, NULL};
    enum fr_err err = open_trail(cli, &diag, &t);

    if (!err && fr_cli_output(cli) == FR_OUTPUT_JSON) {
        err = verify_json(cli, &t, &diag, &verdict);
    } else if (!err) {
        err = fr_audit_check(t.file, t.head, tell_fault, &faults, &diag, &verdict);
        if (!err) print_verdict(cli, &t, &verdict);
    }
    close_trail(&t);
    if (err) return fr_cli_fail(cli, err, &diag);
    return verdict.faults > 0 ? FR_EXIT_FALSE : FR_EXIT_OK;
}

/* --- printing lines --- */

/* As it is in the file, or for people. */
static enum fr_err print_line(const struct fr_cli *cli, struct fr_span text)
{
    struct fr_buf line = FR_BUF_INIT(2 * FR_AUDIT_LINE_MAX);
    enum fr_err err = FR_OK;

    if (fr_cli_output(cli) == FR_OUTPUT_JSON)
        fr_buf_add_span(&line, text);
    else
        err = fr_audit_line_print(text, &line);
    fr_buf_add_char(&line, '\n');
    if (!err) err = fr_buf_err(&line);
    if (!err && fwrite(line.p, 1, line.n, fr_cli_out(cli)) != line.n) err = FR_E_IO;
    fr_buf_deinit(&line);
    return err;
}

/* --- tail --- */

struct tail {
    const struct fr_cli *cli;
    uint64_t *starts; /* of the last lines, a ring */
    uint64_t want, seen;
    uint64_t end; /* of the last whole line */
};

static enum fr_err note_start(void *data, const struct fr_audit_seen *seen)
{
    struct tail *tail = data;

    if (seen->is_torn) return FR_OK;
    if (tail->want > 0) tail->starts[tail->seen % tail->want] = seen->at;
    tail->seen++;
    tail->end = seen->at + seen->text.n + 1;
    return FR_OK;
}

static enum fr_err print_seen(void *data, const struct fr_audit_seen *seen)
{
    struct tail *tail = data;

    if (seen->is_torn) return FR_OK;
    tail->end = seen->at + seen->text.n + 1;
    return print_line(tail->cli, seen->text);
}

static enum fr_err print_last(struct tail *tail, int fd)
{
    uint64_t from = tail->end;

    if (tail->want > 0 && tail->seen > 0)
        from = tail->starts[tail->seen > tail->want ? tail->seen % tail->want : 0];
    return fr_audit_walk(fd, from, print_seen, tail);
}

/* Until somebody ends the program, or a reader of its output goes. */
static enum fr_err follow(struct tail *tail, const char *path, FILE *file)
{
    const struct timespec pause = {0, LOOK_MS * 1000000L};
    struct fr_file_stamp open_one = fr_file_stamp(path);
    enum fr_err err = FR_OK;

    while (!err) {
        if (fflush(fr_cli_out(tail->cli)) != 0) return FR_E_IO;
        (void)nanosleep(&pause, NULL);
        err = fr_audit_walk(fileno(file), tail->end, print_seen, tail);
        const struct fr_file_stamp now = fr_file_stamp(path);
        if (err || now.ino == 0 || (now.ino == open_one.ino && now.dev == open_one.dev)) continue;
        file = freopen(path, "re", file); /* a new trail was begun */
        if (file == NULL) return FR_E_IO;
        open_one = now;
        tail->end = 0;
    }
    return err;
}

static enum fr_err run_tail(struct fr_cli *cli, uint64_t want, struct fr_diag *diag)
{
    struct trail t = {0};
    struct tail tail = {.cli = cli, .want = want};
    FILE *file = NULL;
    enum fr_err err = open_trail(cli, diag, &t);

    if (err) goto out;
    tail.starts = fr_calloc(want > 0 ? want : 1, sizeof *tail.starts);
    if (tail.starts == NULL) err = FR_E_NOMEM;
    if (!err) file = fopen(t.file, "re");
    if (!err && file == NULL)
        err =
            fr_diag_fail(diag, FR_E_NOT_FOUND, "cannot open %s: nothing was recorded yet?", t.file);
    if (!err) err = fr_audit_walk(fileno(file), 0, note_start, &tail);
    if (!err) err = print_last(&tail, fileno(file));
    if (!err && fr_cli_flag(cli, "follow")) err = follow(&tail, t.file, file);
out:
    if (file != NULL) (void)fclose(file);
    fr_free(tail.starts);
    close_trail(&t);
    return err;
}

enum fr_exit fr_cmd_audit_tail(struct fr_cli *cli)
{
    struct fr_diag diag = {0};
    uint64_t want = 10;
    const char *text = fr_cli_opt(cli, "lines");

    if (text != NULL && fr_parse_u64(fr_span_str(text), 0, TAIL_MAX, &want) != FR_OK)
        return fr_cli_usage(cli, "--lines is a number up to %d", TAIL_MAX);
    return fr_cli_fail(cli, run_tail(cli, want, &diag), &diag);
}

/* --- export --- */

struct export
{
    const struct fr_cli *cli;
    int64_t since_s, until_s;
};

static enum fr_err export_seen(void *data, const struct fr_audit_seen *seen)
{
    const struct export *e = data;

    if (!seen->is_line || seen->line.when_s < e->since_s || seen->line.when_s > e->until_s)
        return FR_OK;
    return print_line(e->cli, seen->text);
}

static enum fr_err read_time(const struct fr_cli *cli, const char *option, struct fr_diag *diag,
                             int64_t *out)
{
    const char *text = fr_cli_opt(cli, option);

    if (text == NULL || fr_time_parse(fr_span_str(text), out) == FR_OK) return FR_OK;
    return fr_diag_fail(diag, FR_E_USAGE,
                        "%s is not a time, as in 2026-11-20 or 2026-11-20T06:52:19Z", text);
}

enum fr_exit fr_cmd_audit_export(struct fr_cli *cli)
{
    struct trail t = {0};
    struct fr_diag diag = {0};
    struct export e = {cli, INT64_MIN, INT64_MAX};
    enum fr_err err = read_time(cli, "since", &diag, &e.since_s);

    if (!err) err = read_time(cli, "until", &diag, &e.until_s);
    if (!err) err = open_trail(cli, &diag, &t);
    if (!err) err = fr_audit_walk_file(t.file, export_seen, &diag, &e);
    close_trail(&t);
    return fr_cli_fail(cli, err, &diag);
}

/* --- rotate --- */

enum fr_exit fr_cmd_audit_rotate(struct fr_cli *cli)
{
    struct fr_buf args = FR_BUF_INIT(16);
    struct fr_diag diag = {0};
    struct fr_admin_reply *reply = NULL;
    enum fr_exit result = FR_EXIT_OK;

    fr_buf_add_str(&args, "{}");
    enum fr_err err =
        fr_session_change(cli, "audit.rotate", &args, (struct fr_span){0}, &diag, &reply);
    if (err) {
        result = fr_cli_fail(cli, err, &diag);
    } else {
        fr_session_note_dry_run(cli);
        if (fr_cli_output(cli) == FR_OUTPUT_JSON)
            result = fr_session_print_json(cli, reply);
        else if (!fr_cli_flag(cli, "dry-run"))
            fprintf(fr_cli_out(cli), "moved to %s; the chain goes on in %s\n",
                    fr_admin_reply_text(reply, "file"), FR_AUDIT_FILE);
    }
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return result;
}
