/* A datagram as a gateway, or anybody, sends it. */
#include "gateway/gwmp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fr_gwmp d;
    uint8_t ack[4];

    if (fr_gwmp_read(fr_span(data, size), &d) != FR_OK) return 0;
    if (d.n_rx > FR_GWMP_RX_MAX) abort();
    for (size_t i = 0; i < d.n_rx; i++) {
        struct fr_buf out = FR_BUF_INIT(FR_GWMP_MAX);
        const struct fr_tx tx = {.tmst_us = fr_gwmp_after(d.rx[i].tmst_us, 5000000),
                                 .freq_hz = d.rx[i].freq_hz,
                                 .dr = d.rx[i].dr,
                                 .phy = fr_span(d.rx[i].phy, d.rx[i].phy_n)};
        if (fr_gwmp_write_tx(d.version, d.token, &tx, &out) != FR_OK) abort();
        fr_buf_deinit(&out);
    }
    if (d.kind != FR_GWMP_TX_ACK) fr_gwmp_write_ack(&d, ack);
    return 0;
}
