#pragma once
/*
 * How rows are stored: one reader and one writer for each kind of row, fields in the same order.
 *
 * Model: a value starts with its form's number (1, or 2 of an authority that says since when and of a JoinEUI) and must be used up exactly. Keys are not in the value: readers are
 *   given a row whose key fields are set, and leave them alone. Numbers are big endian, texts carry their length.
 * Errors: the cursor's: FR_E_TRUNCATED, FR_E_MALFORMED, FR_E_UNSUPPORTED (a form of a later program), FR_E_RANGE.
 * Trust: values come from our own files, and are read as if they did not.
 */
#include "base/wire.h"
#include "store/approval.h"
#include "store/authority.h"
#include "store/block.h"
#include "store/cert.h"
#include "store/conflict.h"
#include "store/device.h"
#include "store/downstream.h"
#include "store/grace.h"
#include "store/joineui.h"
#include "store/journal.h"
#include "store/member.h"
#include "store/network.h"
#include "store/notice.h"
#include "store/primary.h"
#include "store/release.h"
#include "store/token.h"
#include "store/unknown.h"
#include "store/visibility.h"

#define FR_ROW_MAX 8192 /* longest stored form of any row but a journal record */
#define FR_DEVICE_VALUE_SIZE 8

enum fr_err fr_member_read(struct fr_span value, struct fr_member_row *row);
void fr_member_write(struct fr_wr *w, const struct fr_member_row *row);

enum fr_err fr_network_read(struct fr_span value, struct fr_network_row *row);
void fr_network_write(struct fr_wr *w, const struct fr_network_row *row);

/* Of the first form too: one server, with one port, by https. The key is its own reader's: 8 bytes, and a block's bits. */
enum fr_err fr_joineui_read_key(struct fr_span key, struct fr_joineui_row *row);
enum fr_err fr_joineui_read(struct fr_span value, struct fr_joineui_row *row);
void fr_joineui_write(struct fr_wr *w, const struct fr_joineui_row *row);

/* Eight bytes without a form number: NetID (3), flags (1), change (4). There may be 10^8 of them. */
enum fr_err fr_device_read(struct fr_span value, struct fr_device_row *row);
void fr_device_write(struct fr_wr *w, const struct fr_device_row *row);

enum fr_err fr_cert_row_read(struct fr_span value, struct fr_cert_row *row);
/* For sure of an issued certificate, without reading all of it. */
bool fr_cert_row_is_issued(struct fr_span value);
void fr_cert_row_write(struct fr_wr *w, const struct fr_cert_row *row);

enum fr_err fr_visibility_read(struct fr_span value, struct fr_visibility_row *row);
void fr_visibility_write(struct fr_wr *w, const struct fr_visibility_row *row);

enum fr_err fr_token_row_read(struct fr_span value, struct fr_token_row *row);
void fr_token_row_write(struct fr_wr *w, const struct fr_token_row *row);

enum fr_err fr_block_read(struct fr_span value, struct fr_block_row *row);
void fr_block_write(struct fr_wr *w, const struct fr_block_row *row);

enum fr_err fr_release_read(struct fr_span value, struct fr_release_row *row);
void fr_release_write(struct fr_wr *w, const struct fr_release_row *row);

enum fr_err fr_conflict_read(struct fr_span value, struct fr_conflict_row *row);
void fr_conflict_write(struct fr_wr *w, const struct fr_conflict_row *row);

enum fr_err fr_primary_read(struct fr_span value, struct fr_primary_row *row);
void fr_primary_write(struct fr_wr *w, const struct fr_primary_row *row);
enum fr_err fr_primary_state_read(struct fr_span value, struct fr_primary_state *out);
void fr_primary_state_write(struct fr_wr *w, const struct fr_primary_state *state);
enum fr_err fr_primary_left_read(struct fr_span value, struct fr_primary_left *out);
void fr_primary_left_write(struct fr_wr *w, const struct fr_primary_left *left);

enum fr_err fr_downstream_read(struct fr_span value, struct fr_downstream_row *row);
void fr_downstream_write(struct fr_wr *w, const struct fr_downstream_row *row);

enum fr_err fr_grace_read(struct fr_span value, struct fr_grace_row *row);
void fr_grace_write(struct fr_wr *w, const struct fr_grace_row *row);

enum fr_err fr_unknown_read(struct fr_span value, struct fr_unknown_row *row);
void fr_unknown_write(struct fr_wr *w, const struct fr_unknown_row *row);

enum fr_err fr_notice_read(struct fr_span value, struct fr_notice_row *row);
void fr_notice_write(struct fr_wr *w, const struct fr_notice_row *row);

enum fr_err fr_approval_read(struct fr_span value, struct fr_approval_row *row);
void fr_approval_write(struct fr_wr *w, const struct fr_approval_row *row);

struct fr_key_row {
    bool is_blocked;
    char member[FR_MEMBER_ID_MAX + 1];
};
enum fr_err fr_key_read(struct fr_span value, struct fr_key_row *row);
void fr_key_write(struct fr_wr *w, const struct fr_key_row *row);

struct fr_pin_row {
    uint8_t spki[FR_DIGEST_SIZE];
    int64_t not_after_s;
};
enum fr_err fr_pin_read(struct fr_span value, struct fr_pin_row *row);
void fr_pin_write(struct fr_wr *w, const struct fr_pin_row *row);

enum fr_err fr_authority_read(struct fr_span value, struct fr_authority_row *row);
void fr_authority_write(struct fr_wr *w, const struct fr_authority_row *row);

/* Borrows `facts` from the value. */
enum fr_err fr_journal_read(struct fr_span value, struct fr_journal_record *record);
void fr_journal_write(struct fr_wr *w, const struct fr_journal_record *record);
