#include "base/cli_generate.h"

#include "base/cli_pages.h"
#include "base/file.h"
#include "base/mem.h"

#include <string.h>

enum { PAGE_MAX = 1 << 20 };

struct writer {
    const char *folder, *date;
    struct fr_diag diag;
    struct fr_buf page;
};

/* Writes the page under its name and empties it. */
static enum fr_err put(struct writer *w, const char *name)
{
    enum fr_err err = fr_buf_err(&w->page);
    char *path = fr_path_join(w->folder, name);

    if (err == FR_OK && path == NULL) err = FR_E_NOMEM;
    if (err == FR_OK) err = fr_file_write(path, 0644, fr_buf_span(&w->page), &w->diag);
    fr_free(path);
    fr_buf_reset(&w->page);
    return err;
}

/* "fedroam-member-add.1"; the program's own page for the path "". */
static enum fr_err put_page(struct writer *w, const struct fr_cli_program *program,
                            struct fr_span path)
{
    struct fr_buf name = FR_BUF_INIT(256);

    fr_cli_page_name(&name, program, path);
    fr_buf_printf(&name, ".%u", fr_cli_page_section(program));
    enum fr_err err = fr_buf_err(&name);
    if (err == FR_OK) err = put(w, fr_buf_str(&name));
    fr_buf_deinit(&name);
    return err;
}

static enum fr_err make_commands(struct writer *w, const struct fr_cli_program *program)
{
    enum fr_err err = FR_OK;

    for (const struct fr_cli_command *const *t = program->tables; *t != NULL; t++) {
        for (const struct fr_cli_command *c = *t; err == FR_OK && c->path != NULL; c++) {
            struct fr_span path = fr_span_str(c->path);
            if (path.n > 0) {
                fr_cli_page_command(&w->page, program, c, w->date);
                err = put_page(w, program, path);
            }
            /* every word that only leads to commands */
            for (size_t n = 1; err == FR_OK && n < path.n; n++) {
                struct fr_span prefix = fr_span(path.p, n);
                if (path.p[n] != ' ' || fr_cli_find_exact(program, prefix) != NULL) continue;
                if (!fr_cli_is_first_with(program, c, n)) continue;
                fr_cli_page_prefix(&w->page, program, prefix, w->date);
                err = put_page(w, program, prefix);
            }
        }
    }
    return err;
}

static enum fr_err make_man(struct writer *w, const struct fr_cli_program *program)
{
    fr_cli_page_program(&w->page, program, w->date);
    enum fr_err err = put_page(w, program, fr_span(NULL, 0));
    if (err == FR_OK) err = make_commands(w, program);
    for (size_t i = 0; err == FR_OK && program->files != NULL && program->files[i] != NULL; i++) {
        const struct fr_conf_schema *file = program->files[i];
        struct fr_buf name = FR_BUF_INIT(256);
        fr_buf_printf(&name, "fedroam-%s.5", file->title);
        fr_conf_page(&w->page, file, program, w->date);
        err = put(w, fr_buf_str(&name));
        fr_buf_deinit(&name);
    }
    return err;
}

static enum fr_err make_bash(struct writer *w, const struct fr_cli_program *program)
{
    fr_cli_complete_bash(&w->page, program);
    return put(w, program->name);
}

static enum fr_err make_zsh(struct writer *w, const struct fr_cli_program *program)
{
    struct fr_buf name = FR_BUF_INIT(256);

    fr_buf_printf(&name, "_%s", program->name);
    fr_cli_complete_zsh(&w->page, program);
    enum fr_err err = put(w, fr_buf_str(&name));
    fr_buf_deinit(&name);
    return err;
}

enum fr_exit fr_cli_generate(const struct fr_cli_program *program, int argc, char **argv,
                             FILE *err_out)
{
    static const struct {
        const char *word;
        enum fr_err (*make)(struct writer *w, const struct fr_cli_program *program);
    } kinds[] = {{"man", make_man}, {"bash", make_bash}, {"zsh", make_zsh}};
    struct fr_cli cli = {.program = program, .err = err_out};

    for (size_t i = 0; argc >= 4 && argc <= 5 && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(argv[2], kinds[i].word) != 0) continue;
        struct writer w = {.folder = argv[3],
                           .date = argc == 5 ? argv[4] : "January 1, 2026",
                           .page = FR_BUF_INIT(PAGE_MAX)};
        enum fr_err err = kinds[i].make(&w, program);
        fr_buf_deinit(&w.page);
        return fr_cli_fail(&cli, err, &w.diag);
    }
    return fr_cli_usage(&cli, "--generate man|bash|zsh DIR [DATE]");
}
