/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A port table's text in: taken or refused with a place, never a crash; what is taken binds to a deployment, and each
 * of its rows is asked about or skipped. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check/bind.h"

static const char deployment[] =
    "{\"schema\": \"turnproof/topology/1\", \"name\": \"t\", \"check\": {\"mra\": true, \"turn_tcp_443\": true, "
    "\"tcp_override_port\": 447, \"actors\": {\"expressway-e\": {\"at\": \"e\", \"public_address\": "
    "\"198.51.100.20\"}, \"unified-cm\": {\"at\": \"e\"}}}, \"nodes\": [{\"name\": \"e\", \"kind\": \"host\", "
    "\"interfaces\": [{\"name\": \"x\", \"addresses\": [\"10.0.0.2/24\", \"2001:db8::2/64\"], \"gateway\": "
    "\"10.0.0.1\"}]}, {\"name\": \"internet\", \"kind\": \"router\", \"interfaces\": [{\"name\": \"y\", "
    "\"addresses\": [\"10.0.0.1/24\", \"2001:db8::1/64\"]}]}], \"links\": [{\"a\": \"e:x\", \"b\": \"internet:y\"}]}";

static void bind(const struct port_table *table)
{
    static struct topology *t;
    const struct topo_options none = {0};
    const struct bind_options as_said = {0};
    struct diag d;
    if (!t) {
        int err = topology_parse("t.json", deployment, sizeof deployment - 1, ".", &none, &t, &d);
        assert(!err);
    }
    struct bound *b;
    bind_tables(t, &table, 1, &as_said, &b);
    assert(b->questions.count + b->skips.count >= table->rows.count);
    for (size_t i = 0; i < b->questions.count; i++) {
        const struct bind_question *q = &b->questions.items[i];
        assert(q->src.count && q->dst.count && q->sport.count && q->dport.count);
        assert(q->group < (int)b->group_count);
    }
    bound_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    assert(text);
    memcpy(text, data, size);
    text[size] = '\0';
    struct port_table *t;
    struct diag d = {""};
    if (port_table_parse("fuzz.json", text, size, &t, &d) == 0) {
        bind(t);
        port_table_free(t);
    } else {
        assert(strncmp(d.text, "fuzz.json:", 10) == 0);
    }
    free(text);
    return 0;
}
