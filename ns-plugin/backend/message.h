#pragma once
/*
 * One message of LoRaWAN Backend Interfaces 1.0, as a typed value, and its JSON form.
 *
 * Model: an *envelope* (version, who, to whom, transaction, type) that every message has, and *members* that the type decides.
 *   Reading is two steps, because a receiver checks the envelope before it looks at the members: fr_bi_open, then
 *   fr_bi_read_members. Writing is one step. `has` says which optional members are there.
 * Owns: fr_bi_open: the message owns the document and the bytes decoded from it; every span points into them until
 *   fr_bi_message_deinit. A message built for writing borrows its spans from its builder; deinit is harmless on it.
 * Threads: one message, one thread.
 * Errors: FR_E_MALFORMED (no JSON object, envelope or member missing or of the wrong kind; `wrong` names it), FR_E_LIMIT
 *   (more than FR_BI_GW_MAX gateways), FR_E_NOMEM.
 * Units and limits: bodies up to FR_BI_BODY_MAX; frequencies in Hz here, MHz in JSON; identifiers are numbers, most
 *   significant byte first; frames are bytes in over-the-air order; Lifetime in s, 0 also when absent.
 * Trust: everything read is a peer's. Tokens are echoed, never interpreted.
 * See: Backend Interfaces 1.0, sections 20 to 22.
 */
#include "backend/result.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FR_BI_BODY_MAX 16384
#define FR_BI_GW_MAX 16
#define FR_BI_TOKEN_MAX 1024
#define FR_BI_FRAME_MAX 255
#define FR_BI_TYPE_TEXT 33 /* longest message type name read, and a zero byte */

/* The messages that have members here. Another name that ends in Req or Ans is an OTHER one, with its name kept. */
enum fr_bi_type {
    FR_BI_JOIN_REQ,
    FR_BI_JOIN_ANS,
    FR_BI_PR_START_REQ,
    FR_BI_PR_START_ANS,
    FR_BI_PR_STOP_REQ,
    FR_BI_PR_STOP_ANS,
    FR_BI_XMIT_DATA_REQ,
    FR_BI_XMIT_DATA_ANS,
    FR_BI_HOME_NS_REQ,
    FR_BI_HOME_NS_ANS,
    FR_BI_OTHER_REQ,
    FR_BI_OTHER_ANS,
};

/* A SenderID or ReceiverID: a NetID, a JoinEUI, or something else (an AS-ID, or nonsense). */
enum fr_bi_id_kind { FR_BI_ID_NETID, FR_BI_ID_EUI, FR_BI_ID_OTHER };

struct fr_bi_id {
    enum fr_bi_id_kind kind;
    uint64_t value; /* 0 for OTHER */
};

enum fr_bi_key_name {
    FR_BI_S_NWK_S_INT_KEY,
    FR_BI_F_NWK_S_INT_KEY,
    FR_BI_NWK_S_ENC_KEY,
    FR_BI_NWK_S_KEY,
    FR_BI_APP_S_KEY,
    FR_BI_KEYS
};

/* A key in clear (16 bytes, no label) or wrapped by RFC 3394 (24 bytes) with the key that the label names. */
struct fr_bi_key {
    struct fr_span label;
    uint8_t n; /* 0: not there; 16; 24 */
    uint8_t bytes[24];
};

/* One gateway of an uplink (all members), or one token to give back with a downlink (token alone). */
struct fr_bi_gw {
    uint8_t id[8];
    uint8_t id_n; /* 0: no ID */
    bool has_rssi, has_snr, dl_allowed;
    int16_t rssi_dbm;
    double snr_db;
    struct fr_span token; /* ULToken; empty: none */
};

struct fr_bi_gws {
    size_t n;
    struct fr_bi_gw items[FR_BI_GW_MAX];
};

struct fr_bi_ul {
    bool has_dev_eui, has_dev_addr;
    uint64_t dev_eui;
    uint32_t dev_addr;
    uint8_t data_rate;
    uint32_t freq_hz;
    int64_t recv_time_ms; /* since 1970 */
    char region[16];      /* RP002 name, upper case */
    uint32_t gw_count;
    struct fr_span fns_token; /* FNSULToken */
    struct fr_bi_gws gws;
};

