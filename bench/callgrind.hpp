#pragma once

// What callgrind counts: what runs between two of these, where it was told not to begin by itself. Without valgrind's
// header nothing can be counted, and nothing else changes.
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT static_cast<void>(0)
#endif
