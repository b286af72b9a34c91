/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two small systems through a switch, a firewall with NAT and a router, on the native engine: what the trace, the
 * capture and the search for the culprit make of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/stun/stun.h"
#include "models/testkit/testkit.h"
#include "sim/scenario/blame.h"
#include "sim/scenario/systems.h"
#include "sim/scenario/world.h"

/* ---- a client that sends one framed Binding request, a server that answers it ---- */

struct talker_settings {
    struct endpoint server;
    uint16_t port;
};
static const struct field talker_fields[] = {
    {FIELD("server", ENDPOINT, struct talker_settings, server)},
    {FIELD("port", U16, struct talker_settings, port)},
    {.key = NULL},
};

struct talker {
    struct io *io;
    const struct talker_settings *settings;
};

static void say(struct talker *t, io_id id, enum stun_class cls, const char *label)
{
    uint8_t buf[64];
    struct stun_id tid = {{0x21, 0x12, 0xa4, 0x42, 1}};
    struct stun_out o;
    stun_begin(&o, &stun_ms_ice2, buf + 2, sizeof buf - 2, stun_type(cls, STUN_BINDING), &tid);
    stun_put_u32(&o, ATTR_PRIORITY, 7);
    long n = stun_end(&o);
    assert_true(n > 0);
    store16(buf, (unsigned)n);
    io_send(t->io, id, buf, (size_t)n + 2, label);
}

static void talker_input(void *self, const struct io_in *in)
{
    struct talker *t = self;
    struct endpoint any = {.ip = ip_v4(0), .port = t->settings->port};
    bool client = t->settings->server.port != 0;
    switch (in->event) {
    case IO_START:
        if (client) {
            io_note(t->io, NOTE_PHASE, "invite");
            io_connect(t->io, 0, NULL, &t->settings->server);
        } else {
            io_listen(t->io, 0, &any);
        }
        break;
    case IO_OPENED:
        if (!client)
            break;
        io_read(t->io, in->id, true);
        say(t, in->id, STUN_REQUEST, "Binding request");
        break;
    case IO_ACCEPTED:
        io_read(t->io, in->id, true);
        break;
    case IO_FAILED:
        io_fail(t->io, &t->settings->server, "no connection: %s", err_text(in->err));
        break;
    case IO_DATA:
        if (client)
            io_note(t->io, NOTE_PHASE, "%s", "");
        else
            say(t, in->id, STUN_SUCCESS, "Binding success");
        io_note(t->io, NOTE_RESULT, "share.sent_sha256=%s", client ? "a" : "b");
        io_note(t->io, NOTE_RESULT, "share.received_sha256=%s", client ? "b" : "a");
        break;
    default:
        break;
    }
}

static uint64_t talker_deadline(const void *self)
{
    (void)self;
    return TIME_NEVER;
}

static int talker_make(const void *settings, const struct system_host *host, struct io *io, struct core *out)
{
    static const struct core_ops ops = {talker_input, talker_deadline, free};
    struct talker *t = malloc(sizeof *t);
    (void)host;
    *t = (struct talker){.io = io, .settings = settings};
    *out = (struct core){.ops = &ops, .self = t, .io = io};
    return t ? 0 : E_NOMEM;
}

const struct system systems[] = {
    {"talker", talker_fields, sizeof(struct talker_settings), .create = talker_make}, {.name = NULL}};

