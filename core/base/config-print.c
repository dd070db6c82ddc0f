/* config-print.c - the settings as ini text: those in force, and the sample file. */
#define G_LOG_DOMAIN "rec.base.config"
#include "base/config.h"

#include <string.h>

#include "base/settings.h"

static const char *
get_name (const RecSetting *setting)
{
  return strchr (setting->key, '.') + 1;
}

static bool
is_in_section (const RecSetting *setting, const char *section)
{
  size_t length = strlen (section);

  return strncmp (setting->key, section, length) == 0 && setting->key[length] == '.';
}

static void
print_assignment (FILE *out, const char *name, const char *value)
{
  fprintf (out, *value == '\0' ? "%s =\n" : "%s = %s\n", name, value);
}

static void
print_setting (const RecConfig *config, const RecSetting *setting, FILE *out)
{
  const char *value = rec_config_get_string (config, setting->key);
  bool is_hidden = (setting->flags & REC_SETTING_SECRET) != 0 && *value != '\0';

  print_assignment (out, get_name (setting), is_hidden ? "***" : value);
}

static void
print_free_names (const RecConfig *config, const char *section, FILE *out)
{
  g_autoptr (GPtrArray) names = rec_config_list_names (config, section);

  for (guint i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);
    g_autofree char *key = g_strconcat (section, ".", name, NULL);
    if (rec_setting_find (key) == NULL)
      print_assignment (out, name, rec_config_lookup (config, section, name));
  }
}

void
rec_config_print (const RecConfig *config, FILE *out)
{
  for (const RecSettingSection *section = rec_setting_sections; section->name != NULL; section++) {
    fprintf (out, "%s[%s]\n", section == rec_setting_sections ? "" : "\n", section->name);
    for (size_t i = 0; i < rec_n_settings; i++)
      if (is_in_section (&rec_settings[i], section->name))
        print_setting (config, &rec_settings[i], out);
    print_free_names (config, section->name, out);
  }
}

static void
print_comment (FILE *out, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (size_t i = 0; lines[i] != NULL; i++)
    fprintf (out, *lines[i] == '\0' ? ";\n" : "; %s\n", lines[i]);
}

static void
print_constraint (const RecSetting *setting, FILE *out)
{
  if (setting->type == REC_SETTING_INT) {
    fprintf (out, "; %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT "%s%s\n", setting->min,
        setting->max, setting->unit == NULL ? "" : " ", setting->unit == NULL ? "" : setting->unit);
  } else if (setting->type == REC_SETTING_CHOICE) {
    g_autofree char *choices = g_strjoinv (", ", (char **) setting->choices);
    fprintf (out, "; one of %s\n", choices);
  } else if (setting->type == REC_SETTING_BOOL) {
    fputs ("; true or false\n", out);
  } else if (setting->type == REC_SETTING_LIST) {
    fputs ("; a list with commas\n", out);
  }
  if ((setting->flags & REC_SETTING_NO_EFFECT) != 0)
    fputs ("; Taken for compatibility, without effect.\n", out);
}

void
rec_config_print_sample (FILE *out)
{
  print_comment (out,
      "Recto's configuration: every setting at its default.\n"
      "\n"
      "Later wins: default, this file, environment, -D on the command line. The setting NAME in\n"
      "[SECTION] is -D SECTION.NAME=VALUE, or the environment variable SECTION.NAME, or in "
      "capitals\n"
      "OPENVIDU_RECORDING_PATH for openvidu.recording.path and RECTO_LOG_LEVEL for log.level.\n"
      "A line has at most 197 bytes, comments stand on lines of their own.\n"
      "Made from the table in core/base/settings.c by `make conf`.");
  for (const RecSettingSection *section = rec_setting_sections; section->name != NULL; section++) {
    fputc ('\n', out);
    print_comment (out, section->help);
    fprintf (out, "[%s]\n", section->name);
    for (size_t i = 0; i < rec_n_settings; i++) {
      const RecSetting *setting = &rec_settings[i];
      if (!is_in_section (setting, section->name))
        continue;
      fputc ('\n', out);
      print_comment (out, setting->help);
      print_constraint (setting, out);
      print_assignment (out, get_name (setting), setting->fallback);
    }
  }
}
