set deviceconfig system hostname ext-fw
set deviceconfig setting session timeout-udp 120
set shared alg-override application sip alg-disabled yes
set network interface ethernet ethernet1/1 layer3 ip 198.51.100.2/24
set network interface ethernet ethernet1/2 layer3 ip 10.0.10.1/24
set network virtual-router default interface [ ethernet1/1 ethernet1/2 ]
set network virtual-router default routing-table ip static-route internet destination 0.0.0.0/0
set network virtual-router default routing-table ip static-route internet interface ethernet1/1
set network virtual-router default routing-table ip static-route internet nexthop ip-address 198.51.100.1
set zone outside network layer3 ethernet1/1
set zone dmz-ext network layer3 ethernet1/2
set address expe-lan2 ip-netmask 10.0.10.2/32
set address expe-public ip-netmask 198.51.100.20/32
set service sip-tcp protocol tcp port 5060-5061
set service sip-out protocol tcp port 5060-5061 source-port 25000-29999
set service turn-udp protocol udp port 3478
set service turn-tcp protocol tcp port 3478
set service relay-udp protocol udp port 24000-29999
set service relay-tcp protocol tcp port 24000-29999
set service relay-udp-out protocol udp port 1024-65535 source-port 24000-29999
set service relay-tcp-out protocol tcp port 1024-65535 source-port 24000-29999
set service media-in protocol udp port 36000-59999 source-port 1024-65535
set service media-out protocol udp port 1024-65535 source-port 36000-59999
set service dns-udp protocol udp port 53
set service ntp-udp protocol udp port 123
set service-group turn members [ turn-udp turn-tcp relay-udp relay-tcp ]
set rulebase nat rules expe nat-type ipv4
set rulebase nat rules expe from dmz-ext
set rulebase nat rules expe to outside
set rulebase nat rules expe source expe-lan2
set rulebase nat rules expe destination any
set rulebase nat rules expe service any
set rulebase nat rules expe source-translation static-ip translated-address expe-public
set rulebase nat rules expe source-translation static-ip bi-directional yes
set rulebase security rules web-and-sip from outside to dmz-ext source any destination expe-public
set rulebase security rules web-and-sip application any service [ service-https sip-tcp ] action allow
set rulebase security rules media from outside to dmz-ext source any destination expe-public
set rulebase security rules media application any service media-in action allow
set rulebase security rules turn from outside to dmz-ext source any destination expe-public
set rulebase security rules turn application any service turn action allow
set rulebase security rules out from dmz-ext to outside source expe-lan2 destination any
set rulebase security rules out application any service [ sip-out media-out relay-udp-out relay-tcp-out ] action allow
set rulebase security rules names-and-time from dmz-ext to outside source expe-lan2 destination any
set rulebase security rules names-and-time application any service [ dns-udp ntp-udp ] action allow
set rulebase security rules rest from any to any source any destination any application any service any action deny
