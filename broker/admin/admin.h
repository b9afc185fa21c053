#pragma once
/*
 * Every change to a federation, as one call: name an operation, give it JSON, get JSON back.
 *
 * Model: a *request* names an operation ("member.add") and carries its arguments (one JSON object),
 *   sometimes a binary body, a dry-run flag and a reason. A *reply* is one JSON object. The same
 *   operation is reached over the broker's control.sock when one runs on this state directory, and
 *   in this process when none does: callers see no difference.
 *   Some need several persons by policy (approval.…): FR_E_PENDING then, with a number to approve (store/approval.h).
 * Owns: a reply belongs to the caller (fr_admin_reply_free). Requests are borrowed for the call.
 * Threads: none of its own; one call at a time in a process, and no store of that directory open.
 * Errors: a refusal by the operation comes back as its own code with a diag that says what and what
 *   to do, whichever way the call went: FR_E_EXISTS, FR_E_CONFLICT, FR_E_NOT_FOUND, FR_E_INVALID
 *   (arguments), FR_E_PERM, FR_E_BUSY …
 * Units and limits: arguments FR_ADMIN_ARGS_MAX bytes, body FR_ADMIN_BODY_MAX bytes.
 * Trust: arguments and body are outside bytes and are checked by the operation, strictly: unknown
 *   members, missing members and wrong types are errors.
 *
 * Operations (arguments → reply). "?" marks what may be left out, [] a list. Every reply also has
 * "sequence" (when something was written), and all but cert.issue and zone.import "changed" (bool).
 * NetIDs, EUIs and serials are lower-case hex text as names/ prints it; arguments may have any form
 * that names/ parses.
 *
 *   member.add      id, netids[]?, netid_auto?(bool), endpoints[]?, org?, noc?, security?
 *                   → id, state, org, noc, security, networks: [{netid, endpoints[],
 *                     devaddr_prefix, devaddrs, can_be_shared(bool), shared_with[]}]
 *   member.set      id, netids[]? (more of them), remove_netids[]?, endpoints[]?, org?, noc?,
 *                   security? → as member.add
 *   member.suspend, member.resume, member.remove       id → id, state
 *   member.leave    (none; for members alone) → id, withdrawn (devices), revoked[] (serials): the
 *                   certificates of the machine that asks end (those with the profile, NetID,
 *                   JoinEUI and host of its own), and when no other machine speaks for its network,
 *                   the network's devices
 *   network.set     netid, endpoints[] → netid, member, endpoints[]
 *   joineui.add     joineui ("70b3d57ed0000001", or a block "70b3d57ed0000000/40"), member, servers[]? (store/join_server.h) → joineui, member, servers[], added(bool). Sets the servers of
 *                   one that is there. A member asks for its own, for what is inside its EUI blocks or prefixes; else FR_E_DENIED
 *   joineui.remove  joineui → joineui
 *   device.add      netid, devices[] → added, moved, same, repeated
 *   device.remove   devices[], netid? → removed, absent, repeated. A member may ask for both, for
 *                   its own NetIDs; to take away what it does not have is FR_E_NOT_FOUND
 *   device.release  devices[], to, ttl_s? or until? (Unix seconds; a week) → released, to, until;
 *                   or devices[], withdraw(true) → withdrawn
 *   device.claim    netid, devices[] (released to its holder) → moved, same, repeated
 *   device.move     netid, devices[]; needs a reason → moved, same, repeated
 *   block.add, block.remove   member, blocks[] ("70b3d57ed0000000/36") → member, blocks[]
 *   device.batch    key? (hex of 16 bytes) with digest (hex of 32), first?, last?(bool), from?; body:
 *                   rows of admin/batch.h → results (a letter for each row), next?, and how many of
 *                   each: added, moved, same, removed, absent, … A key that has other rows there:
 *                   FR_E_CONFLICT
 *   device.set      devices[], hidden(bool) → hidden, devices (how many were not so before)
 *   visibility.set  home, visited (member ids), allowed(bool), both?(bool) → home, visited, allowed,
 *                   both
 *   zone.import     netid, replace?(bool), keep_going?(bool), list?; body: 8-byte big-endian EUIs
 *                   in the list's order; or list: the name of a file in the state directory
 *                   (store/list.h), for any number → imported(bool), added, moved, same, repeated,
 *                   removed, before, after, refused: [{row (from 0; of a file: what it says),
 *                   deveui, outcome, owner?}] (100000 at most), refused_total.
 *                   Not imported: rows were refused without keep_going, and nothing changed. What a
 *                   replacement would do is asked with dry_run first.
 *   zone.primary.set      member, zone, addresses[], netids[], tsig_name?, tsig_algorithm?, tls?(bool), tls_name?, pin?,
 *                   refresh_min_s?, refresh_max_s?, max_gone? (percent); body: secret of the TSIG key and CA, see
 *                   admin/transfer.h → member, zone, addresses[], netids[]
 *   zone.primary.remove   member, zone? → member, zones: [{zone}]
 *   zone.primary.refresh  member?, zone?, full?(bool) → member, zones: [{zone}]. A member may ask for its
 *                   own, and needs not say whose; zone.accept too
 *   zone.secondary.set    name, addresses[]?, tsig_name?, tsig_algorithm?, xot?(bool); body: secret of the TSIG key, or empty: it
 *                   stays → name, addresses[]
 *   zone.secondary.remove name → name
 *   zone.accept     member?, zone? → member, zones: [{zone, held(bool), serial?, gone?, of?}]
 *   zone.transfer   member, zone, sets["NetID:list"]; zone.change member, zone; zone.note member, zone; body: admin/transfer.h.
 *                   What the broker's own transfers came to → held(bool), gone, of, added, moved, removed, taken, left_out
 *   zone.rollback   to (a sequence) → to, added, removed, moved, hidden, shown, left (as they are: their
 *                   network or member is gone)
 *   device.erase    devices[] → removed, conflicts, journal_facts, journal_records, stays: [{what, why}]
 *   member.erase    id (of a removed member) → conflicts, journal_facts, journal_records, stays
 *   journal.trim    (none) → removed
 *   policy.set      set: {"ttl.deveui": "1h", …} → policy: {name: number or word, …}
 *   cert.issue      profile, member?, netid?, joineui?, host?, lifetime_s?, rights[]?; body: CSR
 *                   (PEM or DER) → serial, profile, id, member?, names[], rights[], not_before,
 *                   not_after, sha256, chain (PEM: leaf, issuing), root (PEM)
 *   network.suspend, network.resume       netid → netid, state
 *   cert.revoke     one of serial, key (SHA-256 of its SPKI, hex), netid, and member and/or before (a
 *                   time); cause? ("key-compromise", …) → revoked (count), certificates: [{serial,
 *                   profile, member?, id, not_after}] and tlsa[] (1000 of them at most), names[] that
 *                   are not answered any more, devices (how many)
 *   cert.set        serial, rights[] → serial, rights[]
 *   cert.adopt      serial? (of one that was seen), rights[]?; body: else the certificate (DER)
 *                   → serial, profile, id, member, rights[], not_after
 *   cert.note       serial, sha256, subject, not_before, not_after (Unix seconds); body: the
 *                   certificate (DER), or nothing. What the broker saw and does not know → serial
 *   cert.bar        authority; body: entries of a revocation list, each serial (16), when (8), cause
 *                   (1) → revoked, barred (not known here), same
 *   restore.begin   backup (Unix seconds) → backup, tokens (that are worthless now)
 *   token.create    member, profiles[], netid?, joineui?, rights[]?, host?, ttl_s?, approval?(bool)
 *                   → id, member, profiles[], netid?, joineui?, host?, expires, token (shown this
 *                   once; not in a dry run)
 *   token.revoke    id → id
 *   token.approve   id → id, approved (count)
 *   enrol.token     token, profile?; body: SHA-256 of the secret (32 bytes), then the CSR (DER)
 *   enrol.renew, enrol.extend   serial, profile?; body: the CSR. All three are for peers only
 *                   → serial, profile, member, not_after, certificate (base64 of the DER)
 *   ca.prepare      count? (1) → prepared: [{name, csr (PEM; not in a dry run)}]
 *   ca.install      body: the certificate (DER) of a prepared issuing CA → name
 *   ca.activate     name → name, before ("" or the one that is tainted now)
 *   ca.taint        name → name
 *   ca.retire       name, force?(bool) → name, live (certificates below it), revoked (of those)
 *   ca.list.install body: a revocation list (DER) of the root → names[] (issuing CAs it ends),
 *                   number, entries, next_update, revoked (certificates below them)
 *   server.renew    new_key?(bool), host? → serial, host, not_before, not_after, new_key
 *   clock.accept    (none) → now, last
 *   grace.open      one of member, all(bool); until (a time) → member?, all, until
 *   approval.approve id, digest (of what was asked, hex) → id, op, asker, state ("waiting", "agreed": asker has to ask again,
 *                   "done"), missing (persons), approved_by[], reply (of the operation, when it was done)
 *   approval.refuse id → id, state. Anybody may, who asked included
 *   grace.close     one of member, all(bool) → member?, all
 *   audit.rotate    (none) → file
 *   crl.publish     (none) → lists: [{name, number, entries, this_update, next_update}] of the issuing
 *                   CAs, the active one first
 *   notice.look     backup? (Unix seconds of the last one; 0: never), diverged?, trail? (why it cannot be written), copy_fails?(bool),
 *                   walks[]? (members), over[]? ("member/budget"). What the broker does by itself every few seconds
 *                   → raised, cleared (notices), dropped
 *   notice.told     id, stage, way ("exec", "post"): the broker's, too → id
 *   notice.ack      ids[] or all(bool); needs a reason → acked (count), ids[], more(bool: of all, some hundred at a time)
 *   replica.promote force?(bool) → term, last_change (of the old term), enrolment(bool), needs?
 *   replica.reapply fork, until (journal records), record (a line of diverged-<term>.ndjson, see replica/diverged.h) →
 *                   outcome ("done", "same")
 */

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FR_ADMIN_ARGS_MAX (1024 * 1024)
#define FR_ADMIN_BODY_MAX (16 * 1024 * 1024)

