#pragma once
/*
 * The radio constants of a region: data rates, the second receive window, how a downlink is sent. EU868 is what there is.
 *
 * Model: a data rate index (DR) of the region's table ↔ the packet forwarder's word ("SF7BW125", or 50000 for FSK).
 * Owns, Errors: nothing, none. Threads: any.
 * Units: Hz, dBm EIRP, seconds.
 * See: RP002 regional parameters, EU863-870.
 */
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

#define FR_REGION_EU868 "EU868"

#define FR_JOIN_RX1_DELAY_S 5 /* JOIN_ACCEPT_DELAY1; the second window opens one second later */
#define FR_EU868_RX2_HZ 869525000
#define FR_EU868_RX2_DR 0

/* DR of a LoRa word; -1 when the region has none such. */
int fr_eu868_dr_parse(struct fr_span word);
/* DR of an FSK bit rate; -1 when there is none. */
int fr_eu868_dr_from_fsk(uint32_t bit_rate);
/* The LoRa word of DR 0 … 6; NULL for others. */
const char *fr_eu868_dr_print(uint8_t dr);
#define FR_EU868_FSK_DR 7
#define FR_EU868_FSK_BITRATE 50000

/* Whether the region has the frequency at all. */
bool fr_eu868_has_hz(uint32_t hz);

/* EIRP allowed on a downlink frequency: 27 dBm in 869.4 … 869.65 MHz, else 14. */
int fr_eu868_power_dbm(uint32_t hz);
