#include "session/owner.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVICE_USER "fedroam"

static struct fr_owner of_user(const struct passwd *user)
{
    return (struct fr_owner){true, user->pw_uid, user->pw_gid};
}

enum fr_err fr_owner_find(const struct fr_cli *cli, const char *dir, struct fr_diag *diag,
                          struct fr_owner *out)
{
    const char *name = fr_cli_opt(cli, "user");
    const struct passwd *user = name != NULL ? getpwnam(name) : NULL;
    struct stat st;

    *out = (struct fr_owner){0};
    if (name != NULL && user == NULL)
        return fr_diag_fail(diag, FR_E_NOT_FOUND, "there is no user %s", name);
    if (geteuid() != 0) {
        if (user == NULL || user->pw_uid == geteuid()) return FR_OK;
        return fr_diag_fail(diag, FR_E_PERM, "only root makes files of %s", name);
    }
    if (user != NULL) {
        *out = of_user(user);
    } else if (stat(dir, &st) == 0 && st.st_uid != 0) {
        *out = (struct fr_owner){true, st.st_uid, st.st_gid};
    } else if ((user = getpwnam(SERVICE_USER)) != NULL) {
        *out = of_user(user);
    } else {
        fr_cli_note(cli, "there is no user " SERVICE_USER " here: the files stay root's");
    }
    return FR_OK;
}
