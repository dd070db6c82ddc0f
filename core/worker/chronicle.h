/* chronicle.h - who was when: a line of JSON for each event, on the disk as soon as it happens.
 *
 * While it is recorded the lines lie in .chronicle.ID; in the end they become NAME.timeline.json, also after a crash. */
#ifndef REC_WORKER_CHRONICLE_H
#define REC_WORKER_CHRONICLE_H

#include "worker/command.h"
#include "worker/individual.h"
#include "worker/scene.h"

#include <glib.h>
#include <json-c/json.h>

typedef struct RecChronicle RecChronicle;

/* Never fails: what cannot be written is missing, with a warning. facts: of the recording; taken. At most max_bytes are
 * written, except for what files are. */
RecChronicle *rec_chronicle_new (const char *directory, const char *id, json_object *facts,
    int64_t max_bytes);
void rec_chronicle_free (RecChronicle *chronicle);

/* One thread at a time; chronicle may be NULL. Times are file time. [streaming] */
void rec_chronicle_note_command (RecChronicle *chronicle, const RecCommand *command, int64_t at_ns);
void rec_chronicle_note_layout (RecChronicle *chronicle, int64_t at_ns, const GArray *placements);
void rec_chronicle_note_gap (RecChronicle *chronicle, const char *stream, bool is_video,
    int64_t from_ns, int64_t to_ns);
void rec_chronicle_note_take_begun (RecChronicle *chronicle, const RecTake *take);
void rec_chronicle_note_take_ended (RecChronicle *chronicle, const RecTake *take);

/* What a chronicle on the disk says. facts: NULL when there is none. */
typedef struct {
  json_object *facts;
  GPtrArray *takes; /* of RecTake, in the order of their beginning */
} RecChronicleRecord;

void rec_chronicle_read (const char *directory, const char *id, RecChronicleRecord *record);
void rec_chronicle_record_clear (RecChronicleRecord *record);

/* Makes NAME.timeline.json of it; true when there is such a file. */
bool rec_chronicle_publish (const char *directory, const char *id, const char *name,
    GError **error);
/* When nobody needs it any more. */
void rec_chronicle_remove (const char *directory, const char *id);

#endif
