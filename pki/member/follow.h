/* What a federation says from time to time, for the machine of a member: which CAs sign no more, and which
 * networks there are for a server that lists them.
 *
 * Model    Asked of the broker's API in each round of `renew`, and by `join`. The list that comes of it is
 *          kept in the wallet (enrol/listed.h); the server's file is made from the whole wallet.
 * Owns     The connection, made by the first question: fr_follow_close.
 * Threads  One; blocks.
 * Errors   Those of enrol/member_api.h, enrol/listed.h, enrol/chirpstack.h. */
#pragma once

#include "enrol/listed.h"
#include "enrol/renew_facts.h"
#include "member_cli/report.h"

struct fr_follow {
    const char *dir, *folder; /* the wallet; <wallet>/<fed> */
    const struct fr_wallet_entry *entry;
    const struct fr_pairs *pairs;
    struct fr_report *report;
    struct fr_publisher *publisher; /* NULL at first */
};
void fr_follow_close(struct fr_follow *follow);

/* Whether the network server of this entry lists networks. */
bool fr_follow_has_list(const struct fr_follow *follow);

/* What the federation says about renewing. */
enum fr_err fr_follow_renewal(struct fr_follow *follow, struct fr_diag *diag,
                              struct fr_renew_facts *out);

/* Brings the list of networks up to date; the report says under "peers" who came, left and moved.
 * *changed: there was something. */
enum fr_err fr_follow_list(struct fr_follow *follow, struct fr_diag *diag, bool *changed);

/* ChirpStack's part as it is to be now: v4's file is replaced where it says something else (under
 * "file"), v3's tables are told (under "block") when `is_new`. *changed: a file was. */
enum fr_err fr_follow_server(const struct fr_follow *follow, bool is_new, struct fr_diag *diag,
                             bool *changed);
