#pragma once

#include <cstddef>
#include <istream>
#include <ostream>
#include <string>

#include "apps/tunic/ladder/conversation.hpp"

namespace tunic::ladder {

/// Prints a connection as a ladder: a line a segment, with the states of both ends after it.
void print(std::ostream& out, const conversation& c, std::size_t number);

/// Reads a capture and prints every connection in it. Throws capture_error. Returns a sentence for the user's attention
/// (the capture ends early, holds no connection), or nothing.
std::string print_capture(std::istream& in, std::ostream& out);

}  // namespace tunic::ladder
