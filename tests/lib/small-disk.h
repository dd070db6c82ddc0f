/* small-disk.h - a disk that is soon full, for one test process. */
#ifndef RECTO_TESTS_SMALL_DISK_H
#define RECTO_TESTS_SMALL_DISK_H

#include <stdbool.h>

/* Mounts a disk of so many megabytes over a folder, seen by this process and its children only, for good. False: it has no
 * right to. */
bool small_disk_mount (const char *path, unsigned n_megabytes);
/* Whether that would work; nothing is mounted in this process. */
bool small_disk_can_mount (void);

#endif
