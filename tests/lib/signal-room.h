/* signal-room.h - a session with clients of OpenVidu 2.32, who publish what a Chromium would. */
#ifndef RECTO_TESTS_SIGNAL_ROOM_H
#define RECTO_TESTS_SIGNAL_ROOM_H

#include "lib/signal-rig.h"

/* What the library adds to joinRoom, and all that it reads of the result. */
#define JOIN_EXTRA                                                                                 \
  "\"metadata\":\"me\",\"platform\":\"Chrome 120 on "                                              \
  "Linux\",\"sdkVersion\":\"2.32.2\",\"stt\":false"
#define JOIN_KEYS                                                                                  \
  "id createdAt metadata value session version mediaServer videoSimulcast record role "            \
  "finalUserId "                                                                                   \
  "sessionId"

typedef struct {
  SignalRig *rig;
  RecSession *session; /* "room" */
} Room;

/* data: settings as for signal_rig_new, or NULL. */
void room_set_up (Room *room, const void *data);
void room_tear_down (Room *room, const void *data);

RigClient *room_join_as (Room *room, RecRole role);
RigClient *room_join (Room *room);
void room_leave (RigClient *client);
RecParticipant *room_find (Room *room, const RigClient *client);

/* As the client puts it together for a camera, muted. Free it. */
RecJson *room_make_publication (unsigned kinds);
int64_t room_send_publication (RigClient *client, unsigned kinds);
/* Waits for the answer: the stream's id. Free it. */
char *room_publish (RigClient *client);
int64_t room_send_subscription (RigClient *client, const char *stream_id);
/* The one stream of a participant who is described with it. */
RecJson *room_get_stream (RecJson *participant);

#endif
