#include "member_cli/after.h"

#include "base/file.h"
#include "base/siphash.h"
#include "enrol/chirpstack.h"
#include "enrol/window.h"
#include "member_cli/program.h"

#include <time.h>

enum { SERVED_MAX = 65536 };

/* What the server reads its list of networks from: v4 the file of the whole wallet; v3 what its
 * administrator makes of the list. Other servers have none. */
static enum fr_err list_path(const struct fr_after *after, char path[FR_WALLET_PATH])
{
    switch (after->entry->lns) {
    case FR_LNS_CHIRPSTACK_V4:
        return fr_wallet_path(path, NULL, "%s/" FR_CHIRPSTACK_V4_FILE, after->entry->lns_dir);
    case FR_LNS_CHIRPSTACK_V3: return fr_wallet_path(path, NULL, "%s/peers", after->folder);
    case FR_LNS_FEDROAM:
    case FR_LNS_NONE: break;
    }
    return FR_E_NOT_FOUND;
}

static void print_list(const struct fr_after *after, struct fr_buf *out)
{
    static const struct fr_siphash_key key = {"fedroam served"}; /* it guards nothing */
    struct fr_buf text = FR_BUF_INIT(FR_CHIRPSTACK_MAX);
    char path[FR_WALLET_PATH];

    if (list_path(after, path) == FR_OK && fr_file_exists(path) &&
        fr_file_read(path, NULL, &text) == FR_OK)
        fr_buf_printf(out, "networks %016llx\n",
                      (unsigned long long)fr_siphash(&key, fr_buf_span(&text)));
    fr_buf_deinit(&text);
}

static void print_served(const struct fr_after *after, struct fr_buf *out)
{
    for (size_t i = 0; i < after->pairs->n; i++) {
        const struct fr_pair *p = &after->pairs->list[i];
        fr_buf_printf(out, "%s %s\n", p->subject.name, p->serial);
    }
    print_list(after, out);
}

enum fr_err fr_after_mark(const struct fr_after *after, struct fr_diag *diag)
{
    struct fr_buf text = FR_BUF_INIT(SERVED_MAX);
    char path[FR_WALLET_PATH];
    enum fr_err err = fr_wallet_path(path, diag, "%s/served", after->folder);

    print_served(after, &text);
    if (!err) err = fr_buf_err(&text);
    if (!err) err = fr_file_write(path, 0644, fr_buf_span(&text), diag);
    fr_buf_deinit(&text);
    return err;
}

bool fr_after_is_due(const struct fr_after *after)
{
    struct fr_buf now = FR_BUF_INIT(SERVED_MAX), then = FR_BUF_INIT(SERVED_MAX);
    char path[FR_WALLET_PATH];

    if (after->entry->exec == NULL || after->pairs->n == 0) return false;
    print_served(after, &now);
    const bool is_same = fr_wallet_path(path, NULL, "%s/served", after->folder) == FR_OK &&
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

enum fr_err fr_after_run(const struct fr_after *after, int64_t now_s, struct fr_diag *diag)
{
    const struct fr_wallet_entry *entry = after->entry;

    if (!is_time(entry, now_s))
        return fr_diag_fail(diag, FR_E_BUSY, "%s waits for %s", entry->exec, entry->window);
    enum fr_err err = fr_program_shell(entry->exec, diag);
    return err ? err : fr_after_mark(after, diag);
}
