#include "transport/h2_flood.h"

#define FORGIVEN 4 /* control frames that come with one honest request, amply */

static uint32_t tenth(unsigned burst)
{
    return burst < 10 ? 1 : burst / 10;
}

static bool is_control(const nghttp2_frame_hd *hd)
{
    if (hd->type == NGHTTP2_HEADERS) return false;
    return hd->type != NGHTTP2_DATA ||
           (hd->length == 0 && (hd->flags & NGHTTP2_FLAG_END_STREAM) == 0);
}

bool fr_h2_flood_note(struct fr_h2_flood *flood, const nghttp2_frame_hd *hd, int64_t now_ms,
                      const struct fr_http_server_conf *conf,
                      struct fr_http_server_counters *counters)
{
    if (hd->type == NGHTTP2_RST_STREAM) {
        if (fr_rate_take(&flood->resets, now_ms, conf->resets, tenth(conf->resets))) return true;
        counters->limit_resets++;
        return false;
    }
    if (!is_control(hd) ||
        fr_rate_take(&flood->control, now_ms, conf->control_frames, tenth(conf->control_frames)))
        return true;
    counters->limit_control++;
    return false;
}

void fr_h2_flood_forgive(struct fr_h2_flood *flood)
{
    fr_rate_give(&flood->control, FORGIVEN);
}
