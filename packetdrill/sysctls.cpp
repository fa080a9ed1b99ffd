#include "packetdrill/sysctls.hpp"

#include <fstream>

namespace tunic::packetdrill {

std::uint32_t sysctls::number(std::string_view name, std::uint32_t otherwise) const {
  std::ifstream file{folder_ + "/" + std::string{name}};
  std::int64_t value = 0;
  return file >> value ? static_cast<std::uint32_t>(value) : otherwise;
}

std::array<std::uint32_t, 3> sysctls::triple(std::string_view name, std::array<std::uint32_t, 3> otherwise) const {
  std::ifstream file{folder_ + "/" + std::string{name}};
  std::array<std::uint32_t, 3> values{};
  return file >> values[0] >> values[1] >> values[2] ? values : otherwise;
}

std::string sysctls::text(std::string_view name, std::string_view otherwise) const {
  std::ifstream file{folder_ + "/" + std::string{name}};
  std::string line;
  return std::getline(file, line) ? line : std::string{otherwise};
}

}  // namespace tunic::packetdrill
