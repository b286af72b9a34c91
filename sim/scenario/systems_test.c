/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/systems.h"

#include <stdio.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/testkit/testkit.h"

static const struct system *find(const char *name)
{
    const struct system *s = systems;
    while (s->name && strcmp(s->name, name) != 0)
        s++;
    assert_non_null(s->name);
    return s;
}

/* Reads the settings, makes the system on a host with the address 10.0.0.9, and starts it: what it then wants, as
 * "listen 0.0.0.0:5061; ..."; or what is wrong with the settings. */
static const char *begin(const char *name, const char *json)
{
    static char out[1024];
    static struct diag d;
    struct text t = text_of(out, sizeof out);
    const struct system *s = find(name);
    struct arena arena = {0};
    struct json *j;
    assert_int_equal(json_parse("t.json", json, strlen(json), &j, &d), 0);
    void *settings = arena_alloc(&arena, s->settings_size);
    struct ip_prefix own = {kit_ip("10.0.0.9"), 24};
    struct system_host host = {.name = name, .address = &own, .address_count = 1};
    struct core core;
    struct io_out op;
    struct io *io = io_new(name, 1);
    if (fields_read(j, json_root(j), s->fields, &arena, settings, &d)) {
        text_add(&t, "%s", d.text);
    } else {
        assert_int_equal(s->create(settings, &host, io, &core), 0);
        core.ops->input(core.self, &(struct io_in){.event = IO_START});
        while (io_poll(io, &op)) {
            char at[ENDPOINT_TEXT];
            if (op.op == IO_OP_NOTE)
                text_add(&t, "%s", op.label);
            else if (op.op == IO_OP_LISTEN)
                text_add(&t, "listen %s; ", endpoint_text(&op.local, at));
            else if (op.op == IO_OP_UDP)
                text_add(&t, "udp %u; ", op.local.port);
            else if (op.op == IO_OP_CONNECT)
                text_add(&t, "connect %s; ", endpoint_text(&op.remote, at));
        }
        core.ops->free(core.self);
    }
    io_free(io);
    json_free(j);
    arena_free(&arena);
    return out;
}

