#include "transport/h2_order.h"

void fr_h2_order_begin(struct fr_h2_order *order, int32_t stream_id)
{
    if (stream_id > order->last + (order->last == 0 ? 1 : 2)) order->has_gap = true;
    order->last = stream_id;
}

uint32_t fr_h2_order_check(struct fr_h2_order *order, nghttp2_session *session,
                           const nghttp2_frame_hd *hd)
{
    if (hd->type == NGHTTP2_RST_STREAM) order->has_reset = true;
    if (order->has_reset || (hd->type != NGHTTP2_HEADERS && hd->type != NGHTTP2_DATA))
        return NGHTTP2_NO_ERROR;
    /* even ids and those to come are nghttp2's to judge */
    if (hd->stream_id % 2 == 0 || hd->stream_id > order->last) return NGHTTP2_NO_ERROR;
    if (nghttp2_session_find_stream(session, hd->stream_id)) return NGHTTP2_NO_ERROR;
    return order->has_gap ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_STREAM_CLOSED;
}
