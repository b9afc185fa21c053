#include "enrol/chirpstack.h"

#include "base/json_out.h"
#include "names/member.h"
#include "names/netid.h"

#include <stdio.h>
#include <string.h>

#define MARK "# Written by fedroam for every federation of the wallet; changes here are lost.\n"

static void put_text(struct fr_buf *out, const char *indent, const char *key, const char *text)
{
    struct fr_json json = fr_json(out); /* what JSON escapes, TOML's basic strings escape alike */

    fr_buf_printf(out, "%s%s = ", indent, key);
    fr_json_str(&json, text);
    fr_buf_add_char(out, '\n');
}

static void put_files(struct fr_buf *out, const char *indent, const struct fr_chirpstack_fed *fed)
{
    put_text(out, indent, "ca_cert", fed->ca);
    put_text(out, indent, "tls_cert", fed->chain);
    put_text(out, indent, "tls_key", fed->key);
}

/* "000014:8005" → its two parts. */
static bool split_peer(const char *peer, struct fr_span *netid, struct fr_span *port)
{
    return fr_span_cut(fr_span_str(peer), ':', netid, port) && netid->n == 6;
}

static bool is_listed_before(const struct fr_chirpstack *cs, size_t fed, struct fr_span netid)
{
    struct fr_span other, port;

    for (size_t i = 0; i < fed; i++)
        for (size_t k = 0; k < cs->feds[i].n_peers; k++)
            if (split_peer(cs->feds[i].peers[k], &other, &port) && fr_span_equal(other, netid))
                return true;
    return false;
}

static void put_servers(struct fr_buf *out, const struct fr_chirpstack *cs, size_t i, bool is_v3)
{
    const struct fr_chirpstack_fed *fed = &cs->feds[i];
    struct fr_span netid, port;
    char text[FR_FED_TEXT + 64];

    for (size_t k = 0; k < fed->n_peers; k++) {
        if (!split_peer(fed->peers[k], &netid, &port) || is_listed_before(cs, i, netid)) continue;
        fr_buf_add_str(out, "\n[[roaming.servers]]\n");
        (void)snprintf(text, sizeof text, "%.6s", (const char *)netid.p);
        put_text(out, "  ", "net_id", text);
        if (is_v3) fr_buf_add_str(out, "  passive_roaming = true\n");
        put_text(out, "  ", "passive_roaming_lifetime", "24h");
        (void)snprintf(text, sizeof text, "https://%.6s.netid.%s:%.*s", (const char *)netid.p,
                       fed->name, (int)port.n, (const char *)port.p);
        put_text(out, "  ", "server", text);
        put_files(out, "  ", fed);
    }
}

/* Names of networks that are not listed can be made in one federation only. */
static void put_suffix(struct fr_buf *out, const struct fr_chirpstack *cs, const char *key)
{
    char text[FR_FED_TEXT + 16];

    (void)snprintf(text, sizeof text, ".netid.%s:8005", cs->feds[0].name);
    put_text(out, "  ", key, text);
}

enum fr_err fr_chirpstack_print_v4(const struct fr_chirpstack *cs, struct fr_buf *out)
{
    fr_buf_add_str(out, MARK "\n[backend_interfaces]\n");
    put_text(out, "  ", "bind", cs->listen ? cs->listen : FR_CHIRPSTACK_LISTEN);
    put_files(out, "  ", &cs->feds[0]);
    fr_buf_add_str(out, "\n[roaming]\n");
    put_suffix(out, cs, "resolve_net_id_domain_suffix");
    for (size_t i = 0; i < cs->n; i++) put_servers(out, cs, i, false);
    return fr_buf_err(out);
}

enum fr_err fr_chirpstack_print_v3(const struct fr_chirpstack *cs, struct fr_buf *out)
{
    fr_buf_add_str(out, "[roaming]\n");
    put_suffix(out, cs, "resolve_netid_domain_suffix");
    fr_buf_add_str(out, "\n[roaming.api]\n");
    put_text(out, "  ", "bind", cs->listen ? cs->listen : FR_CHIRPSTACK_LISTEN);
    put_files(out, "  ", &cs->feds[0]);
    for (size_t i = 0; i < cs->n; i++) put_servers(out, cs, i, true);
    return fr_buf_err(out);
}
