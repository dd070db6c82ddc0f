/* settings.h - the table of all settings: key, type, default, range, help. */
#ifndef REC_BASE_SETTINGS_H
#define REC_BASE_SETTINGS_H

#include <glib.h>
#include <stdint.h>

typedef enum RecSettingType {
  REC_SETTING_INVALID = 0,
  REC_SETTING_STRING,
  REC_SETTING_PATH,
  REC_SETTING_LIST, /* comma separated */
  REC_SETTING_CHOICE,
  REC_SETTING_BOOL,
  REC_SETTING_INT,
} RecSettingType;

typedef enum RecSettingFlags {
  REC_SETTING_SECRET = 1 << 0,    /* never printed */
  REC_SETTING_NO_EFFECT = 1 << 1, /* OpenVidu has it, Recto takes it and at most tells it on */
  REC_SETTING_FREE = 1 << 2,      /* its section takes other names too */
} RecSettingFlags;

typedef struct RecSetting {
  const char *key;
  RecSettingType type;
  const char *fallback;
  int64_t min, max;           /* of an INT; bytes of the others */
  const char *unit;           /* "ms", "bytes", ... or NULL */
  const char *const *choices; /* of a CHOICE, NULL at the end */
  const char *aliases;        /* more environment variables for it, comma separated, or NULL */
  unsigned flags;
  const char *help;
} RecSetting;

extern const RecSetting rec_settings[];
extern const size_t rec_n_settings;

typedef struct RecSettingSection {
  const char *name;
  const char *help;
} RecSettingSection;

/* In the order of the sample file, NULL name at the end. */
extern const RecSettingSection rec_setting_sections[];

/* NULL when there is none. */
const RecSetting *rec_setting_find (const char *key);

#endif
