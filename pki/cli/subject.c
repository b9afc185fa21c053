#include "pki_cli/subject.h"

#include "base/file.h"
#include "names/eui.h"
#include "names/netid.h"

#include <stdio.h>
#include <string.h>

/* Which option names the subject of each profile. */
static const struct {
    enum fr_profile profile;
    bool member, netid, joineui, host;
} NEEDS[] = {
    {FR_PROFILE_BROKER, false, false, false, true},
    {FR_PROFILE_DOH, true, false, false, false},
    {FR_PROFILE_NS, true, true, false, false},
    {FR_PROFILE_JS, true, false, true, false},
};

static enum fr_err check_option(const struct fr_cli *cli, const char *profile, const char *option,
                                bool is_needed, struct fr_diag *diag)
{
    bool is_given = fr_cli_opt(cli, option) != NULL;

    if (is_given == is_needed) return FR_OK;
    return fr_diag_fail(diag, FR_E_USAGE, "profile %s %s --%s", profile,
                        is_needed ? "needs" : "does not take", option);
}

static enum fr_err check_options(const struct fr_cli *cli, enum fr_profile profile,
                                 struct fr_diag *diag)
{
    const char *name = fr_profile_text(profile);
    size_t i = 0;

    while (NEEDS[i].profile != profile) i++;
    enum fr_err err = check_option(cli, name, "member", NEEDS[i].member, diag);
    if (!err) err = check_option(cli, name, "netid", NEEDS[i].netid, diag);
    if (!err) err = check_option(cli, name, "joineui", NEEDS[i].joineui, diag);
    if (!err) err = check_option(cli, name, "host", NEEDS[i].host, diag);
    return err;
}

static enum fr_err read_values(const struct fr_cli *cli, struct fr_diag *diag, struct fr_subject *s)
{
    enum fr_err err = FR_OK;

    if (s->profile == FR_PROFILE_NS) {
        err = fr_netid_parse(fr_span_str(fr_cli_opt(cli, "netid")), &s->netid);
        if (err) return fr_diag_fail(diag, err, "%s is not a NetID", fr_cli_opt(cli, "netid"));
        err = fr_netid_check(s->netid, diag);
    } else if (s->profile == FR_PROFILE_JS) {
        err = fr_eui_parse(fr_span_str(fr_cli_opt(cli, "joineui")), &s->joineui);
        if (err) return fr_diag_fail(diag, err, "%s is not a JoinEUI", fr_cli_opt(cli, "joineui"));
        err = fr_eui_check(s->joineui, diag);
    } else if (s->profile == FR_PROFILE_BROKER && !fr_is_host_label(fr_span_str(s->host))) {
        err = fr_diag_fail(diag, FR_E_INVALID, "%s is not one label of a host name", s->host);
    }
    if (!err && s->member != NULL) err = fr_member_check(fr_span_str(s->member), diag);
    return err;
}

enum fr_err fr_subject_from_options(const struct fr_cli *cli, struct fr_diag *diag,
                                    struct fr_subject *out)
{
    struct fr_subject s = {.member = fr_cli_opt(cli, "member"), .host = fr_cli_opt(cli, "host")};
    const char *profile = fr_cli_opt(cli, "profile");
    enum fr_err err = FR_OK;

    if (fr_profile_parse(profile, &s.profile) != FR_OK)
        return fr_diag_fail(diag, FR_E_USAGE, "%s is not a profile: broker, doh, ns or js",
                            profile);
    err = check_options(cli, s.profile, diag);
    if (!err) err = read_values(cli, diag, &s);
    if (!err) *out = s;
    return err;
}

enum fr_err fr_subject_path(const char *folder, const struct fr_subject *subject,
                            const char *ending, struct fr_diag *diag, char out[FR_SUBJECT_PATH_MAX])
{
    char id[FR_SUBJECT_ID_TEXT];

    fr_subject_print_id(subject, id);
    int n = snprintf(out, FR_SUBJECT_PATH_MAX, "%s/%s-%s.%s", folder,
                     fr_profile_text(subject->profile), id, ending);
    if (n < 0 || n >= FR_SUBJECT_PATH_MAX)
        return fr_diag_fail(diag, FR_E_LIMIT, "the path is too long");
    return FR_OK;
}

enum fr_err fr_subject_expect_new(const char *path, struct fr_diag *diag)
{
    if (!fr_file_exists(path)) return FR_OK;
    return fr_diag_fail(diag, FR_E_EXISTS, "%s is there already: nothing is overwritten", path);
}
