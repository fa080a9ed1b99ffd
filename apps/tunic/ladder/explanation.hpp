#pragma once

#include <string>

#include "apps/tunic/ladder/conversation.hpp"

namespace tunic::ladder {

/// What a segment tells its two ends, in a sentence: what each has confirmed after each step of the handshake and the
/// close, and what is unusual. Empty for ordinary text and acknowledgements.
std::string explain(const conversation& c, const row& r);

}  // namespace tunic::ladder
