/* Completion for bash and zsh, from the tables of commands.
 *
 * Both scripts hold the same list: for each command path and each word that leads to commands, the words
 * and options that may follow, and one that says what an option's value is. They walk the line as
 * cli.c does: options may stand anywhere, their values are no words of a path. */
#include "base/cli_pages.h"

#include <ctype.h>
#include <string.h>

struct out {
    struct fr_buf *buf;
    const struct fr_cli_program *program;
};

/* What stands for a value: words to choose from, files, folders, or nothing known. */
enum value_kind { VALUE_WORDS, VALUE_FILE, VALUE_FOLDER, VALUE_OTHER };

/* "text|json": at least two words of small letters and digits. */
static bool is_choice(const char *value)
{
    bool has_bar = false;

    for (const char *p = value; *p != '\0'; p++) {
        if (*p == '|' && p > value && p[1] != '\0')
            has_bar = true;
        else if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != '-')
            return false;
    }
    return has_bar;
}

static enum value_kind kind_of(const char *value)
{
    if (is_choice(value)) return VALUE_WORDS;
    if (strncmp(value, "FILE", 4) == 0) return VALUE_FILE;
    if (strncmp(value, "DIR", 3) == 0) return VALUE_FOLDER;
    return VALUE_OTHER;
}

static void put_choice(struct fr_buf *out, const char *value)
{
    for (; *value != '\0'; value++) fr_buf_add_char(out, *value == '|' ? ' ' : *value);
}

typedef void option_fn(struct fr_buf *out, const struct fr_cli_option *option);

static void each_option(const struct out *o, const struct fr_cli_command *c, option_fn *fn)
{
    const struct fr_cli_option *lists[] = {c != NULL ? c->options : NULL, o->program->globals};

    for (size_t i = 0; i < 2; i++) {
        for (const struct fr_cli_option *p = lists[i]; p != NULL && p->name != NULL; p++) {
            if (fr_cli_option_fits(p, c)) fn(o->buf, p);
        }
    }
}

typedef void path_fn(const struct out *o, struct fr_span path, const struct fr_cli_command *c);

/* Each path that can be typed: the empty one, every word that leads on, every command. */
static void each_path(const struct out *o, path_fn *fn)
{
    fn(o, fr_span("", 0), fr_cli_find_exact(o->program, fr_span("", 0)));
    for (const struct fr_cli_command *const *t = o->program->tables; *t != NULL; t++) {
        for (const struct fr_cli_command *c = *t; c->path != NULL; c++) {
            for (size_t n = 1; c->path[0] != '\0' && n <= strlen(c->path); n++) {
                if (c->path[n] != ' ' && c->path[n] != '\0') continue;
                if (!fr_cli_is_first_with(o->program, c, n)) continue;
                fn(o, fr_span(c->path, n), fr_cli_find_exact(o->program, fr_span(c->path, n)));
            }
        }
    }
}

typedef void word_fn(const struct out *o, struct fr_span word, const char *summary);

static const char *summary_of(const struct out *o, const struct fr_cli_command *c, bool is_whole,
                              struct fr_span prefix)
{
    if (is_whole) return c->summary;
    for (const struct fr_cli_topic *t = o->program->topics; t != NULL && t->word != NULL; t++) {
        if (prefix.n == 0 && fr_cli_path_is_under(c->path, fr_span_str(t->word)))
            return fr_cli_topic_summary(o->program, t);
    }
    return "";
}

/* The words that may follow a path. */
static void each_word(const struct out *o, struct fr_span prefix, word_fn *fn)
{
    for (const struct fr_cli_command *const *t = o->program->tables; *t != NULL; t++) {
        for (const struct fr_cli_command *c = *t; c->path != NULL; c++) {
            size_t at = prefix.n + (prefix.n > 0);
            if (!fr_cli_path_is_under(c->path, prefix) || strlen(c->path) <= prefix.n) continue;
            size_t n = strcspn(c->path + at, " ");
            if (n == 0 || !fr_cli_is_first_with(o->program, c, at + n)) continue;
            fn(o, fr_span(c->path + at, n), summary_of(o, c, c->path[at + n] == '\0', prefix));
        }
    }
}

static void put_bash_word(const struct out *o, struct fr_span word, const char *summary)
{
    (void)summary;
    fr_buf_add_char(o->buf, ' ');
    fr_buf_add_span(o->buf, word);
}

static void put_bash_option(struct fr_buf *out, const struct fr_cli_option *option)
{
    if (option->letter != 0) fr_buf_printf(out, " -%c", option->letter);
    fr_buf_printf(out, " --%s", option->name);
}

