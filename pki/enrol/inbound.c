#include "enrol/inbound.h"

#include "enrol/member_api.h"

#include <jansson.h>
#include <string.h>

enum { ANSWER_MAX = 256 * 1024 };

/* Never NULL, so that what is missing is told as nothing. */
static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool is_right(const json_t *object)
{
    return strcmp(text_of(object, "result"), "right") == 0;
}

static void read_end(const json_t *object, struct fr_inbound_end *out)
{
    size_t i;
    const json_t *step;

    *out = (struct fr_inbound_end){.is_right = is_right(object),
                                   .netid = text_of(object, "netid"),
                                   .endpoint = text_of(object, "endpoint"),
                                   .name = text_of(object, "name"),
                                   .step = "",
                                   .seen = "",
                                   .todo = ""};
    const json_int_t ms = json_integer_value(json_object_get(object, "ms"));
    out->ms = ms > 0 ? (uint64_t)ms : 0;
    json_array_foreach(json_object_get(object, "steps"), i, step)
    {
        if (strcmp(text_of(step, "state"), "wrong") != 0) continue;
        out->step = text_of(step, "step");
        out->seen = text_of(step, "seen");
        out->todo = text_of(step, "todo");
    }
}

enum fr_err fr_inbound_read(struct fr_span text, struct fr_diag *diag, struct fr_inbound *out)
{
    struct fr_inbound in = {.text = FR_BUF_INIT(ANSWER_MAX)};
    json_t *object = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *ends = json_object_get(object, "endpoints"), *end;
    size_t i;

    in.object = object;
    fr_buf_add_span(&in.text, text);
    enum fr_err err = fr_buf_err(&in.text);
    if (!err && !json_is_array(ends))
        err = fr_diag_fail(diag, FR_E_MALFORMED, "the broker's answer is no answer");
    if (err) {
        fr_inbound_free(&in);
        return err;
    }
    in.is_right = is_right(object);
    json_array_foreach(ends, i, end)
    {
        if (in.n < FR_INBOUND_ENDPOINTS) read_end(end, &in.ends[in.n++]);
    }
    *out = in;
    return FR_OK;
}

enum fr_err fr_inbound_ask(const char *folder, const struct fr_wallet_entry *entry,
                           const struct fr_pair *pair, struct fr_diag *diag, struct fr_inbound *out)
{
    struct fr_publish_answer answer = FR_PUBLISH_ANSWER_INIT;
    struct fr_publisher *publisher = NULL;
    enum fr_err err = fr_member_api_open(folder, entry, pair, diag, &publisher);

    if (!err) err = fr_member_api_post(publisher, "/probe", diag, &answer);
    if (err == FR_E_BUSY && answer.retry_after_s > 0)
        fr_diag_hint(diag, "ask again in %u seconds", (unsigned)answer.retry_after_s);
    if (!err) err = fr_inbound_read(fr_buf_span(&answer.body), diag, out);
    fr_publish_answer_deinit(&answer);
    fr_publisher_close(publisher);
    return err;
}

void fr_inbound_free(struct fr_inbound *inbound)
{
    json_decref(inbound->object);
    fr_buf_deinit(&inbound->text);
    memset(inbound, 0, sizeof *inbound);
}
