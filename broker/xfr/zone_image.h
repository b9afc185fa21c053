#pragma once
/*
 * The zone without its devices, at one moment: what differences between two serials are made of.
 *
 * Model: an *image* holds the records of networks, join servers and apex as they were sent under the serials `from` to `to`; the
 *   *history* keeps the last FR_IMAGES_KEPT of them, so that what a secondary has is known to the record. Devices are not in it:
 *   the journal tells what they were. A serial from before this process began is known too when nothing that the image shows
 *   changed since; else the secondary gets the whole zone.
 *   Keys of certificates leave the image with the first change of anything an hour behind their end, or of the registry before:
 *   a serial stands for one set of records, and time alone does not raise it.
 * Owns: images are reference-counted; the history has one of each. Threads: one. Errors: the store's, FR_E_NOMEM.
 */
#include "store/records.h"
#include "store/store.h"

#define FR_IMAGES_KEPT 64

struct fr_image_network {
    uint32_t netid;
    bool is_live;
};

struct fr_zone_image {
    unsigned refs;
    uint64_t from, to; /* sequences it stands for */
    int64_t made_s;
    struct fr_record soa; /* its serial aside */
    uint32_t device_ttl_s;
    struct fr_record *rows; /* in the order of fr_record_compare */
    size_t n, room;
    struct fr_image_network *networks; /* by NetID */
    size_t n_networks, networks_room;
};

struct fr_zone_history {
    struct fr_zone_image *images[FR_IMAGES_KEPT]; /* oldest first */
    size_t n;
};

/* Like memcmp; records that are the same in a zone are equal. */
int fr_record_compare(const struct fr_record *a, const struct fr_record *b);

bool fr_zone_image_is_live(const struct fr_zone_image *image, uint32_t netid);
/* Devices that did not change look the same in both. */
bool fr_zone_image_agrees(const struct fr_zone_image *a, const struct fr_zone_image *b);
void fr_zone_image_unref(struct fr_zone_image *image); /* NULL is legal */

/* The image of the snap's moment; *out has a reference. */
enum fr_err fr_zone_history_take(struct fr_zone_history *history, struct fr_snap *snap,
                                 int64_t now_s, struct fr_zone_image **out);
/* The image that was served under an earlier sequence; FR_E_NOT_FOUND: not known. `now` is the present one, of the snap. */
enum fr_err fr_zone_history_find(struct fr_zone_history *history, struct fr_snap *snap,
                                 struct fr_zone_image *now, int64_t now_s, uint64_t sequence,
                                 struct fr_zone_image **out);
void fr_zone_history_deinit(struct fr_zone_history *history);
