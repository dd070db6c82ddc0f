/* admission.h - whether there is room for one more recording, by what the running ones were measured to cost; and
 * whether the disk lasts for those that run. [main] */
#ifndef REC_RECORDING_ADMISSION_H
#define REC_RECORDING_ADMISSION_H

#include "base/types.h"
#include "recording/meter.h"
#include "session/recording.h"

#include <glib.h>
#include <sys/types.h>

typedef struct RecAdmission RecAdmission;

/* Less than recording.end-free-bytes are left; told once per measurement while anything is recorded. */
typedef void (*RecAdmissionDiskLow) (uint64_t free_bytes, void *data);

/* meter: copied. Measures once a second, on a thread, while something is recorded. */
RecAdmission *rec_admission_new (const RecConfig *config, const RecMeter *meter,
    RecAdmissionDiskLow disk_low, void *data);
void rec_admission_free (RecAdmission *admission);
/* Now, not at the next second; the result comes from the main loop. */
void rec_admission_measure (RecAdmission *admission);

/* What is known of a recording before it is measured. */
typedef struct {
  const RecRecordingProperties *properties;
  unsigned n_streams; /* published now */
  bool has_page;      /* a browser renders it */
} RecAdmissionLoad;

/* UNAVAILABLE, with what was measured against what, when such a recording has no room. */
bool rec_admission_check (const RecAdmission *admission, const RecAdmissionLoad *load,
    GError **error);

/* One that was begun; id is its key. */
void rec_admission_add (RecAdmission *admission, const char *id, const RecAdmissionLoad *load,
    pid_t worker);
/* Unknown ones are fine. */
void rec_admission_remove (RecAdmission *admission, const char *id);

/* As last measured; false before the first time. */
bool rec_admission_get_usage (const RecAdmission *admission, const char *id, RecUsage *usage);
bool rec_admission_get_free_bytes (const RecAdmission *admission, uint64_t *free_bytes);

#endif
