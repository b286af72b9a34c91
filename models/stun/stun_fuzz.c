/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes, in each dialect: parsed, walked, described, checked, framed; and what parsed is written anew from its
 * attributes and has to parse to the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/stun/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rewrite(const struct stun_msg *m)
{
    uint8_t *buf = malloc(m->len);
    assert(buf);
    struct stun_out o;
    stun_begin(&o, m->dialect, buf, m->len, m->type, &m->id);
    struct stun_attr a = {0}, b = {0};
    for (bool cookie = !m->dialect->cookie; stun_next(m, &a); cookie = false)
        if (!cookie) /* stun_begin has put it */
            stun_put(&o, a.type, a.value, a.len);
    assert(stun_end(&o) == (long)m->len);
    struct stun_msg again;
    assert(stun_parse(m->dialect, buf, m->len, &again) == 0);
    assert(again.mac_at == m->mac_at && again.fingerprint_at == m->fingerprint_at && again.cls == m->cls);
    for (a = (struct stun_attr){0}; stun_next(m, &a);) {
        assert(stun_next(&again, &b));
        assert(a.type == b.type && a.len == b.len && memcmp(a.value, b.value, a.len) == 0);
    }
    free(buf);
}

static void read_all(const struct stun_msg *m)
{
    char line[512];
    struct text t = text_of(line, sizeof line);
    stun_describe(m, &t);
    uint16_t unknown[8];
    stun_unknown(m, unknown, 8);
    stun_check_fingerprint(m);
    stun_check_integrity(m, "key", 3);
    stun_check_integrity_sha256(m, "key", 3);
    int code;
    const char *s;
    size_t len;
    struct endpoint e;
    stun_get_error(m, &code, &s, &len);
    stun_get_text(m, ATTR_USERNAME, &s, &len);
    for (struct stun_attr a = {0}; stun_next(m, &a);)
        stun_attr_address(m, &a, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct stun_dialect *const dialects[] = {&stun_rfc8489, &stun_ms_turn, &stun_ms_ice2};
    for (size_t i = 0; i < 3; i++) {
        struct stun_msg m;
        long n = stun_stream_len(dialects[i], data, size, 4096);
        if (stun_parse(dialects[i], data, size, &m) == 0) {
            assert(n == (long)size || size > 4096 || size < 8);
            read_all(&m);
            rewrite(&m);
        }
    }
    stun_looks_like(data, size);
    return 0;
}
