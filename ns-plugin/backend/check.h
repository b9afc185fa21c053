#pragma once
/*
 * What a Backend Interfaces server answers before any role looks at a message: HTTP rules, envelope, identity, members.
 *
 * Model: a pure decision in the order ProtocolVersion → ReceiverID → SenderID against the peer's certificate → members. Its
 *   outcome is an HTTP status and, where the message can be answered at all, a Result.
 * Owns, Errors: nothing, none. Threads: any.
 * Trust: the message is a peer's; the identity is what its verified certificate says.
 * See: Backend Interfaces 1.0, sections 20 and 22; it defines no HTTP status, these are ours and what deployed peers accept.
 */
#include "backend/message.h"

struct fr_bi_verdict {
    unsigned status; /* 0: go on, the message is whole */
    bool has_result; /* answer with `result`; else an empty body */
    enum fr_bi_result result;
    const char *why; /* for the log and the Description; static */
};

/* Method and Content-Type of a request: 405, 415, or 0. (413 is the HTTP server's.) */
unsigned fr_bi_check_http(struct fr_span method, struct fr_span content_type);

/* What fr_bi_open() said about a body, and who is speaking. */
struct fr_bi_facts {
    enum fr_err open_err;
    bool is_answerable;
    bool is_receiver_us;
    bool is_sender_peer; /* the peer's certificate is for this SenderID */
};
struct fr_bi_verdict fr_bi_check_envelope(const struct fr_bi_message *m,
                                          const struct fr_bi_facts *facts);

/* After fr_bi_read_members() on a request. */
struct fr_bi_verdict fr_bi_check_members(const struct fr_bi_message *m, enum fr_err members_err);