struct fr_bi_dl {
    bool has_dev_eui, has_rx_delay;
    uint64_t dev_eui;
    uint32_t freq1_hz, freq2_hz; /* 0: window not offered */
    uint8_t data_rate1, data_rate2;
    uint8_t rx_delay1_s;
    char class_mode; /* 'A', 'C'; 0: not said */
    bool hi_priority;
    struct fr_span fns_token;
    struct fr_bi_gws gws;
};

/* Bits of `has`: optional (or type-dependent) members that are present. */
enum {
    FR_BI_HAS_DEV_EUI = 1 << 0,
    FR_BI_HAS_DEV_ADDR = 1 << 1,
    FR_BI_HAS_LIFETIME = 1 << 2,
    FR_BI_HAS_FCNT_UP = 1 << 3,
    FR_BI_HAS_CF_LIST = 1 << 4,
    FR_BI_HAS_UL = 1 << 5,
    FR_BI_HAS_DL = 1 << 6,
    FR_BI_HAS_H_NETID = 1 << 7,
};

struct fr_bi_message {
    enum fr_bi_type type;
    char type_text[FR_BI_TYPE_TEXT];
    struct fr_bi_id sender, receiver;
    uint32_t transaction_id;
    bool is_version_1_0;
    struct fr_span sender_token, receiver_token;

    enum fr_bi_result result; /* answers */
    struct fr_span description;

    unsigned has;
    struct fr_span phy_payload; /* empty: absent */
    struct fr_span mac_version;
    uint64_t dev_eui;
    uint32_t dev_addr;
    uint8_t dl_settings;
    uint8_t rx_delay;
    uint8_t cf_list[16];
    uint64_t lifetime_s;
    uint32_t fcnt_up;
    struct fr_bi_key keys[FR_BI_KEYS];
    struct fr_span session_key_id;
    uint32_t h_netid;
    struct fr_bi_ul ul;
    struct fr_bi_dl dl;

    const char *wrong;   /* after FR_E_MALFORMED: the member at fault, if one can be named */
    struct fr_jval *doc; /* owned; NULL in a message built for writing */
    uint8_t *decoded;    /* owned: what hex members decoded to */
    size_t decoded_n, decoded_max;
};

/*
 * The envelope. FR_E_MALFORMED still fills what was readable of sender, transaction_id and type_text when *answerable is set
 * to true: enough to send a MalformedRequest back. The message must be deinitialised in every case.
 */
enum fr_err fr_bi_open(struct fr_span body, struct fr_bi_message *out, bool *answerable);

/* The members that this type must and may have; for answers: Result, and what success requires only on success. */
enum fr_err fr_bi_read_members(struct fr_bi_message *m);

/* Appends the JSON form. The envelope's version is always 1.0. */
enum fr_err fr_bi_write(const struct fr_bi_message *m, struct fr_buf *out);

void fr_bi_message_deinit(struct fr_bi_message *m); /* zeroes keys, too */

bool fr_bi_is_request(enum fr_bi_type type);

/* The answer to `request`, its envelope filled: sides swapped, tokens swapped, type, transaction. Borrows request's tokens. */
void fr_bi_answer_init(struct fr_bi_message *answer, const struct fr_bi_message *request,
                       enum fr_bi_result result);

/* A request's envelope. */
void fr_bi_request_init(struct fr_bi_message *request, enum fr_bi_type type, struct fr_bi_id sender,
                        struct fr_bi_id receiver);

const char *fr_bi_type_print(enum fr_bi_type type); /* "" for the OTHER ones */

/* "000013", "0807060504030201", or "" for OTHER, into FR_BI_ID_TEXT bytes. */
#define FR_BI_ID_TEXT 17
void fr_bi_id_print(struct fr_bi_id id, char out[FR_BI_ID_TEXT]);
bool fr_bi_id_equal(struct fr_bi_id a, struct fr_bi_id b);

/* ISO 8601 with 0 to 9 digits of fraction, `Z` or ±hh:mm; printed in UTC, with
 * milliseconds unless they are 0. */
enum fr_err fr_bi_time_parse(struct fr_span text, int64_t *ms);
#define FR_BI_TIME_TEXT 25
void fr_bi_time_print(int64_t ms, char out[FR_BI_TIME_TEXT]);
