/* config.h - every setting of the program, typed and checked through the table in settings.h.
 *
 * A key is `section.name`; the ini file writes `openvidu.recording.path` as [openvidu] recording.path.
 * Later wins: default, ini file, environment, -D. */
#ifndef REC_BASE_CONFIG_H
#define REC_BASE_CONFIG_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/types.h"

typedef struct RecConfigSources {
  const char *file;               /* the ini file, or NULL */
  const char *const *environment; /* "NAME=value", NULL at the end (environ), or NULL */
  const char *const *definitions; /* "key=value" of each -D, NULL at the end, or NULL */
} RecConfigSources;

/* Every setting at its default. */
RecConfig *rec_config_new (void);
RecConfig *rec_config_load (const RecConfigSources *sources, GError **error);
void rec_config_free (RecConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecConfig, rec_config_free)

/* `origin` says where the value stands ("-D", "conf/recto.ini:12") and opens the error message. */
bool rec_config_set (RecConfig *config, const char *key, const char *value, const char *origin,
    GError **error);

/* What no single value can show: the secret for a public address, pairs that belong together. */
bool rec_config_check (const RecConfig *config, GError **error);

/* Each asserts that the key is in the table and has that type: a wrong key is our own bug.
 * Strings are borrowed until the config is freed or changed; an empty string means unset. */
const char *rec_config_get_string (const RecConfig *config, const char *key);
int64_t rec_config_get_int (const RecConfig *config, const char *key);
bool rec_config_get_bool (const RecConfig *config, const char *key);
/* A comma separated list without empty members; never NULL, NULL at the end. */
const char *const *rec_config_get_list (const RecConfig *config, const char *key);
/* False while the value is the table's default and nobody wrote it down. */
bool rec_config_is_set (const RecConfig *config, const char *key);

/* A free section ([layouts]) takes any name besides those of the table: NULL when it has none. */
const char *rec_config_lookup (const RecConfig *config, const char *section, const char *name);
/* The names of a free section, sorted; the array is the caller's, the strings are borrowed. */
GPtrArray *rec_config_list_names (const RecConfig *config, const char *section);

/* Takes from fresh what may change while the server runs (main thread only); adds its key to `taken`, and the key of what
 * changed besides to `later`. The keys are the table's. What was borrowed of a key that is taken is gone. */
void rec_config_reload (RecConfig *config, RecConfig *fresh, GPtrArray *taken, GPtrArray *later);

/* What was accepted although it has no effect, as warnings; for when the log is set up. */
void rec_config_log_notes (const RecConfig *config);

/* "https://host:port" for clients, without a slash at the end; `port` is the one really listened on. */
char *rec_config_dup_public_url (const RecConfig *config, uint16_t port);

/* What is read without --config, or NULL when there is no such file. */
const char *rec_config_get_default_file (void);

/* The settings in force as an ini file; secrets are shown as ***. */
void rec_config_print (const RecConfig *config, FILE *out);
/* conf/recto.ini: every key at its default with its comment. */
void rec_config_print_sample (FILE *out);

#endif
