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

static void samples_add_up(void **state)
{
    (void)state;
    linux_samples(fw_format_named("iptables"), "../shared/rulesets/iptables", 9);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_mean_what_they_say),
        cmocka_unit_test(samples_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
