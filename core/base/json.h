/* json.h - json-c with ownership by type, limits on parsing, and bodies checked against a table.
 *
 * A member whose value is JSON null counts as absent everywhere. */
#ifndef REC_BASE_JSON_H
#define REC_BASE_JSON_H

#include <glib.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"

typedef struct json_object RecJson;

/* Borrowed as RecJson *, owned as g_autoptr (RecJson). */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecJson, json_object_put)

#define REC_JSON_MAX_DEPTH 32

typedef enum RecJsonType {
  REC_JSON_INVALID = 0,
  REC_JSON_STRING,
  REC_JSON_INTEGER,
  REC_JSON_NUMBER,
  REC_JSON_BOOLEAN,
  REC_JSON_OBJECT,
  REC_JSON_ARRAY,
  REC_JSON_STRINGS, /* an array of strings */
  REC_JSON_ANY,
} RecJsonType;

typedef struct RecJsonField {
  const char *name;
  RecJsonType type;
  bool required;
  int64_t min, max; /* of a number; bytes of a string, members of an array; 0, 0: no limit */
  const char *const *choices;           /* of a string, NULL at the end */
  bool (*is_valid) (const char *value); /* of a string; `expected` says what it wants */
  const char *expected;
} RecJsonField;

/* clang-format off */
#define REC_JSON_FIELDS_END { .name = NULL }
/* clang-format on */

/* One JSON value and nothing behind it; nested at most REC_JSON_MAX_DEPTH, at most max_bytes long. */
RecJson *rec_json_parse (const char *text, size_t length, size_t max_bytes, GError **error);
RecJson *rec_json_parse_file (const char *path, size_t max_bytes, GError **error);
/* On one line, slashes as they are. */
char *rec_json_to_text (RecJson *value);
char *rec_json_to_pretty_text (RecJson *value);

/* Checks what the table names and lets other members pass; CLOSED refuses them. */
bool rec_json_check (RecJson *body, const RecJsonField *fields, GError **error);
bool rec_json_check_closed (RecJson *body, const RecJsonField *fields, GError **error);

/* Borrowed, NULL when absent or null; `object` may be NULL. */
RecJson *rec_json_get (RecJson *object, const char *name);
bool rec_json_has (RecJson *object, const char *name);

/* Must be there and of that type; the string is borrowed. */
bool rec_json_get_string (RecJson *object, const char *name, const char **value, GError **error);
bool rec_json_get_int (RecJson *object, const char *name, int64_t *value, GError **error);

/* For bodies that were checked before: the fallback when absent or of another type. */
const char *rec_json_string_or (RecJson *object, const char *name, const char *fallback);
int64_t rec_json_int_or (RecJson *object, const char *name, int64_t fallback);
bool rec_json_bool_or (RecJson *object, const char *name, bool fallback);
double rec_json_double_or (RecJson *object, const char *name, double fallback);

/* A NULL string becomes JSON null. `take` consumes the value, which may be NULL (JSON null). */
void rec_json_set_string (RecJson *object, const char *name, const char *value);
void rec_json_set_int (RecJson *object, const char *name, int64_t value);
void rec_json_set_bool (RecJson *object, const char *name, bool value);
void rec_json_set_double (RecJson *object, const char *name, double value);
void rec_json_take (RecJson *object, const char *name, RecJson *value);

#endif
