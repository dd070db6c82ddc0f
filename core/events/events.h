/* events.h - follows what happens in sessions, and tells it to the CDR file and the webhook receiver. [main] */
#ifndef REC_EVENTS_EVENTS_H
#define REC_EVENTS_EVENTS_H

#include <glib.h>

#include "base/types.h"
#include "events/outbox.h"

/* Subscribes to the registry, which it borrows. Made before the other listeners: what they do because of an event is told
 * after the event. */
RecEvents *rec_events_new (const RecConfig *config, RecRegistry *registry, GError **error);
/* To be called when all other listeners have subscribed: a session's end is told after what its end causes. */
void rec_events_watch_ends (RecEvents *events);
/* The registry says nothing any more. Up to two seconds for what is on its way; the rest waits on the disk. */
void rec_events_free (RecEvents *events);

/* The CDR file was renamed by somebody else. */
void rec_events_reopen (RecEvents *events);
void rec_events_get_stats (RecEvents *events, RecOutboxStats *stats);

#endif
