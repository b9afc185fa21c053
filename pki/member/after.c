#include "member_cli/after.h"

#include "base/file.h"
#include "enrol/window.h"
#include "member_cli/program.h"

#include <time.h>

enum { SERVED_MAX = 65536 };

static void print_served(const struct fr_pairs *pairs, struct fr_buf *out)
{
    for (size_t i = 0; i < pairs->n; i++)
        fr_buf_printf(out, "%s %s\n", pairs->list[i].subject.name, pairs->list[i].serial);
}

enum fr_err fr_after_mark(const char *folder, const struct fr_pairs *pairs, struct fr_diag *diag)
{
    struct fr_buf text = FR_BUF_INIT(SERVED_MAX);
    char path[FR_WALLET_PATH];
    enum fr_err err = fr_wallet_path(path, diag, "%s/served", folder);

    print_served(pairs, &text);
    if (!err) err = fr_buf_err(&text);
    if (!err) err = fr_file_write(path, 0644, fr_buf_span(&text), diag);
    fr_buf_deinit(&text);
    return err;
}

static bool is_due(const char *folder, const struct fr_pairs *pairs)
{
    struct fr_buf now = FR_BUF_INIT(SERVED_MAX), then = FR_BUF_INIT(SERVED_MAX);
    char path[FR_WALLET_PATH];

    print_served(pairs, &now);
    const bool is_same = fr_wallet_path(path, NULL, "%s/served", folder) == FR_OK &&
                         fr_file_read(path, NULL, &then) == FR_OK &&
                         fr_span_equal(fr_buf_span(&now), fr_buf_span(&then));
    fr_buf_deinit(&now);
    fr_buf_deinit(&then);
    return !is_same;
}

static bool is_time(const struct fr_wallet_entry *entry, int64_t now_s)
{
    const time_t now = (time_t)now_s;
    struct fr_window window;
    struct tm tm;

    if (entry->window == NULL ||
        fr_window_parse(fr_span_str(entry->window), NULL, &window) != FR_OK ||
        localtime_r(&now, &tm) == NULL)
        return true;
    return fr_window_has(&window, (unsigned)(60 * tm.tm_hour + tm.tm_min));
}

enum fr_err fr_after_run(const char *folder, const struct fr_wallet_entry *entry,
                         const struct fr_pairs *pairs, int64_t now_s, struct fr_diag *diag,
                         bool *ran)
{
    *ran = false;
    if (entry->exec == NULL || pairs->n == 0 || !is_due(folder, pairs)) return FR_OK;
    if (!is_time(entry, now_s))
        return fr_diag_fail(diag, FR_E_BUSY, "%s waits for %s", entry->exec, entry->window);
    enum fr_err err = fr_program_shell(entry->exec, diag);
    if (!err) err = fr_after_mark(folder, pairs, diag);
    if (!err) *ran = true;
    return err;
}
