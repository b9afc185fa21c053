/* fedroam device batch: lines of devices that come and go, sent to a broker */
#include "zones_cli/cmds.h"

#include "base/hex.h"
#include "base/random.h"
#include "publish/batch.h"
#include "session/remote.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ATTEMPTS 10
#define LINE_MAX 1024
#define KEY_MAX 100

struct sending {
    struct fr_cli *cli;
    bool is_json;
    uint64_t done, refused, malformed;
};

static bool is_malformed(struct fr_span line)
{
    static const char end[] = "\"malformed\"}";
    return line.n >= sizeof end &&
           memcmp(line.p + line.n - (sizeof end - 1), end, sizeof end - 1) == 0;
}

/* {"line":7,"status":201,"result":"added"}, its number counted from the whole list's start. */
static enum fr_err take_line(struct sending *s, uint64_t number, struct fr_span line)
{
    static const char mark[] = "\"status\":";
    size_t at = 0;
    while (at + sizeof mark < line.n && memcmp(line.p + at, mark, sizeof mark - 1) != 0) at++;
    if (at + sizeof mark >= line.n) return FR_E_MALFORMED;
    const bool is_refused = line.p[at + sizeof mark - 1] != '2';
    s->done++;
    s->refused += is_refused;
    s->malformed += is_malformed(line);
    if (!s->is_json && !is_refused) return FR_OK;
    return fprintf(fr_cli_out(s->cli), "{\"line\":%" PRIu64 ",%.*s\n", number, (int)(line.n - at),
                   (const char *)line.p + at) < 0
               ? FR_E_IO
               : FR_OK;
}

static enum fr_err on_results(void *data, uint64_t first, struct fr_span lines)
{
    struct sending *s = data;
    enum fr_err err = FR_OK;
    for (uint64_t number = first + 1; !err && lines.n > 0; number++) {
        struct fr_span line;
        (void)fr_span_cut(lines, '\n', &line, &lines);
        err = take_line(s, number, line);
    }
    if (!err)
        fr_cli_note(s->cli, "%" PRIu64 " lines done, %" PRIu64 " refused", s->done, s->refused);
    return err;
}

static void on_retry(void *data, const struct fr_diag *why, uint32_t in_s)
{
    const struct sending *s = data;
    fr_cli_note(s->cli, "%s; again in %u s", why->what, (unsigned)in_s);
}

static enum fr_err send_file(FILE *in, struct fr_publish_batch *batch, struct fr_diag *diag)
{
    char line[LINE_MAX];
    enum fr_err err = FR_OK;
    while (!err && fgets(line, sizeof line, in))
        err = fr_publish_batch_add(batch, fr_span_str(line), diag);
    if (!err && ferror(in)) err = fr_diag_fail(diag, FR_E_IO, "cannot read the list");
    return err ? err : fr_publish_batch_finish(batch, diag);
}

static enum fr_err choose_key(const struct fr_cli *cli, struct fr_diag *diag, char out[KEY_MAX + 1])
{
    const char *given = fr_cli_opt(cli, "key-of-batch");
    uint8_t bytes[16];
    if (given) {
        if (!fr_span_copy(fr_span_str(given), out, KEY_MAX + 1) || !given[0])
            return fr_diag_fail(diag, FR_E_USAGE, "a key has 1 to %d characters", KEY_MAX);
        return FR_OK;
    }
    enum fr_err err = fr_random(bytes, sizeof bytes);
    if (!err) fr_hex_print(bytes, sizeof bytes, out);
    return err;
}

static enum fr_err run(struct fr_cli *cli, FILE *in, const char *key, struct sending *sending,
                       struct fr_diag *diag)
{
    struct fr_publisher *publisher = NULL;
    struct fr_publish_batch *batch = NULL;
    enum fr_err err = fr_remote_open(cli, diag, &publisher);
    const struct fr_publish_batch_options options = {
        .publisher = publisher,
        .key = key,
        .attempts = ATTEMPTS,
        .on_results = on_results,
        .on_retry = on_retry,
        .data = sending,
    };
    if (!err) err = fr_publish_batch_new(&options, &batch);
    if (!err) err = send_file(in, batch, diag);
    if (err && batch)
        fr_diag_hint(diag,
                     "%" PRIu64 " lines are done; with --key-of-batch %s nothing is done twice",
                     sending->done, key);
    fr_publish_batch_free(batch);
    fr_publisher_close(publisher);
    return err;
}

enum fr_exit fr_cmd_device_batch(struct fr_cli *cli)
{
    const char *path = fr_cli_arg(cli, 0);
    struct sending sending = {.cli = cli, .is_json = fr_cli_output(cli) == FR_OUTPUT_JSON};
    struct fr_diag diag = {0};
    char key[KEY_MAX + 1];
    if (!fr_remote_is_meant(cli)) return fr_cli_usage(cli, "a batch is sent to a --broker");
    enum fr_err err = choose_key(cli, &diag, key);
    if (err) return fr_cli_fail(cli, err, &diag);
    FILE *in = strcmp(path, "-") == 0 ? fr_cli_in(cli) : fopen(path, "re");
    if (!in)
        err = fr_diag_fail(&diag, fr_err_from_errno(errno), "cannot read %s: %s", path,
                           strerror(errno));
    if (!err) err = run(cli, in, key, &sending, &diag);
    if (in && in != fr_cli_in(cli)) (void)fclose(in);
    if (err) return fr_cli_fail(cli, err, &diag);
    if (sending.malformed > 0)
        fr_cli_note(cli,
                    "a line is {\"op\":\"put\",\"eui\":\"70b3d57ed0000001\",\"netid\":\"000013\"}; "
                    "op: put, "
                    "delete, claim, release (to the holder of the NetID)");
    return sending.refused ? FR_EXIT_FALSE : FR_EXIT_OK;
}
