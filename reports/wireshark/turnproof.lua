-- SPDX-License-Identifier: GPL-2.0-or-later
-- For Wireshark and tshark: STUN and media in RFC 4571 frames on any TCP port, found by content, and Microsoft's STUN
-- attributes ([MS-TURN] 2.2, [MS-ICE2] 2.2) with names and values, framed or not.
--
-- Install: copy this file to the personal Lua plugin folder (Help, About, Folders; on Linux
-- ~/.local/lib/wireshark/plugins), or name it: tshark -X lua_script:turnproof.lua -r FILE -Y rfc4571

local COOKIE, HEADER, FRAME = 0x2112a442, 20, 2

---- RFC 4571: frames of a connection, each behind a length of 2 bytes ----
--
-- Behind a ConnectionBind Wireshark hands a connection to its "data" dissector for good, so this one runs behind all
-- others, over the payload of TCP. A connection is framed from the first segment on that begins with a framed STUN message;
-- where its next frame begins is kept for each direction. A frame that is cut by a segment's end is not put together.

local rfc4571 = Proto("rfc4571", "RFC 4571 frame")
local f_length = ProtoField.uint16("rfc4571.length", "Length")
local f_media = ProtoField.bytes("rfc4571.payload", "Payload, no STUN")
local f_cut = ProtoField.bytes("rfc4571.cut", "Goes on in another segment")
rfc4571.fields = { f_length, f_media, f_cut }
local stun = Dissector.get("stun-udp")
local payload, stream, seq, port =
    Field.new("tcp.payload"), Field.new("tcp.stream"), Field.new("tcp.seq"), Field.new("tcp.srcport")

-- A STUN message, whole in this frame: 2 bits of 0, the cookie, a length that fits.
local function is_stun(range, at, len)
    return len >= HEADER and range:len() >= at + 8 and range(at, 1):uint() < 0x40 and
        range(at + 4, 4):uint() == COOKIE and range(at + 2, 2):uint() + HEADER == len
end

local f_stun = Field.new("stun")
local boundary = {} -- by stream and port: the sequence number at which the next frame begins
local first_at = {} -- by packet: where the first frame begins in it, for it may be looked at again in any order

-- Where the first frame of this segment begins; nil: it has none, or its connection is not framed.
local function first_frame(pinfo, range)
    if pinfo.visited then
        return first_at[pinfo.number]
    end
    local key = stream().value .. "/" .. port().value
    local at = boundary[key] and boundary[key] - seq().value
    if range:len() >= FRAME + 8 and is_stun(range, FRAME, range(0, FRAME):uint()) then
        at = 0
    end
    if not at or at < 0 or at >= range:len() then
        return nil
    end
    local next = at
    while next + FRAME <= range:len() do
        next = next + FRAME + range(next, FRAME):uint()
    end
    boundary[key] = seq().value + next
    first_at[pinfo.number] = at
    return at
end

function rfc4571.init()
    boundary, first_at = {}, {}
end

-- known: Wireshark has found the STUN messages itself, as it does off TURN's port.
local function frame(range, at, len, pinfo, tree, known)
    local node = tree:add(rfc4571, range(at, FRAME + len))
    node:add(f_length, range(at, FRAME))
    if is_stun(range, at + FRAME, len) then
        if not known then
            stun:call(range(at + FRAME, len):tvb(), pinfo, tree)
        end
    elseif len > 0 then
        node:add(f_media, range(at + FRAME, len))
    end
end

function rfc4571.dissector(_, pinfo, tree)
    local info = payload()
    local at = info and first_frame(pinfo, info.range)
    local known = f_stun() ~= nil
    while at and at < info.len do
        local left = info.len - at
        local len = left >= FRAME and info.range(at, FRAME):uint() or 0
        if left < FRAME + len then
            tree:add(rfc4571, info.range(at)):add(f_cut, info.range(at))
            return
        end
        frame(info.range, at, len, pinfo, tree, known)
        at = at + FRAME + len
    end
end
register_postdissector(rfc4571)

---- [MS-TURN] over TCP (2.1): units with a header of their own: type, a zero, length ----
--
-- A connection speaks it from the first segment on that begins with a control unit: a message whose first attribute is
-- the magic cookie. The pseudo-TLS handshake before that is left to the dissector of TLS.

local UNIT, CONTROL, DATA, MAGIC_ATTRIBUTE, MAGIC = 4, 2, 3, 0x000f0004, 0x72c64bc6
local classic = Dissector.get("classicstun") -- RFC 3489's, whose header this is
local msturn = Proto("msturn", "MS-TURN unit")
local f_unit = ProtoField.uint8("msturn.type", "Type", base.DEC, { [CONTROL] = "control", [DATA] = "end-to-end data" })
local f_unit_length = ProtoField.uint16("msturn.length", "Length")
local f_data = ProtoField.bytes("msturn.data", "Data")
msturn.fields = { f_unit, f_unit_length, f_data }
local unit_boundary, first_unit_at = {}, {} -- as above

local function begins_unit(range)
    return range:len() >= UNIT + HEADER + 8 and range(0, 2):uint() == CONTROL * 256 and
        range(UNIT + HEADER, 4):uint() == MAGIC_ATTRIBUTE and range(UNIT + HEADER + 4, 4):uint() == MAGIC
