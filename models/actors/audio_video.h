/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The description of the audio and video call that is up before a share. Its media are not modelled. */
#ifndef TP_ACTORS_AUDIO_VIDEO_H
#define TP_ACTORS_AUDIO_VIDEO_H

#include <stddef.h>

#include "models/base/addr.h"

enum { AUDIO_VIDEO_SDP_MAX = 1024 };
const char *audio_video_describe(char out[AUDIO_VIDEO_SDP_MAX], const struct ip_addr *host);

#endif
