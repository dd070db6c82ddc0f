/* page-recipe.c - a page plugin's answer, which is not trusted. */
#define G_LOG_DOMAIN "rec.worker.page"
#include "worker/page-recipe.h"

#include "base/error.h"
#include "base/json.h"
#include "plugin/options.h"
#include "worker/browser.h"

#include <string.h>

#define URL_BYTES 4096
#define ALLOW_BYTES 8192
#define MIN_SIDE 16
#define MAX_SIDE 8192
#define MAX_RATE 240
#define DOCUMENTED_PORT 4443 /* pages of the documentation have it written into them */
#define AUDIO_OFF 2          /* RecPage.audio */

/* --- the plugin ------------------------------------------------------------------------------------ */

static bool
load (RecPageRecipe *recipe, GError **error)
{
  RecJson *plugin = rec_json_get (recipe->setup, "plugin");

  recipe->plugin = rec_loader_load (rec_json_string_or (plugin, "file", ""), error);
  if (recipe->plugin == NULL)
    return false;
  if (recipe->plugin->kind != REC_PLUGIN_PAGE_LAYOUT) {
    g_set_error (error, REC_ERROR, REC_ERROR_NOT_IMPLEMENTED, "plugin '%s' is no page layout",
        rec_json_string_or (plugin, "id", ""));
    return false;
  }
  recipe->options =
      rec_options_new (recipe->plugin->plugin->options, rec_json_get (plugin, "options"));
  return true;
}

static RecErrorCode
get_code (uint32_t failure)
{
  switch (failure) {
  case REC_FAIL_NOT_FOUND:
    return REC_ERROR_NOT_FOUND;
  case REC_FAIL_INVALID:
  case REC_FAIL_DENIED:
    return REC_ERROR_INVALID_ARGUMENT;
  case REC_FAIL_UNSUPPORTED:
    return REC_ERROR_NOT_IMPLEMENTED;
  default:
    return REC_ERROR_FAILED;
  }
}

static bool
resolve (RecPageRecipe *recipe, const RecRecorderRecipe *recorder, RecPage *page, GError **error)
{
  RecJson *setup = recipe->setup;
  const RecPageRequest request = {
    .size = sizeof request,
    .width = recorder->width,
    .height = recorder->height,
    .frame_rate = recorder->frame_rate,
    .has_audio = recorder->has_audio,
    .options = recipe->options,
    .layout_dir = rec_json_string_or (setup, "layoutDir", ""),
    .base_url = rec_json_string_or (setup, "baseUrl", ""),
    .layout = rec_json_string_or (setup, "layout", ""),
    .session_id = rec_json_string_or (setup, "sessionId", ""),
    .secret = rec_json_string_or (setup, "secret", ""),
    .recording_id = rec_json_string_or (setup, "recordingId", ""),
  };
  RecError failure = { 0 };

  if (!recipe->plugin->page.resolve (&request, page, &failure)) {
    failure.message[sizeof failure.message - 1] = '\0';
    g_autofree char *why = g_utf8_make_valid (failure.message, -1);
    g_set_error_literal (error, REC_ERROR, get_code (failure.code),
        *why != '\0' ? why : "the layout cannot be used");
    return false;
  }
  page->url[page->url_capacity - 1] = '\0';
  page->allow[page->allow_capacity - 1] = '\0';
  return true;
}

/* --- its answer -------------------------------------------------------------------------------------- */

static bool
is_between (int32_t value, int32_t min, int32_t max)
{
  return value == 0 || (value >= min && value <= max);
}

static bool
check (const RecPageRecipe *recipe, const RecPage *page, GError **error)
{
  const char *id = recipe->plugin->plugin->id;

  if (!g_utf8_validate (page->url, -1, NULL) || !g_utf8_validate (page->allow, -1, NULL)) {
    g_set_error (error, REC_ERROR, REC_ERROR_FAILED, "page layout '%s' answers no UTF-8", id);
    return false;
  }
  if (!is_between (page->width, MIN_SIDE, MAX_SIDE) ||
      !is_between (page->height, MIN_SIDE, MAX_SIDE) ||
      !is_between (page->frame_rate, 1, MAX_RATE)) {
    g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
        "page layout '%s' asks for %dx%d pixels at %d pictures a second: expected %d to %d, and 1 "
        "to "
        "%d",
        id, page->width, page->height, page->frame_rate, MIN_SIDE, MAX_SIDE, MAX_RATE);
    return false;
  }
  return true;
}

