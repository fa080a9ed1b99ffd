#pragma once

#include "apps/tunic/options.hpp"

namespace tunic::app {

/// Fetches a URL.
exit_code get(const get_options& o);

}  // namespace tunic::app
