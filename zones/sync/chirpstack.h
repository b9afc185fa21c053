#pragma once
/*
 * The devices of a ChirpStack, read from its database in order of their DevEUIs.
 *
 * Model: opening looks whether the tables are whole: of a version that this reads, and not in the middle of a migration. v4:
 *   PostgreSQL or SQLite, device-profiles as before and after 2025-11. v3: the network server's database says which devices there
 *   are and which of them join; beside it, the application server's says whose they are.
 * Owns: the databases given, also when opening fails. A device's texts are borrowed until the next call.
 * Threads: one; blocks. Errors: those of sync/db.h; FR_E_SCHEMA: half-migrated, restored in part, or of a version we do not know.
 * Units and limits: constant memory. Trust: rows are the network server's; a DevEUI that is none is an error.
 */
#include "sync/choice.h"
#include "sync/db.h"

struct fr_sync_source;

struct fr_sync_source_options {
    enum fr_sync_kind kind;
    struct fr_sync_db *db;
    struct fr_sync_db *names; /* v3: the application server's, or NULL */
    char *const *tags;        /* of the choice, at most FR_SYNC_TAGS_MAX; read on opening */
    size_t n_tags;
};

enum fr_err fr_sync_source_open(const struct fr_sync_source_options *options, struct fr_diag *diag,
                                struct fr_sync_source **out);
/* FR_E_CLOSED: no more. */
enum fr_err fr_sync_source_next(struct fr_sync_source *source, struct fr_diag *diag,
                                struct fr_sync_device *out);
void fr_sync_source_close(struct fr_sync_source *source); /* NULL is fine */
