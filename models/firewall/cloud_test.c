/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AWS security groups and network ACLs, Azure network security groups. */
#include "models/firewall/parts_rig_test.h"

static void the_protected_side_is_told_by_name(void **state)
{
    (void)state;
    const char *text = "{\"SecurityGroups\":[{\"GroupId\":\"sg-1\",\n"
                       "\"IpPermissions\":[{\"IpProtocol\":\"tcp\",\"FromPort\":1,\"ToPort\":9,\n"
                       "\"IpRanges\":[{\"CidrIp\":\"0.0.0.0/0\"}]}]}]}\n";
    static const struct {
        const char *a, *b, *inside;
    } t[] = {{"vpc 10.0.0.1/24", "x 192.0.2.1/24", "vpc"},
             {"x 192.0.2.1/24", "inside 10.0.0.1/24", "inside"},
             {"wan 192.0.2.1/24", "eth1 10.0.0.1/24", "eth1"},
             {"eth0 192.0.2.1/24", "eth1 10.0.0.1/24", NULL},
             {"vpc 192.0.2.1/24", "inside 10.0.0.1/24", NULL}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct fw_source src = {.name = "t", .text = text, .len = strlen(text), .port = rig_ports(t[i].a, t[i].b),
                                .port_count = 2};
        if (!t[i].inside) {
            rig_refused(fw_aws_parse, &src, E_UNSUPPORTED, 1, "protected side");
            continue;
        }
        struct fw_rules *r = rig_read(fw_aws_parse, &src);
        int in = fw_rules_find_interface(r, t[i].inside);
        struct fw_flow f = rig_flow("tcp 192.0.2.9:5 > 10.0.0.2:9");
        assert_int_equal(fw_eval_first(r, 1 - in, in, &f).decision, FW_PERMITTED);
        assert_int_equal(fw_eval_first(r, in, 1 - in, &f).decision, FW_DENIED);
        fw_rules_free(r);
    }
}

/* ---- AWS ---- */

static const char two_groups[] =
    "{\n"
    " \"SecurityGroups\": [\n"
    "  { \"GroupId\": \"sg-a\", \"GroupName\": \"turn\",\n"
    "    \"IpPermissions\": [\n"
    "     { \"IpProtocol\": \"udp\", \"FromPort\": 3478, \"ToPort\": 3483,\n"
    "       \"IpRanges\": [\n"
    "        { \"CidrIp\": \"198.51.100.0/24\" },\n"      /* 7 */
    "        { \"CidrIp\": \"203.0.113.0/24\" } ],\n"     /* 8 */
    "       \"Ipv6Ranges\": [ { \"CidrIpv6\": \"2001:db8::/32\" } ] },\n"
    "     { \"IpProtocol\": \"icmp\", \"FromPort\": 8, \"ToPort\": -1,\n"
    "       \"IpRanges\": [ { \"CidrIp\": \"0.0.0.0/0\" } ] },\n" /* 11 */
    "     { \"IpProtocol\": \"-1\",\n"
    "       \"UserIdGroupPairs\": [ { \"GroupId\": \"sg-b\" } ] },\n" /* 13 */
    "     { \"IpProtocol\": \"tcp\", \"FromPort\": 22, \"ToPort\": 22,\n"
    "       \"PrefixListIds\": [ { \"PrefixListId\": \"pl-1\" } ] } ],\n" /* 15 */
    "    \"IpPermissionsEgress\": [ { \"IpProtocol\": \"-1\",\n"
    "       \"IpRanges\": [ { \"CidrIp\": \"0.0.0.0/0\" } ] } ] },\n" /* 17 */
    "  { \"GroupId\": \"sg-b\",\n"
    "    \"IpPermissions\": [ { \"IpProtocol\": \"tcp\", \"FromPort\": 443, \"ToPort\": 443,\n"
    "       \"IpRanges\": [ { \"CidrIp\": \"0.0.0.0/0\" } ] } ] } ]"; /* 20 */

static struct fw_rules *read_groups(const char *section, const char *more)
{
    char text[4096];
    snprintf(text, sizeof text, "%s%s\n}\n", two_groups, more);
    return rig_read(fw_aws_parse, &(struct fw_source){.name = "t", .text = text, .len = strlen(text),
                                                      .section = section});
}