struct fr_admin_reply;
struct fr_passphrase; /* x509/key_uri.h */

struct fr_admin_request {
    const char *op;      /* "member.add" */
    const char *args;    /* text of one JSON object; NULL means {} */
    struct fr_span body; /* the operation's binary part; empty where it has none */
    const char *reason;  /* for the audit trail and the journal; may be NULL */
    bool dry_run;        /* check everything, report what would change, write nothing */
    bool
        is_repeated; /* a restore does again what was done: needs no approval. In this process alone */
    const struct fr_passphrase *passphrase; /* unlocks keys when it is done in this process */
};

/*
 * Runs one operation on the federation whose state directory is `state`: through the broker's
 * control.sock when it answers, else in this process as the directory's owner (root takes that
 * identity for the length of the call; any other user is refused with FR_E_PERM). `*out` is the
 * caller's; untouched on failure.
 */
enum fr_err fr_admin_call(const char *state, const struct fr_admin_request *request,
                          struct fr_diag *diag, struct fr_admin_reply **out);

/* A reply from its text. FR_E_MALFORMED: not one JSON object. */
enum fr_err fr_admin_reply_parse(struct fr_span text, struct fr_admin_reply **out);

/* The whole reply as compact JSON text; borrowed until the reply is freed. */
const char *fr_admin_reply_json(const struct fr_admin_reply *reply);

