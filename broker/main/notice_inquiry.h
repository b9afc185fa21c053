#pragma once
/* The inquiry notify.test: sends a notice that is marked as a test by every way that is configured. See admin/inquiry.h. */
#include "admin/inquiry.h"

/* data: the struct fr_fed. */
void fr_notice_inquiry(void *data, const struct fr_inquiry *inquiry);
