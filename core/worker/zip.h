/* zip.h - puts files into a ZIP on the disk: streamed, with ZIP64 where it takes it, whole or not there. */
#ifndef REC_WORKER_ZIP_H
#define REC_WORKER_ZIP_H

#include <glib.h>
#include <stdbool.h>

typedef struct {
  char *path; /* what is read */
  char *name; /* in the ZIP; UTF-8 */
} RecZipEntry;

RecZipEntry *rec_zip_entry_new (const char *path, const char *name);
void rec_zip_entry_free (RecZipEntry *entry);

typedef struct {
  bool deflates;       /* else stored: media do not get smaller */
  bool is_zip64;       /* in any case; else where it takes it */
  int64_t timeout_ms;  /* gives up when it takes longer; 0: never */
  int64_t spare_bytes; /* what must be left free on the disk */
  void (*progress) (int64_t n_bytes,
      void *data); /* of those read; now and then, from the caller's thread; or NULL */
  void *data;
} RecZipRecipe;

/* Writes path.part, syncs and renames it: afterwards path is whole, or as it was before. Memory does not depend on what is
 * packed. Any thread; blocks as long as the disk takes. SIGXFSZ must be ignored. */
bool rec_zip_write (const char *path, GPtrArray *entries, const RecZipRecipe *recipe,
    GError **error);

#endif
