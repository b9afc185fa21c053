/* The heads of a backup: of the sealed stream, of a file in it, and the manifest. What is read as one must be written as it was. */
#include "backup/backup.h"
#include "backup/archive.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct fr_span bytes = fr_span(data, size);
    struct fr_sealed_head head;
    struct fr_archive_entry entry;
    struct fr_backup_manifest manifest;
    uint8_t out[FR_MANIFEST_MAX];
    size_t n = 0;
    if (fr_sealed_head_read(bytes, &head) == FR_OK && head.log2_n > 20) abort();
    if (fr_archive_head_read(bytes, &entry) == FR_OK && entry.name_n > FR_ARCHIVE_NAME) abort();
    if (fr_manifest_read(bytes, &manifest)) return 0;
    if (fr_manifest_write(&manifest, out, &n) || n != size || memcmp(out, data, n) != 0) abort();
    return 0;
}
