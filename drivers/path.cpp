#include "drivers/path.hpp"

#include <algorithm>
#include <cstring>

#include "stack/wire/checksum.hpp"

namespace tunic::drivers {

namespace {

enum path_stream : std::uint64_t { duplicate = 16, corrupt, jitter, reorder };  // behind those of `loss`

// RFC 3168 §5: ECT(0) or ECT(1) becomes CE; returns whether it was one of them.
bool mark(wire::writable_octets datagram) {
  constexpr std::uint8_t ce = 3;
  const auto is_ect = [](int ecn) { return ecn == 1 || ecn == 2; };
  const int version = wire::load8(datagram.data()) >> 4;
  if (version == 4 && datagram.size() >= 20) {
    const std::uint16_t before = wire::load16(datagram.data());
    if (!is_ect(before & ce)) return false;
    const auto after = static_cast<std::uint16_t>(before | ce);
    wire::store16(datagram.data(), after);
    wire::checksum sum;  // RFC 1624 §3, equation 3
    sum.add16(static_cast<std::uint16_t>(~wire::load16(datagram.data() + 10)));
    sum.add16(static_cast<std::uint16_t>(~before));
    sum.add16(after);
    wire::store16(datagram.data() + 10, sum.finish());
    return true;
  }
  if (version == 6 && datagram.size() >= 40) {
    const std::uint8_t octet = wire::load8(datagram.data() + 1);  // RFC 8200 §3: the traffic class ends in its middle
    if (!is_ect(octet >> 4 & ce)) return false;
    wire::store8(datagram.data() + 1, static_cast<std::uint8_t>(octet | ce << 4));
    return true;
  }
  return false;
}

}  // namespace

path::path(const path_options& options, std::uint64_t seed)
    : options_(options),
      loss_(options, seed),
      bottleneck_(options),
      duplicate_(seed, path_stream::duplicate),
      corrupt_(seed, path_stream::corrupt),
      jitter_(seed, path_stream::jitter),
      reorder_(seed, path_stream::reorder) {}

void path::push(wire::octets datagram, instant now) {
  if (datagram.empty()) return;
  ++counters_.came;
  const bool lost = loss_.next(now);
  const bool doubled = duplicate_.chance(options_.duplicate);
  if (datagram.size() > options_.largest) {
    ++counters_.too_large;
  } else if (lost) {
    ++counters_.lost;
  } else {
    enter(datagram, now);
    if (!doubled) return;
    ++counters_.duplicated;
    enter(datagram, now);
  }
}

void path::enter(wire::octets datagram, instant now) {
  const auto passage = held_ < most_held ? bottleneck_.take(datagram.size(), now) : std::nullopt;
  if (!passage) {
    ++counters_.queue_drops;
    return;
  }
  const buffer_ref b = pool_.fitting(datagram.size());
  const auto octets = b->room().first(datagram.size());
  std::memcpy(octets.data(), datagram.data(), datagram.size());
  if (passage->congested && mark(octets)) ++counters_.marked;
  if (corrupt_.chance(options_.corrupt)) {
    const std::uint64_t bit = corrupt_.below(octets.size() * 8);
    octets[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    ++counters_.corrupted;
  }
  held_ += b->capacity();
  under_way_.push_back({arrival(passage->left), entered_++, pool::view(b, octets.size())});
  std::push_heap(under_way_.begin(), under_way_.end(), later);
}

instant path::arrival(instant left) {
  instant at = left + options_.delay;
  if (options_.jitter > duration{})
    at += duration{static_cast<duration::rep>(jitter_.below(static_cast<std::uint64_t>(options_.jitter.count()) + 1))};
  if (!options_.jitter_reorders) at = in_order_ = std::max(at, in_order_);
  return reorder_.chance(options_.reorder) ? at + options_.reorder_by : at;
}

bool path::later(const entry& a, const entry& b) {
  return a.due != b.due ? a.due > b.due : a.number > b.number;
}

slice path::pop(instant now) {
  if (under_way_.empty() || under_way_.front().due > now) return {};
  std::pop_heap(under_way_.begin(), under_way_.end(), later);
  entry e = std::move(under_way_.back());
  under_way_.pop_back();
  held_ -= e.datagram.owner()->capacity();
  if (e.number < expected_)
    ++counters_.reordered;
  else
    expected_ = e.number + 1;
  ++counters_.passed;
  counters_.passed_octets += e.datagram.size();
  return std::move(e.datagram);
}

}  // namespace tunic::drivers
