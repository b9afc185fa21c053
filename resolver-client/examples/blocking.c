/* Looks one device up and waits for the answer.
 *     cc blocking.c $(pkg-config --cflags --libs fedroam) -o blocking
 *     ./blocking FEDERATION URL ADDRESS CA CHAIN KEY DEVEUI */
#include <fedroam/fedroam.h>

#include <stdio.h>

static int print(const struct fedroam_answer *a)
{
    size_t i;
    if (fedroam_answer_result(a) != FEDROAM_FOUND) {
        fprintf(stderr, "%s: %s\n", fedroam_result_text(fedroam_answer_result(a)),
                fedroam_answer_reason(a));
        return 1;
    }
    printf("NetID %06x in %s, for %u s\n", (unsigned)fedroam_answer_netid(a),
           fedroam_answer_federation(a), (unsigned)fedroam_answer_ttl(a));
    for (i = 0; i < fedroam_answer_endpoint_count(a); i++)
        printf("connect to %s as %s\n", fedroam_answer_endpoint_text(a, i),
               fedroam_answer_tls_name(a));
    return 0;
}

int main(int argc, char **argv)
{
    struct fedroam_options *o = fedroam_options_new();
    struct fedroam *f = NULL;
    struct fedroam_answer *a = NULL;
    const char *address;
    uint64_t deveui;
    int status = 2;

    if (argc != 8 || !o || fedroam_parse_eui(argv[7], &deveui) != FEDROAM_OK) return 2;
    address = argv[3];
    if (fedroam_options_add_federation(o, argv[1], argv[4], argv[5], argv[6]) != FEDROAM_OK ||
        fedroam_options_add_broker(o, argv[1], argv[2], &address, 1) != FEDROAM_OK ||
        fedroam_new(o, &f) != FEDROAM_OK)
        fprintf(stderr, "%s\n", fedroam_options_error(o));
    else if (fedroam_wait_device(f, NULL, deveui, 0, &a) == FEDROAM_OK)
        status = print(a);
    fedroam_answer_free(a);
    fedroam_free(f);
    fedroam_options_free(o);
    return status;
}
