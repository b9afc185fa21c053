/* The configuration files of a wallet: the federation's block in resolver.yaml, agent.yaml, ns.yaml.
 *
 * Model    resolver.yaml is for the commands, agent.yaml for fedroam-agent, ns.yaml for fedroam-ns
 *          (where that is the network server). A file is made when missing, else edited
 *          (enrol/blocks.h); only what fits the program's rows is written.
 * Owns     Results are plain values. Threads: one at a time (fr_wallet_lock).
 * Errors   FR_E_CONFLICT (the file cannot be edited, or says another NetID), FR_E_CONFIG (what would
 *          come out is not what resolver.yaml may hold), those of files.
 * Trust    The member's own files. */
#pragma once

#include "enrol/pairs.h"

enum fr_wallet_file { FR_FILE_RESOLVER, FR_FILE_AGENT, FR_FILE_NS, FR_WALLET_FILES };

/* "resolver.yaml", "agent.yaml", "ns.yaml". */
const char *fr_wallet_file_name(enum fr_wallet_file file);

/* The pair that a file's program uses; NULL when the file is not for this wallet. */
const struct fr_pair *fr_wallet_file_pair(enum fr_wallet_file file,
                                          const struct fr_wallet_entry *entry,
                                          const struct fr_pairs *pairs);

/* Puts the block in. *changed: the file says something else now. */
enum fr_err fr_wallet_file_put(const char *dir, enum fr_wallet_file file,
                               const struct fr_wallet_entry *entry, const struct fr_pair *pair,
                               struct fr_diag *diag, bool *changed);

/* The file of devices that a new ns.yaml names: made, without any, where ns.yaml was begun here and it is not
 * there yet. It holds keys: mode 0600, for `owner` ((uid_t)-1: who runs this). */
#define FR_WALLET_DEVICES "devices.yaml"
enum fr_err fr_wallet_devices_begin(const char *dir, uid_t owner, struct fr_diag *diag,
                                    bool *changed);

/* Takes the block out; a file that is left without any federation is removed, as no program would
 * start with it (ns.yaml: only its list is). A missing file is fine. */
enum fr_err fr_wallet_file_remove(const char *dir, enum fr_wallet_file file, const char *fed,
                                  struct fr_diag *diag, bool *changed);
