#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tunic::packetdrill {

/// The network namespace's settings, read anew at every question: a script changes them by shell commands.
class sysctls {
 public:
  explicit sysctls(std::string folder) : folder_(std::move(folder)) {}

  /// "ipv4/tcp_sack"; the default where there is no such setting. Settings count from 0; -1 reads as the largest.
  [[nodiscard]] std::uint32_t number(std::string_view name, std::uint32_t otherwise) const;
  /// A setting of three numbers: least, default and most.
  [[nodiscard]] std::array<std::uint32_t, 3> triple(std::string_view name,
                                                    std::array<std::uint32_t, 3> otherwise) const;
  [[nodiscard]] std::string text(std::string_view name, std::string_view otherwise) const;

 private:
  std::string folder_;
};

}  // namespace tunic::packetdrill
