#include "apps/tunic/progress.hpp"

#include <array>
#include <cstdio>
#include <unistd.h>

#include <spdlog/fmt/fmt.h>

namespace tunic::app {

progress::progress() : terminal_(::isatty(STDERR_FILENO) == 1) {}

void progress::show(std::uint64_t octets, std::optional<std::uint64_t> of) {
  if (!terminal_) return;
  const auto now = clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds{100};
  std::string line = fmt::format("\r{}", octets_text(octets));
  if (of && *of > 0)
    line +=
        fmt::format(" of {} ({:.0f}%)", octets_text(*of), 100 * static_cast<double>(octets) / static_cast<double>(*of));
  std::fputs((line + "\033[K").c_str(), stderr);
  shown_ = true;
}

void progress::clear() {
  if (shown_) std::fputs("\r\033[K", stderr);
  shown_ = false;
}

std::string octets_text(std::uint64_t octets) {
  constexpr std::array units = {"octets", "KiB", "MiB", "GiB", "TiB"};
  auto v = static_cast<double>(octets);
  std::size_t unit = 0;
  for (; v >= 1024 && unit + 1 < units.size(); ++unit) v /= 1024;
  return unit == 0 ? fmt::format("{} octets", octets) : fmt::format("{:.1f} {}", v, units[unit]);
}

}  // namespace tunic::app
