/* sender.c - one thread looks every few milliseconds what is due: so many participants cost few wake-ups. */
#include "sender.h"

#include <gst/rtp/gstrtpbuffer.h>
#include <string.h>

#define QUANTUM_US 4000

typedef struct {
  const GArray *packets; /* of LoadPacket; NULL: not sent */
  unsigned next;
  int64_t loop_us; /* when this round began, on our clock */
  bool has_begun;  /* with a packet that a decoder can begin with */
  uint32_t ssrc;
  uint16_t sequence;
  uint32_t timestamp; /* of time 0 */
  unsigned khz;
  uint8_t payload_type;
} Track;

struct LoadChannel {
  LoadSender *sender;
  Track tracks[2];
  LoadPush push;
  void *data;
  LoadSent sent;
};

struct LoadSender {
  GThread *thread;
  GMutex lock; /* guards the rest, and keeps channels open while they send */
  GCond changed;
  GPtrArray *channels; /* of LoadChannel */
  bool is_ending;
};

static int64_t clock_offset_us;

static gpointer
read_wall_clock (gpointer data)
{
  (void) data;
  clock_offset_us = g_get_real_time () - g_get_monotonic_time ();
  return NULL;
}

int64_t
load_clock_get_us (void)
{
  static GOnce once = G_ONCE_INIT;

  g_once (&once, read_wall_clock, NULL);
  return g_get_monotonic_time () + clock_offset_us;
}

/* --- packets ------------------------------------------------------------------------------------------------------ */

/* The payload is shared with everybody who sends it. Its PTS is of CLOCK_MONOTONIC. */
static GstBuffer *
make_packet (Track *track, const LoadPacket *packet)
{
  const int64_t at_us = track->loop_us + packet->at_us;
  const uint32_t timestamp = track->timestamp + (uint32_t) (at_us * (int64_t) track->khz / 1000);
  const uint8_t header[12] = { 0x80,
    (uint8_t) (track->payload_type | (packet->is_marked ? 0x80 : 0)),
    (uint8_t) (track->sequence >> 8), (uint8_t) track->sequence, (uint8_t) (timestamp >> 24),
    (uint8_t) (timestamp >> 16), (uint8_t) (timestamp >> 8), (uint8_t) timestamp,
    (uint8_t) (track->ssrc >> 24), (uint8_t) (track->ssrc >> 16), (uint8_t) (track->ssrc >> 8),
    (uint8_t) track->ssrc };
  GstBuffer *buffer = gst_buffer_copy (packet->payload);
  void *copy;

  track->sequence++;
  GST_BUFFER_PTS (buffer) = (GstClockTime) (at_us - clock_offset_us) * 1000;
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  copy = g_memdup2 (header, sizeof header);
  gst_buffer_prepend_memory (buffer,
      gst_memory_new_wrapped (0, copy, sizeof header, 0, sizeof header, copy, g_free));
  return buffer;
}

static const LoadPacket *
get_next (const Track *track)
{
  return &g_array_index (track->packets, LoadPacket, track->next);
}

static void
step (Track *track)
{
  if (++track->next < track->packets->len)
    return;
  track->next = 0;
  track->loop_us += LOAD_LOOP_US;
}

static bool
is_due (const Track *track, int64_t now_us)
{
  return track->loop_us + get_next (track)->at_us <= now_us;
}

static void
send_due (LoadChannel *channel, unsigned medium, int64_t now_us)
{
  Track *track = &channel->tracks[medium];
  GstBufferList *list = gst_buffer_list_new ();

  while (is_due (track, now_us)) {
    const LoadPacket *packet = get_next (track);

    track->has_begun = track->has_begun || packet->is_keyframe || medium == 0;
    if (track->has_begun) {
      GstBuffer *buffer = make_packet (track, packet);

      channel->sent.packets[medium]++;
      channel->sent.bytes[medium] += gst_buffer_get_size (buffer);
      channel->sent.frames += medium == 1 && packet->is_marked ? 1 : 0;
      gst_buffer_list_add (list, buffer);
    }
    step (track);
  }
  if (gst_buffer_list_length (list) > 0)
    channel->push (list, medium, channel->data);
  else
    gst_buffer_list_unref (list);
}

