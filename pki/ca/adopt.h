/* Taking a certificate of ours back into the store that does not know it: issued after the backup
 * that the store was restored from.
 *
 * Model    What it is for is read from the certificate, which an issuing CA of the store signed; what
 *          it allows is not in there: the rights and the host are those of the latest certificate for
 *          the same, else the profile's own and none. Then it is a certificate as any other. One that
 *          is known is left as it is.
 * Threads  The change's.
 * Errors   FR_E_MALFORMED (no certificate), FR_E_CRYPTO (not signed here), FR_E_EXPIRED,
 *          FR_E_REVOKED (it is listed, or its CA is no longer trusted), FR_E_CONFLICT (the serial is
 *          another's, the key is another member's), FR_E_UNSUPPORTED (it is for nobody here), those of the
 *          store: no such member or network.
 * Trust    The certificate is a stranger's until its signature was checked. */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "base/span.h"
#include "store/cert.h"
#include "store/change.h"

struct fr_adopt_request {
    struct fr_span der;
    bool has_rights;
    uint32_t rights; /* with has_rights: instead of what it would get */
};

/* *row is what is stored; the change stays empty when it was there. */
enum fr_err fr_ca_adopt(struct fr_change *change, const struct fr_adopt_request *request,
                        struct fr_diag *diag, struct fr_cert_row *row);
