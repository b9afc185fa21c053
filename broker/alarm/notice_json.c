#include "alarm/notice_json.h"

#include "base/clock.h"
#include "base/json_out.h"

static void put_time(struct fr_json *j, const char *key, int64_t when_s)
{
    char text[FR_TIME_TEXT];

    fr_time_print(when_s, text);
    fr_json_put_str(j, key, text);
}

void fr_notice_write_json(struct fr_buf *out, const char *federation,
                          const struct fr_notice_row *row, bool is_test)
{
    struct fr_json j = fr_json(out);

    fr_json_object(&j);
    fr_json_put_str(&j, "federation", federation);
    fr_json_put_str(&j, "id", row->id);
    fr_json_put_str(&j, "level", fr_notice_level_text(row->level));
    fr_json_put_str(&j, "stage", fr_notice_stage_text(row->stage));
    put_time(&j, "since", row->since_s);
    if (row->until_s > 0) put_time(&j, "until", row->until_s);
    fr_json_put_str(&j, "what", row->what);
    fr_json_put_str(&j, "mend", row->mend);
    if (is_test) fr_json_put_bool(&j, "test", true);
    fr_json_end(&j);
}
