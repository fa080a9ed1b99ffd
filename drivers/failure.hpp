#pragma once

#include <string>
#include <system_error>

namespace tunic::drivers {

/// Throws std::system_error with a sentence that says what to do; the system's word for `number`, an errno, goes
/// behind.
[[noreturn]] inline void fail(int number, const std::string& sentence) {
  throw std::system_error{number, std::system_category(), sentence};
}

}  // namespace tunic::drivers