static void probe_all(const struct fw_rules *r, const struct probe *p)
{
    for (; p->in; p++)
        rig_probe(r, p);
}

static void security_groups_permit(void **state)
{
    (void)state;
    struct fw_rules *r = read_groups("sg-a", "");
    /* A permission that is certain decides, whatever a doubtful one says. */
    static const struct probe sure[] = {
        {"outside", "inside", "udp 198.51.100.9:5 > 10.0.0.2:3478", FW_PERMITTED, 7},
        {"outside", "inside", "udp 203.0.113.9:5 > 10.0.0.2:3483", FW_PERMITTED, 8},
        {"outside", "inside", "udp [2001:db8::9]:5 > [2001:db8:1::2]:3480", FW_PERMITTED, 9},
        {"outside", "inside", "udp 203.0.113.9:5 > 10.0.0.2:3484", FW_UNKNOWN, 13},
        {"outside", "inside", "icmp 8 192.0.2.1 > 10.0.0.2", FW_PERMITTED, 11},
        {"outside", "inside", "icmp 13 192.0.2.1 > 10.0.0.2", FW_UNKNOWN, 13},
        {"inside", "outside", "tcp 10.0.0.2:5 > 192.0.2.1:80", FW_PERMITTED, 17},
        {0},
    };
    probe_all(r, sure);
    assert_int_equal(fw_rules_lines(r).unsupported, 2);
    assert_int_equal(fw_rules_unsupported(r, 1)->line, 15);
    assert_non_null(strstr(fw_rules_unsupported(r, 1)->why, "prefix list pl-1"));
    fw_rules_free(r);
    r = read_groups("sg-b", "");
    static const struct probe of_b[] = {
        {"outside", "inside", "tcp 192.0.2.1:5 > 10.0.0.2:443", FW_PERMITTED, 20},
        {"outside", "inside", "tcp 192.0.2.1:5 > 10.0.0.2:444", FW_DENIED, 0},
        {"inside", "outside", "tcp 10.0.0.2:5 > 192.0.2.1:80", FW_DENIED, 0},
        {0},
    };
    probe_all(r, of_b);
    fw_rules_free(r);
    r = read_groups("sg-a,sg-b", "");
    rig_probe(r, &of_b[0]);
    rig_probe(r, &sure[0]);
    fw_rules_free(r);
}

static void references_resolve_within_the_file(void **state)
{
    (void)state;
    struct fw_rules *r = read_groups(
        "sg-a", ",\"NetworkInterfaces\":[{\"Groups\":[{\"GroupId\":\"sg-b\"}],\"PrivateIpAddresses\":[\n"
                "{\"PrivateIpAddress\":\"10.0.9.9\"}]}],\n"
                "\"PrefixLists\":[{\"PrefixListId\":\"pl-1\",\"Cidrs\":[\"192.0.2.0/25\"]}]");
    static const struct probe p[] = {
        {"outside", "inside", "tcp 10.0.9.9:5 > 10.0.0.2:9", FW_PERMITTED, 13},
        {"outside", "inside", "tcp 10.0.9.8:5 > 10.0.0.2:9", FW_DENIED, 0},
        {"outside", "inside", "tcp 192.0.2.1:5 > 10.0.0.2:22", FW_PERMITTED, 15},
        {"outside", "inside", "tcp 192.0.2.129:5 > 10.0.0.2:22", FW_DENIED, 0},
        {0},
    };
    probe_all(r, p);
    assert_int_equal(fw_rules_lines(r).unsupported, 0);
    fw_rules_free(r);
}