static void each_begins_with_its_ports(void **state)
{
    (void)state;
    assert_string_equal(begin("skype-client", "{\"edge_sip\":\"10.0.0.1:5061\",\"edge_turn\":\"10.0.0.1:443\"}"),
                        "connect 10.0.0.1:5061; ");
    assert_string_equal(begin("skype-edge", "{\"federation\":\"10.0.0.2:5061\"}"),
                        "listen 0.0.0.0:5061; connect 10.0.0.2:5061; listen 0.0.0.0:443; udp 3478; ");
    assert_string_equal(begin("expressway-e", "{}"),
                        "listen 0.0.0.0:5061; listen 0.0.0.0:7001; listen 0.0.0.0:3478; udp 3478; ");
    assert_string_equal(begin("expressway-e",
                              "{\"turn\":[\"10.0.0.9:3478\",\"10.0.0.9:443\"],\"profile\":\"strict\"}"),
                        "listen 0.0.0.0:5061; listen 0.0.0.0:7001; listen 10.0.0.9:3478; listen 10.0.0.9:443; "
                        "udp 3478; udp 443; ");
    assert_string_equal(begin("expressway-c",
                              "{\"traversal\":\"10.0.0.2:7001\",\"meeting_server\":\"10.0.0.4:5061\"}"),
                        "connect 10.0.0.2:7001; connect 10.0.0.4:5061; ");
    assert_string_equal(begin("expressway-e", "{\"sip_tcp\":\"0.0.0.0:5060\",\"traversal_zones\":[\"0.0.0.0:7001\","
                                              "\"0.0.0.0:7002\"]}"),
                        "listen 0.0.0.0:5061; listen 0.0.0.0:5060; traversal-zone/7001 wantedlisten 0.0.0.0:7001; "
                        "traversal-zone/7002 wantedlisten 0.0.0.0:7002; "
                        "udp 36000; udp 36001; listen 0.0.0.0:3478; udp 3478; ");
    assert_string_equal(begin("expressway-e",
                              "{\"size\":\"large\",\"turn_tcp_443\":true,\"web_proxy\":{\"listen\":\"0.0.0.0:443\","
                              "\"redirect\":\"0.0.0.0:80\"},\"turn_override\":\"0.0.0.0:8000\","
                              "\"administration\":\"0.0.0.0:8443\"}"),
                        "listen 0.0.0.0:5061; listen 0.0.0.0:7001; listen 0.0.0.0:3478; listen 0.0.0.0:3479; "
                        "listen 0.0.0.0:3480; listen 0.0.0.0:3481; listen 0.0.0.0:3482; listen 0.0.0.0:3483; "
                        "listen 0.0.0.0:8000; udp 3478; udp 3479; udp 3480; udp 3481; udp 3482; udp 3483; "
                        "web-proxy wantedlisten 0.0.0.0:443; listen 0.0.0.0:80; ssh-tunnel wantedlisten 0.0.0.0:2222; "
                        "administration wantedlisten 0.0.0.0:8443; ");
    assert_string_equal(begin("expressway-e", "{\"size\":\"large\",\"turn_multiplexed\":true}"),
                        "listen 0.0.0.0:5061; listen 0.0.0.0:7001; listen 0.0.0.0:3478; udp 3478; ");
    assert_string_equal(begin("expressway-c",
                              "{\"traversal\":\"10.0.0.2:7001\",\"meeting_server\":\"10.0.0.4:5061\",\"web_bridge\":"
                              "{\"tunnel\":\"10.0.0.2:2222\",\"meeting_server\":\"10.0.0.4:443\"}}"),
                        "connect 10.0.0.2:7001; connect 10.0.0.4:5061; web-bridge wantedlisten 0.0.0.0:30000; "
                        "connect 10.0.0.4:443; ssh-tunnel wantedconnect 10.0.0.2:2222; ");
    assert_string_equal(begin("expressway-c",
                              "{\"traversal_zones\":[\"10.0.0.2:7001\"],\"sip_listen\":[\"0.0.0.0:5060\"],"
                              "\"zones\":[{\"name\":\"cms\",\"address\":\"10.0.0.4:5061\"}],"
                              "\"search_rules\":[{\"host\":\"acme\",\"zones\":[\"cms\",\"7001\"]}]}"),
                        "listen 0.0.0.0:5060; traversal-zone/7001 wantedconnect 10.0.0.2:7001; "
                        "zone/cms wantedconnect 10.0.0.4:5061; ");
    assert_string_equal(begin("meeting-server", "{\"turn\":\"10.0.0.2:3478\"}"),
                        "listen 0.0.0.0:5061; listen 0.0.0.0:5060; udp 5060; listen 0.0.0.0:443; ");
    assert_string_equal(begin("microsoft-client", "{\"server\":\"10.0.0.2:5061\"}"), "connect 10.0.0.2:5061; ");
    assert_string_equal(begin("guest-browser", "{\"server\":\"10.0.0.2:443\"}"), "");
    assert_string_equal(begin("webrtc-app", "{\"server\":\"10.0.0.2:443\"}"), "");
    assert_string_equal(begin("admin-pc", "{\"page\":\"10.0.0.2:8443\"}"), "administration wanted");
    assert_string_equal(begin("sip-endpoint", "{\"servers\":[\"10.0.0.2:5061\",\"10.0.0.2:5060\"]}"),
                        "connect 10.0.0.2:5061; connect 10.0.0.2:5060; ");
    assert_string_equal(begin("unified-cm", "{\"trunks\":[\"10.0.0.3:5061\"],\"listen\":[\"10.0.0.9:5061\"]}"),
                        "trunk-1 wantedlisten 10.0.0.9:5061; connect 10.0.0.3:5061; ");
}

