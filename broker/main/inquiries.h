#pragma once
/*
 * What the running broker answers an operator on control.sock beside changes: admin/inquiry.h names them.
 *
 * Owns: what is under way, until it is answered. Threads: main's. Errors: told to who asks.
 * Trust: arguments are an operator's, decoded strictly.
 */
#include "admin/inquiry.h"

/* Their data is the struct fr_fed. */
extern const struct fr_inquiry_row fr_inquiries[];
