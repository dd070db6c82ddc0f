/* command.c - makes and frees commands. */
#define G_LOG_DOMAIN "rec.worker.command"
#include "worker/command.h"

#include <glib.h>

RecCommand *
rec_command_new (RecCommandType type, int64_t at_ns)
{
  RecCommand *command = g_new0 (RecCommand, 1);

  command->type = type;
  command->at_ns = at_ns;
  command->is_screen = command->audio_active = command->video_active = command->is_recorded = -1;
  return command;
}

void
rec_command_free (RecCommand *command)
{
  if (command == NULL)
    return;
  g_free (command->stream);
  g_free (command->participant);
  g_free (command->data);
  g_free (command->codec);
  g_free (command->fmtp);
  g_free (command->role);
  g_free (command->classes);
  g_free (command->client_data);
  g_free (command->server_data);
  g_free (command->type_of_video);
  g_free (command);
}
