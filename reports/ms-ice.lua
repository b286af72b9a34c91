-- SPDX-License-Identifier: GPL-2.0-or-later
-- Wireshark: STUN in frames of RFC 4571, as it stands in the TCP connections that a TURN relay has bound (RFC 6062) and
-- in those of Skype for Business, and Microsoft's attributes ([MS-TURN] 2.2.2, [MS-ICE2] 2.2). Stock dissectors take a
-- bound connection for TURN to its end.
--
-- Install: copy this file to the folder "Personal Lua Plugins" of Help > About > Folders; or, for one run,
--     tshark -X lua_script:ms-ice.lua -r FILE -Y msice
-- Filters: msice.type == 0x0001 (Binding request), msice.type == 0x0101 (success): one of each in each direction, and
-- the pair of candidates is valid.

local msice = Proto("msice", "STUN in RFC 4571 frames")

local types = {
    [0x0001] = "Binding request", [0x0011] = "Binding indication",
    [0x0101] = "Binding success", [0x0111] = "Binding error",
}

local names = {
    [0x0001] = "MAPPED-ADDRESS", [0x0006] = "USERNAME", [0x0008] = "MESSAGE-INTEGRITY", [0x0009] = "ERROR-CODE",
    [0x000a] = "UNKNOWN-ATTRIBUTES", [0x0020] = "XOR-MAPPED-ADDRESS", [0x0024] = "PRIORITY",
    [0x0025] = "USE-CANDIDATE", [0x8022] = "SOFTWARE", [0x8028] = "FINGERPRINT", [0x8029] = "ICE-CONTROLLED",
    [0x802a] = "ICE-CONTROLLING", [0x8008] = "MS-VERSION", [0x8050] = "MS-SEQUENCE-NUMBER",
    [0x8054] = "MS-CANDIDATE-IDENTIFIER", [0x8055] = "MS-SERVICE-QUALITY", [0x8070] = "MS-IMPLEMENTATION-VERSION",
}

local f = msice.fields
f.framed = ProtoField.uint16("msice.framed", "Length of the RFC 4571 frame")
f.type = ProtoField.uint16("msice.type", "Type", base.HEX, types)
f.id = ProtoField.bytes("msice.id", "Transaction ID")
f.attribute = ProtoField.uint16("msice.attribute", "Attribute", base.HEX, names)
f.value = ProtoField.bytes("msice.value", "Value")
f.username = ProtoField.string("msice.username", "USERNAME")
f.candidate = ProtoField.string("msice.candidate_identifier", "MS-CANDIDATE-IDENTIFIER")
f.version = ProtoField.uint32("msice.implementation_version", "MS-IMPLEMENTATION-VERSION")
f.priority = ProtoField.uint32("msice.priority", "PRIORITY", base.HEX)

local tcp_payload = Field.new("tcp.payload")
local udp_payload = Field.new("udp.payload")

local HEADER, COOKIE = 20, 0x2112a442

-- The length of the STUN message at `at`; nil: none begins there, or it is not whole.
local function stun_at(bytes, at)
    if at + HEADER > bytes:len() or bytes(at, 1):uint() >= 0x40 or bytes(at + 4, 4):uint() ~= COOKIE then
        return nil
    end
    local len = HEADER + bytes(at + 2, 2):uint()
    return at + len <= bytes:len() and len or nil
end

-- A text whose length counts its padding with zeros, as MS-ICE2 has it.
local function padded(range)
    return (range:string():gsub("%z+$", ""))
end

local function add_value(tree, attribute, value)
    if attribute == 0x0006 then
        tree:add(f.username, value, padded(value))
    elseif attribute == 0x8054 then
        tree:add(f.candidate, value, padded(value))
    elseif attribute == 0x8070 and value:len() == 4 then
        tree:add(f.version, value)
    elseif attribute == 0x0024 and value:len() == 4 then
        tree:add(f.priority, value)
    else
        tree:add(f.value, value)
    end
end

local function add_message(tree, bytes, at, len)
    tree:add(f.type, bytes(at, 2))
    tree:add(f.id, bytes(at + 8, 12))
    local last = at + len
    at = at + HEADER
    while at + 4 <= last do
        local size = bytes(at + 2, 2):uint()
        if at + 4 + size > last then
            return
        end
        local branch = tree:add(f.attribute, bytes(at, 2))
        if size > 0 then
            add_value(branch, bytes(at, 2):uint(), bytes(at + 4, size))
        end
        at = at + 4 + math.floor((size + 3) / 4) * 4
    end
end

-- Frames one after another, from one that holds STUN on.
local function framed(bytes, tree)
    local at, found = 0, nil
    while at + 2 <= bytes:len() do
        local size = bytes(at, 2):uint()
        if at + 2 + size > bytes:len() then
            return found
        end
        if stun_at(bytes, at + 2) == size then
            local branch = tree:add(msice, bytes(at, 2 + size))
            branch:add(f.framed, bytes(at, 2))
            add_message(branch, bytes, at + 2, size)
            found = found or types[bytes(at + 2, 2):uint()] or "STUN"
        elseif at == 0 then
            return nil
        end
        at = at + 2 + size
    end
    return found
end

function msice.dissector(_, pinfo, tree)
    local tcp, udp = tcp_payload(), udp_payload()
    if tcp then
        local name = framed(tcp.range, tree)
        if name then
            pinfo.cols.info:append(" [framed " .. name .. "]")
        end
    elseif udp then
        local len = stun_at(udp.range, 0)
        if len == udp.range:len() then
            add_message(tree:add(msice, udp.range), udp.range, 0, len)
        end
    end
end

register_postdissector(msice)
