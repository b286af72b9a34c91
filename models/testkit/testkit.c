/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/testkit/testkit.h"

#include "models/base/bytes.h"

size_t kit_hex(const char *hex, uint8_t *out, size_t cap)
{
    long n = hex_parse(hex, out, cap);
    assert_true(n >= 0);
    return (size_t)n;
}

struct endpoint kit_endpoint(const char *s)
{
    struct endpoint e;
    assert_int_equal(endpoint_parse(s, &e), 0);
    return e;
}

struct ip_addr kit_ip(const char *s)
{
    struct ip_addr a;
    assert_int_equal(ip_parse(s, &a), 0);
    return a;
}
