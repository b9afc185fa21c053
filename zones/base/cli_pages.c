/* Manual pages in mdoc(7), from the tables of commands. */
#include "base/cli_pages.h"

#include "base/roff.h"

#include <ctype.h>
#include <string.h>

unsigned fr_cli_page_section(const struct fr_cli_program *program)
{
    return fr_cli_find_exact(program, fr_span(NULL, 0)) ? 8 : 1;
}

void fr_cli_page_name(struct fr_buf *out, const struct fr_cli_program *program, struct fr_span path)
{
    fr_buf_add_str(out, program->name);
    if (path.n > 0) fr_buf_add_char(out, '-');
    for (size_t i = 0; i < path.n; i++)
        fr_buf_add_char(out, path.p[i] == ' ' ? '-' : (char)path.p[i]);
}

static void put_head(struct fr_buf *out, const char *name, unsigned section, const char *summary,
                     const char *date)
{
    fr_buf_printf(out, ".Dd %s\n.Dt ", date);
    for (const char *p = name; *p != '\0'; p++)
        fr_buf_add_char(out, (char)toupper((unsigned char)*p));
    fr_buf_printf(out, " %u\n.Os\n.Sh NAME\n.Nm %s\n.Nd", section, name);
    fr_roff_words(out, summary);
    fr_buf_add_char(out, '\n');
}

static void put_page_head(struct fr_buf *out, const struct fr_cli_program *program,
                          struct fr_span path, const char *summary, const char *date)
{
    struct fr_buf name = FR_BUF_INIT(256);

    fr_cli_page_name(&name, program, path);
    put_head(out, fr_buf_str(&name), fr_cli_page_section(program), summary, date);
    fr_buf_deinit(&name);
    fr_buf_printf(out, ".Sh SYNOPSIS\n.Nm %s%s%.*s\n", program->name, path.n > 0 ? " " : "",
                  (int)path.n, path.n > 0 ? (const char *)path.p : "");
}

static void put_option(struct fr_buf *out, const struct fr_cli_option *o)
{
    fr_buf_add_str(out, ".It Fl");
    if (o->letter != 0) fr_buf_printf(out, " %c , Fl", o->letter);
    fr_buf_add_str(out, " \\-");
    fr_roff_word(out, o->name);
    if (o->value != NULL) {
        fr_buf_add_str(out, " Ar");
        fr_roff_words(out, o->value);
    }
    fr_buf_add_char(out, '\n');
    fr_roff_prose(out, o->help);
    if (o->is_required) fr_buf_add_str(out, "(Required.)\n");
    if (o->is_repeatable) fr_buf_add_str(out, "(May be repeated.)\n");
}

static void put_options(struct fr_buf *out, const char *heading,
                        const struct fr_cli_option *options, const struct fr_cli_command *command)
{
    size_t n = 0;

    for (const struct fr_cli_option *o = options; o != NULL && o->name != NULL; o++) {
        if (!fr_cli_option_fits(o, command)) continue;
        if (n++ == 0) fr_buf_printf(out, ".Sh %s\n.Bl -tag -width Ds\n", heading);
        put_option(out, o);
    }
    if (n > 0) fr_buf_add_str(out, ".El\n");
}

static void put_exits(struct fr_buf *out)
{
    fr_buf_add_str(out, ".Sh EXIT STATUS\n.Bl -tag -width Ds\n");
    for (const struct fr_exit_word *w = fr_exit_words; w->meaning != NULL; w++) {
        fr_buf_printf(out, ".It %d\n", (int)w->code);
        fr_roff_prose(out, w->meaning);
    }
    fr_buf_add_str(out, ".El\n");
}

/* A list of commands, each with its page. */
static void put_commands(struct fr_buf *out, const struct fr_cli_program *program,
                         struct fr_span prefix)
{
    fr_buf_add_str(out, ".Sh COMMANDS\n.Bl -tag -width Ds\n");
    for (const struct fr_cli_command *const *t = program->tables; *t != NULL; t++) {
        for (const struct fr_cli_command *c = *t; c->path != NULL; c++) {
            if (!fr_cli_path_is_under(c->path, prefix)) continue;
            fr_buf_printf(out, ".It Ic %s %s", program->name, c->path);
            if (c->args != NULL) {
                fr_buf_add_str(out, " Ar");
                fr_roff_words(out, c->args);
            }
            fr_buf_add_char(out, '\n');
            fr_roff_prose(out, c->summary);
        }
    }
    fr_buf_add_str(out, ".El\n");
}

