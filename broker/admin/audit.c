#include "admin/audit.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json_out.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct fr_audit {
    int fd;
};

enum fr_err fr_audit_open(const char *state, struct fr_diag *diag, struct fr_audit **out)
{
    enum fr_err err = FR_OK;
    struct fr_audit *audit = fr_calloc(1, sizeof *audit);
    char *path = fr_path_join(state, "audit.jsonl");
    if (!audit || !path) {
        err = FR_E_NOMEM;
        goto out;
    }
    audit->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (audit->fd < 0) {
        err = fr_diag_fail(diag, FR_E_CREATE, "cannot open %s: %s", path, strerror(errno));
        goto out;
    }
    *out = audit;
    audit = NULL;
out:
    fr_free(audit);
    fr_free(path);
    return err;
}

static void entry_write(const struct fr_audit_entry *entry, bool with_args, struct fr_buf *out)
{
    char when[FR_TIME_TEXT];
    struct fr_json j = fr_json(out);
    fr_time_print(entry->when_s, when);
    fr_json_object(&j);
    fr_json_put_str(&j, "time", when);
    fr_json_put_str(&j, "actor", entry->actor);
    fr_json_put_str(&j, "op", entry->op);
    if (entry->dry_run) fr_json_put_bool(&j, "dry_run", true);
    fr_json_put_str(&j, "outcome", entry->err ? fr_err_text(entry->err) : "done");
    if (entry->what) fr_json_put_str(&j, "why", entry->what);
    if (entry->sequence) fr_json_put_uint(&j, "sequence", entry->sequence);
    if (entry->reason) fr_json_put_str(&j, "reason", entry->reason);
    if (entry->args && with_args) fr_json_put_str(&j, "args", entry->args);
    if (entry->args && !with_args) fr_json_put_uint(&j, "args_bytes", strlen(entry->args));
    fr_json_end(&j);
    fr_buf_add_char(out, '\n');
}

enum fr_err fr_audit_add(struct fr_audit *audit, const struct fr_audit_entry *entry)
{
    struct fr_buf line = FR_BUF_INIT(FR_AUDIT_LINE_MAX);
    entry_write(entry, true, &line);
    if (fr_buf_err(&line) == FR_E_LIMIT) {
        fr_buf_reset(&line);
        entry_write(entry, false, &line);
    }
    enum fr_err err = fr_buf_err(&line);
    /* One write for one line, so that lines of two processes never mix (O_APPEND). */
    if (!err && write(audit->fd, line.p, line.n) != (ssize_t)line.n) err = FR_E_IO;
    fr_buf_deinit(&line);
    return err;
}

void fr_audit_close(struct fr_audit *audit)
{
    if (!audit) return;
    close(audit->fd);
    fr_free(audit);
}
