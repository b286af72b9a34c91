/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The three dialects, each a row, and the attributes and methods of each. */
#include "models/stun/dialect.h"

/* RFC 8489 14, 8656 18, 6062 6.2, 8445 16.1, 5780 7; those of [MS-ICE2] 2.2 are optional ones, so they do no harm
 * here. */
static const struct stun_attr_row attrs[] = {
    {ATTR_MAPPED_ADDRESS, FORM_ADDRESS, "MAPPED-ADDRESS", NULL},
    {ATTR_CHANGE_REQUEST, FORM_BYTES, "CHANGE-REQUEST", NULL},
    {ATTR_USERNAME, FORM_TEXT, "USERNAME", "user"},
    {ATTR_MESSAGE_INTEGRITY, FORM_HIDDEN, "MESSAGE-INTEGRITY", NULL},
    {ATTR_ERROR_CODE, FORM_HIDDEN, "ERROR-CODE", NULL},
    {ATTR_UNKNOWN_ATTRIBUTES, FORM_BYTES, "UNKNOWN-ATTRIBUTES", NULL},
    {ATTR_CHANNEL_NUMBER, FORM_HEX, "CHANNEL-NUMBER", "channel"},
    {ATTR_LIFETIME, FORM_NUMBER, "LIFETIME", "lifetime"},
    {ATTR_XOR_PEER_ADDRESS, FORM_XOR_ADDRESS, "XOR-PEER-ADDRESS", NULL},
    {ATTR_DATA, FORM_BYTES, "DATA", NULL},
    {ATTR_REALM, FORM_TEXT, "REALM", "realm"},
    {ATTR_NONCE, FORM_BYTES, "NONCE", "nonce"},
    {ATTR_XOR_RELAYED_ADDRESS, FORM_XOR_ADDRESS, "XOR-RELAYED-ADDRESS", NULL},
    {ATTR_REQUESTED_ADDRESS_FAMILY, FORM_BYTES, "REQUESTED-ADDRESS-FAMILY", NULL},
    {ATTR_EVEN_PORT, FORM_BYTES, "EVEN-PORT", NULL},
    {ATTR_REQUESTED_TRANSPORT, FORM_TRANSPORT, "REQUESTED-TRANSPORT", NULL},
    {ATTR_DONT_FRAGMENT, FORM_BYTES, "DONT-FRAGMENT", NULL},
    {ATTR_MESSAGE_INTEGRITY_SHA256, FORM_HIDDEN, "MESSAGE-INTEGRITY-SHA256", NULL},
    {ATTR_PASSWORD_ALGORITHM, FORM_BYTES, "PASSWORD-ALGORITHM", NULL},
    {ATTR_USERHASH, FORM_BYTES, "USERHASH", NULL},
    {ATTR_XOR_MAPPED_ADDRESS, FORM_XOR_ADDRESS, "XOR-MAPPED-ADDRESS", NULL},
    {ATTR_RESERVATION_TOKEN, FORM_BYTES, "RESERVATION-TOKEN", NULL},
    {ATTR_PRIORITY, FORM_HEX, "PRIORITY", "priority"},
    {ATTR_USE_CANDIDATE, FORM_BYTES, "USE-CANDIDATE", NULL},
    {ATTR_CONNECTION_ID, FORM_HEX, "CONNECTION-ID", "id"},
    {ATTR_ADDITIONAL_ADDRESS_FAMILY, FORM_BYTES, "ADDITIONAL-ADDRESS-FAMILY", NULL},
    {ATTR_ADDRESS_ERROR_CODE, FORM_BYTES, "ADDRESS-ERROR-CODE", NULL},
    {ATTR_PASSWORD_ALGORITHMS, FORM_BYTES, "PASSWORD-ALGORITHMS", NULL},
    {ATTR_ICMP, FORM_BYTES, "ICMP", NULL},
    {ATTR_MS_XOR_MAPPED_ADDRESS, FORM_XOR_ADDRESS, "MS-XOR-MAPPED-ADDRESS", NULL},
    {ATTR_SOFTWARE, FORM_HIDDEN, "SOFTWARE", NULL},
    {ATTR_ALTERNATE_SERVER, FORM_ADDRESS, "ALTERNATE-SERVER", NULL},
    {ATTR_FINGERPRINT, FORM_HIDDEN, "FINGERPRINT", NULL},
    {ATTR_ICE_CONTROLLED, FORM_BYTES, "ICE-CONTROLLED", NULL},
    {ATTR_ICE_CONTROLLING, FORM_BYTES, "ICE-CONTROLLING", NULL},
    {ATTR_RESPONSE_ORIGIN, FORM_ADDRESS, "RESPONSE-ORIGIN", NULL},
    {ATTR_OTHER_ADDRESS, FORM_ADDRESS, "OTHER-ADDRESS", NULL},
    {ATTR_MS_CANDIDATE_IDENTIFIER, FORM_TEXT, "CANDIDATE-IDENTIFIER", "candidate"},
    {ATTR_MS_IMPLEMENTATION_VERSION, FORM_NUMBER, "IMPLEMENTATION-VERSION", "version"},
    {0, FORM_HIDDEN, NULL, NULL},
};

