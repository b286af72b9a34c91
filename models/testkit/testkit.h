/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What unit tests share: cmocka with what it needs included first, and checks that cmocka lacks. */
#ifndef TP_TESTKIT_H
#define TP_TESTKIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/base/addr.h"

/* The bytes of a hex string (white space allowed), at most cap; fails the test when it is not one. */
size_t kit_hex(const char *hex, uint8_t *out, size_t cap);
/* An endpoint or address from text; fails the test when it is not one. */
struct endpoint kit_endpoint(const char *s);
struct ip_addr kit_ip(const char *s);

#endif