static const char text[] =
    "{\"schema\": \"turnproof/topology/1\", \"name\": \"t\", \"duration_s\": 200, \"nodes\": [\n"
    "{\"name\": \"client\", \"kind\": \"host\", \"system\": \"talker\", \"settings\": {\"server\": \"192.0.2.2:3478\"},"
    " \"start_ms\": 5,\n"
    " \"interfaces\": [{\"name\": \"e0\", \"addresses\": [\"10.0.1.2/24\"], \"gateway\": \"10.0.1.1\"}]},\n"
    "{\"name\": \"server\", \"kind\": \"host\", \"system\": \"talker\", \"settings\": {\"port\": 3478},\n"
    " \"interfaces\": [{\"name\": \"e0\", \"addresses\": [\"192.0.2.2/24\"], \"gateway\": \"192.0.2.1\"}]},\n"
    "{\"name\": \"nat\", \"kind\": \"firewall\",\n"
    " \"rules\": {\"nat\": [{\"inside\": \"inside\", \"outside\": \"outside\"}],\n"
    "  \"rules\": [{\"in\": \"inside\", \"action\": \"permit\", \"protocol\": \"tcp\", \"ports\": [\"3478\"]}]},\n"
    " \"interfaces\": [{\"name\": \"inside\", \"addresses\": [\"10.0.1.1/24\"]},\n"
    "  {\"name\": \"outside\", \"addresses\": [\"198.51.100.2/24\"], \"gateway\": \"198.51.100.1\"}]},\n"
    "{\"name\": \"r\", \"kind\": \"router\", \"interfaces\": [{\"name\": \"x\", \"addresses\": [\"198.51.100.1/24\"]},"
    " {\"name\": \"y\", \"addresses\": [\"192.0.2.1/24\"]}]},\n"
    "{\"name\": \"sw\", \"kind\": \"switch\"}],\n"
    "\"links\": [{\"a\": \"client:e0\", \"b\": \"sw\", \"delay_us\": 100, \"jitter_us\": 50},\n"
    "{\"a\": \"sw\", \"b\": \"nat:inside\", \"delay_us\": 100}, {\"a\": \"nat:outside\", \"b\": \"r:x\"},\n"
    "{\"name\": \"last\", \"a\": \"r:y\", \"b\": \"server:e0\"}]}";

struct outcome {
    struct topology *t;
    struct record record;
    struct blame blame;
};

static void run(const char *set, uint64_t seed, const char *directory, struct outcome *out)
{
    struct diag d;
    const struct topo_options options = {.set = &set, .set_count = set ? 1 : 0};
    const struct world_options world = {.seed = seed, .directory = directory};
    memset(out, 0, sizeof *out);
    if (topology_parse("t.json", text, sizeof text - 1, ".", &options, &out->t, &d) != 0 ||
        world_run(&net_native, out->t, &world, &out->record, &d) != 0)
        fail_msg("%s", d.text);
    blame_find(out->t, &out->record, &out->blame);
}

static void done(struct outcome *o)
{
    record_free(&o->record);
    topology_free(o->t);
}

/* ---- tests ---- */

static void a_call_comes_up(void **state)
{
    (void)state;
    struct outcome o;
    run(NULL, 1, NULL, &o);
    const struct record *r = &o.record;
    assert_int_equal(o.blame.verdict, VERDICT_OK);
    assert_int_equal(r->messages.count, 2);
    const struct run_message *m = r->messages.items;
    assert_string_equal(m[0].from, "client");
    assert_string_equal(m[0].to, "server");
    assert_int_equal(m[0].bytes, 30);
    assert_int_equal(m[0].frame_len, 84);
    assert_string_equal(m[1].from, "server");
    assert_string_equal(m[1].to, "client"); /* though the server sees the NAT's address */
    assert_string_equal(m[1].name, "Binding success");
    assert_int_equal(r->phases.count, 1);
    assert_int_equal(r->phases.items[0].start_ns, 5 * NS_MS);
    assert_true(r->phases.items[0].end_ns > m[1].t_ns);
    assert_int_equal(r->drops.count, 0);
    assert_true(r->stats.packet_hops >= 4 * 5);
    done(&o);
}

static void a_run_is_its_inputs(void **state)
{
    (void)state;
    struct outcome a, b, c;
    run(NULL, 1, NULL, &a);
    run(NULL, 1, NULL, &b);
    run(NULL, 2, NULL, &c);
    assert_string_equal(a.record.trace_sha256, b.record.trace_sha256);
    assert_string_not_equal(a.record.trace_sha256, c.record.trace_sha256);
    done(&a);
    done(&b);
    done(&c);
}

