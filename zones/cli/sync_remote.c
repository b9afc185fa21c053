/* fedroam sync: a federation's devices over the API of its broker */
#include "zones_cli/sync_target.h"

#include "base/hex.h"
#include "base/mem.h"
#include "base/random.h"
#include "names/eui.h"
#include "publish/batch.h"
#include "session/remote.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PAGE 1000
#define ATTEMPTS 8
#define READ_ATTEMPTS 4 /* nothing is under way yet: the next run is soon enough */

struct remote {
    struct fr_sync_target base;
    struct fr_cli *cli;
    struct fr_publisher *publisher;
    uint32_t netid;
    char target[128];
    bool is_last;
    struct fr_admin_reply *page;
    size_t at, n;
    /* what a part that is being sent is about */
    uint64_t sending[FR_PUBLISH_PART];
    struct fr_sync_outcome *outcome;
};

static void remote_close(struct fr_sync_target *target)
{
    struct remote *r = (struct remote *)target;
    fr_admin_reply_free(r->page);
    fr_publisher_close(r->publisher);
    fr_free(r);
}

/* --- what is there --- */

static bool is_worth_another(enum fr_err err)
{
    return err == FR_E_NET || err == FR_E_TIMEOUT || err == FR_E_CLOSED || err == FR_E_BUSY ||
           err == FR_E_UNAVAILABLE;
}

static void on_retry(void *data, const struct fr_diag *why, uint32_t in_s)
{
    const struct remote *r = data;
    fr_cli_note(r->cli, "%s; again in %u s", why->what, (unsigned)in_s);
}

static enum fr_err get_page(struct remote *r, struct fr_diag *diag)
{
    enum fr_err err = FR_OK;
    for (unsigned attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
        struct fr_diag why = {0};
        const struct timespec pause = {.tv_sec = 1u << attempt};
        err = fr_remote_get(r->publisher, r->target, &why, &r->page);
        if (err) *diag = why;
        if (!err || attempt + 1 == READ_ATTEMPTS || !is_worth_another(err)) break;
        on_retry(r, &why, (uint32_t)pause.tv_sec);
        (void)nanosleep(&pause, NULL);
    }
    return err;
}

static enum fr_err turn_page(struct remote *r, struct fr_diag *diag)
{
    fr_admin_reply_free(r->page);
    r->page = NULL;
    enum fr_err err = get_page(r, diag);
    if (err) return err;
    const char *next = fr_admin_reply_text(r->page, "next");
    r->at = 0;
    r->n = fr_admin_reply_count(r->page, "devices");
    r->is_last = !next;
    if (next)
        (void)snprintf(r->target, sizeof r->target,
                       FR_PUBLISH_API "/devices?limit=%d&netid=%06x&after=%s", PAGE,
                       (unsigned)r->netid, next);
    return FR_OK;
}

static enum fr_err remote_next(void *data, struct fr_diag *diag, uint64_t *deveui)
{
    struct remote *r = data;
    char path[64];
    while (r->at == r->n) {
        if (r->is_last) return FR_E_CLOSED;
        enum fr_err err = turn_page(r, diag);
        if (err) return err;
    }
    (void)snprintf(path, sizeof path, "devices.%zu.deveui", r->at++);
    const char *text = fr_admin_reply_text(r->page, path);
    if (text && fr_eui_parse(fr_span_str(text), deveui) == FR_OK) return FR_OK;
    return fr_diag_fail(diag, FR_E_MALFORMED, "the broker's list of devices was not understood");
}

/* --- what differs --- */

