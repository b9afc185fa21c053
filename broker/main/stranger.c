#include "main/stranger.h"

#include "base/hex.h"
#include "base/json_out.h"

#define PAUSE_MS 1000
#define ARGS_MAX 8192

static void write_args(const struct fr_tls_peer *cert, struct fr_buf *out)
{
    struct fr_json json = fr_json(out);
    char hex[2 * sizeof cert->cert_sha256 + 1];
    fr_json_object(&json);
    fr_hex_print(cert->serial, sizeof cert->serial, hex);
    fr_json_put_str(&json, "serial", hex);
    fr_hex_print(cert->cert_sha256, sizeof cert->cert_sha256, hex);
    fr_json_put_str(&json, "sha256", hex);
    fr_json_put_str(&json, "subject", cert->subject);
    fr_json_put_uint(&json, "not_before",
                     cert->not_before_s > 0 ? (uint64_t)cert->not_before_s : 0);
    fr_json_put_uint(&json, "not_after", cert->not_after_s > 0 ? (uint64_t)cert->not_after_s : 0);
    fr_json_end(&json);
}

void fr_stranger_seen(void *data, const struct fr_tls_peer *cert, struct fr_span der)
{
    static const struct fr_admin_actor actor = {.kind = FR_ACTOR_LOCAL, .name = "broker"};
    struct fr_stranger_desk *desk = data;
    const int64_t now_ms = fr_clock_mono_ms(desk->clock);
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_task *task = NULL;
    if (!fr_standby_is_primary(desk->standby)) return;
    if (desk->asked_ms != 0 && now_ms - desk->asked_ms < PAUSE_MS) return;
    write_args(cert, &args);
    const struct fr_admin_request request = {
        .op = "cert.note", .args = fr_buf_str(&args), .body = der};
    if (!fr_buf_err(&args) && !fr_task_new(&request, &actor, NULL, &task)) {
        desk->asked_ms = now_ms;
        if (fr_writer_submit(desk->writer, task, NULL, NULL, NULL)) fr_task_free(task);
    }
    fr_buf_deinit(&args);
}
