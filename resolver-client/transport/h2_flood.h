#pragma once
/* What a peer may cost one HTTP/2 connection without asking for anything: resets, and frames that
 * carry no request. Inside transport only.
 *
 * Model: two allowances, each of so many at once of which a tenth comes back every second. Whole
 * requests give control frames back, so that the WINDOW_UPDATEs of a busy client are no flood. A
 * reset counts whoever sent it: "rapid reset" has the client send them, "made you reset" has it
 * provoke ours. Threads: the loop's. See: RFC 9113 §10.5; CVE-2023-44487, CVE-2025-8671,
 * CVE-2019-9512 (PING), -9515 (SETTINGS), -9518 (empty frames). */

#include <nghttp2/nghttp2.h>

#include "base/rate.h"
#include "transport/http_server.h"

struct fr_h2_flood {
    struct fr_rate resets, control;
};

/* One frame came or, RST_STREAM only, goes. False: too many of its kind; that is counted. */
bool fr_h2_flood_note(struct fr_h2_flood *flood, const nghttp2_frame_hd *hd, int64_t now_ms,
                      const struct fr_http_server_conf *conf,
                      struct fr_http_server_counters *counters);

/* A request came whole. */
void fr_h2_flood_forgive(struct fr_h2_flood *flood);
