/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest behind a home NAT, a relay behind a static one and a server beside it, and a small port table of their own:
 * which rows their packets carry, and what becomes of them when one is shut. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "sim/rows/marks.h"
#include "sim/rows/matrix.h"
#include "sim/scenario/systems.h"

/* ---- a system that asks by UDP and TCP, answers, and speaks with itself ---- */

struct mouth_settings {
    struct endpoint ask; /* port 0: nobody */
    struct ip_addr self; /* set: it answers on 3478, and speaks with itself at this address */
    bool tcp;            /* it asks by TCP as well */
};
static const struct field mouth_fields[] = {
    {FIELD("ask", ENDPOINT, struct mouth_settings, ask)},
    {FIELD("self", IP, struct mouth_settings, self)},
    {FIELD("tcp", BOOL, struct mouth_settings, tcp)},
    {.key = NULL},
};

struct mouth {
    struct io *io;
    const struct mouth_settings *settings;
    io_id asks;
};

static io_id udp_at(struct mouth *m, const struct ip_addr *ip, uint16_t port)
{
    return io_udp(m->io, 0, &(struct endpoint){*ip, port});
}

static void begin(struct mouth *m)
{
    static const struct ip_addr any = {.family = IP_V4};
    if (m->settings->self.family) {
        const struct endpoint here = {any, 3478}, other = {m->settings->self, 24001};
        udp_at(m, &any, 3478);
        io_listen(m->io, 0, &here);
        udp_at(m, &other.ip, other.port);
        io_sendto(m->io, udp_at(m, &other.ip, 24000), &other, "me", 2, NULL);
    }
    if (!m->settings->ask.port)
        return;
    m->asks = udp_at(m, &any, 0);
    io_note(m->io, NOTE_SERVICE, "talk/udp wanted");
    io_sendto(m->io, m->asks, &m->settings->ask, "hello", 5, NULL);
    if (m->settings->tcp)
        io_connect(m->io, 0, NULL, &m->settings->ask);
}

static void mouth_input(void *self, const struct io_in *in)
{
    struct mouth *m = self;
    switch (in->event) {
    case IO_START:
        begin(m);
        break;
    case IO_OPENED:
        if (in->remote.port == 3478)
            io_note(m->io, NOTE_SERVICE, "talk/tcp up");
        break;
    case IO_FAILED:
        io_note(m->io, NOTE_SERVICE, "talk/tcp degraded no connection: %s", err_text(in->err));
        break;
    case IO_DATAGRAM:
        if (in->id == m->asks)
            io_note(m->io, NOTE_SERVICE, "talk/udp up");
        else if (in->local.port == 3478)
            io_sendto(m->io, in->id, &in->remote, "hello you", 9, NULL);
        break;
    default:
        break;
    }
}

static uint64_t mouth_deadline(const void *self)
{
    (void)self;
    return TIME_NEVER;
}

static int mouth_make(const void *settings, const struct system_host *host, struct io *io, struct core *out)
{
    static const struct core_ops ops = {mouth_input, mouth_deadline, free};
    struct mouth *m = malloc(sizeof *m);
    (void)host;
    *m = (struct mouth){.io = io, .settings = settings};
    *out = (struct core){.ops = &ops, .self = m, .io = io};
    return 0;
}

const struct system systems[] = {
    {"mouth", mouth_fields, sizeof(struct mouth_settings), .create = mouth_make}, {.name = NULL}};

/* ---- where they are, and the table ---- */

#define HOST(name, address, gateway, settings) \
    "{\"name\": \"" name "\", \"kind\": \"host\", \"system\": \"mouth\", \"settings\": {" settings "},\n" \
    " \"interfaces\": [{\"name\": \"e0\", \"addresses\": [\"" address "/24\"], \"gateway\": \"" gateway "\"}]}"
#define FIREWALL(name, inside, outside, rules) \
    "{\"name\": \"" name "\", \"kind\": \"firewall\", \"rules\": {" rules "},\n" \
    " \"interfaces\": [{\"name\": \"inside\", \"addresses\": [\"" inside "/24\"]},\n" \
    "  {\"name\": \"outside\", \"addresses\": [\"" outside ".2/24\"], \"gateway\": \"" outside ".1\"}]}"

