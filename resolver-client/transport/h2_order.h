#pragma once
/* Frames for streams that are over, which nghttp2 forgets at once (option no_closed_streams) and
 * would let pass. Inside transport only.
 *
 * Model: per connection, the last stream that began, and whether one was ever skipped or reset.
 * After a reset by either side such frames may be on their way in good faith and are ignored.
 * See: RFC 9113 §5.1, §5.1.1. */

#include <nghttp2/nghttp2.h>
#include <stdbool.h>

struct fr_h2_order {
    int32_t last;
    bool has_gap, has_reset;
};

/* A stream begins. */
void fr_h2_order_begin(struct fr_h2_order *order, int32_t stream_id);

/* A frame's head came. NGHTTP2_NO_ERROR, or the code with which the connection must end. */
uint32_t fr_h2_order_check(struct fr_h2_order *order, nghttp2_session *session,
                           const nghttp2_frame_hd *hd);
