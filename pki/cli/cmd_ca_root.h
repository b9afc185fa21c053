/* What other commands take from those of the root and of issuing CAs. */
#pragma once

#include "session/session.h"
#include "x509/cert.h"

/* Signs every prepared issuing CA with the root's key (--root-key, or the state directory's) and
 * installs the certificates; prints them. */
enum fr_err fr_ca_sign_prepared(const struct fr_cli *cli, struct fr_diag *diag);

/* The operations ca.install and ca.list.install. */
enum fr_err fr_ca_install_cert(const struct fr_cli *cli, const struct fr_cert *cert,
                               struct fr_diag *diag);
enum fr_err fr_ca_install_list(const struct fr_cli *cli, struct fr_span der, struct fr_diag *diag,
                               struct fr_admin_reply **out);
