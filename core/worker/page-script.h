/* page-script.h - the programs that run in the browser, compiled in. */
#ifndef REC_WORKER_PAGE_SCRIPT_H
#define REC_WORKER_PAGE_SCRIPT_H

extern const char rec_page_controller_js[];
extern const char rec_page_calibration_js[];
extern const char rec_page_pulse_js[];

#endif
