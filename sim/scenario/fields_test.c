/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "sim/scenario/fields.h"

enum colour { RED, GREEN, BLUE };
static const struct field_name colours[] = {{"red", RED}, {"green", GREEN}, {"blue", BLUE}, {NULL, 0}};

struct inner {
    const char *name;
    uint64_t delay_ns;
};
static const struct field inner_fields[] = {
    {FIELD("name", STRING, struct inner, name), .required = true, .min = 1},
    {FIELD("delay_us", U64, struct inner, delay_ns), .scale = NS_US, .dflt = 5},
    {.key = NULL},
};

struct outer {
    bool on;
    uint16_t port;
    uint32_t ppm;
    uint64_t seed;
    const char *text;
    int colour;
    struct ip_addr ip;
    struct endpoint to;
    uint8_t mac[6];
    struct inner one;
    LIST_OF(struct ip_prefix) nets;
    LIST_OF(struct inner) many;
    const cJSON *self;
    const cJSON *later;
};
static const struct field outer_fields[] = {
    {FIELD("on", BOOL, struct outer, on), .dflt = 1},
    {FIELD("port", U16, struct outer, port), .min = 1, .dflt = 3478},
    {FIELD("ppm", U32, struct outer, ppm), .max = 1000000},
    {FIELD("seed", U64, struct outer, seed)},
    {FIELD("text", STRING, struct outer, text), .text = "none", .max = 8},
    {FIELD("colour", ENUM, struct outer, colour), .names = colours, .dflt = GREEN},
    {FIELD("ip", IP, struct outer, ip), .text = "10.0.0.1"},
    {FIELD("to", ENDPOINT, struct outer, to)},
    {FIELD("mac", MAC, struct outer, mac)},
    {FIELD("one", OBJECT, struct outer, one), .fields = inner_fields},
    {FIELD("nets", LIST, struct outer, nets), .of = FIELD_PREFIX, .max = 2},
    {FIELD("many", LIST, struct outer, many), .of = FIELD_OBJECT, .fields = inner_fields,
     .size = sizeof(struct inner)},
    {FIELD("later", JSON, struct outer, later)},
    {FIELD("self", SELF, struct outer, self)},
    {.key = NULL},
};

/* Reads text, after an override if there is one, into out; returns the message, or "" when there is none. */
static const char *read_outer(const char *text, const char *set, struct outer *out, struct arena *arena)
{
    static struct diag d;
    struct json *j;
    d.text[0] = '\0';
    if (json_parse("t.json", text, strlen(text), &j, &d) != 0)
        return d.text;
    if (!set || json_override(j, set, &d) == 0)
        fields_read(j, json_root(j), outer_fields, arena, out, &d);
    json_free(j);
    return d.text;
}

static void values_arrive(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct outer o;
    const char *text = "{\"on\": false, \"port\": 65535, \"seed\": 18446744073709551615, \"colour\": \"blue\","
                       "\"ip\": \"2001:db8::1\", \"to\": \"[::1]:80\", \"mac\": \"00:50:56:98:98:98\","
                       "\"one\": {\"name\": \"a\", \"delay_us\": 7}, \"nets\": [\"10.0.0.0/8\"],"
                       "\"many\": [{\"name\": \"b\"}, {\"name\": \"\\u00fc\", \"delay_us\": 0}]}";
    assert_string_equal(read_outer(text, NULL, &o, &arena), "");
    assert_false(o.on);
    assert_int_equal(o.port, 65535);
    assert_true(o.seed == UINT64_MAX);
    assert_int_equal(o.colour, BLUE);
    assert_int_equal(o.ip.family, IP_V6);
    assert_int_equal(o.to.port, 80);
    assert_memory_equal(o.mac, "\x00\x50\x56\x98\x98\x98", 6);
    assert_int_equal(o.one.delay_ns, 7000);
    assert_int_equal(o.nets.count, 1);
    const struct inner *many = o.many.items;
    assert_int_equal(o.many.count, 2);
    assert_int_equal(many[0].delay_ns, 5000);
    assert_string_equal(many[1].name, "\xc3\xbc");
    assert_int_equal(many[1].delay_ns, 0);
    assert_string_equal(o.text, "none");
    assert_null(o.later);
    assert_non_null(o.self);

    assert_string_equal(read_outer("{}", NULL, &o, &arena), "");
    assert_true(o.on && o.port == 3478 && o.colour == GREEN && o.ip.b[0] == 10 && o.one.delay_ns == 5000);
    arena_free(&arena);
}