/* {"line":7,"status":409,"result":"taken"}; what is gone already when it is withdrawn is as it should be. */
static void take_line(struct remote *r, size_t i, struct fr_span line)
{
    static const char status[] = "\"status\":", result[] = "\"result\":\"";
    const char *text = memmem(line.p, line.n, status, sizeof status - 1);
    const char *word = memmem(line.p, line.n, result, sizeof result - 1);
    const char *end = (const char *)line.p + line.n;
    struct fr_span why = FR_SPAN_LIT("not understood"), rest;
    r->outcome->done++;
    if (text && end - text > (ptrdiff_t)sizeof status && text[sizeof status - 1] == '2') return;
    if (word) {
        word += sizeof result - 1;
        (void)fr_span_cut(fr_span(word, (size_t)(end - word)), '"', &why, &rest);
    }
    if (!fr_span_is(why, "absent")) fr_sync_outcome_refuse(r->outcome, r->sending[i], why);
}

static enum fr_err on_results(void *data, uint64_t first, struct fr_span lines)
{
    struct remote *r = data;
    (void)first;
    for (size_t i = 0; lines.n > 0 && i < FR_PUBLISH_PART; i++) {
        struct fr_span line;
        (void)fr_span_cut(lines, '\n', &line, &lines);
        take_line(r, i, line);
    }
    return FR_OK;
}

static enum fr_err send_lines(struct remote *r, struct fr_publish_batch *batch,
                              struct fr_sync_plan *plan, struct fr_diag *diag)
{
    char line[96];
    bool is_put = false;
    uint64_t eui = 0;
    enum fr_err err = FR_OK;
    for (uint64_t n = 0; !err && (err = fr_sync_plan_next(plan, &is_put, &eui)) == FR_OK; n++) {
        r->sending[n % FR_PUBLISH_PART] = eui;
        (void)snprintf(line, sizeof line,
                       "{\"op\":\"%s\",\"eui\":\"%016" PRIx64 "\",\"netid\":\"%06x\"}",
                       is_put ? "put" : "delete", eui, (unsigned)r->netid);
        err = fr_publish_batch_add(batch, fr_span_str(line), diag);
    }
    return err == FR_E_CLOSED ? fr_publish_batch_finish(batch, diag) : err;
}

static enum fr_err remote_send(struct fr_sync_target *target, struct fr_sync_plan *plan,
                               struct fr_sync_outcome *outcome, struct fr_diag *diag)
{
    struct remote *r = (struct remote *)target;
    struct fr_publish_batch *batch = NULL;
    uint8_t bytes[16];
    char key[2 * sizeof bytes + 1];
    const struct fr_publish_batch_options options = {
        .publisher = r->publisher,
        .key = key,
        .attempts = ATTEMPTS,
        .on_results = on_results,
        .on_retry = on_retry,
        .data = r,
    };
    r->outcome = outcome;
    enum fr_err err = fr_random(bytes, sizeof bytes);
    if (!err) fr_hex_print(bytes, sizeof bytes, key);
    if (!err) err = fr_publish_batch_new(&options, &batch);
    if (!err) err = send_lines(r, batch, plan, diag);
    fr_publish_batch_free(batch);
    return err;
}

static const struct fr_sync_target_kind kind = {
    .next = remote_next, .send = remote_send, .close = remote_close};

enum fr_err fr_sync_remote_open(struct fr_cli *cli, const struct fr_sync_federation_conf *fed,
                                struct fr_diag *diag, struct fr_sync_target **out)
{
    const struct fr_publish_named named = {.url = fed->broker, .config = fed->config};
    struct fr_publish_place place = FR_PUBLISH_PLACE_INIT;
    struct remote *r = fr_calloc(1, sizeof *r);
    if (!r) return FR_E_NOMEM;
    r->base.kind = &kind;
    r->cli = cli;
    r->netid = fed->netid;
    (void)snprintf(r->target, sizeof r->target, FR_PUBLISH_API "/devices?limit=%d&netid=%06x", PAGE,
                   (unsigned)r->netid);
    enum fr_err err = fr_publish_place_find(&named, diag, &place);
    if (!err) err = fr_publisher_open(&place, diag, &r->publisher);
    fr_publish_place_deinit(&place);
    if (err) {
        remote_close(&r->base);
        return err;
    }
    *out = &r->base;
    return FR_OK;
}
