/* Looks devices up from a libev loop.
 *     cc libev.c $(pkg-config --cflags --libs fedroam-ev) -lev -o libev
 *     ./libev FEDERATION URL ADDRESS CA CHAIN KEY DEVEUI … */
#include <ev.h>
#include <fedroam/ev.h>

#include <stdio.h>

struct waiting {
    struct ev_loop *loop;
    int left, failed;
};

static void on_answer(void *data, const struct fedroam_answer *a)
{
    struct waiting *w = data;
    printf("%016llx %s %06x %s\n", (unsigned long long)fedroam_answer_id(a),
           fedroam_result_text(fedroam_answer_result(a)),
           (unsigned)fedroam_answer_netid(a) & 0xffffff, fedroam_answer_endpoint_text(a, 0));
    if (fedroam_answer_result(a) != FEDROAM_FOUND) w->failed++;
    if (--w->left == 0) ev_break(w->loop, EVBREAK_ALL);
}

int main(int argc, char **argv)
{
    struct fedroam_options *o = fedroam_options_new();
    struct fedroam_ev *adapter = NULL;
    struct waiting w = {NULL, 0, 0};
    const char *address;
    uint64_t deveui;
    int i;

    w.loop = ev_default_loop(0);
    if (argc < 8 || !o || !w.loop) return 2;
    address = argv[3];
    if (fedroam_options_add_federation(o, argv[1], argv[4], argv[5], argv[6]) != FEDROAM_OK ||
        fedroam_options_add_broker(o, argv[1], argv[2], &address, 1) != FEDROAM_OK ||
        fedroam_ev_new(w.loop, o, &adapter) != FEDROAM_OK) {
        fprintf(stderr, "%s\n", fedroam_options_error(o));
        return 2;
    }
    for (i = 7; i < argc; i++)
        if (fedroam_parse_eui(argv[i], &deveui) == FEDROAM_OK &&
            fedroam_lookup_device(fedroam_ev_handle(adapter), NULL, deveui, 0, on_answer, &w,
                                  NULL) == FEDROAM_OK)
            w.left++;
    if (w.left > 0) ev_run(w.loop, 0);
    fedroam_ev_free(adapter);
    fedroam_options_free(o);
    return w.failed ? 1 : 0;
}