end

local function first_unit(pinfo, range)
    if pinfo.visited then
        return first_unit_at[pinfo.number]
    end
    local key = stream().value .. "/" .. port().value
    local at = begins_unit(range) and 0 or unit_boundary[key] and unit_boundary[key] - seq().value
    if not at or at < 0 or at >= range:len() then
        return nil
    end
    local next = at
    while next + UNIT <= range:len() do
        next = next + UNIT + range(next + 2, 2):uint()
    end
    unit_boundary[key] = seq().value + next
    first_unit_at[pinfo.number] = at
    return at
end

function msturn.init()
    unit_boundary, first_unit_at = {}, {}
end

function msturn.dissector(_, pinfo, tree)
    local info = payload()
    local at = info and first_unit(pinfo, info.range)
    while at and at + UNIT <= info.len do
        local range, len = info.range, info.range(at + 2, 2):uint()
        if at + UNIT + len > info.len then
            return
        end
        local node = tree:add(msturn, range(at, UNIT + len))
        node:add(f_unit, range(at, 1))
        node:add(f_unit_length, range(at + 2, 2))
        if range(at, 1):uint() == CONTROL then
            classic:call(range(at + UNIT, len):tvb(), pinfo, tree)
        elseif len > 0 then
            node:add(f_data, range(at + UNIT, len))
        end
        at = at + UNIT + len
    end
end
register_postdissector(msturn)

---- Microsoft's attributes ----

local ms = Proto("msstun", "Microsoft's STUN attributes")
local bandwidth = "bandwidth management"
local names = {
    [0x8008] = "MS-VERSION", [0x8020] = "MS XOR-MAPPED-ADDRESS", [0x8032] = "MS-ALTERNATE-HOST-NAME", [0x8037] = "APP-ID",
    [0x8039] = "SECURE-TAG", [0x8050] = "MS-SEQUENCE-NUMBER", [0x8054] = "CANDIDATE-IDENTIFIER",
    [0x8055] = "MS-SERVICE-QUALITY", [0x8068] = bandwidth, [0x8070] = "IMPLEMENTATION-VERSION",
    [0x8090] = "MS-ALT-MAPPED-ADDRESS", [0x8095] = "MULTIPLEXED-TURN-SESSION-ID",
}
for type = 0x8056, 0x8062 do
    names[type] = bandwidth
end
local streams = { [1] = "audio", [2] = "video", [3] = "supplemental video", [4] = "data" }
local f = {
    type = ProtoField.uint16("msstun.type", "Attribute", base.HEX, names),
    version = ProtoField.uint32("msstun.version", "MS-VERSION"),
    identifier = ProtoField.string("msstun.candidate_identifier", "CANDIDATE-IDENTIFIER"),
    implementation = ProtoField.uint32("msstun.implementation_version", "IMPLEMENTATION-VERSION"),
    connection = ProtoField.bytes("msstun.connection_id", "Connection id"),
    sequence = ProtoField.uint32("msstun.sequence_number", "Sequence number"),
    stream = ProtoField.uint16("msstun.stream", "Stream", base.DEC, streams),
    quality = ProtoField.uint16("msstun.service_quality", "Quality", base.DEC, { [0] = "best effort", [1] = "reliable" }),
    value = ProtoField.bytes("msstun.value", "Value"),
}
ms.fields = { f.type, f.version, f.identifier, f.implementation, f.connection, f.sequence, f.stream, f.quality, f.value }

-- How a value is read; what is not here is shown as bytes. Lengths are the ones that the documents give.
local readers = {
    [0x8008] = function(node, v) return v:len() == 4 and node:add(f.version, v) end,
    [0x8054] = function(node, v) return node:add(f.identifier, v, (v:string():gsub("%z+$", ""))) end,
    [0x8070] = function(node, v) return v:len() == 4 and node:add(f.implementation, v) end,
    [0x8050] = function(node, v)
        return v:len() == 24 and node:add(f.connection, v(0, 20)) and node:add(f.sequence, v(20, 4))
    end,
    [0x8055] = function(node, v) return v:len() == 4 and node:add(f.stream, v(0, 2)) and node:add(f.quality, v(2, 2)) end,
}

local function attribute(tree, range, type)
    local node = tree:add(ms, range, names[type])
    node:add(f.type, range(0, 2))
    local value = range:len() > 4 and range(4) or nil
    local reader = readers[type]
    if value and not (reader and reader(node, value)) then
        node:add(f.value, value)
    end
end

-- The attributes of one message; padding is to 4 bytes.
local function message(tree, range)
    local at = HEADER
    while at + 4 <= range:len() do
        local type, len = range(at, 2):uint(), range(at + 2, 2):uint()
        if at + 4 + len > range:len() then
            return
        end
        if names[type] then
            attribute(tree, range(at, 4 + len), type)
        end
        at = at + 4 + math.floor((len + 3) / 4) * 4
    end
end

-- Runs behind all others, over each STUN message that was found, whoever found it.
function ms.dissector(_, _, tree)
    for _, info in ipairs({ f_stun() }) do
        if info.len >= HEADER and info.range(4, 4):uint() == COOKIE then
            message(tree, info.range)
        end
    end
end
register_postdissector(ms)