/* The window may differ from the recording, which then shows it scaled. */
static void
read_page (RecPageRecipe *recipe, const RecPage *page, const RecRecorderRecipe *recorder)
{
  recipe->url = g_strdup (page->url);
  recipe->width = (page->width > 0 ? page->width : recorder->width) / 2 * 2;
  recipe->height = (page->height > 0 ? page->height : recorder->height) / 2 * 2;
  recipe->frame_rate = page->frame_rate > 0 ? page->frame_rate : recorder->frame_rate;
  recipe->background = page->background;
  recipe->has_sound = recorder->has_audio && page->audio != AUDIO_OFF;
  recipe->must_join = *recipe->secret != '\0' && strstr (recipe->url, recipe->secret) != NULL;
  if (page->ready_timeout_ms > 0)
    recipe->ready_timeout_ms =
        (int) MIN ((uint32_t) recipe->ready_timeout_ms, page->ready_timeout_ms);
}

/* The server by its own address and by the documented port, the page's own origin, and what its layout allows. */
static bool
find_reachable (RecPageRecipe *recipe, const char *allow, GError **error)
{
  const char *base_url = rec_json_string_or (recipe->setup, "baseUrl", "");
  g_auto (GStrv) allowed = g_strsplit (allow, " ", -1);
  g_autofree char *base = rec_browser_dup_host (base_url);
  g_autofree char *own = rec_browser_dup_host (recipe->url);
  GPtrArray *reachable = g_ptr_array_new ();

  if (base != NULL) {
    const char *colon = strrchr (base, ':');

    g_ptr_array_add (reachable,
        g_strdup_printf ("%.*s:%d", (int) (colon - base), base, DOCUMENTED_PORT));
    g_ptr_array_add (reachable, g_steal_pointer (&base));
  }
  if (own != NULL)
    g_ptr_array_add (reachable, g_strdup (own));
  for (char **origin = allowed; *origin != NULL; origin++) {
    char *host = rec_browser_dup_host (*origin);

    if (host != NULL)
      g_ptr_array_add (reachable, host);
    else if (**origin != '\0')
      g_warning ("page layout '%s' allows '%s', which is no origin: it is not allowed",
          recipe->plugin->plugin->id, *origin);
  }
  g_ptr_array_add (reachable, NULL);
  recipe->reachable = (char **) g_ptr_array_free (reachable, FALSE);
  if (own != NULL && g_str_has_prefix (recipe->url, "http"))
    return true;
  g_set_error (error, REC_ERROR, REC_ERROR_INVALID_ARGUMENT,
      "page layout '%s' leads to no http or https address", recipe->plugin->plugin->id);
  return false;
}

static bool
fill_in (RecPageRecipe *recipe, const RecRecorderRecipe *recorder, GError **error)
{
  g_autofree char *url = g_malloc0 (URL_BYTES), *allow = g_malloc0 (ALLOW_BYTES);
  RecPage page = {
    .size = sizeof page,
    .url_capacity = URL_BYTES,
    .url = url,
    .allow_capacity = ALLOW_BYTES,
    .allow = allow,
  };

  if (!load (recipe, error) || !resolve (recipe, recorder, &page, error) ||
      !check (recipe, &page, error))
    return false;
  read_page (recipe, &page, recorder);
  return find_reachable (recipe, page.allow, error);
}

RecPageRecipe *
rec_page_recipe_new (json_object *setup, const RecRecorderRecipe *recorder, GError **error)
{
  g_autoptr (RecPageRecipe) recipe = g_new0 (RecPageRecipe, 1);
  RecJson *browser = rec_json_get (setup, "browser");

  recipe->setup = json_object_get (setup);
  recipe->secret = rec_json_string_or (setup, "secret", "");
  recipe->may_fall_back = strcmp (rec_json_string_or (setup, "fallback", ""), "best_fit") == 0;
  recipe->ready_timeout_ms = (int) rec_json_int_or (browser, "readyTimeoutMs", 1);
  if (!fill_in (recipe, recorder, error))
    return NULL;
  return g_steal_pointer (&recipe);
}

void
rec_page_recipe_free (RecPageRecipe *recipe)
{
  if (recipe == NULL)
    return;
  rec_options_free (recipe->options);
  rec_loaded_plugin_free (recipe->plugin);
  g_strfreev (recipe->reachable);
  g_free (recipe->url);
  json_object_put (recipe->setup);
  g_free (recipe);
}
