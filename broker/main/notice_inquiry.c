#include "main/notice_inquiry.h"

#include "base/json_out.h"
#include "main/fed.h"

#include <string.h>

#define REPLY_MAX 8192

static void on_tested(void *data, const struct fr_messenger_test *result)
{
    static const enum fr_notice_way ways[] = {FR_NOTICE_BY_EXEC, FR_NOTICE_BY_POST};
    const struct fr_inquiry *inquiry = data;
    struct fr_buf out = FR_BUF_INIT(REPLY_MAX);
    struct fr_json j = fr_json(&out);
    fr_json_object(&j);
    fr_json_key(&j, "ways");
    fr_json_array(&j);
    for (int i = 0; i < 2; i++) {
        if (!result->is_set[i]) continue;
        fr_json_object(&j);
        fr_json_put_str(&j, "way", fr_notice_way_text(ways[i]));
        fr_json_put_str(&j, "result", result->why[i][0] ? "failed" : "taken");
        if (result->why[i][0]) fr_json_put_str(&j, "why", result->why[i]);
        fr_json_end(&j);
    }
    fr_json_end(&j);
    fr_json_end(&j);
    inquiry->done(inquiry->to, fr_buf_err(&out), &(struct fr_diag){0}, fr_buf_span(&out));
    fr_buf_deinit(&out);
}

void fr_notice_inquiry(void *data, const struct fr_inquiry *inquiry)
{
    struct fr_fed *fed = data;
    struct fr_diag diag = {0};
    enum fr_err err = FR_OK;
    if (inquiry->args && inquiry->args[0] && strcmp(inquiry->args, "{}") != 0)
        err = fr_diag_fail(&diag, FR_E_INVALID, "notify.test has no arguments");
    if (!err)
        err = fr_messenger_try(fr_notice_duty_messenger(fed->notice_duty), on_tested,
                               (void *)(uintptr_t)inquiry);
    if (err == FR_E_NOT_FOUND) {
        (void)fr_diag_fail(&diag, err, "nobody is told: broker.yaml has no notify: for %s",
                           fed->name);
        fr_diag_hint(&diag, "under its federation: notify: {exec: [/usr/local/bin/page]}");
    } else if (err == FR_E_BUSY) {
        (void)fr_diag_fail(&diag, err, "another test is on its way");
    }
    if (err) inquiry->done(inquiry->to, err, &diag, (struct fr_span){0});
}
