#pragma once

#include <memory>

#include "http/server/handler.hpp"

namespace tunic::app {

/// What `tunic serve --echo` serves: a site to try HTTP clients on. Uploads go through the system's folder for
/// temporary files, and nothing of them stays.
std::shared_ptr<http::handler> make_echo_site();

}  // namespace tunic::app
