/* fedroam test inbound */
#include "member_cli/cmds.h"

#include "member_cli/inbound.h"
#include "member_cli/place.h"

#include <stdio.h>

/* Any certificate will do: the broker looks at the member's endpoints. */
static enum fr_err ask(const struct fr_place *place, struct fr_diag *diag, struct fr_inbound *out)
{
    if (place->pairs->n == 0)
        return fr_diag_fail(diag, FR_E_NOT_FOUND, "there is no certificate of %s",
                            place->entry->name);
    return fr_inbound_ask(place->folder, place->entry, &place->pairs->list[0], diag, out);
}

static enum fr_err print(const struct fr_cli *cli, const struct fr_inbound *inbound)
{
    static const char *const keys[] = {"right", "wrong", NULL};
    struct fr_report report = {0};
    enum fr_err err = FR_OK;

    if (fr_cli_output(cli) == FR_OUTPUT_JSON) {
        const struct fr_span text = fr_buf_span(&inbound->text);
        const bool is_written = fwrite(text.p, 1, text.n, fr_cli_out(cli)) == text.n &&
                                fputc('\n', fr_cli_out(cli)) != EOF;
        return is_written ? FR_OK : FR_E_IO;
    }
    fr_inbound_tell(inbound, "right", "wrong", &report);
    err = fr_report_print(&report, keys, false, cli);
    fr_report_free(&report);
    return err;
}

enum fr_exit fr_cmd_test_inbound(struct fr_cli *cli)
{
    struct fr_place place = {0};
    struct fr_inbound inbound = {0};
    struct fr_diag diag = {0};
    enum fr_err err = fr_place_open(cli, fr_cli_opt(cli, "fed"), &diag, &place);

    if (!err) err = ask(&place, &diag, &inbound);
    if (!err) err = print(cli, &inbound);
    const bool is_right = inbound.is_right;
    fr_inbound_free(&inbound);
    fr_place_close(&place);
    if (err) return fr_cli_fail(cli, err, &diag);
    return is_right ? FR_EXIT_OK : FR_EXIT_TEMPORARY;
}
