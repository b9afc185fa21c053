#pragma once
/* Inside of zones/store: the reader's state, shared by import.c (lines, lists) and import_master.c (master files). */
#include "store/import.h"

#define FR_IMPORT_TOKENS_MAX 8 /* of a record: what decides stands before RDATA's second word */

enum fr_import_form { FR_IMPORT_UNDECIDED, FR_IMPORT_LIST, FR_IMPORT_MASTER };

struct fr_import {
    struct fr_import_options options;
    enum fr_import_form form;
    char name[256];

    uint8_t held[FR_IMPORT_LINE_MAX + 2]; /* the start of a line that has not ended */
    size_t n_held;
    size_t line; /* number of the line being read */
    bool is_over_long;

    /* Master files: a record may go on over lines while parentheses are open. */
    char text[FR_IMPORT_LINE_MAX + 1]; /* its tokens, each ended by a zero byte */
    size_t n_text;
    const char *tokens[FR_IMPORT_TOKENS_MAX];
    size_t n_tokens;                  /* may count more than are kept */
    char raw[FR_IMPORT_LINE_MAX + 1]; /* the record behind its owner as written, on one line */
    size_t n_raw;
    unsigned depth;
    bool has_owner; /* the record's first line did not start with a blank */
    size_t record_line;
    char owner[FR_DNS_NAME_MAX + 2];  /* of the last record */
    char origin[FR_DNS_NAME_MAX + 2]; /* "" while unknown */

    bool is_ended; /* by the device call-back, which filled `ended` */
    struct fr_diag ended;
    struct fr_addr addrs[FR_ENDPOINTS_MAX];
    size_t n_addrs;
    size_t left_out;
};

/* What is wrong with a line, if anything. */
struct fr_import_fault {
    enum fr_err err;
    size_t line; /* where it is; 0: the line being read */
    char why[160];
};
enum fr_err fr_import_fault(struct fr_import_fault *fault, enum fr_err err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

enum fr_err fr_import_add(struct fr_import *import, uint64_t eui, size_t line,
                          struct fr_import_fault *fault);

/* One line of a master file; the record is taken when its parentheses are closed. */
enum fr_err fr_import_master_line(struct fr_import *import, struct fr_span line,
                                  struct fr_import_fault *fault);
/* At the end of the text: open parentheses are a fault. */
enum fr_err fr_import_master_end(struct fr_import *import, struct fr_import_fault *fault);
