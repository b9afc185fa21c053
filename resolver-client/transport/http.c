#include "transport/http.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct fr_span fr_http_find(const struct fr_http_field *fields, size_t n, const char *name)
{
    const struct fr_span wanted = fr_span_str(name);

    for (size_t i = 0; i < n; i++)
        if (fr_span_equal(fields[i].name, wanted)) return fields[i].value;
    return (struct fr_span){0};
}

size_t fr_http_count(const struct fr_http_field *fields, size_t n, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        if (fr_span_is(fields[i].name, name)) count++;
    return count;
}

bool fr_http_is_type(struct fr_span content_type, const char *type)
{
    struct fr_span media, parameters;

    if (fr_span_is(content_type, type)) return true;
    (void)fr_span_cut(content_type, ';', &media,
                      &parameters); /* without ';' all is the media type */
    return fr_span_equal_nocase(fr_span_trim(media), fr_span_str(type));
}

const char *fr_http_reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *text;
    } reasons[] = {
        {100, "Continue"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {425, "Too Early"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status) return reasons[i].text;
    return "";
}

const char *fr_http_proto_text(enum fr_http_proto proto)
{
    switch (proto) {
    case FR_HTTP_1_0: return "HTTP/1.0";
    case FR_HTTP_1_1: return "HTTP/1.1";
    case FR_HTTP_2: return "HTTP/2";
    }
    return "HTTP";
}

void fr_http_date(int64_t real_s, char out[FR_HTTP_DATE])
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t t = (time_t)real_s;
    struct tm tm = {0};
    char text[64];

    (void)gmtime_r(&t,
                   &tm); /* on failure tm stays 1900: only a clock beyond year 2^31 gets there */
    (void)snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday % 7],
                   tm.tm_mday, months[tm.tm_mon % 12], (tm.tm_year + 1900) % 10000, tm.tm_hour,
                   tm.tm_min, tm.tm_sec);
    memcpy(out, text, FR_HTTP_DATE - 1);
    out[FR_HTTP_DATE - 1] = '\0';
}
