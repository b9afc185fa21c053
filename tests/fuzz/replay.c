/* Runs every file of a corpus folder through a fuzz target, so that each test run replays what fuzzing once found. Each input
 * is also run cut short at every length up to 512, because truncation is what a hostile peer tries first. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_exact(const uint8_t *data, size_t size)
{
    uint8_t *copy =
        malloc(size ? size : 1); /* its own block, so that ASan sees one byte too many */
    if (copy == NULL) abort();
    if (size > 0) memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static int run_file(const char *path)
{
    static uint8_t data[1 << 20];
    FILE *f = fopen(path, "rb");

    if (f == NULL) return 0;
    size_t size = fread(data, 1, sizeof data, f);
    fclose(f);
    run_exact(data, size);
    for (size_t cut = 0; cut < size && cut <= 512; cut++) run_exact(data, cut);
    return 1;
}

int main(int argc, char **argv)
{
    int n = 0;

    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        if (dir == NULL) {
            perror(argv[i]);
            return 1;
        }
        for (struct dirent *e; (e = readdir(dir)) != NULL;) {
            char path[4096];
            if (e->d_name[0] == '.') continue;
            if (snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name) >= (int)sizeof path)
                return 1;
            n += run_file(path);
        }
        closedir(dir);
    }
    printf("%d inputs replayed\n", n);
    return n > 0 ? 0 : 1;
}
