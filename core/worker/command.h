/* command.h - what the server orders while a recording runs. */
#ifndef REC_WORKER_COMMAND_H
#define REC_WORKER_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
  REC_COMMAND_INVALID = 0,
  REC_COMMAND_TRACK_ADD,
  REC_COMMAND_TRACK_END,
  REC_COMMAND_STREAM_STATE,
  REC_COMMAND_STOP,
} RecCommandType;

/* Allocated with rec_command_new; strings are owned. */
typedef struct {
  RecCommandType type;
  int64_t at_ns; /* absolute */
  uint32_t track_id;
  char *stream, *participant, *data, *codec, *fmtp;
  char *role, *classes, *client_data, *server_data, *type_of_video; /* NULL: not told */
  bool is_video;
  int payload_type, clock_rate;
  int64_t joined_ns;
  int is_screen, audio_active, video_active, is_recorded; /* -1: unchanged */
} RecCommand;

RecCommand *rec_command_new (RecCommandType type, int64_t at_ns);
void rec_command_free (RecCommand *command);

#endif
