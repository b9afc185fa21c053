#pragma once
/* Exit codes of every program of the house: one enum. */

#include "base/err.h"

enum fr_exit {
    FR_EXIT_OK = 0,         /* done, or true */
    FR_EXIT_FALSE = 1,      /* a predicate is false; the user said no */
    FR_EXIT_WARNINGS = 2,   /* doctor: warnings */
    FR_EXIT_CRITICAL = 3,   /* doctor: critical */
    FR_EXIT_AUTH = 4,       /* refused by the peer: authentication */
    FR_EXIT_DENIED = 5,     /* refused: authorisation or policy */
    FR_EXIT_PENDING = 6,    /* waiting for approval */
    FR_EXIT_NOT_FOUND = 7,  /* not found */
    FR_EXIT_REVOKED = 8,    /* revoked or expired */
    FR_EXIT_CONFLICT = 9,   /* conflict, or already there differently */
    FR_EXIT_TEMPORARY = 10, /* network, busy, clock: a retry makes sense */
    FR_EXIT_USAGE = 64,     /* command line */
    FR_EXIT_DATA = 65,      /* bad input file */
    FR_EXIT_DOWN = 69,      /* service down */
    FR_EXIT_INTERNAL = 70,  /* internal error */
    FR_EXIT_CREATE = 73,    /* cannot create */
    FR_EXIT_IO = 74,        /* input or output failed */
    FR_EXIT_PERM = 77,      /* permission */
    FR_EXIT_CONFIG = 78,    /* bad configuration, or unsafe file mode */
};

enum fr_exit fr_exit_from_err(enum fr_err err);

struct fr_exit_word {
    enum fr_exit code;
    const char *meaning; /* "not found." */
};

/* Every code with its meaning; ends with {0, NULL}. */
extern const struct fr_exit_word fr_exit_words[];
