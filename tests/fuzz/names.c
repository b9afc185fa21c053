/* Any bytes as identifier, domain name (text and wire), zone name and certificate name. What is
 * accepted must come out again. */
#include "names/cert_name.h"
#include "names/devaddr.h"
#include "names/eui.h"
#include "names/netid.h"
#include "names/owner.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) abort();
}

static void identifiers(struct fr_span text)
{
    uint64_t eui, eui_back;
    uint32_t v, back;
    char printed[FR_EUI_TEXT];

    if (fr_eui_parse(text, &eui) == FR_OK) {
        fr_eui_print(eui, printed);
        require(fr_eui_parse(fr_span_str(printed), &eui_back) == FR_OK && eui_back == eui);
    }
    if (fr_netid_parse(text, &v) == FR_OK) {
        char netid[FR_NETID_TEXT];
        fr_netid_print(v, netid);
        require(fr_netid_parse(fr_span_str(netid), &back) == FR_OK && back == v);
        require(fr_devaddr_match(fr_devaddr_with_netid(0x12345678, v), v));
        require(fr_devaddr_type(fr_devaddr_prefix(v).base) == (int)fr_netid_type(v));
    }
    if (fr_devaddr_parse(text, &v) == FR_OK) {
        char addr[FR_DEVADDR_TEXT];
        fr_devaddr_print(v, addr);
        require(fr_devaddr_parse(fr_span_str(addr), &back) == FR_OK && back == v);
    }
    if (fr_member_check(text, NULL) == FR_OK) require(text.n < FR_MEMBER_TEXT);
    if (fr_fed_check(text, NULL) == FR_OK) require(text.n < FR_FED_TEXT);
}

static void domain_names(struct fr_span bytes)
{
    struct fr_dname name, back;
    char text[FR_DNAME_TEXT];

    if (fr_dname_parse(bytes, &name) == FR_OK) {
        require(fr_dname_check(fr_dname_span(&name)) == FR_OK &&
                fr_dname_length(fr_dname_span(&name)) == name.n);
        fr_dname_print(fr_dname_span(&name), text);
        require(fr_dname_parse(fr_span_str(text), &back) == FR_OK);
        require(fr_span_equal(fr_dname_span(&name), fr_dname_span(&back)));
    }
    size_t n = fr_dname_length(bytes);
    require(n <= bytes.n && n <= FR_DNAME_WIRE);
    if (n > 0) require(fr_dname_check(fr_span(bytes.p, n)) == FR_OK);
}

static void zone_names(struct fr_span text, const char *fed)
{
    struct fr_owner owner, back;
    struct fr_cert_name name, name_back;
    char printed[FR_OWNER_TEXT];

    if (fr_owner_parse(text, fed, &owner) == FR_OK && !owner.is_below) {
        require(fr_owner_print(&owner, fed, printed) == FR_OK);
        require(fr_owner_parse(fr_span_str(printed), fed, &back) == FR_OK);
        require(back.kind == owner.kind && back.eui == owner.eui && back.netid == owner.netid &&
                back.number == owner.number && back.nibbles == owner.nibbles);
    }
    if (fr_cert_name_parse(text, fed, &name) == FR_OK) {
        require(fr_cert_name_print(&name, fed, printed) == FR_OK);
        require(fr_cert_name_parse(fr_span_str(printed), fed, &name_back) == FR_OK &&
                name_back.kind == name.kind);
        require(fr_span_equal_nocase(text, fr_span_str(printed)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_span bytes = fr_span(data, size);

    identifiers(bytes);
    domain_names(bytes);
    zone_names(bytes, "fed.test");
    return 0;
}