/* [MS-TURN] 2.2.2. Its page lists 0x0014 as the nonce and 0x0015 as the realm; implementations that work with the real
 * thing have them as here. */
static const struct stun_attr_row ms_turn_attrs[] = {
    {ATTR_MAPPED_ADDRESS, FORM_ADDRESS, "MAPPED-ADDRESS", NULL},
    {ATTR_USERNAME, FORM_TEXT, "USERNAME", "user"},
    {ATTR_MESSAGE_INTEGRITY, FORM_HIDDEN, "MESSAGE-INTEGRITY", NULL},
    {ATTR_ERROR_CODE, FORM_HIDDEN, "ERROR-CODE", NULL},
    {ATTR_UNKNOWN_ATTRIBUTES, FORM_BYTES, "UNKNOWN-ATTRIBUTES", NULL},
    {ATTR_LIFETIME, FORM_NUMBER, "LIFETIME", "lifetime"},
    {ATTR_MS_ALTERNATE_SERVER, FORM_ADDRESS, "ALTERNATE-SERVER", NULL},
    {ATTR_MS_MAGIC_COOKIE, FORM_HIDDEN, "MAGIC-COOKIE", NULL},
    {ATTR_MS_BANDWIDTH, FORM_NUMBER, "BANDWIDTH", "bandwidth"},
    {ATTR_MS_DESTINATION_ADDRESS, FORM_ADDRESS, "DESTINATION-ADDRESS", NULL},
    {ATTR_MS_REMOTE_ADDRESS, FORM_ADDRESS, "REMOTE-ADDRESS", NULL},
    {ATTR_DATA, FORM_BYTES, "DATA", NULL},
    {ATTR_REALM, FORM_TEXT, "REALM", "realm"},
    {ATTR_NONCE, FORM_BYTES, "NONCE", "nonce"},
    {ATTR_REQUESTED_ADDRESS_FAMILY, FORM_BYTES, "REQUESTED-ADDRESS-FAMILY", NULL},
    {ATTR_MS_VERSION, FORM_NUMBER, "MS-VERSION", "version"},
    {ATTR_MS_XOR_MAPPED_ADDRESS, FORM_XOR_ADDRESS, "XOR-MAPPED-ADDRESS", NULL},
    {ATTR_MS_SEQUENCE_NUMBER, FORM_BYTES, "MS-SEQUENCE-NUMBER", NULL},
    {ATTR_MS_SERVICE_QUALITY, FORM_BYTES, "MS-SERVICE-QUALITY", NULL},
    {0, FORM_HIDDEN, NULL, NULL},
};

static const char *const methods[16] = {
    [STUN_BINDING] = "Binding",
    [TURN_ALLOCATE] = "Allocate",
    [TURN_REFRESH] = "Refresh",
    [TURN_SEND] = "Send",
    [TURN_DATA] = "Data",
    [TURN_CREATE_PERMISSION] = "CreatePermission",
    [TURN_CHANNEL_BIND] = "ChannelBind",
    [TURN_CONNECT] = "Connect",
    [TURN_CONNECTION_BIND] = "ConnectionBind",
    [TURN_CONNECTION_ATTEMPT] = "ConnectionAttempt",
};

static const char *const ms_turn_methods[16] = {
    [TURN_ALLOCATE] = "Allocate",
    [MS_TURN_SEND] = "Send",
    [MS_TURN_DATA] = "Data",
    [MS_TURN_SET_ACTIVE_DESTINATION] = "Set Active Destination",
};

const struct stun_dialect stun_rfc8489 = {
    .name = "rfc8489", .cookie = true, .mac_block = 1, .align = 4, .attrs = attrs, .methods = methods,
};

/* Draft-rosenberg-midcom-turn-08 as Microsoft has it: RFC 3489's header and MAC, attributes not padded. */
const struct stun_dialect stun_ms_turn = {
    .name = "ms-turn", .mac_block = 64, .align = 1, .indication = MS_TURN_DATA_INDICATION,
    .attrs = ms_turn_attrs, .methods = ms_turn_methods,
};

const struct stun_dialect stun_ms_ice2 = {
    .name = "ms-ice2", .cookie = true, .padded_length = true, .mac_to_end = true, .legacy_crc = true,
    .mac_block = 64, .align = 4, .attrs = attrs, .methods = methods,
};

const struct stun_attr_row *stun_attr_row(const struct stun_dialect *d, uint16_t type)
{
    for (const struct stun_attr_row *r = d->attrs; r->name; r++)
        if (r->type == type)
            return r;
    return NULL;
}
