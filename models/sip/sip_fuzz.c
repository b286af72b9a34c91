/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stream in pieces (the first byte says how long) gives the messages that it gives whole; each message's
 * parts are read, and a reply to it is a message. */
#include <assert.h>

#include "models/sip/sip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_parts(const struct sip_msg *m)
{
    static const char *const lists[] = {"Via", "Route", "Record-Route", "Contact"};
    struct sip_str v;
    struct sip_addr a;
    struct sip_via via;
    char label[SIP_LABEL];
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct sip_iter it = {0};
        while (sip_next(m, lists[i], &it, &v)) {
            sip_addr_parse(v, &a);
            sip_via_parse(v, &via);
        }
    }
    sip_label(m, label);
    static char buf[4 * SIP_MESSAGE_MAX];
    struct text t = text_of(buf, sizeof buf);
    text_add(&t, "SIP/2.0 200 OK\r\n");
    sip_put_reply(&t, m, "tag");
    sip_put_body(&t, NULL, m->body.p, m->body.len);
    struct sip_msg reply;
    assert(!t.cut && sip_parse(buf, t.len, &reply) == 0);
    assert(sip_same(reply.call_id, m->call_id) && reply.cseq == m->cseq);
}

static unsigned messages(const uint8_t *data, size_t size, size_t piece, int *last)
{
    struct sip_stream s = {0};
    struct sip_msg m;
    unsigned n = 0;
    *last = 0;
    for (size_t at = 0; at < size && *last >= 0; at += piece) {
        sip_stream_push(&s, data + at, piece < size - at ? piece : size - at);
        for (; (*last = sip_stream_next(&s, &m)) == 1; n++)
            read_parts(&m);
    }
    sip_stream_free(&s);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    int whole, pieces;
    unsigned n = messages(data + 1, size - 1, size - 1, &whole);
    unsigned k = messages(data + 1, size - 1, data[0] + 1u, &pieces);
    assert(n == k && whole == pieces);
    return 0;
}
