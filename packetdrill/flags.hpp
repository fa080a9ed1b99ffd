#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/address.hpp"
#include "stack/base/result.hpp"

namespace tunic::packetdrill {

/// What `--so_flags` says, separated by commas; packetdrill itself tells a plug-in neither addresses nor MTU.
struct flags {
  std::vector<address> local;             ///< `local=198.51.100.2`, once a version: what connect() sends from
  std::size_t mtu = 1500;                 ///< `mtu=1500`, octets
  std::string sysctls = "/proc/sys/net";  ///< `sysctls=FOLDER`: where settings are looked up
};

/// The reason where the text is wrong.
result<flags, std::string> parse_flags(std::string_view text);

}  // namespace tunic::packetdrill
