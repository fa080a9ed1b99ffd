#pragma once

#include <system_error>

#include <asio/error.hpp>

namespace tunic::detail {

/// The core speaks std::errc in the generic category. Asio's own codes (asio::error::connection_reset, …) are the same
/// numbers in its system category, and only those equal what users of Asio write. Where Asio has no name, std::errc
/// stays.
inline std::error_code to_asio(std::error_code e) {
  if (e.category() != std::generic_category() || e == std::errc::address_not_available || e == std::errc::io_error)
    return e;
  return {e.value(), asio::error::get_system_category()};
}

inline void throw_if(const std::error_code& e, const char* call) {
  if (e) throw std::system_error(e, call);
}

}  // namespace tunic::detail
