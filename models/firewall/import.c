/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The formats that rule files come in. */
#include "models/firewall/import.h"

#include <string.h>

/* First by content, so the order matters: a row must not say yes to what a later row is for. */
const struct fw_format fw_formats[] = {
    {"ftd", "Cisco FTD running-config (LINA)", fw_ftd_recognise, fw_ftd_parse},
    {"asa", "Cisco ASA running-config", fw_asa_recognise, fw_asa_parse},
    {"ios", "Cisco IOS running-config", fw_ios_recognise, fw_ios_parse},
    {"aws", "AWS security groups, network ACLs (JSON)", fw_aws_recognise, fw_aws_parse},
    {"azure", "Azure network security groups (JSON)", fw_azure_recognise, fw_azure_parse},
    {"pan", "Palo Alto PAN-OS (set commands)", fw_pan_recognise, fw_pan_parse},
    {"fortigate", "FortiGate configuration backup", fw_fortigate_recognise, fw_fortigate_parse},
    {"iptables", "iptables-save", fw_iptables_recognise, fw_iptables_parse},
    {"nft", "nftables ruleset (nft -j list ruleset)", fw_nft_recognise, fw_nft_parse},
    {0},
};

const struct fw_format *fw_format_named(const char *name)
{
    for (const struct fw_format *f = fw_formats; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

const struct fw_format *fw_format_of(const char *text, size_t len)
{
    for (const struct fw_format *f = fw_formats; f->name; f++)
        if (f->recognise(text, len))
            return f;
    return NULL;
}
