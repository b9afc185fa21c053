#include "member_cli/place.h"

#include "base/mem.h"
#include "base/parse.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVICE_USER "fedroam"
#define CHIRPSTACK_USER "chirpstack"

enum fr_err fr_place_dir(const struct fr_cli *cli, struct fr_diag *diag, char out[FR_WALLET_PATH])
{
    const char *dir = fr_cli_opt(cli, "dir");
    char here[FR_WALLET_PATH];

    if (dir == NULL) dir = FR_WALLET_DIR;
    if (dir[0] == '/') return fr_wallet_path(out, diag, "%s", dir);
    if (getcwd(here, sizeof here) == NULL)
        return fr_diag_fail(diag, fr_err_from_errno(errno), "cannot tell the present folder: %s",
                            strerror(errno));
    return fr_wallet_path(out, diag, "%s/%s", here, dir);
}

static enum fr_err only_one(const char *dir, struct fr_diag *diag, struct fr_wallet_entry **out)
{
    struct fr_wallet wallet = {0};
    enum fr_err err = fr_wallet_open(dir, diag, &wallet);

    if (!err && wallet.n == 0)
        err = fr_diag_fail(diag, FR_E_NOT_FOUND, "%s holds no federation: fedroam join TOKEN", dir);
    if (!err && wallet.n > 1)
        err = fr_diag_fail(diag, FR_E_USAGE, "%s holds %zu federations: say which with --fed NAME",
                           dir, wallet.n);
    if (!err) {
        *out = wallet.entries[0];
        wallet.n = 0;
    }
    fr_wallet_close(&wallet);
    return err;
}

enum fr_err fr_place_open(const struct fr_cli *cli, const char *fed, struct fr_diag *diag,
                          struct fr_place *out)
{
    struct fr_place place = {0};
    enum fr_err err = fr_place_dir(cli, diag, place.dir);

    if (fed == NULL) fed = fr_cli_opt(cli, "fed");
    if (!err)
        err = fed ? fr_wallet_load(place.dir, fed, diag, &place.entry)
                  : only_one(place.dir, diag, &place.entry);
    if (!err) err = fr_wallet_path(place.folder, diag, "%s/%s", place.dir, place.entry->name);
    if (!err) err = fr_pairs_read(place.folder, place.entry->name, diag, &place.pairs);
    if (err)
        fr_place_close(&place);
    else
        *out = place;
    return err;
}

void fr_place_close(struct fr_place *place)
{
    fr_wallet_free(place->entry);
    fr_free(place->pairs);
    *place = (struct fr_place){0};
}

/* --- users --- */

enum fr_err fr_place_user(const char *name, struct fr_diag *diag, uid_t *out)
{
    uint64_t number = 0;

    if (fr_parse_u64(fr_span_str(name), 0, UINT32_MAX - 1, &number) == FR_OK) {
        *out = (uid_t)number;
        return FR_OK;
    }
    const struct passwd *user = getpwnam(name);
    if (user == NULL) return fr_diag_fail(diag, FR_E_NOT_FOUND, "there is no user %s", name);
    *out = user->pw_uid;
    return FR_OK;
}

/* Only root gives files away; others keep them. */
static uid_t if_there(const char *name)
{
    const struct passwd *user = geteuid() == 0 ? getpwnam(name) : NULL;
    return user != NULL ? user->pw_uid : (uid_t)-1;
}

static bool is_chirpstack(enum fr_wallet_lns lns)
{
    return lns == FR_LNS_CHIRPSTACK_V3 || lns == FR_LNS_CHIRPSTACK_V4;
}

enum fr_err fr_place_owner(const struct fr_wallet_entry *entry, enum fr_wallet_profile profile,
                           struct fr_diag *diag, uid_t *out)
{
    uid_t owner = if_there(SERVICE_USER);
    enum fr_err err = FR_OK;

    if (profile == FR_WALLET_NS && entry->owner != NULL)
        err = fr_place_user(entry->owner, diag, &owner);
    else if (profile == FR_WALLET_NS && is_chirpstack(entry->lns))
        owner = if_there(CHIRPSTACK_USER);
    if (!err && owner != (uid_t)-1 && owner != geteuid() && geteuid() != 0) {
        err = fr_diag_fail(diag, FR_E_PERM, "only root can give the key to user %s", entry->owner);
        fr_diag_hint(diag, "run it with sudo, or as that user without --owner");
    }
    if (!err) *out = owner;
    return err;
}
