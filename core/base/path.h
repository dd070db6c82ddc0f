/* path.h - names from outside never leave their folder. */
#ifndef REC_BASE_PATH_H
#define REC_BASE_PATH_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/types.h"

/* One component that may become a file name: UTF-8, no slash, no backslash, no control character,
 * no leading dot, 1 to 200 bytes. */
bool rec_path_is_safe_name (const char *name);

/* A relative path of ordinary components ("a/b/index.html"); says nothing about what lies on the disk. */
bool rec_path_is_safe_relative (const char *relative);

/* The real path of root/relative, which need not exist yet; an error when the words or a symbolic link
 * would leave root. Owned by the caller. */
char *rec_path_join_contained (const char *root, const char *relative, GError **error);

/* Opens below root in one step, so that no link put there meanwhile leads out of it; an owned descriptor,
 * close-on-exec, or -1. `flags` as for open (2). */
int rec_path_open_contained (const char *root, const char *relative, int flags, unsigned mode,
    GError **error);

/* With all parents; fine when it is there already. */
bool rec_path_make_folder (const char *path, unsigned mode, GError **error);

/* Writes `path.part`, fsyncs, renames, fsyncs the folder: the file is whole or the old one. */
bool rec_path_write_file (const char *path, const void *data, size_t size, unsigned mode,
    GError **error);

/* Renames a file that is complete and on the disk, and fsyncs the folder; one that cannot be renamed is removed. */
bool rec_path_put_in_place (const char *part, const char *path, GError **error);

/* Bytes that the disk of an existing file or folder has left for us; -1 with errno when it can't be asked. [any] */
int64_t rec_path_get_free_bytes (const char *path);

/* As unlink (2), with its errno; but the disk's work of giving back a large file's space is done on a thread. */
int rec_path_unlink (const char *path);

/* Removes a file, or a folder with all below it, without following links, also those that somebody puts there meanwhile, or leaving
 * the file system; fine when it is gone. */
bool rec_path_remove_tree (const char *path, GError **error);
/* The same for a folder in a place where others can make one, too: only if it is one of these users'. */
bool rec_path_remove_tree_of (const char *path, const uid_t *owners, size_t n_owners,
    GError **error);

#endif
