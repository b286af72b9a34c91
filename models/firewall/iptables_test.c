/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The iptables importer: what its rules mean for packets, what is refused and where, and real files when at hand. */
#include "models/firewall/linux_test.h"

/* Rules of *filter that stand behind ":FORWARD DROP", a packet from eth0 to eth1, and what becomes of it. */
static const struct linux_row rows[] = {
    {"-A FORWARD -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'P'},
    {"-A FORWARD", "udp 1.1.1.1:1 > 2.2.2.2:2", 'D'},
    {"[12:345] -A FORWARD -s 1.1.1.0/24 -d 2.0.0.0/255.0.0.0 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'P'},
    {"-A FORWARD ! -s 1.1.1.0/24 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -s ! 1.1.1.0/24 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -s ! 1.1.1.0/24 -j ACCEPT", "udp 1.1.2.1:1 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -d 10.0.2.0/255.0.255.0 -j ACCEPT", "udp 1.1.2.1:1 > 10.9.2.7:2", 'P'},
    {"-A FORWARD ! -d 10.0.2.0/255.0.255.0 -j ACCEPT", "udp 1.1.2.1:1 > 10.9.2.7:2", 'D'},
    {"-A FORWARD ! -d 10.0.2.0/255.0.255.0 -j ACCEPT", "udp 1.1.2.1:1 > 10.9.3.7:2", 'P'},
    {"-A FORWARD -d 10.0.2.0/255.0.255.0 -m iprange ! --dst-range 10.1.0.0-10.3.255.255 -j ACCEPT",
     "udp 1.1.2.1:1 > 10.2.2.7:2", 'D'},
    {"-A FORWARD -d 10.0.2.0/255.0.255.0 -m iprange ! --dst-range 10.1.0.0-10.3.255.255 -j ACCEPT",
     "udp 1.1.2.1:1 > 10.4.2.7:2", 'P'},
    {"-A FORWARD -i eth0 -o eth1 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -i eth1 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'D'},
    {"-A FORWARD ! -i eth1 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -i eth+ -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'P'},
    {"-A FORWARD ! -i eth+ -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -i ppp0 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -p tcp -m tcp --sport 1 --dport 2:4 -j ACCEPT", "tcp S 1.1.1.1:1 > 2.2.2.2:3", 'P'},
    {"-A FORWARD -p tcp -m tcp --dport 2:4 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:3", 'D'},
    {"-A FORWARD -p tcp --dport ssh -j ACCEPT", "tcp S 1.1.1.1:1 > 2.2.2.2:22", 'P'},
    {"-A FORWARD -p tcp -m tcp ! --dport :9 -j ACCEPT", "tcp S 1.1.1.1:1 > 2.2.2.2:9", 'D'},
    {"-A FORWARD -p tcp -m tcp ! --dport 10: -j ACCEPT", "tcp S 1.1.1.1:1 > 2.2.2.2:9", 'P'},
    {"-A FORWARD ! -p tcp -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:9", 'P'},
    {"-A FORWARD ! -p tcp -j ACCEPT", "tcp S 1.1.1.1:1 > 2.2.2.2:9", 'D'},
    {"-A FORWARD -p 47 -j ACCEPT", "gre 1.1.1.1:0 > 2.2.2.2:0", 'P'},
    {"-A FORWARD -p udp -m multiport --dports 5,7:9 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:8", 'P'},
    {"-A FORWARD -p udp -m multiport ! --dports 5,7:9 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:8", 'D'},
    {"-A FORWARD -p udp -m multiport ! --dports 5,7:9 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:6", 'P'},
    {"-A FORWARD -p udp -m multiport --ports 1,2 -j ACCEPT", "udp 1.1.1.1:9 > 2.2.2.2:1", 'P'},
    {"-A FORWARD -p udp -m multiport --ports 1,2 -j ACCEPT", "udp 1.1.1.1:2 > 2.2.2.2:9", 'P'},
    {"-A FORWARD -p udp -m multiport ! --ports 1,2 -j ACCEPT", "udp 1.1.1.1:2 > 2.2.2.2:9", 'D'},
    {"-A FORWARD -p udp -m multiport ! --ports 1,2 -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:9", 'P'},
    {"-A FORWARD -p sctp -m sctp --dport 5 -j ACCEPT", "sctp 1.1.1.1:1 > 2.2.2.2:5", 'U'},
    {"-A FORWARD -p sctp -m sctp --dport 5 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:5", 'D'},
    {"-A FORWARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT", "tcp S 1.1.1.1:1 > 2.2.2.2:5", 'P'},
    {"-A FORWARD -p tcp --syn -j ACCEPT", "tcp SA 1.1.1.1:1 > 2.2.2.2:5", 'D'},
    {"-A FORWARD -p tcp ! --syn -j ACCEPT", "tcp SA 1.1.1.1:1 > 2.2.2.2:5", 'P'},
    {"-A FORWARD -p tcp --tcp-flags ALL NONE -j ACCEPT", "tcp - 1.1.1.1:1 > 2.2.2.2:5", 'P'},
    {"-A FORWARD -p icmp -m icmp --icmp-type 8 -j ACCEPT", "icmp 1.1.1.1:8 > 2.2.2.2:0", 'P'},
    {"-A FORWARD -p icmp -m icmp --icmp-type echo-request -j ACCEPT", "icmp 1.1.1.1:0 > 2.2.2.2:0", 'D'},
    {"-A FORWARD -p icmp -m icmp --icmp-type 3/1 -j ACCEPT", "icmp 1.1.1.1:3 > 2.2.2.2:1", 'P'},
    {"-A FORWARD -p icmp -m icmp ! --icmp-type 3/1 -j ACCEPT", "icmp 1.1.1.1:3 > 2.2.2.2:1", 'D'},
    {"-A FORWARD -p icmp -m icmp ! --icmp-type 3/1 -j ACCEPT", "icmp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -p icmp -m icmp --icmp-type any -j ACCEPT", "icmp 1.1.1.1:42 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m conntrack --ctstate NEW,RELATED -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m state --state ESTABLISHED -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -m conntrack ! --ctstate INVALID -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m conntrack --ctstate NEW --ctproto 17 --ctorigdst 2.2.2.2 --ctorigdstport 2 -j ACCEPT",
     "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m conntrack --ctproto 17 --ctorigdst 2.2.2.3 -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -m conntrack --ctdir ORIGINAL -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m conntrack --ctstatus ASSURED -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
    {"-A FORWARD -m iprange --src-range 1.1.1.0-1.1.1.1 -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m addrtype --src-type LOCAL -j ACCEPT", "udp 10.0.10.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m addrtype ! --src-type LOCAL -j ACCEPT", "udp 10.0.10.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -m addrtype --dst-type BROADCAST,MULTICAST -j ACCEPT", "udp 1.1.1.1:3 > 10.0.10.255:2", 'P'},
    {"-A FORWARD -m addrtype --dst-type UNICAST -j ACCEPT", "udp 1.1.1.1:3 > 10.0.10.254:2", 'P'},
    {"-A FORWARD -m addrtype --dst-type UNREACHABLE -j ACCEPT", "udp 1.1.1.1:3 > 10.0.10.254:2", 'U'},
    {"-A FORWARD -m pkttype --pkt-type unicast -j ACCEPT", "udp 1.1.1.1:3 > 10.0.10.254:2", 'P'},
    {"-A FORWARD -m pkttype --pkt-type broadcast -j ACCEPT", "udp 1.1.1.1:3 > 10.0.10.254:2", 'D'},
    {"-A FORWARD -m pkttype --pkt-type broadcast -j ACCEPT", "udp 1.1.1.1:3 > 10.0.10.255:2", 'U'},
    {"-A FORWARD -m mark --mark 0x64 -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -m mark --mark 0x0/0xff -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -j MARK --set-xmark 0x64/0xff\n-A FORWARD -m mark --mark 0x64 -j ACCEPT",
     "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
    {"-A FORWARD -m limit --limit 3/min --limit-burst 10 -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
    {"-A FORWARD -m limit --limit 3/min -j LOG --log-prefix \"a \\\"b -j ACCEPT\"", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -m recent --set --name x --rsource", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -m comment --comment \"-j DROP\" -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -p tcp -m quota2 --grow --quota 5 -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -p udp -m quota2 --grow --quota 5 -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
    {"-A FORWARD -p udp --dprot 5 -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
    {"-A FORWARD -j NFQUEUE --queue-num 1", "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
    {"-A FORWARD -s 9.9.9.9/32 -j XYZZY --foo 1\n-A FORWARD -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -j REJECT --reject-with tcp-reset", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {":u - [0:0]\n-A FORWARD -j u\n-A FORWARD -j ACCEPT\n-A u -p udp -j RETURN\n-A u -j DROP",
     "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {":u - [0:0]\n-A FORWARD -g u\n-A FORWARD -j ACCEPT\n-A u -p tcp -j DROP", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -j RETURN\n-A FORWARD -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
};

/* What it meets: a set with its content, and none. */
static const struct linux_row set_rows[] = {
    {"-A FORWARD -m set --match-set net src -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m set ! --match-set net src -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -m set ! --match-set net dst -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m set --match-set two dst,dst -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m set --match-set two dst,dst -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:7", 'D'},
    {"-A FORWARD -m set --match-set two dst,dst -j ACCEPT", "tcp S 1.1.1.1:3 > 2.2.2.3:80", 'P'},
    {"-A FORWARD -m set --match-set two src,dst -j ACCEPT", "udp 2.2.2.2:3 > 9.9.9.9:2", 'P'},
    {"-A FORWARD -m set ! --match-set two dst,dst -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -m set ! --match-set two dst,dst -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:7", 'P'},
    {":u - [0:0]\n-A FORWARD -j u\n-A FORWARD -j ACCEPT\n-A u -m set ! --match-set two dst,dst -j RETURN\n-A u -j DROP",
     "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {":u - [0:0]\n-A FORWARD -j u\n-A FORWARD -j ACCEPT\n-A u -m set ! --match-set two dst,dst -j RETURN\n-A u -j DROP",
     "udp 1.1.1.1:3 > 2.2.2.2:7", 'P'},
    {"-A FORWARD -m set --match-set ping dst,src -j ACCEPT", "icmp 1.1.1.1:8 > 2.2.2.2:0", 'P'},
    {"-A FORWARD -p udp -m set --match-set ports dst -j ACCEPT", "udp 1.1.1.1:8 > 2.2.2.2:6", 'P'},
    {"-A FORWARD -p udp -m set --match-set ports src -j ACCEPT", "udp 1.1.1.1:8 > 2.2.2.2:6", 'D'},
    {"-A FORWARD -m set --match-set nothing src -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -m set --match-set absent src -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
    {"-A FORWARD -m set --match-set timed src -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
    {"-A FORWARD -m set --match-set except src -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
    {"-A FORWARD -j SET --add-set net src\n-A FORWARD -m set --match-set net src -j ACCEPT",
     "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
};

#define SETS                                                                                                         \
    "create net hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x2\n"                         \
    "add net 1.1.1.0/24\nadd net 3.0.0.1-3.0.0.9 comment \"x y\"\n"                                                   \
    "create two hash:ip,port family inet\nadd two 2.2.2.2,udp:2-4\nadd two 2.2.2.3,80\n"                              \
    "create ping hash:ip,port family inet\nadd ping 2.2.2.2,icmp:echo-request\n"                                      \
    "create ports bitmap:port range 0-1000\nadd ports 5-6\n"                                                          \
    "create nothing hash:ip family inet\n"                                                                            \
    "create timed hash:ip family inet timeout 60\nadd timed 1.1.1.1 timeout 5\n"                                      \
    "create except hash:net family inet\nadd except 1.0.0.0/8\nadd except 1.1.0.0/16 nomatch\n"

static void rules_mean_what_they_say(void **state)
{
    (void)state;
    char text[4096];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(text, sizeof text, "*filter\n:FORWARD DROP [0:0]\n%s\nCOMMIT\n", rows[i].rules);
        linux_check(fw_iptables_parse, text, &rows[i]);
    }
    for (size_t i = 0; i < sizeof set_rows / sizeof *set_rows; i++) {
        snprintf(text, sizeof text, SETS "*filter\n:FORWARD DROP [0:0]\n%s\nCOMMIT\n", set_rows[i].rules);
        linux_check(fw_iptables_parse, text, &set_rows[i]);
    }
}

static void translation_is_read(void **state)
{
    (void)state;
    struct fw_rules *r = linux_read(
        fw_iptables_parse,
        "*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"
        "-A PREROUTING -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.0.4-10.0.0.8:5-9/7 --random\n"
        "-A PREROUTING -p udp -j REDIRECT --to-ports 5-9\n"
        "-A PREROUTING -d 192.0.2.0/30 -j NETMAP --to 10.9.0.0/30\n"
        "-A PREROUTING -d 192.0.0.0/8 -j NETMAP --to 10.0.0.0/8\n"
        "-A POSTROUTING -o eth1 -p tcp -j MASQUERADE --to-ports 1024-65535\nCOMMIT\n");
    const struct fw_rule *to = fw_rules_list(r, "nat PREROUTING")->rule;
    assert_int_equal(fw_rules_list(r, "nat PREROUTING")->count, 2 + 4);
    assert_true(ip_equal(&to[0].nat->to->a, &(struct ip_addr){IP_V4, {10, 0, 0, 4}}));
    assert_true(ip_equal(&to[0].nat->to->b, &(struct ip_addr){IP_V4, {10, 0, 0, 8}}));
    assert_true(to[0].nat->port_lo == 5 && to[0].nat->port_hi == 9 && to[0].nat->port_base == 7);
    assert_true(to[0].nat->random_port && !to[0].nat->own);
    assert_true(to[1].nat->own && to[1].nat->port_lo == 5 && !to[1].nat->random_port);
    assert_true(ip_equal(&to[5].dst->addr[0].a, &(struct ip_addr){IP_V4, {192, 0, 2, 3}}));
    assert_true(ip_equal(&to[5].nat->to->a, &(struct ip_addr){IP_V4, {10, 9, 0, 3}}));
    assert_int_equal(fw_rules_lines(r).unsupported, 1); /* 16 million addresses */
    const struct fw_rule *from = fw_rules_list(r, "nat POSTROUTING")->rule;
    assert_true(from->nat->own && from->nat->port_hi == 65535 && from->when->out_ifaces == 2);
    fw_rules_free(r);
}

/* Before all else: what has no way back is dropped, packets have no connection, a helper watches. */
static void the_raw_table(void **state)
{
    (void)state;
    struct fw_rules *r = linux_read(fw_iptables_parse,
                                    "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -m rpfilter --invert -j DROP\n"
                                    "-A PREROUTING -p udp -j CT --notrack\n"
                                    "-A PREROUTING -p tcp -m tcp --dport 5060 -j CT --helper sip\n"
                                    "-A PREROUTING -m rpfilter --invert -j DROP\nCOMMIT\n");
    assert_int_equal(r->iface[0].verify_reverse->line, 3);
    assert_int_equal(fw_rules_inspection(r, "sip")->line, 5);
    assert_int_equal(fw_rules_list(r, "raw PREROUTING")->rule[0].action, FW_NOTRACK);
    assert_int_equal(fw_rules_lines(r).unsupported, 1); /* the last: others come before it */
    assert_int_equal(fw_rules_unsupported(r, 0)->line, 6);
    fw_rules_free(r);
}

static void both_families_in_one_file(void **state)
{
    (void)state;
    struct fw_rules *r = linux_read(fw_iptables_parse,
                                    "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -s 1.1.1.1/32 -j ACCEPT\nCOMMIT\n"
                                    "# Generated by ip6tables-save v1.8.9\n*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n");
    assert_int_equal(r->base_count, 2);
    assert_int_equal(r->base[0].family, IP_V4);
    assert_int_equal(r->base[1].family, IP_V6);
    struct fw_context four = linux_packet("udp 1.1.1.2:3 > 2.2.2.2:2", 0, 1);
    struct fw_context six = linux_packet("udp [2001:db8::1]:3 > [2001:db8::2]:2", 0, 1);
    assert_int_equal(fw_eval(r, &four).decision, FW_DENIED);
    assert_int_equal(fw_eval(r, &six).decision, FW_PERMITTED);
    fw_rules_free(r);
}

static const struct refusal {
    const char *text;
    int err;
    unsigned line, column;
    const char *words;
} refusals[] = {
    {"", E_MALFORMED, 1, 1, "no table"},
    {"*filter\n:INPUT DROP [0:0]\n", E_TRUNCATED, 2, 18, "no COMMIT"},
    {"*filtre\nCOMMIT\n", E_UNSUPPORTED, 1, 1, "expected a table"},
    {"*filter\nCOMMIT\n*filter\nCOMMIT\n", E_EXISTS, 3, 1, "line 1"},
    {"*filter\n*nat\n", E_MALFORMED, 2, 1, "expected COMMIT"},
    {"-A INPUT -j DROP\n", E_MALFORMED, 1, 1, "expected a table"},
    {"*filter\n:INPUT\nCOMMIT\n", E_MALFORMED, 2, 7, "ACCEPT or DROP"},
    {"*filter\n:PREROUTING ACCEPT\nCOMMIT\n", E_MALFORMED, 2, 13, "a chain that the table has"},
    {"*filter\n-I INPUT -j DROP\nCOMMIT\n", E_MALFORMED, 2, 1, "found \"-I\""},
    {"*filter\n-A u -j DROP\nCOMMIT\n", E_MALFORMED, 2, 4, "name of a chain"},
    {"*filter\n-A INPUT -g u\nCOMMIT\n", E_MALFORMED, 2, 13, "name of a chain"},
    {"*filter\n:INPUT DROP\n-A FORWARD -j INPUT\nCOMMIT\n", E_MALFORMED, 3, 15, "chain of the user"},
    {"*filter\n-A INPUT -s 10.0.0.256 -j DROP\nCOMMIT\n", E_MALFORMED, 2, 13, "expected an address"},
    {"*filter\n-A INPUT -s 10.0.0.1 -d 2001:db8::1 -j DROP\nCOMMIT\n", E_MALFORMED, 2, 25, "table's family"},
    {"*filter\n-A INPUT -p tcp -m tcp --dport 9:1 -j DROP\nCOMMIT\n", E_MALFORMED, 2, 32, "expected ports"},
    {"*filter\n-A INPUT -p tcp -m tcp --dport\nCOMMIT\n", E_MALFORMED, 2, 31, "end of the line"},
    {"*filter\n-A INPUT ! -s ! 10.0.0.1 -j DROP\nCOMMIT\n", E_MALFORMED, 2, 15, "one \"!\""},
    {"*filter\n-A INPUT -j DROP -j ACCEPT\nCOMMIT\n", E_MALFORMED, 2, 21, "one target"},
    {"*filter\n-A INPUT -m comment --comment \"a -j DROP\nCOMMIT\n", E_TRUNCATED, 2, 31, "no end"},
    {"*filter\n-A INPUT drop\nCOMMIT\n", E_MALFORMED, 2, 10, "expected an option"},
    {"*filter\n:a - [0:0]\n:b - [0:0]\n-A a -j b\n-A b -p tcp -g a\nCOMMIT\n", E_RANGE, 5, 1, "loop"},
    {"create s hash:ip\nadd s 1.2.3.4,5\n*filter\nCOMMIT\n", E_MALFORMED, 2, 7, "1 parts"},
    {"add s 1.2.3.4\n*filter\nCOMMIT\n", E_MALFORMED, 1, 5, "a set that was created"},
    {"*filter\n\001\nCOMMIT\n", E_MALFORMED, 2, 1, "found byte 1"},
    {"*nat\n-A PREROUTING -j DNAT --to-destination 1.1.1.1:x\nCOMMIT\n", E_MALFORMED, 2, 40, "ADDRESS"},
};

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *w = &refusals[i];
        struct fw_rules *r;
        struct fw_diag d;
        int err = linux_parse(fw_iptables_parse, w->text, strlen(w->text), &r, &d);
        if (err != w->err || d.line != w->line || d.column != w->column || !strstr(d.text, w->words))
            fail_msg("%sfound %d, line %u column %u: %s", w->text, err, d.line, d.column, d.text);
    }
}

/* A line without an end, a tower of chains, many boxes from many sets: refused in bounded time. */
static void large_things_end(void **state)
{
    (void)state;
    struct fw_rules *r;
    struct fw_diag d;
    size_t len = 10 * 1024 * 1024;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, 'a', len);
    assert_int_equal(linux_parse(fw_iptables_parse, text, len, &r, &d), E_RANGE);
    assert_true(d.line == 1 && d.column > 0);
    struct text t = text_of(text, len);
    text_add(&t, "*filter\n");
    for (int i = 0; i < 64; i++)
        text_add(&t, ":c%d - [0:0]\n", i);
    for (int i = 0; i + 1 < 64; i++)
        text_add(&t, "-A c%d -j c%d\n-A c%d -j c%d\n", i, i + 1, i, i + 1);
    text_add(&t, "COMMIT\n");
    assert_int_equal(linux_parse(fw_iptables_parse, text, t.len, &r, &d), E_RANGE);
    assert_non_null(strstr(d.text, "28 deep"));
    t = text_of(text, len);
    text_add(&t, "create s hash:ip,port\n");
    for (int i = 0; i < 1000; i++)
        text_add(&t, "add s 10.0.%d.%d,%d\n", i / 250, i % 250, i + 1);
    text_add(&t, "*filter\n-A INPUT -m set --match-set s src,dst -m set --match-set s dst,src -j DROP\nCOMMIT\n");
    assert_int_equal(linux_parse(fw_iptables_parse, text, t.len, &r, &d), E_RANGE);
    assert_int_equal(d.line, 1003);
    free(text);
}

static void samples_add_up(void **state)
{
    (void)state;
    linux_samples(fw_format_named("iptables"), "../shared/rulesets/iptables", 9);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_mean_what_they_say),
        cmocka_unit_test(translation_is_read),
        cmocka_unit_test(the_raw_table),
        cmocka_unit_test(both_families_in_one_file),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(large_things_end),
        cmocka_unit_test(samples_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
