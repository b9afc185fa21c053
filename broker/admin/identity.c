#include "admin/admin.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum fr_err fr_admin_identity_enter(const char *state, struct fr_diag *diag,
                                    struct fr_admin_identity *out)
{
    struct stat st;
    if (stat(state, &st))
        return fr_diag_fail(diag, fr_err_from_errno(errno), "cannot use the state directory %s: %s",
                            state, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return fr_diag_fail(diag, FR_E_NOT_FOUND, "%s is not a directory", state);
    out->is_switched = false;
    if (geteuid() == st.st_uid) return FR_OK;
    if (geteuid() != 0) {
        enum fr_err err =
            fr_diag_fail(diag, FR_E_PERM, "the state directory %s belongs to user %lu", state,
                         (unsigned long)st.st_uid);
        fr_diag_hint(diag, "run this as that user or as root");
        return err;
    }
    /* Group first: afterwards the right to change it is gone. Supplementary groups stay root's; the
     * files are mode 0600. */
    if (setegid(st.st_gid) || seteuid(st.st_uid)) {
        int errnum = errno;
        (void)!setegid(getgid()); /* still root: cannot fail */
        return fr_diag_fail(diag, FR_E_PERM, "cannot become user %lu, the owner of %s: %s",
                            (unsigned long)st.st_uid, state, strerror(errnum));
    }
    out->is_switched = true;
    return FR_OK;
}

void fr_admin_identity_leave(struct fr_admin_identity *identity)
{
    if (!identity->is_switched) return;
    identity->is_switched = false;
    /* Back to root cannot fail: it is still the real and the saved user. */
    (void)!seteuid(getuid());
    (void)!setegid(getgid());
}
