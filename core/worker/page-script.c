/* page-script.c - takes the scripts in as they are; the Makefile says that this file depends on them. */
#include "worker/page-script.h"

#define INCLUDE_TEXT(name, file)                                                                   \
  __asm__(".pushsection .rodata\n"                                                                 \
          ".global " #name "\n"                                                                    \
          ".hidden " #name "\n" #name ":\n"                                                        \
          ".incbin \"" file "\"\n"                                                                 \
          ".byte 0\n"                                                                              \
          ".popsection\n")

INCLUDE_TEXT (rec_page_controller_js, "core/worker/page-controller.js");
INCLUDE_TEXT (rec_page_calibration_js, "core/worker/page-calibration.js");
INCLUDE_TEXT (rec_page_pulse_js, "core/worker/page-pulse.js");
