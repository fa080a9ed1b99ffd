#pragma once

#include <string>

namespace tunic::app {

// The pages of the echo site, in HTML.
std::string help_page();     ///< what there is
std::string scripts_page();  ///< loads ten scripts, and shows which have come
std::string form_page();
std::string upload_page();

/// The script that page loads as number `n`.
std::string script_text(const std::string& n);

}  // namespace tunic::app