static void put_bash_path(const struct out *o, struct fr_span path, const struct fr_cli_command *c)
{
    fr_buf_add_str(o->buf, "        '");
    fr_buf_add_span(o->buf, path);
    fr_buf_add_str(o->buf, "') follow='");
    each_word(o, path, put_bash_word);
    fr_buf_add_str(o->buf, "' flags='");
    each_option(o, c, put_bash_option);
    fr_buf_add_str(o->buf, " -h --help' ;;\n");
}

/* The case of an option that takes a value, in a path's branch. The shape is the same for both shells. */
static void put_value(struct fr_buf *out, const struct fr_cli_option *option)
{
    if (option->value == NULL) return;
    fr_buf_add_str(out, "            ");
    if (option->letter != 0) fr_buf_printf(out, "-%c|", option->letter);
    fr_buf_printf(out, "--%s) takes='", option->name);
    switch (kind_of(option->value)) {
    case VALUE_WORDS: put_choice(out, option->value); break;
    case VALUE_FILE: fr_buf_add_str(out, "FILE"); break;
    case VALUE_FOLDER: fr_buf_add_str(out, "DIR"); break;
    case VALUE_OTHER: fr_buf_add_str(out, "OTHER"); break;
    }
    fr_buf_add_str(out, "' ;;\n");
}

static void put_values(const struct out *o, struct fr_span path, const struct fr_cli_command *c)
{
    if (c == NULL || c->options == NULL) return;
    fr_buf_add_str(o->buf, "        '");
    fr_buf_add_span(o->buf, path);
    fr_buf_add_str(o->buf, "') case $2 in\n");
    for (const struct fr_cli_option *p = c->options; p->name != NULL; p++) put_value(o->buf, p);
    fr_buf_add_str(o->buf, "        esac ;;\n");
}

/* A shell function's name: "_fedroam_broker". */
static void put_function(const struct out *o, const char *suffix)
{
    fr_buf_add_char(o->buf, '_');
    for (const char *p = o->program->name; *p != '\0'; p++)
        fr_buf_add_char(o->buf, *p == '-' ? '_' : *p);
    fr_buf_add_str(o->buf, suffix);
}

/* The function that says in $takes what option $2 of path $1 takes: '' when it takes nothing or is not
 * known there. */
static void put_value_function(const struct out *o)
{
    put_function(o, "_value");
    fr_buf_add_str(o->buf, "() {\n    takes=''\n    case $1 in\n");
    each_path(o, put_values);
    fr_buf_add_str(o->buf, "    esac\n    if [ -n \"$takes\" ]; then return; fi\n    case $2 in\n");
    for (const struct fr_cli_option *p = o->program->globals; p != NULL && p->name != NULL; p++)
        put_value(o->buf, p);
    fr_buf_add_str(o->buf, "    esac\n}\n\n");
}

static void put_follow_function(const struct out *o, path_fn *fn)
{
    put_function(o, "_follow");
    fr_buf_add_str(o->buf, "() {\n    follow='' flags=''\n    case $1 in\n");
    each_path(o, fn);
    fr_buf_add_str(o->buf, "    esac\n}\n\n");
}

/* A script's last part, with the names put in: "%1" the stem of the functions, "%2" the program. */
static void put_main(const struct out *o, const char *script)
{
    for (; *script != '\0'; script++) {
        if (script[0] != '%' || (script[1] != '1' && script[1] != '2')) {
            fr_buf_add_char(o->buf, *script);
        } else if (*++script == '1') {
            put_function(o, "");
        } else {
            fr_buf_add_str(o->buf, o->program->name);
        }
    }
}

