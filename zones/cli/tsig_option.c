#include "zones_cli/tsig_option.h"

#include "base/file.h"
#include "dns/tsig_text.h"

enum fr_err fr_tsig_option_put(struct fr_cli *cli, struct fr_json *json, struct fr_diag *diag,
                               struct fr_tsig_key *key)
{
    const char *file = fr_cli_opt(cli, "tsig-key");
    struct fr_buf text = FR_BUF_INIT(FR_TSIG_TEXT_MAX);
    char name[FR_DNAME_TEXT];

    enum fr_err err = fr_file_read_private(file, diag, &text);
    if (err == FR_OK) {
        err = fr_tsig_key_parse(fr_buf_span(&text), diag, key);
        if (err) fr_diag_where(diag, file, 0, 0);
    }
    if (err == FR_OK) {
        fr_dname_print(fr_dname_span(&key->name), name);
        fr_json_put_str(json, "tsig_name", name);
        fr_json_put_str(json, "tsig_algorithm", fr_tsig_algorithm_text(key->algorithm));
    }
    fr_buf_deinit_secret(&text);
    return err;
}
