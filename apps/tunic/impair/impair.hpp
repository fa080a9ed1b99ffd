#pragma once

#include "apps/tunic/impair/options.hpp"

namespace tunic::app {

/// `tunic impair`: returns when it is told to end. Throws std::system_error, whose what() says what to do.
void impair(const impair_options& o);

}  // namespace tunic::app