/* One value of it as JSON text. FR_E_NOT_FOUND. */
enum fr_err fr_admin_reply_part(const struct fr_admin_reply *reply, const char *path,
                                struct fr_buf *out);

/*
 * One value of a reply by dotted path; list members by index: "serial", "networks.0.netid". Text is
 * borrowed until the reply is freed. Absent or another type: NULL / `absent` / false / 0.
 */
const char *fr_admin_reply_text(const struct fr_admin_reply *reply, const char *path);
uint64_t fr_admin_reply_uint(const struct fr_admin_reply *reply, const char *path, uint64_t absent);
bool fr_admin_reply_bool(const struct fr_admin_reply *reply, const char *path);
size_t fr_admin_reply_count(const struct fr_admin_reply *reply, const char *path);

void fr_admin_reply_free(struct fr_admin_reply *reply);

/* For main(), before anything else: what JSON held in this process is zeroed when it is freed. */
void fr_admin_wipe_json(void);

/*
 * Reads and other work on a state directory happen as its owner too: `enter` switches the effective
 * identity (root only; a no-op for the owner; FR_E_PERM with a diag for anybody else), `leave`
 * switches back. FR_E_NOT_FOUND when the directory does not exist. Not for threaded programs.
 */
struct fr_admin_identity {
    bool is_switched;
};
enum fr_err fr_admin_identity_enter(const char *state, struct fr_diag *diag,
                                    struct fr_admin_identity *out);
void fr_admin_identity_leave(struct fr_admin_identity *identity);
