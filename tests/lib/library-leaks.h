/* library-leaks.h - included by one file of a test: what libraries allocate while they are loaded is not ours.
 *
 * GLib gives up its first table of quarks when it has more than 2048, which GStreamer sees to; the leak checker
 * cannot tell by the stack, for GLib is built without frame pointers. */
#ifndef RECTO_TESTS_LIBRARY_LEAKS_H
#define RECTO_TESTS_LIBRARY_LEAKS_H

#if defined(__has_feature) && !defined(__SANITIZE_ADDRESS__)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1 /* as gcc says it */
#endif
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>

static void
rec_ignore_library_leaks (void)
{
  __lsan_disable ();
}

/* Runs before the constructors of all libraries... */
__attribute__ ((section (".preinit_array"), used)) static void (*const rec_before_libraries) (
    void) = rec_ignore_library_leaks;

/* ...and this one after them. */
__attribute__ ((constructor)) static void
rec_watch_leaks_again (void)
{
  __lsan_enable ();
}
#endif

#endif
