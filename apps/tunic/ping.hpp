#pragma once

#include "apps/tunic/options.hpp"

namespace tunic::app {

/// Sends echo requests and prints what comes back.
exit_code ping(const ping_options& o);

}  // namespace tunic::app