static const char topology[] =
    "{\"schema\": \"turnproof/topology/1\", \"name\": \"t\", \"duration_s\": 200,\n"
    "\"check\": {\"tables\": [\"%s\"], \"actors\": {\"meeting-server\": {\"at\": \"server\"},\n"
    "  \"expressway-e\": {\"at\": \"relay\", \"public_address\": \"198.51.100.20\"}}}, \"nodes\": [\n"
    HOST("guest", "192.168.1.2", "192.168.1.1", "\"ask\": \"198.51.100.20:3478\", \"tcp\": true") ",\n"
    FIREWALL("home", "192.168.1.1", "203.0.113", "\"nat\": [{\"inside\": \"inside\", \"outside\": \"outside\"}]") ",\n"
    "{\"name\": \"internet\", \"kind\": \"router\", \"interfaces\": [{\"name\": \"x\", \"addresses\": "
    "[\"203.0.113.1/24\"]}, {\"name\": \"y\", \"addresses\": [\"198.51.100.1/24\"]}]},\n"
    FIREWALL("fw", "10.0.0.1", "198.51.100", "\"nat\": [{\"inside\": \"inside\", \"outside\": \"outside\", "
             "\"kind\": \"static\", \"real\": [\"10.0.0.20\"], \"mapped\": [\"198.51.100.20\"]}],\n"
             "\"rules\": [{\"in\": \"outside\", \"action\": \"permit\", \"to\": [\"10.0.0.20\"]}]") ",\n"
    HOST("relay", "10.0.0.20", "10.0.0.1", "\"self\": \"10.0.0.20\"") ",\n"
    HOST("server", "10.0.0.40", "10.0.0.1", "\"ask\": \"10.0.0.20:3478\"") ",\n"
    "{\"name\": \"lan\", \"kind\": \"switch\"}],\n"
    "\"links\": [{\"a\": \"guest:e0\", \"b\": \"home:inside\"}, {\"a\": \"home:outside\", \"b\": \"internet:x\"},\n"
    "{\"a\": \"internet:y\", \"b\": \"fw:outside\"}, {\"a\": \"fw:inside\", \"b\": \"lan\"},\n"
    "{\"a\": \"relay:e0\", \"b\": \"lan\"}, {\"a\": \"server:e0\", \"b\": \"lan\"}]}";

#define ROW(id, from, from_ports, protocol, to, to_ports, rest) \
    "{\"id\": \"" id "\", \"purpose\": \"" id "\", \"from\": \"" from "\", \"from_ports\": [\"" from_ports "\"], " \
    "\"protocols\": [\"" protocol "\"], \"to\": \"" to "\", \"to_ports\": [\"" to_ports "\"]" rest "}"
#define HIGH "1024-65535"

static const char table[] =
    "{\"schema\": \"turnproof/ports/1\", \"id\": \"small\", \"number\": 9, \"title\": \"t\", \"source\": \"s\", "
    "\"rows\": [\n"
    ROW("9.turn", "any", HIGH, "udp", "expressway-e.public", "3478", "") ",\n"
    ROW("9.tcp", "any", HIGH, "tcp", "expressway-e.public", "3478",
        ", \"need\": \"optional\", \"degrades_to\": \"UDP alone\"") ",\n"
    ROW("9.tcp-back", "expressway-e", "3478", "tcp", "any", HIGH, "") ",\n"
    ROW("9.back", "expressway-e", "3478", "udp", "any", HIGH, "") ",\n"
    ROW("9.inside", "meeting-server", HIGH, "udp", "expressway-e.private", "3478", "") ",\n"
    ROW("9.other", "unified-cm", HIGH, "udp", "expressway-e.private", "3478", "") ",\n"
    ROW("9.local", "expressway-e.private", "24000-29999", "udp", "expressway-e.private", "24000-29999", "") ",\n"
    ROW("9.admin", "any", HIGH, "tcp", "expressway-e.public", "22", ", \"need\": \"never\"") "]}";

struct place {
    struct topology *t;
    struct rows rows;
};

static void place_open(struct place *p)
{
    char path[] = "/tmp/turnproof-XXXXXX", text[sizeof topology + sizeof path];
    static const struct topo_options as_it_is;
    struct diag d;
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, table, sizeof table - 1) == (ssize_t)sizeof table - 1);
    close(fd);
    int n = snprintf(text, sizeof text, topology, path);
    if (topology_parse("t.json", text, (size_t)n, ".", &as_it_is, &p->t, &d) != 0 || rows_open(&p->rows, p->t, &d) != 0)
        fail_msg("%s", d.text);
    unlink(path);
}

static void place_close(struct place *p)
{
    rows_close(&p->rows);
    topology_free(p->t);
}

static void run(const struct net_ops *ops, struct place *p, struct record *record, struct blame *blame)
{
    struct world_watch watch = {.shutter = &p->rows.shutter};
    struct row_marks *marks = row_marks_new(&p->rows, &watch);
    const struct world_options options = {.seed = 1, .watch = &watch};
    struct diag d;
    *record = (struct record){0};
    if (world_run(ops, p->t, &options, record, &d) != 0)
        fail_msg("%s", d.text);
    row_marks_record(marks, record);
    row_marks_free(marks);
    blame_find(p->t, record, blame);
}

/* ---- tests ---- */

