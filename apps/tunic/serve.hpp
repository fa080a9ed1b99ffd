#pragma once

#include "apps/tunic/options.hpp"

namespace tunic::app {

/// Serves a folder until it is interrupted.
exit_code serve(const serve_options& o);

}  // namespace tunic::app
