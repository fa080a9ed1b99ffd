#include "packetdrill/flags.hpp"

#include <charconv>

namespace tunic::packetdrill {

result<flags, std::string> parse_flags(std::string_view text) {
  flags f;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const std::string_view key = one.substr(0, one.find('='));
    const std::string_view value = one.substr(std::min(one.size(), key.size() + 1));
    if (key == "local") {
      const auto a = address::parse(value);
      if (!a) return "local=" + std::string{value} + " is no address";
      f.local.push_back(*a);
    } else if (key == "mtu") {
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), f.mtu);
      if (error != std::errc{} || end != value.data() + value.size() || f.mtu < 68 || f.mtu > 65535)
        return "mtu=" + std::string{value} + " is no MTU between 68 and 65535";
    } else if (key == "sysctls") {
      f.sysctls = value;
    } else {
      return "there is no flag '" + std::string{key} + "', but local=ADDRESS, mtu=OCTETS and sysctls=FOLDER";
    }
  }
  return f;
}

}  // namespace tunic::packetdrill