static const char bash_main[] =
    "%1() {\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} way='' takes='' follow='' flags='' i word\n"
    "    if [ \"$current\" = '=' ]; then current=''; fi\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        case $word in\n"
    "        -?*) %1_value \"$way\" \"$word\"\n"
    "            if [ -n \"$takes\" ] && [ \"${COMP_WORDS[i + 1]}\" = '=' ]; then ((i++)); fi\n"
    "            if [ -n \"$takes\" ]; then ((i++)); fi\n"
    "            continue ;;\n"
    "        esac\n"
    "        %1_follow \"$way\"\n"
    "        case \" $follow \" in\n"
    "        *\" $word \"*) way=${way:+$way }$word ;;\n"
    "        esac\n"
    "    done\n"
    "    if ((i == COMP_CWORD)); then takes=''; fi # else it is the value of the option before it\n"
    "    %1_follow \"$way\"\n"
    "    case $takes:$current in\n"
    "    DIR:*) mapfile -t COMPREPLY < <(compgen -d -- \"$current\") ;;\n"
    "    OTHER:*) COMPREPLY=() ;;\n"
    "    :-*) mapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$current\") ;;\n"
    "    FILE:*) mapfile -t COMPREPLY < <(compgen -f -- \"$current\") ;;\n"
    "    :*) if [ -n \"$follow\" ]; then\n"
    "            mapfile -t COMPREPLY < <(compgen -W \"$follow\" -- \"$current\")\n"
    "        else\n"
    "            mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
    "        fi ;;\n"
    "    *) mapfile -t COMPREPLY < <(compgen -W \"$takes\" -- \"$current\") ;;\n"
    "    esac\n"
    "}\n\n"
    "complete -o filenames -F %1 %2\n";

void fr_cli_complete_bash(struct fr_buf *buf, const struct fr_cli_program *program)
{
    const struct out o = {buf, program};

    fr_buf_printf(buf, "# bash completion for %s, made from its tables of commands\n\n",
                  program->name);
    put_value_function(&o);
    put_follow_function(&o, put_bash_path);
    put_main(&o, bash_main);
}

/* "word:what it is", in single quotes. */
static void put_described(struct fr_buf *out, const char *before, struct fr_span word,
                          const char *summary)
{
    fr_buf_printf(out, " '%s%.*s:", before, (int)word.n, (const char *)word.p);
    for (; *summary != '\0'; summary++) {
        if (*summary == '\'')
            fr_buf_add_str(out, "'\\''");
        else
            fr_buf_add_char(out, *summary);
    }
    fr_buf_add_char(out, '\'');
}

static void put_zsh_word(const struct out *o, struct fr_span word, const char *summary)
{
    put_described(o->buf, "", word, summary);
}

static void put_zsh_option(struct fr_buf *out, const struct fr_cli_option *option)
{
    put_described(out, "--", fr_span_str(option->name), option->help);
    if (option->letter != 0) put_described(out, "-", fr_span(&option->letter, 1), option->help);
}

static void put_zsh_path(const struct out *o, struct fr_span path, const struct fr_cli_command *c)
{
    fr_buf_add_str(o->buf, "        '");
    fr_buf_add_span(o->buf, path);
    fr_buf_add_str(o->buf, "') follow=(");
    each_word(o, path, put_zsh_word);
    fr_buf_add_str(o->buf, ") flags=(");
    each_option(o, c, put_zsh_option);
    fr_buf_add_str(o->buf, " '--help:explain') ;;\n");
}

static const char zsh_main[] =
    "%1() {\n"
    "    local way='' takes='' word\n"
    "    local -a follow flags\n"
    "    integer i\n"
    "    for ((i = 2; i < CURRENT; i++)); do\n"
    "        word=$words[i] takes=''\n"
    "        case $word in\n"
    "        -?*) %1_value \"$way\" \"$word\"\n"
    "            if [ -n \"$takes\" ]; then ((i++)); fi\n"
    "            continue ;;\n"
    "        esac\n"
    "        %1_follow \"$way\"\n"
    "        if ((${follow[(I)${(b)word}:*]})); then way=${way:+$way }$word; fi\n"
    "    done\n"
    "    if ((i > CURRENT)); then # the value of the option before it\n"
    "        case $takes in\n"
    "        FILE) _files ;;\n"
    "        DIR) _files -/ ;;\n"
    "        OTHER) _message \"value of $word\" ;;\n"
    "        *) compadd -- ${=takes} ;;\n"
    "        esac\n"
    "        return\n"
    "    fi\n"
    "    %1_follow \"$way\"\n"
    "    if [[ $words[CURRENT] == -* ]]; then\n"
    "        _describe -o option flags\n"
    "    elif (($#follow)); then\n"
    "        _describe command follow\n"
    "    else\n"
    "        _files\n"
    "    fi\n"
    "}\n\n"
    "if [ \"$funcstack[1]\" = _%2 ]; then %1 \"$@\"; else compdef %1 %2; fi\n";

void fr_cli_complete_zsh(struct fr_buf *buf, const struct fr_cli_program *program)
{
    const struct out o = {buf, program};

    fr_buf_printf(buf, "#compdef %s\n# made from the program's tables of commands\n\n",
                  program->name);
    put_value_function(&o);
    put_follow_function(&o, put_zsh_path);
    put_main(&o, zsh_main);
}