static void acls_go_by_number_without_state(void **state)
{
    (void)state;
    static const char text[] =
        "{\"NetworkAcls\": [{ \"NetworkAclId\": \"acl-1\", \"Entries\": [\n"
        " { \"RuleNumber\": 32767, \"Protocol\": \"-1\", \"RuleAction\": \"deny\", \"Egress\": false, \"CidrBlock\": "
        "\"0.0.0.0/0\"},\n"
        " { \"RuleNumber\": 200, \"Protocol\": \"6\", \"RuleAction\": \"allow\", \"Egress\": false,\n"
        "   \"CidrBlock\": \"0.0.0.0/0\", \"PortRange\": {\"From\": 443, \"To\": 444}},\n"
        " { \"RuleNumber\": 100, \"Protocol\": \"6\", \"RuleAction\": \"deny\", \"Egress\": false,\n"
        "   \"CidrBlock\": \"192.0.2.0/24\", \"PortRange\": {\"From\": 444, \"To\": 444}},\n"
        " { \"RuleNumber\": 100, \"Protocol\": \"6\", \"RuleAction\": \"allow\", \"Egress\": true,\n"
        "   \"CidrBlock\": \"0.0.0.0/0\", \"PortRange\": {\"From\": 1024, \"To\": 65535}},\n"
        " { \"RuleNumber\": 110, \"Protocol\": \"1\", \"RuleAction\": \"allow\", \"Egress\": false,\n"
        "   \"CidrBlock\": \"0.0.0.0/0\", \"IcmpTypeCode\": {\"Type\": 8, \"Code\": -1}}\n"
        "]}]}\n";
    static const struct probe p[] = {
        {"outside", "inside", "tcp 198.51.100.1:5 > 10.0.0.2:444", FW_PERMITTED, 3},
        {"outside", "inside", "tcp 192.0.2.1:5 > 10.0.0.2:444", FW_DENIED, 5},
        {"outside", "inside", "tcp 192.0.2.1:5 > 10.0.0.2:80", FW_DENIED, 2},
        {"outside", "inside", "icmp 8 192.0.2.1 > 10.0.0.2", FW_PERMITTED, 9},
        {"inside", "outside", "tcp 10.0.0.2:443 > 192.0.2.1:1024", FW_PERMITTED, 7},
        {"inside", "outside", "tcp 10.0.0.2:443 > 192.0.2.1:1023", FW_DENIED, 0},
        {0},
    };
    rig_table(fw_aws_parse, text, p);
}

static void unknown_members_are_doubts(void **state)
{
    (void)state;
    static const char text[] = "{\"SecurityGroups\":[{\"GroupId\":\"sg-1\",\"IpPermissions\":[\n"
                               "{\"IpProtocol\":\"tcp\",\"FromPort\":80,\"ToPort\":80,\n"
                               " \"Sometimes\":true,\n"
                               " \"IpRanges\":[{\"CidrIp\":\"0.0.0.0/0\"}]}]}]}\n";
    static const struct probe p[] = {
        {"outside", "inside", "tcp 192.0.2.1:5 > 10.0.0.2:80", FW_UNKNOWN, 4},
        {"outside", "inside", "tcp 192.0.2.1:5 > 10.0.0.2:81", FW_DENIED, 0},
        {0},
    };
    rig_table(fw_aws_parse, text, p);
}

/* ---- Azure ---- */

#define RULE(name, priority, direction, access, proto, src, sport, dst, dport)                                       \
    "{\"name\":\"" name "\",\"properties\":{\"priority\":" #priority ",\"direction\":\"" direction                   \
    "\",\"access\":\"" access "\",\"protocol\":\"" proto "\",\"sourceAddressPrefix\":\"" src                        \
    "\",\"sourcePortRange\":\"" sport "\",\"destinationAddressPrefix\":\"" dst                                      \
    "\",\"destinationPortRange\":\"" dport "\"}}"