/* .Xr lines: all but the last with a comma. */
struct references {
    struct fr_buf *out;
    bool has_one;
};

static void put_reference(struct references *r, const char *name, size_t n, unsigned section)
{
    fr_buf_add_str(r->out, r->has_one ? " ,\n.Xr " : ".Sh SEE ALSO\n.Xr ");
    fr_buf_add(r->out, name, n);
    fr_buf_printf(r->out, " %u", section);
    r->has_one = true;
}

static void put_page_reference(struct references *r, const struct fr_cli_program *program,
                               struct fr_span path)
{
    struct fr_buf name = FR_BUF_INIT(256);

    fr_cli_page_name(&name, program, path);
    put_reference(r, fr_buf_str(&name), name.n, fr_cli_page_section(program));
    fr_buf_deinit(&name);
}

static void put_file_references(struct references *r, const struct fr_cli_program *program)
{
    for (size_t i = 0; program->files != NULL && program->files[i] != NULL; i++) {
        struct fr_buf name = FR_BUF_INIT(256);
        fr_buf_printf(&name, "fedroam-%s", program->files[i]->title);
        put_reference(r, fr_buf_str(&name), name.n, 5);
        fr_buf_deinit(&name);
    }
}

static void put_topics(struct fr_buf *out, const struct fr_cli_program *program)
{
    bool is_open = false;

    for (const struct fr_cli_topic *t = program->topics; t->word != NULL; t++) {
        if (t->heading != NULL) {
            fr_buf_add_str(out, is_open ? ".El\n.Ss" : ".Sh COMMANDS\n.Ss");
            fr_roff_words(out, t->heading);
            fr_buf_add_str(out, "\n.Bl -tag -width Ds\n");
            is_open = true;
        }
        struct fr_buf name = FR_BUF_INIT(256);
        fr_cli_page_name(&name, program, fr_span_str(t->word));
        fr_buf_printf(out, ".It Xr %s %u\n", fr_buf_str(&name), fr_cli_page_section(program));
        fr_buf_deinit(&name);
        fr_roff_prose(out, fr_cli_topic_summary(program, t));
    }
    if (is_open) fr_buf_add_str(out, ".El\n");
}

static void put_body(struct fr_buf *out, const struct fr_cli_program *program,
                     const struct fr_cli_command *c)
{
    if (program->globals != NULL || c->options != NULL) fr_buf_add_str(out, ".Op Ar options\n");
    if (c->args != NULL) {
        fr_buf_add_str(out, ".Ar");
        fr_roff_words(out, c->args);
        fr_buf_add_char(out, '\n');
    }
    fr_buf_add_str(out, ".Sh DESCRIPTION\n");
    fr_roff_prose(out, c->details != NULL ? c->details : c->summary);
    put_options(out, "OPTIONS", c->options, c);
}

void fr_cli_page_program(struct fr_buf *out, const struct fr_cli_program *program, const char *date)
{
    const struct fr_cli_command *only = fr_cli_find_exact(program, fr_span(NULL, 0));
    struct references r = {out, false};

    put_page_head(out, program, fr_span(NULL, 0), program->summary, date);
    if (only != NULL) {
        put_body(out, program, only);
    } else {
        fr_buf_add_str(out, ".Ar command\n.Op Ar options\n.Sh DESCRIPTION\n");
        fr_roff_prose(out, "Options may stand before or after the command. Results go to standard "
                           "output, all else to standard error.");
        if (program->topics != NULL)
            put_topics(out, program);
        else
            put_commands(out, program, fr_span(NULL, 0));
    }
    put_options(out, "OPTIONS OF EVERY COMMAND", program->globals, NULL);
    put_exits(out);
    if (only != NULL && only->example != NULL) {
        fr_buf_add_str(out, ".Sh EXAMPLES\n");
        fr_roff_literal(out, only->example);
    }
    put_file_references(&r, program);
    if (r.has_one) fr_buf_add_char(out, '\n');
}

void fr_cli_page_prefix(struct fr_buf *out, const struct fr_cli_program *program,
                        struct fr_span prefix, const char *date)
{
    const char *summary = "commands";
    struct references r = {out, false};

