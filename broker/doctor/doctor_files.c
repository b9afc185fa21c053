#include "doctor/doctor_priv.h"

#include "admin/audit.h"
#include "admin/socket_path.h"
#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#define FAULTS_NAMED 20
#define PATH_SIZE 4096

/* --- the root's key --- */

static void look_root_key(struct fr_doctor *d)
{
    char mend[FR_SYMPTOM_MEND];
    char *path = fr_path_join(d->o.state, "root.key");
    if (path && fr_file_exists(path)) {
        (void)snprintf(mend, sizeof mend, "cp %s /media/usb/ && shred -u %s", path, path);
        fr_doctor_tell(d, FR_SYMPTOM_WARNING, "root-key", mend,
                       "the root's key is still here: who gets into this machine gets the whole "
                       "federation for good");
    }
    fr_free(path);
}

/* --- owners and modes --- */

struct walk {
    struct fr_doctor *d;
    uid_t owner;
    unsigned faults;
};

static void look_file(struct walk *w, const char *path, const struct stat *st)
{
    char mend[FR_SYMPTOM_MEND];
    if (st->st_uid != w->owner && w->faults++ < FAULTS_NAMED) {
        (void)snprintf(mend, sizeof mend, "chown %lu %s", (unsigned long)w->owner, path);
        fr_doctor_tell(w->d, FR_SYMPTOM_CRITICAL, "owner", mend,
                       "%s belongs to user %lu, the state directory to user %lu", path,
                       (unsigned long)st->st_uid, (unsigned long)w->owner);
    }
    const size_t n = strlen(path);
    const bool is_key = n > 4 && strcmp(path + n - 4, ".key") == 0;
    const mode_t wrong = is_key || S_ISDIR(st->st_mode) ? 077 : 022;
    if (!S_ISSOCK(st->st_mode) && (st->st_mode & wrong) != 0 && w->faults++ < FAULTS_NAMED) {
        (void)snprintf(mend, sizeof mend, "chmod go-%s %s", wrong == 077 ? "rwx" : "w", path);
        fr_doctor_tell(w->d, is_key ? FR_SYMPTOM_CRITICAL : FR_SYMPTOM_WARNING, "mode", mend,
                       "%s can be %s by others (mode %03o)", path,
                       wrong == 077 ? "read or written" : "written",
                       (unsigned)(st->st_mode & 0777));
    }
}

static void walk_folder(struct walk *w, const char *folder, unsigned depth)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        fr_doctor_tell(w->d, FR_SYMPTOM_CRITICAL, "owner", "", "%s cannot be read: %s", folder,
                       strerror(errno));
        return;
    }
    for (struct dirent *e; (e = readdir(dir));) {
        struct stat st;
        char *path = NULL;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW)) continue;
        path = fr_path_join(folder, e->d_name);
        if (path) look_file(w, path, &st);
        if (path && S_ISDIR(st.st_mode) && depth > 0) walk_folder(w, path, depth - 1);
        fr_free(path);
    }
    (void)closedir(dir);
}

static void look_owners(struct fr_doctor *d)
{
    struct stat st;
    struct walk w = {.d = d};
    if (stat(d->o.state, &st)) return;
    w.owner = st.st_uid;
    look_file(&w, d->o.state, &st);
    walk_folder(&w, d->o.state, 1);
}

/* --- room --- */

static void look_disk(struct fr_doctor *d)
{
    struct statvfs fs;
    if (statvfs(d->o.state, &fs) || fs.f_blocks == 0) return;
    const uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    const uint64_t percent = (uint64_t)fs.f_bavail * 100 / fs.f_blocks;
    d->figures.disk_free_percent = (int64_t)percent;
    if (percent >= 10 && free_bytes >= (UINT64_C(1) << 30)) return;
    fr_doctor_tell(d, percent < 3 ? FR_SYMPTOM_CRITICAL : FR_SYMPTOM_WARNING, "disk",
                   "make room; with the broker stopped, fedroam store compact gives some back",
                   "the disk of %s has %llu MiB left (%llu %%)", d->o.state,
                   (unsigned long long)(free_bytes >> 20), (unsigned long long)percent);
}

/* --- the trail's file --- */

static void look_trail(struct fr_doctor *d)
{
    struct stat st;
    char *path = fr_path_join(d->o.state, FR_AUDIT_FILE);
    if (path && lstat(path, &st) == 0 &&
        (!S_ISREG(st.st_mode) || faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0))
        (void)snprintf(d->trail, sizeof d->trail,
                       "the audit trail %s cannot be written: nothing is issued", path);
    fr_free(path);
}

/* --- the broker --- */

static bool is_answering(const char *state)
{
    struct fr_socket_path path = {.dir_fd = -1};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    bool is_there = false;
    if (fr_socket_path_open(state, NULL, &path)) return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", path.text);
    is_there = fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) == 0;
    if (fd >= 0) (void)close(fd);
    fr_socket_path_close(&path);
    return is_there;
}

enum fr_err fr_doctor_look_files(struct fr_doctor *d)
{
    if (!is_answering(d->o.state))
        fr_doctor_tell(d, FR_SYMPTOM_CRITICAL, "broker", "systemctl start fedroam-broker",
                       "no broker answers on control.sock: nobody can look anything up here");
    look_root_key(d);
    look_owners(d);
    look_disk(d);
    look_trail(d);
    return FR_OK;
}
