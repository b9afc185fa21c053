#include "x509/passphrase.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Takes the first line of raw. */
static enum fr_err take_line(struct fr_span raw, struct fr_diag *diag, struct fr_buf *out)
{
    const uint8_t *end = raw.n > 0 ? memchr(raw.p, '\n', raw.n) : NULL;
    size_t n = end != NULL ? (size_t)(end - raw.p) : raw.n;

    if (n > 0 && raw.p[n - 1] == '\r') n--;
    if (n == 0 || memchr(raw.p, '\0', n) != NULL)
        return fr_diag_fail(diag, FR_E_INVALID, "the passphrase is empty, or no text");
    if (n > FR_PASSPHRASE_MAX)
        return fr_diag_fail(diag, FR_E_LIMIT, "a passphrase has at most %d bytes",
                            FR_PASSPHRASE_MAX);
    fr_buf_add(out, raw.p, n);
    return fr_buf_err(out);
}

/* Until the end, or a line's; a little more than a passphrase may have shows that it is too long. */
static enum fr_err read_line(int fd, struct fr_diag *diag, struct fr_buf *out)
{
    uint8_t raw[FR_PASSPHRASE_MAX + 2];
    size_t n = 0;
    enum fr_err err = FR_OK;

    while (!err && n < sizeof raw && memchr(raw, '\n', n) == NULL) {
        ssize_t got = read(fd, raw + n, sizeof raw - n);
        if (got == 0) break;
        if (got > 0)
            n += (size_t)got;
        else if (errno != EINTR)
            err = fr_diag_fail(diag, fr_err_from_errno(errno), "the passphrase cannot be read");
    }
    if (!err) err = take_line(fr_span(raw, n), diag, out);
    explicit_bzero(raw, sizeof raw);
    return err;
}

enum fr_err fr_passphrase_read_fd(const char *number, struct fr_diag *diag, struct fr_buf *out)
{
    uint64_t fd = 0;

    if (fr_parse_u64(fr_span_str(number), 0, 65535, &fd) != FR_OK)
        return fr_diag_fail(diag, FR_E_INVALID, "%s is not the number of a file descriptor",
                            number);
    return read_line((int)fd, diag, out);
}

enum fr_err fr_passphrase_read_credential_named(const char *folder, const char *name,
                                                struct fr_diag *diag, struct fr_buf *out)
{
    struct fr_buf raw = FR_BUF_INIT(2 * FR_PASSPHRASE_MAX);
    char *path = fr_path_join(folder, name);
    enum fr_err err = path == NULL ? FR_E_NOMEM : fr_file_read(path, diag, &raw);

    if (!err) err = take_line(fr_buf_span(&raw), diag, out);
    fr_buf_deinit_secret(&raw);
    fr_free(path);
    return err;
}

enum fr_err fr_passphrase_read_credential(const char *folder, struct fr_diag *diag,
                                          struct fr_buf *out)
{
    return fr_passphrase_read_credential_named(folder, "ca-passphrase", diag, out);
}

/* --- the terminal --- */

static enum fr_err say(int tty, const char *text)
{
    return write(tty, text, strlen(text)) == (ssize_t)strlen(text) ? FR_OK : FR_E_IO;
}

static enum fr_err ask_once(int tty, const char *prompt, struct fr_diag *diag, struct fr_buf *out)
{
    struct termios shown, hidden;
    enum fr_err err = tcgetattr(tty, &shown) == 0 ? say(tty, prompt) : FR_E_UNAVAILABLE;

    if (err) return fr_diag_fail(diag, err, "the terminal cannot be asked");
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK);
    hidden.c_lflag |= ECHONL;
    if (tcsetattr(tty, TCSAFLUSH, &hidden) != 0)
        return fr_diag_fail(diag, FR_E_IO, "the terminal does not hide what is typed");
    err = read_line(tty, diag, out);
    (void)tcsetattr(tty, TCSAFLUSH, &shown); /* the prompt's end says enough when it fails */
    return err;
}

enum fr_err fr_passphrase_ask(const char *prompt, bool is_new, struct fr_diag *diag,
                              struct fr_buf *out)
{
    struct fr_buf again = FR_BUF_INIT(FR_PASSPHRASE_MAX);
    int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (tty < 0) {
        (void)fr_diag_fail(diag, FR_E_UNAVAILABLE, "there is no terminal to ask on");
        fr_diag_hint(diag, "give the passphrase with --passphrase-fd");
        return FR_E_UNAVAILABLE;
    }
    enum fr_err err = ask_once(tty, prompt, diag, out);
    if (!err && is_new) err = ask_once(tty, "once more: ", diag, &again);
    if (!err && is_new && !fr_span_equal(fr_buf_span(out), fr_buf_span(&again)))
        err = fr_diag_fail(diag, FR_E_INVALID, "that is not the same");
    fr_buf_deinit_secret(&again);
    (void)close(tty);
    return err;
}
