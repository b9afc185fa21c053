#include "admin/login.h"

#include "base/parse.h"
#include "base/span.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#define NOBODY 4294967295u /* (uid_t)-1: the kernel's word for nobody */

void fr_login_of(pid_t pid, char out[FR_ACTOR_MAX + 1])
{
    char path[64], text[16], room[4096];
    struct passwd entry, *found = NULL;
    uint64_t uid = NOBODY;
    out[0] = '\0';
    if (pid <= 0) return;
    (void)snprintf(path, sizeof path, "/proc/%ld/loginuid", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    const ssize_t n = read(fd, text, sizeof text);
    (void)close(fd);
    if (n <= 0 || fr_parse_u64(fr_span_trim(fr_span(text, (size_t)n)), 0, NOBODY, &uid)) return;
    if (uid == NOBODY) return;
    if (getpwuid_r((uid_t)uid, &entry, room, sizeof room, &found) == 0 && found)
        (void)snprintf(out, FR_ACTOR_MAX + 1, "%s", found->pw_name);
    else
        (void)snprintf(out, FR_ACTOR_MAX + 1, "%lu", (unsigned long)uid);
}
