#include "apps/tunic/log_observer.hpp"

#include <string>

#include <spdlog/spdlog.h>

#include "stack/wire/print.hpp"

namespace tunic::app {
namespace {

// SYNs of connections that came to nothing are forgotten with all others rather than without end.
constexpr std::size_t most_connections = 1u << 16;

}  // namespace

void log_observer::on_segment(bool sent, const four_tuple& ends, const wire::tcp_header& h, std::uint32_t text,
                              instant) {
  if (bases_.size() >= most_connections) bases_.clear();
  auto at = bases_.find(key_of(ends));
  if (h.flags.syn) {
    if (at == bases_.end()) at = bases_.try_emplace(key_of(ends)).first;
    (sent ? at->second.ours : at->second.theirs) = h.seq_number;
  }
  const bases b = at == bases_.end() ? bases{} : at->second;
  const auto base = sent ? wire::print_base{b.ours, b.theirs} : wire::print_base{b.theirs, b.ours};
  spdlog::debug("{} {} {}  {}", ends.local.to_string(), sent ? "->" : "<-", ends.remote.to_string(),
                wire::print(h, text, base));
}

void log_observer::on_state(const four_tuple& ends, tcp::state from, tcp::state to, instant) {
  spdlog::debug("{} -- {}  {} => {}", ends.local.to_string(), ends.remote.to_string(), tcp::name(from), tcp::name(to));
  if (to == tcp::state::closed) bases_.erase(key_of(ends));
}

void log_observer::on_phase(const four_tuple& ends, tcp::recovery_phase from, tcp::recovery_phase to, instant) {
  spdlog::debug("{} -- {}  {} => {}", ends.local.to_string(), ends.remote.to_string(), tcp::name(from), tcp::name(to));
}

void log_observer::on_loss(const four_tuple& ends, std::uint32_t octets, instant) {
  spdlog::debug("{} -- {}  lost {}", ends.local.to_string(), ends.remote.to_string(), octets);
}

void log_observer::on_window(const four_tuple& ends, std::uint32_t cwnd, std::uint32_t ssthresh, instant) {
  const std::string threshold = ssthresh == tcp::no_threshold ? "none" : std::to_string(ssthresh);
  spdlog::debug("{} -- {}  cwnd {} ssthresh {}", ends.local.to_string(), ends.remote.to_string(), cwnd, threshold);
}

}  // namespace tunic::app