static void messages_name_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *set, *message;
    } rows[] = {
        {"", NULL, "t.json:1:1: expected JSON (a value, or `,` or a closing bracket behind one), found the end of "
                   "the text"},
        {"{\"on\": true,\n  \"port\" 1}", NULL,
         "t.json:2:10: expected JSON (a value, or `,` or a closing bracket behind one), found `1`"},
        {"{} x", NULL, "t.json:1:4: expected JSON (a value, or `,` or a closing bracket behind one), found `x`"},
        {"[]", NULL, "t.json:1:1: expected an object, found a list"},
        {"{\n \"pots\": 1}", NULL,
         "t.json:2:2: pots: unknown key; expected one of: on, port, ppm, seed, text, colour, ip, to, mac, one, nets, "
         "many, later"},
        {"{\"self\": 1}", NULL,
         "t.json:1:2: self: unknown key; expected one of: on, port, ppm, seed, text, colour, ip, to, mac, one, nets, "
         "many, later"},
        {"{\"port\": 1, \"port\": 2}", NULL, "t.json:1:13: port: expected each key once, found it again"},
        {"{\"on\": 1}", NULL, "t.json:1:8: on: expected true or false, found 1"},
        {"{\"port\": 65536}", NULL, "t.json:1:10: port: expected a whole number from 1 to 65535, found 65536"},
        {"{\"port\": 0}", NULL, "t.json:1:10: port: expected a whole number from 1 to 65535, found 0"},
        {"{\"port\": -1}", NULL, "t.json:1:10: port: expected a whole number from 1 to 65535, found -1"},
        {"{\"port\": 1.5}", NULL, "t.json:1:10: port: expected a whole number from 1 to 65535, found 1.5"},
        {"{\"port\": \"80\"}", NULL, "t.json:1:10: port: expected a whole number from 1 to 65535, found \"80\""},
        {"{\"ppm\": 1000001}", NULL, "t.json:1:9: ppm: expected a whole number from 0 to 1000000, found 1000001"},
        {"{\"seed\": 18446744073709551616}", NULL,
         "t.json:1:10: seed: expected a whole number from 0 to 18446744073709551615, found 18446744073709551616"},
        {"{\"text\": \"123456789\"}", NULL,
         "t.json:1:10: text: expected a string of 0 to 8 bytes, found \"123456789\""},
        {"{\"colour\": \"grey\"}", NULL,
         "t.json:1:12: colour: expected \"red\", \"green\" or \"blue\", found \"grey\""},
        {"{\"ip\": \"10.0.0.256\"}", NULL, "t.json:1:8: ip: expected an IP address, found \"10.0.0.256\""},
        {"{\"to\": \"10.0.0.1\"}", NULL,
         "t.json:1:8: to: expected an address and port, as \"10.0.0.1:5061\", found \"10.0.0.1\""},
        {"{\"mac\": \"00:50:56:98:98:9\"}", NULL,
         "t.json:1:9: mac: expected a MAC address, as \"00:50:56:98:98:98\", found \"00:50:56:98:98:9\""},
        {"{\"one\": {\"delay_us\": 1}}", NULL, "t.json:1:9: one: expected the key \"name\", found none"},
        {"{\"one\": {\"name\": \"\"}}", NULL,
         "t.json:1:18: one.name: expected a string that is not empty, found \"\""},
        {"{\"nets\": {}}", NULL, "t.json:1:10: nets: expected a list, found an object"},
        {"{\"nets\": [\"1.1.1.1\", \"::/0\", \"::/0\"]}", NULL,
         "t.json:1:10: nets: expected 0 to 2 elements, found 3"},
        {"{\"nets\": [\"1.1.1.1\",\n\t\"1.1.1.1/33\"]}", NULL,
         "t.json:2:2: nets.1: expected an address with prefix length, as \"10.0.0.1/24\", found \"1.1.1.1/33\""},
        {"{\"many\": [{\"name\": \"x\"},\n{\"name\": \"y\", \"delay_us\": {}}]}", NULL,
         "t.json:2:27: many.y.delay_us: expected a whole number from 0 to 18446744073709551, found an object"},
        {"{\"one\": null}", NULL, "t.json:1:9: one: expected an object, found null"},
        /* Overrides stand in the argument. */
        {"{}", "port=70000", "--set:1:6: port: expected a whole number from 1 to 65535, found 70000"},
        {"{}", "one.delay_us=3", "--set:1:1: one: expected the key \"name\", found none"},
        {"{\"many\": [{\"name\": \"x\"}]}", "many.y.delay_us=3",
         "--set:1:6: expected the name or index of a member, found \"y\""},
        {"{\"many\": [{\"name\": \"x\"}]}", "many.x.delay_us=no",
         "--set:1:17: expected JSON (a value, or `,` or a closing bracket behind one), found `n`"},
        {"{}", "port", "--set:1:1: expected PATH=JSON"},
        {"{}", "=1", "--set:1:1: expected PATH=JSON"},
        {"{}", "..=1", "--set:1:1: expected PATH=JSON"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena = {0};
        struct outer o;
        assert_string_equal(read_outer(rows[i].text, rows[i].set, &o, &arena), rows[i].message);
        arena_free(&arena);
    }
}

