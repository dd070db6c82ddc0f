/* names.c - what the files of the streams are called, and finding them again. */
#define _GNU_SOURCE
#include "names.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_FILES 10000u
#define MAX_STREAM_BYTES 120u /* of a name */

void
local_names_clear (LocalNames *names)
{
  for (size_t i = 0; i < names->n; i++)
    free (names->all[i]);
  free (names->all);
}

/* Only what no file system, shell or address minds. */
static char *
make_stem (const char *name, const char *stream_id)
{
  char *stem = NULL;

  if (asprintf (&stem, "%s.%.*s", name, (int) MAX_STREAM_BYTES, stream_id) < 0)
    return NULL;
  for (char *c = stem + strlen (name) + 1; *c != '\0'; c++) {
    if (!isalnum ((unsigned char) *c) && *c != '-' && *c != '_')
      *c = '_';
  }
  return stem;
}

static bool
remember (LocalNames *names, char *stem)
{
  if (names->n == names->capacity) {
    const size_t capacity = names->capacity * 2 + 16;
    char **all = realloc (names->all, capacity * sizeof *all);

    if (all == NULL)
      return false;
    names->all = all;
    names->capacity = capacity;
  }
  names->all[names->n++] = stem;
  return true;
}

char *
local_names_make (LocalNames *names, const char *name, const char *stream_id)
{
  char *stem = make_stem (name, stream_id), *base = NULL;
  unsigned number = 0;

  if (stem == NULL)
    return NULL;
  for (size_t i = 0; i < names->n; i++)
    number += strcmp (names->all[i], stem) == 0;
  if (number == 0)
    base = strdup (stem);
  else if (asprintf (&base, "%s-%u", stem, number) < 0)
    base = NULL;
  if (base != NULL && remember (names, stem))
    return base;
  free (stem);
  free (base);
  return NULL;
}

/* --- finding them -------------------------------------------------------------------------------- */

static bool
ends_with (const char *text, const char *ending)
{
  const size_t length = strlen (text), size = strlen (ending);

  return length >= size && strcmp (text + length - size, ending) == 0;
}

/* NAME.STREAM.ENDING; false: it is something else. */
static bool
read_name (const RecSinkSetup *setup, const char *file, LocalFile *found)
{
  static const char *const endings[] = { "." LOCAL_PART_ENDING ".part", ".webm", ".mkv", ".mp4" };
  const size_t prefix = strlen (setup->name);
  const char *ending = NULL, *number;

  if (strncmp (file, setup->name, prefix) != 0 || file[prefix] != '.')
    return false;
  for (size_t i = 0; i < sizeof endings / sizeof *endings && ending == NULL; i++)
    ending = ends_with (file, endings[i]) ? endings[i] : NULL;
  if (ending == NULL || strlen (file) <= prefix + 1 + strlen (ending))
    return false;
  /* A dot more: of a recording "NAME.MORE" in the same folder. */
  if (memchr (file + prefix + 1, '.', strlen (file) - prefix - 1 - strlen (ending)) != NULL)
    return false;
  *found = (LocalFile){ .file = strdup (file),
    .base = strndup (file, strlen (file) - strlen (ending)),
    .is_part = ending == endings[0] };
  if (found->file == NULL || found->base == NULL)
    return false;
  found->stem = strlen (found->base);
  number = strrchr (found->base, '-');
  if (number != NULL && isdigit ((unsigned char) number[1]) &&
      strspn (number + 1, "0123456789") == strlen (number + 1)) {
    found->number = strtoul (number + 1, NULL, 10);
    found->stem = (size_t) (number - found->base);
  }
  return true;
}

static int
compare_files (const void *a, const void *b)
{
  const LocalFile *left = a, *right = b;
  const int order =
      strncmp (left->base, right->base, left->stem > right->stem ? left->stem : right->stem);

  if (left->stem != right->stem || order != 0)
    return strcmp (left->base, right->base);
  return left->number < right->number ? -1 : left->number > right->number;
}

void
local_names_free_list (LocalFile *files, size_t n_files)
{
  for (size_t i = 0; i < n_files; i++) {
    free (files[i].base);
    free (files[i].file);
  }
  free (files);
}

bool
local_names_list (const RecSinkSetup *setup, LocalFile **files, size_t *n_files, RecError *error)
{
  DIR *dir = opendir (setup->directory);
  struct dirent *entry;

  *files = calloc (MAX_FILES, sizeof **files);
  *n_files = 0;
  if (dir == NULL || *files == NULL) {
    rec_fail (error, REC_FAIL_IO, "cannot look into '%s': %s", setup->directory, strerror (errno));
    if (dir != NULL)
      closedir (dir);
    free (*files);
    return false;
  }
  while (*n_files < MAX_FILES && (entry = readdir (dir)) != NULL) {
    LocalFile *found = &(*files)[*n_files];

    if (read_name (setup, entry->d_name, found)) {
      (*n_files)++;
      continue;
    }
    free (found->base);
    free (found->file);
    *found = (LocalFile){ 0 };
  }
  closedir (dir);
  qsort (*files, *n_files, sizeof **files, compare_files);
  return true;
}

/* A part is called the same whatever is in it; its first box says what it is. */
static bool
is_mp4 (const RecSinkSetup *setup, const LocalFile *file)
{
  const int folder = open (setup->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int fd = folder < 0 ? -1 : openat (folder, file->file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  char type[4];
  const bool found = fd >= 0 && pread (fd, type, sizeof type, 4) == (ssize_t) sizeof type &&
                     memcmp (type, "ftyp", sizeof type) == 0;

  if (fd >= 0)
    close (fd);
  if (folder >= 0)
    close (folder);
  return found;
}

const RecMuxer *
local_names_look (const RecSinkSetup *setup, const LocalFile *file, RecMuxerFacts *facts)
{
  const RecMuxer *type = is_mp4 (setup, file) ? &rec_mp4_muxer : &rec_matroska_muxer;

  if (!type->look (setup->directory, file->file, facts))
    facts->ending = NULL;
  return type;
}

void
local_names_report (const RecSinkSetup *setup, const LocalFile *file)
{
  RecMuxerFacts facts;

  local_names_look (setup, file, &facts);
  if (facts.ending != NULL && facts.stream_id[0] != '\0')
    setup->host->add_file (setup->host, file->file, facts.media_type, facts.stream_id);
}
