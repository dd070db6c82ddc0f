/* media-socket.h - reads the server's media packets, and stops reading while there is no room. [main] */
#ifndef REC_WORKER_MEDIA_SOCKET_H
#define REC_WORKER_MEDIA_SOCKET_H

#include "wire/packet.h"

#include <stdbool.h>

typedef struct RecMediaSocket RecMediaSocket;

typedef struct {
  /* Packets are here, but none of them has been looked at. */
  void (*arrived) (void *data);
  /* False: no more until rec_media_socket_resume. */
  bool (*packet) (const RecWirePacketHeader *header, const uint8_t *rtp, void *data);
  /* What came is no packet. */
  void (*broken) (void *data);
  /* Everything that was sent so far has been read; is_end: nothing will come any more. */
  void (*drained) (bool is_end, void *data);
} RecMediaEvents;

/* Takes fd. Reads nothing before the first resume. */
RecMediaSocket *rec_media_socket_new (int fd, const RecMediaEvents *events, void *data);
void rec_media_socket_free (RecMediaSocket *media);

void rec_media_socket_resume (RecMediaSocket *media);
/* Has `drained` come soon, even if the socket is empty by now; not from within this call. */
void rec_media_socket_hasten (RecMediaSocket *media);
/* Once all is read, the next look waits this long: many packets then cost one wake-up. 0: no pause. */
void rec_media_socket_set_pause (RecMediaSocket *media, int pause_ms);
bool rec_media_socket_is_closed (const RecMediaSocket *media);

#endif