static void overrides_reach_members(void **state)
{
    (void)state;
    static const char *const text = "{\"many\": [{\"name\": \"x\"}, {\"name\": \"y\", \"delay_us\": 1}],"
                                    "\"nets\": [\"10.0.0.0/8\"]}";
    struct arena arena = {0};
    struct outer o;
    assert_string_equal(read_outer(text, "many.y.delay_us=9", &o, &arena), "");
    assert_int_equal(o.many.items[1].delay_ns, 9000);
    assert_string_equal(read_outer(text, "many.0.delay_us=8", &o, &arena), "");
    assert_int_equal(o.many.items[0].delay_ns, 8000);
    assert_string_equal(read_outer(text, "one={\"name\": \"new\"}", &o, &arena), "");
    assert_string_equal(o.one.name, "new");
    assert_string_equal(read_outer(text, "one.name=\"made\"", &o, &arena), "");
    assert_string_equal(o.one.name, "made");
    assert_string_equal(read_outer(text, "many.y.delay_us=null", &o, &arena), "");
    assert_int_equal(o.many.items[1].delay_ns, 5000);
    assert_string_equal(read_outer(text, "many.x=null", &o, &arena), "");
    assert_int_equal(o.many.count, 1);
    assert_string_equal(read_outer(text, "port=null", &o, &arena), "");
    assert_string_equal(read_outer(text, "nets.0=\"::/0\"", &o, &arena), "");
    assert_int_equal(o.nets.items[0].ip.family, IP_V6);
    arena_free(&arena);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    char text[2 * JSON_DEPTH + 3];
    struct json *j;
    struct diag d;
    memset(text, '[', JSON_DEPTH);
    memset(text + JSON_DEPTH, ']', JSON_DEPTH);
    assert_int_equal(json_parse("t", text, (size_t)2 * JSON_DEPTH, &j, &d), 0);
    json_free(j);
    memset(text, '[', JSON_DEPTH + 1);
    memset(text + JSON_DEPTH + 1, ']', JSON_DEPTH + 1);
    assert_int_equal(json_parse("t", text, 2 * (size_t)JSON_DEPTH + 2, &j, &d), E_MALFORMED);
    assert_string_equal(d.text, "t:1:65: expected at most 64 levels of brackets, found more");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_arrive),
        cmocka_unit_test(messages_name_the_place),
        cmocka_unit_test(overrides_reach_members),
        cmocka_unit_test(depth_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