/* --- the thread --------------------------------------------------------------------------------------------------- */

/* When the first is due that is not sent now, on our clock. */
static int64_t
send_all (LoadSender *sender, int64_t now_us)
{
  int64_t next_us = now_us + G_USEC_PER_SEC;

  for (unsigned i = 0; i < sender->channels->len; i++) {
    LoadChannel *channel = sender->channels->pdata[i];

    for (unsigned medium = 0; medium < G_N_ELEMENTS (channel->tracks); medium++) {
      const Track *track = &channel->tracks[medium];

      if (track->packets == NULL)
        continue;
      send_due (channel, medium, now_us);
      next_us = MIN (next_us, track->loop_us + get_next (track)->at_us);
    }
  }
  return next_us;
}

static gpointer
run (gpointer data)
{
  LoadSender *sender = data;

  g_mutex_lock (&sender->lock);
  while (!sender->is_ending) {
    const int64_t now_us = load_clock_get_us ();
    const int64_t next_us = MAX (send_all (sender, now_us), now_us + QUANTUM_US);

    if (sender->channels->len == 0)
      g_cond_wait (&sender->changed, &sender->lock);
    else
      g_cond_wait_until (&sender->changed, &sender->lock,
          g_get_monotonic_time () + next_us - load_clock_get_us ());
  }
  g_mutex_unlock (&sender->lock);
  return NULL;
}

LoadSender *
load_sender_new (void)
{
  LoadSender *sender = g_new0 (LoadSender, 1);

  load_clock_get_us ();
  g_mutex_init (&sender->lock);
  g_cond_init (&sender->changed);
  sender->channels = g_ptr_array_new ();
  sender->thread = g_thread_new ("sender", run, sender);
  return sender;
}

void
load_sender_free (LoadSender *sender)
{
  if (sender == NULL)
    return;
  g_mutex_lock (&sender->lock);
  sender->is_ending = true;
  g_cond_signal (&sender->changed);
  g_mutex_unlock (&sender->lock);
  g_thread_join (sender->thread);
  g_ptr_array_unref (sender->channels);
  g_cond_clear (&sender->changed);
  g_mutex_clear (&sender->lock);
  g_free (sender);
}

/* --- channels ----------------------------------------------------------------------------------------------------- */

static void
start_track (Track *track, const GArray *packets, uint32_t ssrc, bool is_video)
{
  const int64_t now_us = load_clock_get_us ();

  *track = (Track){
    .packets = packets,
    .loop_us = now_us - now_us % LOAD_LOOP_US,
    .ssrc = ssrc,
    .sequence = (uint16_t) g_random_int (),
    .timestamp = g_random_int (),
    .khz = is_video ? 90 : 48,
    .payload_type = is_video ? LOAD_VIDEO_PAYLOAD : LOAD_AUDIO_PAYLOAD,
  };
  while (is_due (track, now_us))
    step (track);
}

LoadChannel *
load_sender_open (LoadSender *sender, const LoadMedia *media, const uint32_t ssrcs[2],
    LoadPush push, void *data)
{
  LoadChannel *channel = g_new0 (LoadChannel, 1);

  channel->sender = sender;
  channel->push = push;
  channel->data = data;
  for (unsigned i = 0; i < G_N_ELEMENTS (channel->tracks); i++)
    if (ssrcs[i] != 0)
      start_track (&channel->tracks[i], media->tracks[i], ssrcs[i], i == 1);
  g_mutex_lock (&sender->lock);
  g_ptr_array_add (sender->channels, channel);
  g_cond_signal (&sender->changed);
  g_mutex_unlock (&sender->lock);
  return channel;
}

LoadSent
load_channel_close (LoadChannel *channel)
{
  LoadSender *sender = channel->sender;
  LoadSent sent;

  g_mutex_lock (&sender->lock);
  g_ptr_array_remove (sender->channels, channel);
  sent = channel->sent;
  g_mutex_unlock (&sender->lock);
  g_free (channel);
  return sent;
}