static void azure_goes_by_priority(void **state)
{
    (void)state;
    static const char text[] =
        "{\"name\":\"g\",\"type\":\"Microsoft.Network/networkSecurityGroups\",\"properties\":{\"securityRules\":[\n"
        RULE("late", 300, "Inbound", "Deny", "*", "*", "*", "*", "*") ",\n"
        RULE("web", 200, "inbound", "Allow", "Tcp", "Internet", "*", "*", "443") ",\n"
        RULE("bad", 150, "Inbound", "Deny", "Tcp", "192.0.2.0/24", "1000-2000", "10.0.0.2", "443-444") ",\n"
        RULE("lb", 160, "Inbound", "Allow", "*", "AzureLoadBalancer", "*", "*", "*") ",\n"
        RULE("sql", 170, "Inbound", "Allow", "Udp", "Sql.WestEurope", "*", "*", "1434") ",\n"
        RULE("rdp", 180, "Inbound", "Deny", "*", "*", "*", "*", "3389") ",\n"
        RULE("ping", 190, "Inbound", "Allow", "Icmp", "*", "*", "*", "*") "\n"
        "]}}\n";
    static const struct probe p[] = {
        {"outside", "inside", "tcp 8.8.8.8:1500 > 10.0.0.2:443", FW_PERMITTED, 3},
        {"outside", "inside", "tcp 192.0.2.1:1500 > 10.0.0.2:443", FW_DENIED, 4},
        {"outside", "inside", "tcp 192.0.2.1:2001 > 10.0.0.2:443", FW_PERMITTED, 3},
        {"outside", "inside", "tcp 192.168.1.1:1500 > 10.0.0.2:443", FW_UNKNOWN, 3},
        {"outside", "inside", "tcp 168.63.129.16:1500 > 10.0.0.2:80", FW_PERMITTED, 5},
        {"outside", "inside", "udp 8.8.8.8:1500 > 10.0.0.2:1434", FW_UNKNOWN, 6},
        {"outside", "inside", "udp 8.8.8.8:1500 > 10.0.0.2:1435", FW_DENIED, 2},
        {"outside", "inside", "tcp 8.8.8.8:1500 > 10.0.0.2:3389", FW_DENIED, 7},
        {"outside", "inside", "icmp 8 8.8.8.8 > 10.0.0.2", FW_UNKNOWN, 7},
        {"inside", "outside", "tcp 10.0.0.2:5 > 8.8.8.8:80", FW_PERMITTED, 1}, /* the built-in AllowInternetOutBound */
        {"inside", "outside", "tcp 10.0.0.2:5 > 10.9.9.9:80", FW_UNKNOWN, 1},
        {0},
    };
    rig_table(fw_azure_parse, text, p);
}

static void the_protected_networks_are_the_virtual_network(void **state)
{
    (void)state;
    static const char text[] = "[{\"name\":\"g\",\"securityRules\":[\n"
                               "{\"name\":\"x\",\"priority\":100,\"direction\":\"Inbound\",\"access\":\"Allow\",\n"
                               "\"protocol\":\"*\",\"sourceAddressPrefixes\":[\"10.1.0.0/16\",\"VirtualNetwork\"],\n"
                               "\"sourcePortRange\":\"*\",\"destinationAddressPrefix\":\"*\",\n"
                               "\"destinationPortRanges\":[\"1-2\",\"5\"]}]},{\"name\":\"h\",\"securityRules\":[]}]\n";
    struct fw_source src = {.name = "t", .text = text, .len = strlen(text), .section = "g",
                            .port = rig_ports("subnet 10.2.0.1/16", "eth0 10.3.0.1/16"), .port_count = 2};
    struct fw_rules *r = rig_read(fw_azure_parse, &src);
    static const struct probe p[] = {
        {"eth0", "subnet", "tcp 10.1.0.1:5 > 10.2.0.2:5", FW_PERMITTED, 2},
        {"eth0", "subnet", "tcp 10.1.0.1:5 > 10.2.0.2:3", FW_UNKNOWN, 1},
        {"eth0", "subnet", "tcp 10.2.0.9:5 > 10.2.0.2:9", FW_PERMITTED, 1},
        {"eth0", "subnet", "tcp 10.9.0.1:5 > 10.2.0.2:5", FW_UNKNOWN, 2},
        {"eth0", "subnet", "tcp 8.8.8.8:5 > 10.2.0.2:5", FW_DENIED, 1},
        {0},
    };
    probe_all(r, p);
    fw_rules_free(r);
    src.section = NULL;
    rig_refused(fw_azure_parse, &src, E_UNSUPPORTED, 1, "the file has 2: g, h");
    src.section = "j";
    rig_refused(fw_azure_parse, &src, E_UNSUPPORTED, 1, "g, h");
}

/* ---- both ---- */

