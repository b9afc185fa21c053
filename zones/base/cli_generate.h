#pragma once
/* Manual pages and completions, made from the tables that --help is made from.
 *
 * `PROGRAM --generate man|bash|zsh DIR [DATE]` is for the build: it is no command and not in help.
 * man: a page for the program, one for every word with commands below it, one for every command, and one
 * for every configuration file; DATE ("November 20, 2026") is what the pages say. bash, zsh: one file.
 * Files get the names under which they are installed. Blocks: writes files. */

#include "base/cli.h"

enum fr_exit fr_cli_generate(const struct fr_cli_program *program, int argc, char **argv,
                             FILE *err);
