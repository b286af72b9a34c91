/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/audio_video.h"

#include <assert.h>

#include "models/sip/sdp.h"

const char *audio_video_describe(char out[AUDIO_VIDEO_SDP_MAX], const struct ip_addr *host)
{
    struct sdp d = {
        .user = "-",
        .session = 1,
        .version = 1,
        .ip = *host,
        .media_count = 2,
        .media =
            {
                {.kind = "audio", .port = 50010, .proto = "RTP/SAVP", .formats = "9 8 0", .ip = *host},
                {.kind = "video",
                 .port = 50012,
                 .proto = "RTP/SAVP",
                 .formats = "122",
                 .ip = *host,
                 .rtpmap = "122 X-H264UC/90000"},
            },
    };
    struct text t = text_of(out, AUDIO_VIDEO_SDP_MAX);
    sdp_write(&d, &t);
    assert(!t.cut);
    return out;
}