static void samples_add_up(void **state)
{
    (void)state;
    static const struct {
        const char *path, *section;
        fw_importer *parse;
        const char *format;
        unsigned lines, unsupported;
        struct probe p[4];
    } t[] = {
        {"../shared/rulesets/cloud/aws-SecurityGroups.json", "sg-55510831", fw_aws_parse, "aws", 580, 1,
         {{"outside", "inside", "tcp 10.193.0.1:5 > 10.0.0.2:3306", FW_PERMITTED, 91},
          {"outside", "inside", "tcp 10.194.0.1:5 > 10.0.0.2:3306", FW_UNKNOWN, 117},
          {"outside", "inside", "tcp 10.193.0.1:5 > 10.0.0.2:3307", FW_DENIED, 0}}},
        {"../shared/rulesets/cloud/azure-subnet-nsg.json", NULL, fw_azure_parse, "azure", 260, 0,
         {{"outside", "inside", "tcp 10.0.0.1:5 > 10.0.0.2:8080", FW_PERMITTED, 12},
          {"outside", "inside", "tcp 10.0.0.1:5 > 10.0.0.2:8081", FW_DENIED, 36},
          {"inside", "outside", "udp 10.0.0.1:5 > 8.8.8.8:53", FW_PERMITTED, 78}}},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        size_t len = 0;
        char *text = rig_sample(t[i].path, &len);
        if (!text)
            skip();
        assert_string_equal(fw_format_of(text, len)->name, t[i].format);
        struct fw_rules *r = rig_read(t[i].parse, &(struct fw_source){.name = t[i].path, .text = text, .len = len,
                                                                      .section = t[i].section});
        assert_int_equal(fw_rules_lines(r).total, t[i].lines);
        assert_int_equal(fw_rules_lines(r).unsupported, t[i].unsupported);
        for (const struct probe *p = t[i].p; p->in; p++)
            rig_probe(r, p);
        fw_rules_free(r);
        free(text);
    }
}

static void bad_files_are_refused_with_a_place(void **state)
{
    (void)state;
    static const struct {
        fw_importer *parse;
        const char *text;
        int err;
        unsigned line;
        const char *words;
    } t[] = {
        {fw_aws_parse, "{\"SecurityGroups\":[{\"GroupId\":\"sg-1\",\n\"IpPermissions\":[", E_MALFORMED, 2, "expected"},
        {fw_aws_parse, "\x7f\x45\x4c\x46", E_MALFORMED, 1, "expected JSON"},
        {fw_aws_parse, "{\"SecurityGroups\":[{}]}", E_MALFORMED, 1, "GroupId"},
        {fw_aws_parse, "{\"SecurityGroups\":[{\"GroupId\":\"a\",\"IpPermissions\":[\n7]}]}", E_MALFORMED, 2,
         "expected a permission, found 7"},
        {fw_aws_parse, "{\"SecurityGroups\":[{\"GroupId\":\"a\",\"IpPermissions\":[{\n\"IpProtocol\":\"frob\"}]}]}",
         E_MALFORMED, 2, "expected a protocol"},
        {fw_aws_parse, "{\"SecurityGroups\":[{\"GroupId\":\"a\",\"IpPermissions\":[{\"IpProtocol\":\"tcp\",\n"
                       "\"FromPort\":70000}]}]}",
         E_MALFORMED, 2, "65535, found 70000"},
        {fw_aws_parse, "{\"SecurityGroups\":[{\"GroupId\":\"a\"},{\"GroupId\":\"b\"}]}", E_UNSUPPORTED, 1, "a, b"},
        {fw_azure_parse, "{\"securityRules\":[\n{\"priority\":5}]}", E_MALFORMED, 2, "priority from 100"},
        {fw_azure_parse, "{\"securityRules\":[\n{\"priority\":100,\"direction\":\"up\"}]}", E_MALFORMED, 2, "Inbound"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        rig_refused(t[i].parse, &(struct fw_source){.name = "t", .text = t[i].text, .len = strlen(t[i].text)},
                    t[i].err, t[i].line, t[i].words);
}

static void big_and_deep_files_are_refused(void **state)
{
    (void)state;
    size_t len = 10 * 1024 * 1024;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, ' ', len);
    struct fw_source src = {.name = "t", .text = text, .len = len};
    rig_refused(fw_aws_parse, &src, E_RANGE, 1, "bytes");
    memset(text, '[', len);
    src.len = 100000;
    rig_refused(fw_azure_parse, &src, E_MALFORMED, 1, "expected");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_protected_side_is_told_by_name),
        cmocka_unit_test(security_groups_permit),
        cmocka_unit_test(references_resolve_within_the_file),
        cmocka_unit_test(acls_go_by_number_without_state),
        cmocka_unit_test(unknown_members_are_doubts),
        cmocka_unit_test(azure_goes_by_priority),
        cmocka_unit_test(the_protected_networks_are_the_virtual_network),
        cmocka_unit_test(samples_add_up),
        cmocka_unit_test(bad_files_are_refused_with_a_place),
        cmocka_unit_test(big_and_deep_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
