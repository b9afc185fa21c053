/* A token as somebody pasted it. */
#include "enrol/ticket.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_ticket ticket;
    struct fr_diag diag = {0};

    if (fr_ticket_parse(fr_span(data, size), &diag, &ticket) != FR_OK) {
        if (diag.what[0] == '\0') abort(); /* a refusal says why */
        return 0;
    }
    /* what is let through becomes a path, a URL and a header field */
    if (fr_fed_check(fr_span_str(ticket.fed), NULL) != FR_OK || strlen(ticket.id) != 32 ||
        !ticket.est_url.is_tls || ticket.n_profiles < 1 || ticket.n_profiles > FR_WALLET_PROFILES ||
        strpbrk(ticket.secret, "\r\n: "))
        abort();
    return 0;
}
