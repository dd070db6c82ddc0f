/* sender.h - sends everybody's packets when their time comes, on one thread. [main] */
#ifndef RECTO_LOAD_SENDER_H
#define RECTO_LOAD_SENDER_H

#include "media.h"

typedef struct LoadSender LoadSender;
typedef struct LoadChannel LoadChannel;

typedef struct {
  uint64_t packets[2], bytes[2]; /* audio, video */
  uint64_t frames;
} LoadSent;

/* Where in the loop all media are now: by the wall clock at the program's start, so that the stamps of other programs,
 * and of other machines with the right time, can be read. [any] */
int64_t load_clock_get_us (void);

LoadSender *load_sender_new (void);
void load_sender_free (LoadSender *sender); /* when all channels are closed */

/* Takes a list, on the sender's thread. medium: 0 audio, 1 video. */
typedef void (*LoadPush) (GstBufferList *packets, unsigned medium, void *data);

/* A medium without SSRC is not sent. media is borrowed until the channel is closed. */
LoadChannel *load_sender_open (LoadSender *sender, const LoadMedia *media, const uint32_t ssrcs[2],
    LoadPush push, void *data);
/* Afterwards nothing is pushed any more. Gives what was sent. */
LoadSent load_channel_close (LoadChannel *channel);

#endif