static void the_culprit_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *set, *what, *packet, *where;
    } rows[] = {
        {"nodes.nat.rules.rules.0.ports.0=\"3479\"", "client: no connection: timed out",
         "TCP 10.0.1.2:49152 -> 192.0.2.2:3478", "nat: t.json: no line permits it on interface inside (implicit)"},
        {"nodes.nat.rules.rules.0={\"in\": \"inside\", \"action\": \"deny\"}", "client: no connection: timed out",
         "TCP 10.0.1.2:49152 -> 192.0.2.2:3478", "nat: t.json:1: {\"in\":\"inside\",\"action\":\"deny\"}"},
        {"links.last.loss={\"bernoulli_ppm\": 1000000}", "client: no connection: timed out",
         "TCP 198.51.100.2:49152 -> 192.0.2.2:3478", "the link at r:y lost it (loss)"},
        {"calls=[{\"name\": \"g\", \"from\": \"client\", \"media\": [\"audio\"], \"expand\": {\"count\": 2}}]",
         "g-1 at client failed: no system makes this call; 1 more does not hold", "", ""},
        {"nodes.client.settings.server=\"192.0.2.2:80\"", "client: no connection: timed out",
         "TCP 10.0.1.2:49152 -> 192.0.2.2:80", "nat: t.json: no line permits it on interface inside (implicit)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct outcome o;
        run(rows[i].set, 1, NULL, &o);
        assert_int_equal(o.blame.verdict, VERDICT_FAILED);
        assert_string_equal(o.blame.phase, rows[i].packet[0] ? "invite" : "");
        assert_string_equal(o.blame.what, rows[i].what);
        assert_string_equal(o.blame.packet, rows[i].packet);
        assert_string_equal(o.blame.where, rows[i].where);
        assert_true(o.blame.advice[0]);
        done(&o);
    }
}

/* Sent: all of the packet's headers; delivered: which packet it was. */
static void a_line_says_what_passed(void **state)
{
    (void)state;
    static const char sent[] = "{\"t_ns\":5000000,\"event\":\"sent\",\"node\":\"client\",\"port\":\"e0\","
                               "\"link\":\"client-sw\",\"len\":66,\"proto\":\"tcp\",\"src\":\"10.0.1.2:49152\","
                               "\"dst\":\"192.0.2.2:3478\",\"flags\":\"S\",\"seq\":%*u,\"ack\":0,\"window\":65535,"
                               "\"sum\":\"%4[0-9a-f]\",\"payload\":0}%n";
    static const char delivered[] = "{\"t_ns\":%*u,\"event\":\"delivered\",\"node\":\"sw\",\"port\":\"p0\",\"len\":66,"
                                    "\"sum\":\"%4[0-9a-f]\"}%n";
    char directory[] = "/tmp/turnproof-XXXXXX", path[64], line[3][512], sum[2][5];
    assert_non_null(mkdtemp(directory));
    struct outcome o;
    run(NULL, 1, directory, &o);
    snprintf(path, sizeof path, "%s/events.ndjson", directory);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    for (int i = 0; i < 3; i++)
        assert_non_null(fgets(line[i], sizeof line[i], f));
    int translated = 0;
    for (char rest[512]; fgets(rest, sizeof rest, f);)
        if (strstr(rest, "\"sent\",\"node\":\"nat\",\"port\":\"inside\"")) {
            assert_non_null(strstr(rest, "\"src\":\"192.0.2.2:3478\",\"dst\":\"10.0.1.2:49152\""));
            translated++;
        }
    assert_true(translated > 1);
    fclose(f);
    assert_string_equal(line[0], "{\"t_ns\":5000000,\"event\":\"phase\",\"node\":\"client\",\"text\":\"invite\"}\n");
    int end = 0;
    assert_int_equal(sscanf(line[1], sent, sum[0], &end), 1);
    assert_string_equal(line[1] + end, "\n");
    assert_int_equal(sscanf(line[2], delivered, sum[1], &end), 1);
    assert_string_equal(line[2] + end, "\n");
    assert_string_equal(sum[0], sum[1]);
    snprintf(path, sizeof path, "rm -r %s", directory);
    assert_int_equal(system(path), 0);
    done(&o);
}

/* The whole output of a command, cut at cap. */
static void output_of(const char *command, char *out, size_t cap)
{
    FILE *p = popen(command, "r");
    assert_non_null(p);
    out[fread(out, 1, cap - 1, p)] = '\0';
    pclose(p);
}