static void each_packet_counts_for_its_rows(void **state)
{
    const char *why;
    const struct net_ops *ops = *state ? net_ns3_load(&why) : &net_native;
    if (!ops) {
        print_message("# ns-3 is not there: %s\n", why);
        skip();
    }
    static const struct {
        const char *id, *opened_by;
        uint64_t packets, bytes, connections;
    } rows[] = {
        {"9.turn", NULL, 1, 5, 0},     /* under its third name, or its first */
        {"9.tcp", NULL, 2, 0, 1},      /* SYN, ACK: the SYN ACK comes in another direction */
        {"9.tcp-back", NULL, 0, 0, 0}, /* which has the ports of this row, but opened nothing */
        {"9.back", "9.turn", 1, 9, 0},
        {"9.inside", NULL, 1, 5, 0},
        {"9.local", NULL, 1, 2, 0},
        {"9.admin", NULL, 0, 0, 0},
    };
    struct place p;
    struct record r;
    struct blame b;
    place_open(&p);
    run(ops, &p, &r, &b);
    assert_string_equal(b.what, "");
    assert_int_equal(r.rows.count, sizeof rows / sizeof *rows);
    for (size_t i = 0; i < r.rows.count; i++) {
        const struct run_row *row = &r.rows.items[i];
        assert_string_equal(row->id, rows[i].id);
        if (row->packets != rows[i].packets || row->bytes != rows[i].bytes || row->connections != rows[i].connections ||
            strcmp(row->opened_by ? row->opened_by : "", rows[i].opened_by ? rows[i].opened_by : "") != 0)
            fail_msg("%s: %d packets, %d bytes, %d connections, opened by %s", row->id, (int)row->packets,
                     (int)row->bytes, (int)row->connections, row->opened_by ? row->opened_by : "none");
        assert_true((row->first_ns == TIME_NEVER) == !row->packets);
        assert_int_equal(row->never, i == 6);
    }
    record_free(&r);
    place_close(&p);
}

static void the_row_that_is_shut_is_to_blame(void **state)
{
    (void)state;
    struct place p;
    struct record r;
    struct blame b;
    place_open(&p);
    p.rows.row.items[rows_find(&p.rows, "9.turn")].shut = true;
    assert_int_equal(rows_find(&p.rows, "9.other"), -1); /* nobody is its actor */
    run(&net_native, &p, &r, &b);
    assert_int_equal(b.verdict, VERDICT_FAILED);
    assert_string_equal(b.what, "talk/udp at guest never came up");
    assert_string_equal(b.where, "home: small.json:2: row 9.turn (9.turn) is shut");
    assert_string_equal(b.packet, "UDP 192.168.1.2:49152 -> 198.51.100.20:3478");
    assert_string_equal(b.advice, "open it again: row 9.turn (9.turn) is shut");
    record_free(&r);
    place_close(&p);
}

static void each_row_has_its_outcome(void **state)
{
    (void)state;
    static const struct {
        enum matrix_outcome outcome;
        const char *why, *effect;
        bool holds;
    } rows[] = {
        {MATRIX_BREAKS, "", "wanted", true},
        {MATRIX_DEGRADES, "", "degraded", true},
        {MATRIX_NOT_CARRIED, "", NULL, false},
        {MATRIX_STANDS, "the state that 9.turn opens lets it through", NULL, true},
        {MATRIX_STANDS, "no firewall is on its way", NULL, true},
        {MATRIX_LOCAL, "", NULL, true},
        {MATRIX_NEVER, "", NULL, true},
    };
    struct place p;
    struct matrix m;
    struct diag d;
    place_open(&p);
    for (unsigned workers = 1; workers <= 3; workers++) {
        const struct matrix_options options = {.ops = &net_native, .seed = 1, .workers = workers};
        if (matrix_run(&m, &p.rows, &options, &d) != 0)
            fail_msg("%s", d.text);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            assert_int_equal(m.row[i].outcome, rows[i].outcome);
            assert_string_equal(m.row[i].why, rows[i].why);
            assert_int_equal(m.row[i].effects.count, rows[i].effect != NULL);
            if (rows[i].effect)
                assert_string_equal(m.row[i].effects.items[0].state, rows[i].effect);
            assert_int_equal(m.row[i].holds, rows[i].holds);
        }
        assert_string_equal(m.row[0].effects.items[0].where, "home: small.json:2: row 9.turn (9.turn) is shut");
        assert_false(matrix_holds(&m));
        matrix_free(&m);
    }
    place_close(&p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_packet_counts_for_its_rows),
        {"each_packet_counts_for_its_rows_on_ns3", each_packet_counts_for_its_rows, NULL, NULL, "ns3"},
        cmocka_unit_test(the_row_that_is_shut_is_to_blame),
        cmocka_unit_test(each_row_has_its_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