static void settings_that_make_no_sense(void **state)
{
    (void)state;
    static const struct {
        const char *system, *json, *message;
    } rows[] = {
        {"skype-client", "{\"edge_sip\":\"10.0.0.1:5061\"}", "edge_turn"},
        {"skype-client", "{\"edge_sip\":\"10.0.0.1:5061\",\"edge_turn\":\"10.0.0.1:443\",\"role\":\"host\"}",
         "attendee"},
        {"skype-client",
         "{\"edge_sip\":\"10.0.0.1:5061\",\"edge_turn\":\"10.0.0.1:443\",\"conference\":\"sip:a b@c\"}",
         "conference is not a SIP URI"},
        {"skype-client", "{\"edge_sip\":\"10.0.0.1:5061\",\"edge_turn\":\"10.0.0.1:443\",\"uri\":\"tel:1\"}",
         "uri is not a SIP URI"},
        {"skype-edge", "{\"federation\":\"10.0.0.2:5061\",\"first_port\":59999,\"last_port\":50000}",
         "it does not start: settings: last_port is below first_port"},
        {"expressway-e", "{\"first_port\":30000}", "it does not start: settings: last_port is below first_port"},
        {"expressway-e", "{\"turn_user\":\"\"}", "turn_user"},
        {"expressway-c", "{\"traversal\":\"10.0.0.2:7001\"}", "meeting_server"},
        {"expressway-c", "{\"traversal\":\"10.0.0.2:7001\",\"meeting_server\":\"10.0.0.4:5061\",\"search_rules\":"
                         "[{\"zones\":[\"ucm\"]}]}", "a search rule names a zone that there is not"},
        {"expressway-e", "{\"release\":\"X8.9\",\"turn\":[\"0.0.0.0:443\"]}", "before X8.10"},
        {"expressway-e", "{\"release\":\"X8.10\",\"turn\":[\"0.0.0.0:443\"],"
                         "\"web_proxy\":{\"listen\":\"0.0.0.0:443\"}}",
         "TURN cannot listen on TCP 443 while Expressway listens there for WebRTC signalling"},
        {"expressway-e", "{\"cluster\":{\"listen\":\"10.0.0.9:4371\"}}", "listen and peers go together"},
        {"expressway-e", "{\"public_address\":\"192.0.2.1\",\"cluster\":{\"listen\":\"10.0.0.9:4371\",\"peers\":"
                         "[{\"address\":\"10.0.0.8:4371\",\"turn\":\"192.0.2.2:3478\"}]}}",
         "static NAT in a cluster needs X12.5.5"},
        {"expressway-e", "{\"turn_tcp_443\":true}", "turn_tcp_443 is beside a web proxy"},
        {"expressway-e", "{\"administration\":\"0.0.0.0:443\",\"web_proxy\":{\"listen\":\"0.0.0.0:443\"}}",
         "WebRTC clients use the administration port"},
        {"expressway-e", "{\"administration\":\"0.0.0.0:8443\",\"mra\":true}", "8443 must not be"},
        {"expressway-e", "{\"administration\":\"0.0.0.0:3478\",\"turn\":[\"0.0.0.0:3478\"]}",
         "two services want the same TCP port"},
        {"expressway-c", "{\"traversal\":\"10.0.0.2:7001\",\"meeting_server\":\"10.0.0.4:5061\",\"web_bridge\":"
                         "{\"tunnel\":\"10.0.0.2:2222\"}}", "meeting_server says where requests go"},
        {"expressway-e", "{\"media\":{\"first_port\":36001}}", "first_port and shared_port are of RTP, and even"},
        {"expressway-e", "{\"traversal_zones\":[\"0.0.0.0:7001\",\"0.0.0.0:7001\"]}", "two zones have the same name"},
        {"expressway-e", "{\"search_rules\":[{\"zones\":[\"1\",\"2\",\"3\",\"4\",\"5\"]}]}", "zones"},
        {"meeting-server", "{\"turn\":\"10.0.0.2:3478\",\"uri\":\"sip:\"}", "uri is not a SIP URI"},
        {"meeting-server", "{\"turn\":\"10.0.0.2:3478\",\"first_port\":51001}", "last_port is below first_port"},
        {"meeting-server", "{\"turn\":\"10.0.0.2:3478\",\"dial_plan\":[{\"dialect\":\"plain\"}]}", "domain"},
        {"meeting-server", "{\"turn\":\"10.0.0.2:3478\",\"turn_ports\":7}", "turn_ports"},
        {"meeting-server", "{\"turn\":\"10.0.0.2:3478\",\"dial_plan\":[{\"domain\":\"a\",\"to\":\"b c\"}]}",
         "`to` is not a host"},
        {"sip-endpoint", "{\"servers\":[]}", "servers"},
        {"guest-browser", "{\"server\":\"10.0.0.2:443\",\"typed\":\"ftp\"}", "typed"},
        {"webrtc-app",
         "{\"server\":\"10.0.0.2:443\",\"media\":{\"relays\":[{\"kind\":\"stun\",\"server\":\"10.0.0.2:3478\"}]}}",
         "turn-udp"},
        {"sip-endpoint", "{\"servers\":[\"10.0.0.2:5061\"],\"uri\":\"e@x\"}", "uri is not a SIP URI"},
        {"sip-endpoint", "{\"servers\":[\"10.0.0.2:5061\"],\"media\":{\"first_port\":2000,\"last_port\":1999}}",
         "it does not start: settings: last_port is below first_port"},
        {"unified-cm", "{\"trunks\":[\"10.0.0.3:5061\"],\"media\":{\"audio\":{\"payload_bytes\":1201}}}",
         "payload_bytes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *message = begin(rows[i].system, rows[i].json);
        if (!strstr(message, rows[i].message))
            print_error("row %zu: %s", i, message);
        assert_non_null(strstr(message, rows[i].message));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_begins_with_its_ports),
        cmocka_unit_test(settings_that_make_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
