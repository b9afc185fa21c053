#pragma once
/* What a manual page or a completion says, appended to a buffer; cli_generate.c writes the files. Not for
 * other libraries. */

#include "base/cli_internal.h"
#include "base/conf_internal.h"

/* 1, or 8 for a daemon: a program whose only command has no name. */
unsigned fr_cli_page_section(const struct fr_cli_program *program);

/* "fedroam-member-add" for the path "member add". */
void fr_cli_page_name(struct fr_buf *out, const struct fr_cli_program *program,
                      struct fr_span path);

void fr_cli_page_program(struct fr_buf *out, const struct fr_cli_program *program,
                         const char *date);
void fr_cli_page_prefix(struct fr_buf *out, const struct fr_cli_program *program,
                        struct fr_span prefix, const char *date);
void fr_cli_page_command(struct fr_buf *out, const struct fr_cli_program *program,
                         const struct fr_cli_command *command, const char *date);
/* Section 5. */
void fr_conf_page(struct fr_buf *out, const struct fr_conf_schema *file,
                  const struct fr_cli_program *program, const char *date);

void fr_cli_complete_bash(struct fr_buf *out, const struct fr_cli_program *program);
void fr_cli_complete_zsh(struct fr_buf *out, const struct fr_cli_program *program);