static void tshark_reads_the_capture(void **state)
{
    (void)state;
    char directory[] = "/tmp/turnproof-XXXXXX", command[512], found[2000];
    if (system("command -v tshark >/dev/null") != 0)
        skip();
    assert_non_null(mkdtemp(directory));
    struct outcome o;
    run(NULL, 1, directory, &o);
    snprintf(command, sizeof command,
             "tshark -r %s/capture.pcapng -Y 'tcp.len > 0 && frame.interface_name == \"server:e0\"' -T fields "
             "-o tcp.check_checksum:TRUE -e frame.time_epoch -e frame.packet_flags_direction -e frame.len "
             "-e ip.src -e tcp.checksum.status -e frame.comment 2>/dev/null", directory);
    output_of(command, found, sizeof found);
    char expected[512];
    struct text t = text_of(expected, sizeof expected);
    const struct run_message *answer = &o.record.messages.items[1];
    text_add(&t, "%u.%09u\t0x00000001\t84\t198.51.100.2\t1\tRFC 4571 frame: Binding request, priority 0x00000007\n",
             (unsigned)(answer->t_ns / NS_S), (unsigned)(answer->t_ns % NS_S));
    text_add(&t, "%u.%09u\t0x00000002\t84\t192.0.2.2\t1\tRFC 4571 frame: Binding success, priority 0x00000007\n",
             (unsigned)(answer->t_ns / NS_S), (unsigned)(answer->t_ns % NS_S));
    assert_string_equal(found, expected);

    /* The hash in the summary is the file's. */
    snprintf(command, sizeof command, "sha256sum < %s/events.ndjson; rm -r %s", directory, directory);
    output_of(command, found, sizeof found);
    assert_memory_equal(found, o.record.trace_sha256, 64);
    done(&o);
}

/* The call is over within a millisecond of its begin at 5 ms: it notices what lasts until then. */
static void faults_are_carried_out(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        enum verdict verdict;
        const char *hint;
    } rows[] = {
        {"faults=[{\"at_ms\": 6, \"kind\": \"flush\", \"node\": \"nat\"}]", VERDICT_OK,
         "fault: it forgets its connections and translations"},
        {"faults=[{\"at_ms\": 100, \"kind\": \"rebind\", \"node\": \"nat\"}]", VERDICT_OK,
         "fault: it draws its translations anew"},
        {"faults=[{\"at_ms\": 0, \"kind\": \"restart\", \"node\": \"server\", \"for_ms\": 900}]", VERDICT_FAILED,
         "fault: its system restarts for 900 ms"},
        {"faults=[{\"at_ms\": 0, \"kind\": \"half-open\", \"node\": \"server\", \"for_ms\": 900}]", VERDICT_OK,
         "fault: it vanishes for 900 ms"},
        {"faults=[{\"at_ms\": 0, \"kind\": \"slow-reader\", \"node\": \"server\", \"for_ms\": 0}]", VERDICT_FAILED,
         "fault: it reads nothing from its connections"},
        {"faults=[{\"at_ms\": 0, \"kind\": \"outage\", \"link\": \"last\", \"for_ms\": 2500},"
         " {\"at_ms\": 50, \"kind\": \"outage\", \"link\": \"last\", \"for_ms\": 9}]", VERDICT_OK,
         "fault: the link carries nothing for 2500 ms"},
        {"faults=[{\"at_ms\": 0, \"kind\": \"exhaust-ports\", \"node\": \"client\", \"for_ms\": 5000}]",
         VERDICT_FAILED, "fault: it has no port left for 5000 ms"},
        {"faults=[{\"at_ms\": 1, \"kind\": \"clock\", \"node\": \"client\", \"ahead_ms\": 86400000}]", VERDICT_OK,
         "fault: its clock jumps ahead by 86400000 ms"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct outcome o;
        run(rows[i].set, 1, NULL, &o);
        assert_int_equal(o.blame.verdict, rows[i].verdict);
        assert_string_equal(o.record.hints.items[0].text, rows[i].hint);
        done(&o);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_comes_up),
        cmocka_unit_test(a_run_is_its_inputs),
        cmocka_unit_test(the_culprit_is_named),
        cmocka_unit_test(a_line_says_what_passed),
        cmocka_unit_test(faults_are_carried_out),
        cmocka_unit_test(tshark_reads_the_capture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
