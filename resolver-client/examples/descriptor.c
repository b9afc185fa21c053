/* Looks devices up in a program that has a loop already and wants one descriptor to watch; built as
 * blocking.c is.
 *     ./descriptor FEDERATION URL ADDRESS CA CHAIN KEY DEVEUI… */
#include <fedroam/fedroam.h>
#include <poll.h>
#include <stdio.h>

static void on_answer(void *data, const struct fedroam_answer *a)
{
    printf("%016llx %s %s\n", (unsigned long long)fedroam_answer_id(a),
           fedroam_result_text(fedroam_answer_result(a)), fedroam_answer_endpoint_text(a, 0));
    --*(int *)data;
}

static void on_line(void *data, enum fedroam_log_level level, const char *line, size_t n)
{
    (void)level;
    fprintf(data, "%.*s\n", (int)n, line);
}

int main(int argc, char **argv)
{
    struct fedroam_options *o = fedroam_options_new();
    struct fedroam *f = NULL;
    const char *address = argc > 7 ? argv[3] : NULL;
    int open = 0;
    if (!address || fedroam_options_add_federation(o, argv[1], argv[4], argv[5], argv[6]) ||
        fedroam_options_add_broker(o, argv[1], argv[2], &address, 1) ||
        fedroam_options_set_log(o, FEDROAM_LOG_WARN, on_line, stderr) || fedroam_new(o, &f)) {
        fprintf(stderr, "%s\n", fedroam_options_error(o));
        return 2;
    }
    fedroam_options_free(o);
    for (int i = 7; i < argc; i++) {
        uint64_t deveui;
        if (fedroam_parse_eui(argv[i], &deveui) ||
            fedroam_lookup_device(f, NULL, deveui, 0, on_answer, &open, NULL))
            return 2;
        open++;
    }
    while (open > 0) {
        struct pollfd fd = {.fd = fedroam_fd(f), .events = POLLIN};
        poll(&fd, 1, (int)fedroam_timeout_ms(f)); /* the loop's other descriptors go here */
        fedroam_process(f);
    }
    fedroam_free(f);
    return 0;
}
