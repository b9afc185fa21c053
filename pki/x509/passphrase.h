/* Reading a passphrase that somebody else keeps: a descriptor, a file of the service manager, a
 * terminal.
 *
 * Model    One line, without its end. What is read is a secret of the caller's: it wipes the buffer.
 * Threads  None of its own. Blocks: for start-up and commands.
 * Errors   FR_E_INVALID: nothing there, or a NUL; FR_E_LIMIT: longer than FR_PASSPHRASE_MAX; FR_E_IO;
 *          FR_E_NOT_FOUND (file), FR_E_UNAVAILABLE (no terminal).
 * Trust    Our own administrator's. */
#pragma once

#include "x509/key_uri.h"

/* "3", as it stands on a command line; reads until the end or the first line's. */
enum fr_err fr_passphrase_read_fd(const char *number, struct fr_diag *diag, struct fr_buf *out);

/* folder/ca-passphrase, where the service manager puts credentials. */
enum fr_err fr_passphrase_read_credential(const char *folder, struct fr_diag *diag,
                                          struct fr_buf *out);

/* The same of another credential. */
enum fr_err fr_passphrase_read_credential_named(const char *folder, const char *name,
                                                struct fr_diag *diag, struct fr_buf *out);

/* Asks on the terminal of this process, without showing what is typed; twice when it is a new one. */
enum fr_err fr_passphrase_ask(const char *prompt, bool is_new, struct fr_diag *diag,
                              struct fr_buf *out);