    for (const struct fr_cli_topic *t = program->topics; t != NULL && t->word != NULL; t++) {
        if (fr_cli_path_is_under((const char *)prefix.p, fr_span_str(t->word)))
            summary = fr_cli_topic_summary(program, t);
    }
    put_page_head(out, program, prefix, summary, date);
    fr_buf_add_str(out, ".Ar command\n.Op Ar options\n.Sh DESCRIPTION\n");
    fr_roff_prose(out, "Every command has a page of its own, and explains itself with --help.");
    put_commands(out, program, prefix);
    put_page_reference(&r, program, fr_span(NULL, 0));
    fr_buf_add_char(out, '\n');
}

void fr_cli_page_command(struct fr_buf *out, const struct fr_cli_program *program,
                         const struct fr_cli_command *c, const char *date)
{
    struct references r = {out, false};
    const char *space = strchr(c->path, ' ');

    put_page_head(out, program, fr_span_str(c->path), c->summary, date);
    put_body(out, program, c);
    put_options(out, "OPTIONS OF EVERY COMMAND", program->globals, c);
    fr_buf_add_str(out, ".Sh EXIT STATUS\n0 when it is done; the other codes are in\n");
    fr_buf_printf(out, ".Xr %s %u .\n", program->name, fr_cli_page_section(program));
    if (c->example != NULL) {
        fr_buf_add_str(out, ".Sh EXAMPLES\n");
        fr_roff_literal(out, c->example);
    }
    put_page_reference(&r, program, fr_span(NULL, 0));
    if (space != NULL) put_page_reference(&r, program, fr_span(c->path, (size_t)(space - c->path)));
    fr_buf_add_char(out, '\n');
}

static void put_key(struct fr_buf *out, const struct fr_conf_row *row, const char *path)
{
    fr_buf_printf(out, ".It Ic %s\n", path);
    if (row->help != NULL) fr_roff_prose(out, row->help);
    struct fr_buf kind = FR_BUF_INIT(1024);
    fr_conf_describe(&kind, row, "");
    fr_buf_add_str(&kind, ".");
    fr_roff_prose(out, "Value:");
    fr_roff_prose(out, fr_buf_str(&kind));
    fr_buf_deinit(&kind);
    if (row->flags & FR_CONF_REQUIRED) fr_buf_add_str(out, "Required.\n");
    if (row->def != NULL) {
        fr_buf_add_str(out, "Default:\n.Ql");
        if (row->def[0] == '\0') fr_buf_add_str(out, " \\(dq\\(dq");
        fr_roff_words(out, row->def);
        fr_buf_add_str(out, " .\n");
    }
}

static void put_keys(struct fr_buf *out, const struct fr_conf_row *rows, const char *prefix)
{
    for (const struct fr_conf_row *row = rows; row->key != NULL; row++) {
        bool is_list = row->type == FR_T_LIST;
        struct fr_buf path = FR_BUF_INIT(256);
        fr_buf_printf(&path, "%s%s%s", prefix, row->key, is_list ? "[]" : "");
        put_key(out, row, fr_buf_str(&path));
        if (is_list || row->type == FR_T_GROUP) {
            fr_buf_add_char(&path, '.');
            put_keys(out, row->rows, fr_buf_str(&path));
        }
        fr_buf_deinit(&path);
    }
}

void fr_conf_page(struct fr_buf *out, const struct fr_conf_schema *file,
                  const struct fr_cli_program *program, const char *date)
{
    struct references r = {out, false};
    struct fr_buf name = FR_BUF_INIT(256);

    fr_buf_printf(&name, "fedroam-%s", file->title);
    put_head(out, fr_buf_str(&name), 5, file->summary, date);
    fr_buf_deinit(&name);
    fr_buf_add_str(out, ".Sh DESCRIPTION\n");
    fr_roff_prose(
        out, "A YAML file. Paths that do not begin with / are relative to its folder. Durations "
             "are numbers with ms, s, m, h or d, sizes numbers of bytes or with KiB, MiB, GiB or "
             "TiB. In the names of keys below, a dot leads into a mapping and [] stands for every "
             "item of a list. A key that is not known is an error, told with its line and the "
             "nearest known one.");
    if (file->is_private) fr_roff_prose(out, "It must be readable by its owner only.");
    fr_buf_add_str(out, ".Sh KEYS\n.Bl -tag -width Ds\n");
    put_keys(out, file->rows, "");
    fr_buf_add_str(out, ".El\n");
    put_page_reference(&r, program, fr_span(NULL, 0));
    fr_buf_add_char(out, '\n');
}
