#pragma once
/*
 * Who somebody on this machine is: the person who logged in, whatever user he became since.
 *
 * Model: the kernel gives a session the user who logged in (the audit login uid, set once by pam_loginuid for sshd, login
 *   and cron) and keeps it over sudo, su and setuid. So two administrators who both work as root are told apart. Neither the
 *   environment (SUDO_UID) nor the effective user says so: the one is anybody's to set, the other the same for both.
 *   A service, or a process in a container that nobody logged in to, has no login.
 * Threads: any.
 * Trust: who is root can lift this unless the kernel is told otherwise (auditctl --loginuid-immutable).
 */
#include "store/limits.h"

#include <sys/types.h>

/* The name of the user who logged in, else his number; "" when nobody did, or the process is gone. pid 0: nobody. */
void fr_login_of(pid_t pid, char out[FR_ACTOR_MAX + 1]);
